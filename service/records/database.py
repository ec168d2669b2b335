"""What the service remembers, in one file: feedback, saved searches, arrivals of documents, questions, judgments.

Nothing tells who somebody is: no names, no addresses. An owner is a random token that the caller makes up.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from pes_search.ingest.errors import PesSearchError

LONGEST_TEXT = 2_000  # characters of a question, a query or a comment
LONGEST_NAME = 200  # characters of a saved search's name
MOST_SAVED = 100  # searches of one owner
GRADES = range(4)  # of a judgment: from 0, not relevant, to 3, just what was sought
MOST_DAYS = 36_500  # a hundred years; dates do not go back for ever
LARGEST_ID = 2**63 - 1  # that SQLite can be asked for
LOOKUP = 500  # ids in one SELECT; SQLite takes at least 999 variables
WAIT_SECONDS = 30  # for others that write; each takes milliseconds
FEEDBACK = "id, at, about, question, document_id, passage_id, useful, comment, language, index_id, handled"

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
)

_BETWEEN = r"(?:[^\S\n]|[./\u2010-\u2015-])"  # what may stand between the digits of one number
_ADDRESS = re.compile(r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(rf"\+?\d(?:{_BETWEEN}{{0,3}}\d){{5,}}")
_YEARS = re.compile(rf"\+?(?:19|20)\d\d(?:{_BETWEEN}{{1,3}}(?:19|20)\d\d)+")


class DatabaseError(PesSearchError):
    """What people leave cannot be kept or read."""


class NotStoredError(DatabaseError):
    """Nothing of this id or token is stored."""


class TooManySavedError(DatabaseError):
    """An owner has as many saved searches as one may have."""


class DatabaseConfig(BaseModel):
    """Where it is kept what people leave, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Path("var/pes.sqlite3")
    # Feedback that was handled, questions, and saved searches that nobody opened for so long are forgotten.
    retention_days: int = Field(default=180, ge=1, le=MOST_DAYS)
    log_questions: bool = True


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer or a hit."""

    id: int
    at: str  # ISO 8601, UTC, like every time here
    about: Literal["answer", "hit"]
    question: str
    document_id: str  # empty for an answer
    passage_id: str
    useful: bool
    comment: str
    language: str  # of the interface
    index_id: str
    handled: bool


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search to come back to; whoever has the token may read it."""

    token: str
    owner: str
    name: str
    query: str
    filters: Mapping[str, tuple[str, ...]]  # names and values as in the address, years as text too
    at: str
    opened: str


@dataclass(frozen=True, slots=True)
class LoggedQuestion:
    """A question as often as it was asked, whatever its case and spaces."""

    question: str  # as first asked
    language: str
    count: int
    refused: int  # times
    reason: str  # the latest time; empty if it was answered
    confidence: float  # the latest time
    documents: int  # that its filters left, the latest time
    last: str


