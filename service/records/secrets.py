"""What only this service can make: secrets that outlast a process and are the same for all that use the file."""

from __future__ import annotations

import secrets

from pes_search.service.records.file import RecordFile

SECRET_BYTES = 32


class SecretRecords:
    """Secrets in the file, each made when it is first asked for."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def secret(self, name: str) -> bytes:
        """Return the secret of a name: the same at every call, in every process, and after a restore that of the backup."""
        lookup = "SELECT value FROM secrets WHERE name = ?"
        with self._file.transaction() as connection:
            row = connection.execute(lookup, (name,)).fetchone()
        if row is None:
            with self._file.transaction(write=True) as connection:
                made = secrets.token_bytes(SECRET_BYTES)
                connection.execute("INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)", (name, made))
                row = connection.execute(lookup, (name,)).fetchone()
        return bytes(row[0])
