"""Who is signed in, and sign-ins that wait for an organisation's answer. Tokens are kept as hashes, and none for long."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pes_search.service.records.file import RecordFile
from pes_search.service.records.keys import hashed
from pes_search.service.records.roles import Role
from pes_search.service.records.texts import storable

SESSION_SECONDS = 12 * 3600
PENDING_SECONDS = 10 * 60  # for a password, a second factor and a slow network
TOKEN_BYTES = 32
MOST_SESSIONS = 10_000  # of one key or one account; the oldest go
MOST_PENDING = 10_000  # sign-ins; whoever asks for more pushes the oldest out, and the file does not grow
LONGEST_NAME_CHARACTERS = 100  # of who is signed in


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    key_id: str  # of a key, or what else they came with
    role: Role  # that they signed in with; where they came with a key this has to be its role still
    reads: frozenset[str]
    name: str
    bound: str  # what must be the same still, where no key of the file stands behind the session
    made: str
    expires: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that was sent to an organisation and has not come back."""

    nonce: str
    verifier: str
    next: str


class SessionRecords:
    """Sessions in the file."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file

    def start(self, *, token: str, key_id: str, role: Role, reads: Iterable[str] = (), name: str = "", bound: str = "") -> None:
        """Keep a session that a token opens."""
        now, expires = self._times(SESSION_SECONDS)
        row = (
            hashed(token),
            key_id,
            role,
            "\n".join(sorted(reads)),
            storable(name, LONGEST_NAME_CHARACTERS),
            bound,
            now,
            expires,
        )
        with self._file.transaction(write=True) as connection:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
            connection.execute(
                "DELETE FROM sessions WHERE hash IN "
                "(SELECT hash FROM sessions WHERE key_id = ? ORDER BY made DESC LIMIT -1 OFFSET ?)",
                (key_id, MOST_SESSIONS - 1),
            )
            connection.execute(
                "INSERT INTO sessions (hash, key_id, role, reads, name, bound, made, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def end(self, token: str) -> None:
        """Forget a session: its token opens nothing any more, wherever it was copied to."""
        with self._file.transaction(write=True) as connection:
            connection.execute("DELETE FROM sessions WHERE hash = ?", (hashed(token),))

    def end_all(self) -> int:
        """Forget all sessions, as a file from a backup may have some that were ended since; return how many."""
        with self._file.transaction(write=True) as connection:
            return connection.execute("DELETE FROM sessions").rowcount

    def wait(self, *, state: str, browser: str, nonce: str, verifier: str, next: str) -> None:  # noqa: A002
        """Keep a sign-in until it comes back, with the same state, to the same browser."""
        now, expires = self._times(PENDING_SECONDS)
        with self._file.transaction(write=True) as connection:
            connection.execute("DELETE FROM pending_sign_ins WHERE expires <= ?", (now,))
            connection.execute(
                "DELETE FROM pending_sign_ins WHERE hash IN "
                "(SELECT hash FROM pending_sign_ins ORDER BY expires DESC LIMIT -1 OFFSET ?)",
                (MOST_PENDING - 1,),
            )
            connection.execute(
                "INSERT INTO pending_sign_ins (hash, browser, nonce, verifier, next, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (hashed(state), hashed(browser), nonce, verifier, storable(next), expires),
            )

    def come_back(self, *, state: str, browser: str) -> Pending | None:
        """Return the sign-in that a browser comes back from, once: a second time there is none."""
        now, latest = self._times(PENDING_SECONDS)
        with self._file.transaction(write=True) as connection:
            # Of another browser it stays: who learns of a state must not be able to stop the sign-in that it belongs to.
            found = connection.execute(
                "SELECT nonce, verifier, next FROM pending_sign_ins "
                "WHERE hash = ? AND browser = ? AND expires > ? AND expires <= ?",
                (hashed(state), hashed(browser), now, latest),
            ).fetchone()
            if found:
                connection.execute("DELETE FROM pending_sign_ins WHERE hash = ?", (hashed(state),))
        return Pending(*found) if found else None

    def _times(self, seconds: int) -> tuple[str, str]:
        """Return now and so many seconds later."""
        now = self._file.time()
        return now, later(now, seconds)


def later(time: str, seconds: int) -> str:
    """Return a time, as it is kept, so many seconds later."""
    return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def new_token() -> str:
    """Return 256 random bits as a text for cookies and addresses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def session_of(connection: sqlite3.Connection, token: str) -> Session | None:
    """Return the session that a token opens, expired or not."""
    row = connection.execute(
        "SELECT key_id, role, reads, name, bound, made, expires FROM sessions WHERE hash = ?", (hashed(token),)
    ).fetchone()
    if row is None:
        return None
    key_id, role, reads, name, bound, made, expires = row
    return Session(key_id, role, frozenset(reads.split("\n")) - {""}, name, bound, made, expires)