@dataclass(frozen=True, slots=True)
class Judgment:
    """How relevant somebody found a document to a query."""

    query: str
    document_id: str
    grade: int  # of `GRADES`
    at: str
    index_id: str


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Database:
    """What people leave. Safe to use from several threads and processes: each call opens the file for itself."""

    def __init__(self, config: DatabaseConfig, now: Callable[[], datetime] = utc_now) -> None:
        """Make the file, or bring it to this version.

        Raises:
            DatabaseError: it cannot be made, is no database, or was written by a newer version.
        """
        self._config = config
        self._path = config.path.absolute()  # whatever becomes of the working folder
        self._now = now
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite lets nobody wait for the change to WAL, so that processes which start together would fail on it.
            with FileLock(f"{self._path}.lock", timeout=WAIT_SECONDS):
                self._migrate()
        except OSError as error:
            raise _unusable(config.path, error.strerror or str(error)) from error

    # ── Feedback ────────────────────────────────────────────────────────────────────────────────────────────────────

    def add_feedback(
        self,
        *,
        about: Literal["answer", "hit"],
        question: str,
        document_id: str,
        passage_id: str,
        useful: bool,
        comment: str,
        language: str,
        index_id: str,
    ) -> Feedback:
        """Keep what somebody thought, and return it as kept: without addresses and long numbers."""
        kept = (
            self._time(),
            about,
            _text(without_contacts(question), LONGEST_TEXT),
            _text(document_id),
            _text(passage_id),
            useful,
            _text(without_contacts(comment), LONGEST_TEXT),
            _text(language),
            _text(index_id),
            False,
        )
        with self._open(write=True) as connection:
            rows = connection.execute(
                f"INSERT INTO feedback ({FEEDBACK}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {FEEDBACK}",  # noqa: S608
                kept,
            ).fetchall()
        return _feedback(rows[0])

    def comment_feedback(self, feedback_id: int, comment: str) -> None:
        """Give feedback a comment in place of the one it has.

        Raises:
            NotStoredError: there is no such feedback.
        """
        self._change_feedback(
            feedback_id, "UPDATE feedback SET comment = ? WHERE id = ?", _text(without_contacts(comment), LONGEST_TEXT)
        )

    def feedback(self, *, useful: bool | None = None, handled: bool | None = None, limit: int = 200) -> list[Feedback]:
        """Return feedback, the newest first."""
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {FEEDBACK} FROM feedback"  # noqa: S608
                " WHERE (:useful IS NULL OR useful = :useful) AND (:handled IS NULL OR handled = :handled)"
                " ORDER BY id DESC LIMIT :limit",
                {"useful": useful, "handled": handled, "limit": limit},
            ).fetchall()
        return [_feedback(row) for row in rows]

    def set_handled(self, feedback_id: int, handled: bool) -> None:
        """Say whether feedback has been dealt with.

        Raises:
            NotStoredError: there is no such feedback.
        """
        self._change_feedback(feedback_id, "UPDATE feedback SET handled = ? WHERE id = ?", handled)

    def delete_feedback(self, feedback_id: int) -> None:
        """Remove feedback.

        Raises:
            NotStoredError: there is no such feedback.
        """
        self._change_feedback(feedback_id, "DELETE FROM feedback WHERE id = ?")

    def _change_feedback(self, feedback_id: int, statement: str, *values: object) -> None:
        with self._open(write=True) as connection:
            # The number may come from an address that somebody typed.
            if abs(feedback_id) > LARGEST_ID or not connection.execute(statement, (*values, feedback_id)).rowcount:
                raise NotStoredError(f"no feedback has the number {feedback_id}; it may have been deleted: list it again")

    # ── Saved searches ──────────────────────────────────────────────────────────────────────────────────────────────

    def save_search(self, *, owner: str, name: str, query: str, filters: Mapping[str, Sequence[str]]) -> SavedSearch:
        """Keep a search; the same one of the same owner is kept once, under its first name, and counts as opened.

        Raises:
            TooManySavedError: the owner has `MOST_SAVED` already.
        """
        at = self._time()
        wanted = {_text(key): tuple(_text(value) for value in values) for key, values in filters.items() if values}
        query, owner = _text(query, LONGEST_TEXT), _text(owner)
        with self._open(write=True) as connection:
            own = _searches(connection, "owner = ?", owner)
            for known in own:
                if (known.query, _as_sets(known.filters)) == (query, _as_sets(wanted)):
                    connection.execute("UPDATE saved_searches SET opened = ? WHERE token = ?", (at, known.token))
                    return replace(known, opened=at)
            if len(own) >= MOST_SAVED:
                raise TooManySavedError(f"{MOST_SAVED} searches are saved already, which is the most; delete one first")
            search = SavedSearch(secrets.token_urlsafe(16), owner, _text(name, LONGEST_NAME), query, wanted, at, at)
            connection.execute(
                "INSERT INTO saved_searches (token, owner, name, query, filters, at, opened) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (search.token, owner, search.name, query, json.dumps(wanted, ensure_ascii=False), at, at),
            )
        return search

    def saved_searches(self, owner: str) -> list[SavedSearch]:
        """Return an owner's searches, the newest first."""
        with self._open() as connection:
            return _searches(connection, "owner = ?", _text(owner))

    def saved_search(self, token: str) -> SavedSearch:
        """Return a search, and note that it was opened.

        Raises:
            NotStoredError: there is none.
        """
        token = _text(token)
        with self._open(write=True) as connection:
            connection.execute("UPDATE saved_searches SET opened = ? WHERE token = ?", (self._time(), token))
            found = _searches(connection, "token = ?", token)
        if not found:
            raise _no_search()
        return found[0]

    def delete_saved_search(self, token: str, owner: str) -> None:
        """Remove a search of this owner.

        Raises:
            NotStoredError: the owner has no such search.
        """
        with self._open(write=True) as connection:
            deleted = connection.execute(
                "DELETE FROM saved_searches WHERE token = ? AND owner = ?", (_text(token), _text(owner))
            ).rowcount
        if not deleted:
            raise _no_search()

    # ── Arrivals ────────────────────────────────────────────────────────────────────────────────────────────────────

    def note_arrivals(self, index_id: str, document_ids: Iterable[str]) -> None:
        """Remember when each document was first seen; one that left the index and comes back keeps its date.

        The ids are not looked at if this index was the last one noted.
        """
        index_id = _text(index_id)
        with self._open() as connection:
            if connection.execute("SELECT 1 FROM noted_index WHERE index_id = ?", (index_id,)).fetchone():
                return
        at = self._time()
        arrived = [(_text(document_id), at) for document_id in document_ids]
        with self._open(write=True) as connection:
            connection.executemany("INSERT OR IGNORE INTO arrivals (document_id, at) VALUES (?, ?)", arrived)
            connection.execute("INSERT OR REPLACE INTO noted_index (only_row, index_id) VALUES (1, ?)", (index_id,))

    def first_seen(self, document_ids: Iterable[str]) -> dict[str, str]:
        """Return when each document was first seen, without those that never were."""
        asked = {document_id: _text(document_id) for document_id in document_ids}
        wanted = list(dict.fromkeys(asked.values()))
        seen: dict[str, str] = {}
        with self._open() as connection:
            for start in range(0, len(wanted), LOOKUP):
                part = wanted[start : start + LOOKUP]
                marks = ",".join("?" * len(part))
                seen |= connection.execute(f"SELECT document_id, at FROM arrivals WHERE document_id IN ({marks})", part)  # noqa: S608
        return {document_id: seen[text] for document_id, text in asked.items() if text in seen}

    # ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def log_question(self, *, question: str, language: str, reason: str, confidence: float, documents: int) -> None:
        """Keep a question without addresses and long numbers; nothing of one that is personal, or where no log is wanted."""
        if not self._config.log_questions or reason == "personal_or_instruction":
            return
        asked = _text(without_contacts(" ".join(question.split())), LONGEST_TEXT)
        with self._open(write=True) as connection:
            connection.execute(
                "INSERT INTO questions (at, folded, question, language, reason, confidence, documents)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._time(), asked.casefold(), asked, _text(language), _text(reason), confidence, documents),
            )

    def questions(self, *, days: int = 28, below: float | None = None, limit: int = 200) -> list[LoggedQuestion]:
        """Return the questions of the last days, those asked most first, and among them those asked last.

        With `below` only those that were refused the latest time, or answered with a lower confidence.
        """
        with self._open() as connection:
            rows = connection.execute(
                """
                WITH asked AS (
                    SELECT COUNT(*) AS times, SUM(reason <> '') AS refused, MIN(id) AS first, MAX(id) AS last
                    FROM questions WHERE at >= :since GROUP BY folded
                )
                SELECT first.question, last.language, times, refused, last.reason, last.confidence, last.documents, last.at
                FROM asked JOIN questions AS first ON first.id = asked.first JOIN questions AS last ON last.id = asked.last
                WHERE :below IS NULL OR last.reason <> '' OR last.confidence < :below
                ORDER BY times DESC, last.id DESC LIMIT :limit
                """,
                {"since": self._time(days_ago=days), "below": below, "limit": limit},
            ).fetchall()
        return [LoggedQuestion(*row) for row in rows]

    # ── Judgments ───────────────────────────────────────────────────────────────────────────────────────────────────

    def judge(self, *, query: str, document_id: str, grade: int | None, index_id: str) -> None:
        """Keep how relevant a document is to a query, in place of what was said before; None takes it back.

        Raises:
            DatabaseError: the grade is none of `GRADES`.
        """
        if grade is not None and grade not in GRADES:
            raise DatabaseError(f"{grade} is no grade; give one from {GRADES[0]} to {GRADES[-1]}, or none to take it back")
        key = (_text(query, LONGEST_TEXT), _text(document_id))
        with self._open(write=True) as connection:
            if grade is None:
                connection.execute("DELETE FROM judgments WHERE query = ? AND document_id = ?", key)
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO judgments (query, document_id, grade, at, index_id) VALUES (?, ?, ?, ?, ?)",
                    (*key, grade, self._time(), _text(index_id)),
                )

    def judgments(self, query: str | None = None) -> list[Judgment]:
        """Return the judgments, of one query or of all, by query and document."""
        wanted = None if query is None else _text(query, LONGEST_TEXT)
        with self._open() as connection:
            rows = connection.execute(
                "SELECT query, document_id, grade, at, index_id FROM judgments WHERE :query IS NULL OR query = :query"
                " ORDER BY query, document_id",
                {"query": wanted},
            ).fetchall()
        return [Judgment(*row) for row in rows]

    # ── The file ────────────────────────────────────────────────────────────────────────────────────────────────────

    def forget(self) -> dict[str, int]:
        """Remove what is older than the retention, and return how much of each kind went.

        Judgments stay, as they are work, and so do open feedback and the dates of arrival.
        """
        since = (self._time(days_ago=self._config.retention_days),)
        with self._open(write=True) as connection:
            return {
                "feedback": connection.execute("DELETE FROM feedback WHERE handled AND at < ?", since).rowcount,
                "saved_searches": connection.execute("DELETE FROM saved_searches WHERE opened < ?", since).rowcount,
                "questions": connection.execute("DELETE FROM questions WHERE at < ?", since).rowcount,
            }

    def _time(self, days_ago: int = 0) -> str:
        """Return a time as it is kept; the order of such texts is the order of the times."""
        return (self._now().astimezone(UTC) - timedelta(days=days_ago)).isoformat(timespec="seconds")

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction, which an error undoes. Only with `write` others wait for it to end."""
        path = self._config.path
        try:
            with closing(sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None)) as connection, connection:
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is not left in unused pages either
                # A transaction that begins by reading cannot wait for another's writing, so that it would fail.
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield connection
        except sqlite3.Error as error:
            raise _fault(path, error) from error

    def _migrate(self) -> None:
        """Bring the file to the latest version."""
        path, latest = self._config.path, len(MIGRATIONS)
        try:
            with closing(sqlite3.connect(self._path, timeout=WAIT_SECONDS)) as connection:
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
        with self._open(write=True) as connection:
            for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
                connection.execute(statement)
            # Written even if it is so already: a file that can only be read is told of now, not when somebody leaves something.
            connection.execute(f"PRAGMA user_version = {latest}")


def without_contacts(text: str) -> str:
    """Return a text with "…" for e-mail addresses, and for numbers of six digits or more unless they are years."""
    return _NUMBER.sub(lambda number: number[0] if _YEARS.fullmatch(number[0]) else "…", _ADDRESS.sub("…", text))


def _text(text: str, longest: int | None = None) -> str:
    """Return a text as SQLite takes it, cut to a length; half a surrogate pair and NUL become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")[:longest]


