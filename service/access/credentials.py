"""What the database knows of keys and sessions, at the price of looking whether its file has changed.

Whatever process changes it, the next request goes by it. A database that cannot be read lets nobody in.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pes_search.service.records.file import DatabaseError, reading
from pes_search.service.records.keys import Key, has_keys, hashed, key_named, key_of, valid_keys
from pes_search.service.records.sessions import Session, session_of

SETTLED_SECONDS = 2.5  # clocks of file systems tick every 4 ms to 2 s: of two changes in a tick the second could go unseen
MOST_KNOWN = 1_000  # answers that are remembered until the file changes
Signature = tuple[tuple[int, int, int] | None, ...]


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of a request's key and session, valid or not."""

    has_keys: bool  # whether one was ever made
    key: Key | None
    session: Session | None
    session_key: Key | None  # that the session was begun with


class Credentials:
    """Keys and sessions of a database file, read by whoever asks. Safe to use from several threads."""

    def __init__(self, path: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._given_path = path  # as messages name it
        self._path = path.absolute()
        self._now = now
        self._lock = threading.Lock()
        self._signature: Signature = ()
        self._known: dict[tuple[str, str], Known] = {}
        self._had_keys = False

    def time(self) -> str:
        """Return the time as the database has it."""
        return self._now().astimezone(UTC).isoformat(timespec="seconds")

    def remembered(self, key: str, session: str) -> Known | None:
        """Return what is known of a request's key and session ("": it has none), or None where it has to be read."""
        with self._lock:
            return self._known.get((hashed(key), hashed(session))) if self._signature == self._look() else None

    def read(self, key: str, session: str) -> Known:
        """Read what is known of a key and a session; takes some tenths of a millisecond.

        Raises:
            DatabaseError: that cannot be told.
        """
        looked_at = time.time()
        signature = self._look()
        known = self._read(key, session) if signature[0] else Known(False, None, None, None)
        with self._lock:
            if known.has_keys:
                self._had_keys = True
            elif self._had_keys:  # a file that is gone, or another in its place, must not open what was closed
                raise DatabaseError(f"the keys are gone from {self._given_path}; put the file back, or start the service again")
            if signature != self._signature or len(self._known) >= MOST_KNOWN:
                self._known.clear()
                self._signature = signature
            if all(looked_at - part[2] / 1e9 > SETTLED_SECONDS for part in signature if part):
                self._known[hashed(key), hashed(session)] = known
        return known

    def count_valid(self) -> int:
        """Return how many keys open anything now.

        Raises:
            DatabaseError: they cannot be read.
        """
        if not self._look()[0]:
            return 0
        with reading(self._path) as connection:
            return valid_keys(connection, self.time()) if _has_table(connection) else 0

    def _read(self, key: str, session: str) -> Known:
        with reading(self._path) as connection:
            if not _has_table(connection):  # of an older version; brought to this one by the first that writes
                return Known(False, None, None, None)
            connection.execute("BEGIN")
            found = session_of(connection, session) if session else None
            return Known(
                has_keys(connection),
                key_of(connection, key) if key else None,
                found,
                key_named(connection, found.key_id) if found else None,
            )

    def _look(self) -> Signature:
        """Return what changes with every change of the file; what is first is None where there is no file, or nothing in it.

        Raises:
            DatabaseError: that cannot be told.
        """
        parts: list[tuple[int, int, int] | None] = []
        for path in (self._path, f"{self._path}-wal"):
            try:
                status = os.stat(path)  # noqa: PTH116
            except (FileNotFoundError, NotADirectoryError):
                parts.append(None)
            except OSError as error:
                raise DatabaseError(f"cannot read {self._given_path}: {error.strerror or error}") from error
            else:
                # Who reads makes the second file, empty, where it is not there: that says nothing new.
                parts.append((status.st_ino, status.st_size, status.st_mtime_ns) if status.st_size else None)
        return tuple(parts)


def _has_table(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'keys'").fetchone() is not None
