"""Keys: what somebody may do who has one. The file has their hashes only, so whoever reads it cannot sign in."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from pes_search.service.records.file import NotStoredError, RecordFile
from pes_search.service.records.roles import Role
from pes_search.service.records.texts import storable

KEY_PREFIX = "pes_"  # by which scanners of files and logs find a key that leaked: pes_[0-9a-f]{64}
KEY_BYTES = 32
LONGEST_NAME_CHARACTERS = 100  # of a key's name
_COLUMNS = "id, role, name, reads, made, expires, revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without what opens the door."""

    id: str  # what it is called by, in lists and logs
    role: Role
    name: str
    reads: frozenset[str]  # the visibility labels that a reader may read beside what is public
    made: str
    expires: str | None
    revoked: str | None

    def is_valid(self, now: str) -> bool:
        """Tell whether it opens anything at a time."""
        return self.revoked is None and (self.expires is None or now < self.expires)


class KeyRecords:
    """Keys in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def add(self, role: Role, *, name: str = "", reads: Iterable[str] = (), days: int | None = None) -> tuple[Key, str]:
        """Make a key that lasts so many days, or until it is revoked; return it and its text, which is kept nowhere."""
        text = KEY_PREFIX + secrets.token_hex(KEY_BYTES)
        key = Key(
            id=secrets.token_hex(4),
            role=role,
            name=storable(name, LONGEST_NAME_CHARACTERS),
            reads=frozenset(storable(label) for label in reads),
            made=self._file.time(),
            expires=None if days is None else self._file.time(days_ago=-days),
            revoked=None,
        )
        with self._file.transaction(write=True) as connection:
            connection.execute(
                f"INSERT INTO keys (hash, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (hashed(text), key.id, role, key.name, "\n".join(sorted(key.reads)), key.made, key.expires, None),
            )
        return key, text

    def find(self) -> list[Key]:
        """Return all keys, revoked and expired ones too, the newest first."""
        with self._file.transaction() as connection:
            return _keys(connection, "1 = 1 ORDER BY made DESC, id")

    def revoke(self, key_id: str) -> Key:
        """Let a key open nothing from now on, and end what was begun with it.

        It stays in the list: a service whose last key is revoked must not open to everybody.

        Raises:
            NotStoredError: there is no such key.
        """
        with self._file.transaction(write=True) as connection:
            connection.execute(
                "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (self._file.time(), storable(key_id))
            )
            connection.execute("DELETE FROM sessions WHERE key_id = ?", (storable(key_id),))
            found = _keys(connection, "id = ?", storable(key_id))
        if not found:
            raise NotStoredError(f"no key has the id {key_id!r}; `pes keys list` has them all")
        return found[0]


def hashed(text: str) -> str:
    """Return what is kept of a key or a session's token.

    Both are 256 random bits, which nobody can guess from their hash: slow hashes and salts are for what people think up.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def has_keys(connection: sqlite3.Connection) -> bool:
    """Tell whether a key was ever made."""
    return connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None


def key_of(connection: sqlite3.Connection, text: str) -> Key | None:
    """Return the key of a text, valid or not."""
    return next(iter(_keys(connection, "hash = ?", hashed(text))), None)


def key_named(connection: sqlite3.Connection, key_id: str) -> Key | None:
    """Return the key of an id, valid or not."""
    return next(iter(_keys(connection, "id = ?", key_id)), None)


def valid_keys(connection: sqlite3.Connection, now: str) -> int:
    """Return how many keys open anything at a time."""
    return sum(key.is_valid(now) for key in _keys(connection, "1 = 1"))


def _keys(connection: sqlite3.Connection, condition: str, *values: str) -> list[Key]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM keys WHERE {condition}", values)  # noqa: S608
    return [
        Key(key_id, role, name, frozenset(reads.split("\n")) - {""}, made, expires, revoked)
        for key_id, role, name, reads, made, expires, revoked in rows
    ]