def _feedback(row: tuple[Any, ...]) -> Feedback:
    stored = Feedback(*row)
    return replace(stored, useful=bool(stored.useful), handled=bool(stored.handled))


def _searches(connection: sqlite3.Connection, condition: str, value: str) -> list[SavedSearch]:
    rows = connection.execute(
        f"SELECT token, owner, name, query, filters, at, opened FROM saved_searches WHERE {condition} ORDER BY id DESC",  # noqa: S608
        (value,),
    )
    return [
        SavedSearch(token, owner, name, query, {key: tuple(values) for key, values in json.loads(filters).items()}, at, opened)
        for token, owner, name, query, filters, at, opened in rows
    ]


def _as_sets(filters: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    return {name: set(values) for name, values in filters.items()}


def _no_search() -> NotStoredError:
    return NotStoredError("there is no such saved search; it was deleted, or nobody opened it for long: save it again")


def _fault(path: Path, error: sqlite3.Error) -> DatabaseError:
    """Return what to do about an error of SQLite's."""
    name: str = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return DatabaseError(
            f"{path} is no database, or a damaged one ({error}); move it away, and a new one is made, "
            "or let [database] path name another file"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseError(f"{path} is in use ({error}); try again, and if that lasts stop the program that holds it")
    return _unusable(path, str(error))


def _unusable(path: Path, fault: str) -> DatabaseError:
    return DatabaseError(
        f"cannot use {path}: {fault}; see that its folder can be written and its disk has room, then start again, "
        "or let [database] path name another file"
    )
