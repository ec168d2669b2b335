"""The file that holds what people leave: opening, migrations, transactions, and what its errors say.

Nothing in it tells who somebody is: no names, no addresses. An owner is a random token that the caller makes up.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, timedelta
from pathlib import Path

from filelock import FileLock

from pes_search.index.stages import count
from pes_search.ingest.errors import PesSearchError, VisitorError
from pes_search.service.records.clock import Clock, Reading, SystemClock, read, seconds_between

LARGEST_SQLITE_ID = 2**63 - 1  # that SQLite can be asked for
LOCK_WAIT_SECONDS = 30  # for others that write; each takes milliseconds
DAY_SECONDS = 24 * 3600

# Migration i leads from version i to version i + 1 of the file. What has been released is never edited, only followed.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # AUTOINCREMENT: the id of deleted feedback never comes back for another, which an old page would then delete.
        """
        CREATE TABLE feedback (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, about TEXT NOT NULL, question TEXT NOT NULL,
            document_id TEXT NOT NULL, passage_id TEXT NOT NULL, useful INTEGER NOT NULL, comment TEXT NOT NULL,
            language TEXT NOT NULL, index_id TEXT NOT NULL, handled INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE saved_searches (
            id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL,
            filters TEXT NOT NULL, at TEXT NOT NULL, opened TEXT NOT NULL
        )
        """,
        "CREATE INDEX saved_searches_by_owner ON saved_searches (owner)",
        "CREATE TABLE arrivals (document_id TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE noted_index (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), index_id TEXT NOT NULL)",
        """
        CREATE TABLE questions (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, folded TEXT NOT NULL, question TEXT NOT NULL,
            language TEXT NOT NULL, reason TEXT NOT NULL, confidence REAL NOT NULL, documents INTEGER NOT NULL
        )
        """,
        "CREATE INDEX questions_by_time ON questions (at)",
        """
        CREATE TABLE judgments (
            query TEXT NOT NULL, document_id TEXT NOT NULL, grade INTEGER NOT NULL, at TEXT NOT NULL, index_id TEXT NOT NULL,
            PRIMARY KEY (query, document_id)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE copy_decisions (
            first TEXT NOT NULL, second TEXT NOT NULL, are_copies INTEGER NOT NULL, at TEXT NOT NULL, index_id TEXT NOT NULL,
            PRIMARY KEY (first, second)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE keys (
            hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, role TEXT NOT NULL, name TEXT NOT NULL, reads TEXT NOT NULL,
            made TEXT NOT NULL, expires TEXT, revoked TEXT
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE sessions (
            hash TEXT PRIMARY KEY, key_id TEXT NOT NULL, role TEXT NOT NULL, reads TEXT NOT NULL, name TEXT NOT NULL,
            bound TEXT NOT NULL, made TEXT NOT NULL, expires TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX sessions_by_key ON sessions (key_id, made)",
        """
        CREATE TABLE pending_sign_ins (
            hash TEXT PRIMARY KEY, browser TEXT NOT NULL, nonce TEXT NOT NULL, verifier TEXT NOT NULL, next TEXT NOT NULL,
            expires TEXT NOT NULL
        ) WITHOUT ROWID
        """,
    ),
    (
        # `lived`: how many seconds these records had lived through, as `lived_time` counts them, when something was made.
        # What was there before gets its age by the wall's clock before the newest of it: so a clock that is wrong today makes
        # nothing old. What that clock says is still to come has no age.
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE lived_time (
            only_row INTEGER PRIMARY KEY CHECK (only_row = 1), seconds REAL NOT NULL, run TEXT NOT NULL,
            run_seconds REAL NOT NULL, wall_seconds REAL NOT NULL, forgot REAL
        )
        """,
        "INSERT INTO lived_time VALUES (1, 0, '', 0, CAST(strftime('%s', 'now') AS REAL), NULL)",
        "ALTER TABLE feedback ADD COLUMN lived INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE questions ADD COLUMN lived INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE arrivals ADD COLUMN lived INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE saved_searches ADD COLUMN lived INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE saved_searches ADD COLUMN opened_lived INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE newest (seconds INTEGER)",
        """
        INSERT INTO newest SELECT MAX(CAST(strftime('%s', at) AS INTEGER)) FROM (
            SELECT at FROM feedback UNION ALL SELECT at FROM questions UNION ALL SELECT at FROM arrivals
            UNION ALL SELECT at FROM saved_searches UNION ALL SELECT opened FROM saved_searches
            UNION ALL SELECT at FROM judgments UNION ALL SELECT at FROM copy_decisions
        ) WHERE CAST(strftime('%s', at) AS INTEGER) <= CAST(strftime('%s', 'now') AS INTEGER)
        """,
        *(
            f"UPDATE {table} SET {column} ="  # noqa: S608
            f" MIN(0, COALESCE(CAST(strftime('%s', {at}) AS INTEGER) - (SELECT seconds FROM newest), 0))"
            for table, column, at in (
                ("feedback", "lived", "at"),
                ("questions", "lived", "at"),
                ("arrivals", "lived", "at"),
                ("saved_searches", "lived", "at"),
                ("saved_searches", "opened_lived", "opened"),
            )
        ),
        "DROP TABLE newest",
        "DROP INDEX questions_by_time",
        "CREATE INDEX questions_by_lived ON questions (lived)",
    ),
)


class DatabaseError(PesSearchError):
    """What people leave cannot be kept or read."""

    public_text = "what people leave here cannot be kept or read just now; searching goes on"


class NotStoredError(VisitorError, DatabaseError):
    """Nothing of this id or token is stored."""


class RecordFile:
    """The file. Safe to use from several threads and processes: each transaction opens it for itself."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """Make the file, or bring it to this version.

        Raises:
            DatabaseError: it cannot be made, is no database, or was written by a newer version.
        """
        self._given_path = path  # as messages name it
        self._path = path.absolute()  # whatever becomes of the working folder
        self._clock: Clock = clock or SystemClock()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite lets nobody wait for the change to WAL, so that processes which start together would fail on it.
            with FileLock(f"{self._path}.lock", timeout=LOCK_WAIT_SECONDS):
                self._migrate()
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def time(self, days_ago: int = 0) -> str:
        """Return a time as it is kept (ISO 8601, UTC); the order of such texts is the order of the times."""
        return (self._clock.now().astimezone(UTC) - timedelta(days=days_ago)).isoformat(timespec="seconds")

    def lived(self, connection: sqlite3.Connection) -> int:
        """Return how many seconds the records have lived through, in a transaction: by this, and no clock, they are old."""
        return int(self._counted(connection)[0])

    def count_on(self, connection: sqlite3.Connection) -> int:
        """Do as `lived`, in a transaction that writes, and count on from there."""
        seconds, now = self._counted(connection)
        connection.execute(
            "UPDATE lived_time SET seconds = ?, run = ?, run_seconds = ?, wall_seconds = ?",
            (seconds, now.run, now.seconds, now.wall_seconds),
        )
        return int(seconds)

    def claim_forgetting(self, connection: sqlite3.Connection, lived: int) -> bool:
        """Tell whether a day was lived through since the last time that this was so, in a transaction that writes."""
        statement = "UPDATE lived_time SET forgot = :lived WHERE forgot IS NULL OR forgot <= :lived - :day"
        return connection.execute(statement, {"lived": lived, "day": DAY_SECONDS}).rowcount > 0

    def _counted(self, connection: sqlite3.Connection) -> tuple[float, Reading]:
        row = connection.execute("SELECT seconds, run, run_seconds, wall_seconds FROM lived_time").fetchone()
        now = read(self._clock)
        return row[0] + seconds_between(Reading(*row[1:]), now), now

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction, which an error undoes. Only with `write` others wait for it to end.

        Raises:
            DatabaseError: the file cannot be used.
        """
        try:
            with (
                closing(_connected(self._path, "rw")) as connection,
                connection,
            ):
                connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlasts a power cut, too
                connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is not left in unused pages either
                # A transaction that begins by reading cannot wait for another's writing, so that it would fail.
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield connection
        except sqlite3.Error as error:
            if not self._path.exists():
                raise DatabaseError(
                    f"{self._given_path} is gone since this process opened it; put it back (`pes restore` takes it from a "
                    "backup), or start again, and a new one is made"
                ) from error
            raise _fault(self._given_path, error) from error

    def copy(self, target: Path) -> None:
        """Write all that is in the file now to a new file, readable by its owner only; who writes does not wait for it.

        Raises:
            DatabaseError: the file cannot be read, or the copy not be written; nothing is left of it then.
        """
        copy_database(self._path, target)

    def _migrate(self) -> None:
        """Bring the file to the latest version."""
        path, latest = self._given_path, len(MIGRATIONS)
        try:
            with closing(sqlite3.connect(self._path, timeout=LOCK_WAIT_SECONDS)) as connection:
                version: int = connection.execute("PRAGMA user_version").fetchone()[0]
                others = not version and connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
                if version > latest:
                    raise DatabaseError(
                        f"{path} is of version {version}, and this program knows versions up to {latest}; "
                        "install the newer program that wrote it, or let [database] path name another file"
                    )
                if version < 0 or others:
                    raise DatabaseError(f"{path} is the database of another program; let [database] path name another file")
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            raise _fault(path, error) from error
        with self.transaction(write=True) as connection:
            for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
                connection.execute(statement)
            # Written even if it is so already: a file that can only be read is told of now, not when somebody leaves something.
            connection.execute(f"PRAGMA user_version = {latest}")
            self.count_on(connection)  # from here on within this run of the machine


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that only reads a file that is there, as it is: of whatever version.

    Raises:
        DatabaseError: it cannot be read.
    """
    try:
        with closing(_connected(path, "ro")) as connection:
            yield connection
    except sqlite3.Error as error:
        raise _fault(path, error) from error


def copy_database(path: Path, target: Path) -> None:
    """Write what a database holds now to a new file of its own, as `RecordFile.copy` does.

    Raises:
        DatabaseError: it cannot be read, or the copy not be written; nothing is left of it then.
    """
    try:
        with reading(path) as source:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            try:
                with closing(sqlite3.connect(target, isolation_level=None)) as copied:
                    source.backup(copied)
                    copied.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
                with target.open("rb") as file:
                    os.fsync(file.fileno())
            except BaseException:
                for name in (target.name, f"{target.name}-journal", f"{target.name}-wal", f"{target.name}-shm"):
                    with contextlib.suppress(OSError):
                        target.with_name(name).unlink(missing_ok=True)
                raise
    except sqlite3.Error as error:
        raise DatabaseError(f"cannot copy {path} to {target}: {error}; see that there is room") from error
    except OSError as error:
        raise DatabaseError(f"cannot write {target}: {error.strerror or error}; see that there is room") from error


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file that is there; SQLite would else make an empty one."""
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=LOCK_WAIT_SECONDS, isolation_level=None)


def _fault(path: Path, error: sqlite3.Error) -> DatabaseError:
    """Return what to do about an error of SQLite's."""
    count("database errors")
    name: str = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return DatabaseError(
            f"{path} is no database, or a damaged one ({error}); take it from a backup with `pes restore`, or move it away, "
            "and a new one is made, or let [database] path name another file"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseError(f"{path} is in use ({error}); try again, and if that lasts stop the program that holds it")
    return _unusable(path, str(error))


def _unusable(path: Path, fault: str) -> DatabaseError:
    return DatabaseError(
        f"cannot use {path}: {fault}; see that its folder can be written and its disk has room, then start again, "
        "or let [database] path name another file"
    )
