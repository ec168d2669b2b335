"""The record of a folder of fetched files: where each is from, and what its server said of it. One SQLite file in the folder.

FOLDER/.fetched.sqlite          this record; hidden, so no build takes it for a document
FOLDER/<host>/<page>.<suffix>   the files

It says after each page how far a run has come, so one that is stopped goes on where it was.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pes_search.ingest.errors import FetchError, NotWrittenError
from pes_search.ingest.origin import Layout, Origin

RECORD = ".fetched.sqlite"
FETCH_AGAIN = "make room there or mend its rights, then fetch again: that goes on from where this run was"
LOCK_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS source (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), fields TEXT NOT NULL, layout TEXT NOT NULL, definition TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pages (
    address TEXT PRIMARY KEY, depth INTEGER NOT NULL, is_list INTEGER NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
    calls_itself TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, fields TEXT NOT NULL, links TEXT NOT NULL,
    fetched_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (
    place INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, depth INTEGER NOT NULL, is_list INTEGER NOT NULL,
    fields TEXT NOT NULL, is_done INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting ON queue (is_done, depth, place);
CREATE TABLE IF NOT EXISTS harvests (address TEXT PRIMARY KEY, until TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An address that is to be fetched."""

    address: str
    depth: int = 0  # links away from the source's own addresses
    is_list: bool = False  # a further part of a sitemap, feed or harvest
    fields: Mapping[str, Any] = field(default_factory=dict)  # that the list which names it tells, by the names of `Document`


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What is known of an address."""

    address: str
    depth: int
    is_list: bool = False  # a sitemap, feed or harvest
    file: str = ""  # relative to the folder; none for what only lists others, and for what could not be fetched yet
    sha256: str = ""  # of the file
    calls_itself: str = ""  # another address of the source that the page says is its own
    etag: str = ""
    modified: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[Entry, ...] = ()  # all that it leads to, whether it is of the source or not; depths count from here
    fetched_at: str = ""


def origins(folder: Path) -> dict[str, Origin | None]:
    """Return where the files of a folder were fetched, by their path in it; None for one that is another's page again.

    Nothing for a folder of other files, or one whose first run has kept nothing yet.

    Raises:
        FetchError: its record cannot be read.
    """
    if not (folder / RECORD).is_file():
        return {}
    try:
        return dict(FetchedFolder(folder).origins())
    except FetchError as error:
        if isinstance(error.__cause__, sqlite3.OperationalError) and "no such table" in str(error.__cause__):
            return {}
        raise


class FetchedFolder:
    """The record. Safe to use from several processes: each step opens it for itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, fields: Mapping[str, object], layout: Mapping[str, object], definition: str) -> bool:
        """Make the record where there is none; keep what is told of all of the source's documents.

        Tell whether the `definition` of what belongs to the source is that of the run before. Where it is another, a run that
        was stopped does not go on.
        """
        with self._open() as database:
            database.executescript(_TABLES)
            before = database.execute("SELECT definition FROM source").fetchone()
            is_same = bool(before == (definition,))
            if not is_same:
                database.execute("DELETE FROM queue")
            row = json.dumps(fields), json.dumps(layout), definition
            database.execute("INSERT OR REPLACE INTO source VALUES (1, ?, ?, ?)", row)
        return is_same

    def origins(self) -> Iterator[tuple[str, Origin | None]]:
        """Yield each file with where it is from; None for one that calls itself a page which is kept under that address."""
        with self._open() as database:
            source = database.execute("SELECT fields, layout FROM source").fetchone()
            rows = database.execute(
                "SELECT file, address, calls_itself, fields FROM pages WHERE file != '' ORDER BY file"
            ).fetchall()
        if source is None:
            return
        described, layout = json.loads(source[0]), Layout(**json.loads(source[1]))
        is_itself = {address for _, address, calls_itself, _ in rows if calls_itself in ("", address)}
        for file, address, calls_itself, fields in rows:
            is_other = calls_itself != address and calls_itself in is_itself
            yield file, None if is_other else Origin(address, {**described, **json.loads(fields)}, layout)

    # ── A run ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, starts: Iterable[Entry]) -> bool:
        """Begin a run with these entries and all that is known; tell whether one goes on that was stopped."""
        with self._open() as database:
            is_going_on = database.execute("SELECT 1 FROM queue LIMIT 1").fetchone() is not None
            self._enqueue(database, starts)
            if not is_going_on:
                known = database.execute("SELECT address, depth, is_list FROM pages ORDER BY depth, address").fetchall()
                self._enqueue(database, [Entry(address, depth, bool(is_list)) for address, depth, is_list in known])
        return is_going_on

    def end(self, harvested: Mapping[str, str]) -> None:
        """Note that a run has come to its end, and until when OAI-PMH interfaces were harvested."""
        with self._open() as database:
            database.execute("DELETE FROM queue")
            database.executemany("INSERT OR REPLACE INTO harvests VALUES (?, ?)", harvested.items())

    def next(self) -> Entry | None:
        """Return the entry that is to be fetched now, those first that are few links away."""
        with self._open() as database:
            row = database.execute(
                "SELECT address, depth, is_list, fields FROM queue WHERE is_done = 0 ORDER BY depth, place LIMIT 1"
            ).fetchone()
        return Entry(row[0], row[1], bool(row[2]), json.loads(row[3])) if row else None

    def count(self) -> tuple[int, int]:
        """Return how many entries are done, and how many there are."""
        with self._open() as database:
            done, every = database.execute("SELECT COALESCE(SUM(is_done), 0), COUNT(*) FROM queue").fetchone()
        return int(done), int(every)

    def is_done(self, address: str) -> bool:
        """Tell whether this run has fetched an address."""
        with self._open() as database:
            row = database.execute("SELECT is_done FROM queue WHERE address = ?", (address,)).fetchone()
        return bool(row and row[0])

    def finish(self, addresses: Iterable[str], found: Iterable[Entry] = (), page: KnownPage | None = None) -> None:
        """Note that addresses are done, what was found there, and what is known of one, in one step."""
        with self._open() as database:
            if page is not None:
                database.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(page))
            self._enqueue(database, found)
            database.executemany(
                "INSERT INTO queue (address, depth, is_list, fields, is_done) VALUES (?, 0, 0, '{}', 1) "
                "ON CONFLICT (address) DO UPDATE SET is_done = 1",
                [(address,) for address in addresses],
            )

    def _enqueue(self, database: sqlite3.Connection, entries: Iterable[Entry]) -> None:
        """Add entries; one that waits already is as near as the nearest way to it, and has what any list tells."""
        database.executemany(
            "INSERT INTO queue (address, depth, is_list, fields, is_done) VALUES (?, ?, ?, ?, 0) "
            "ON CONFLICT (address) DO UPDATE SET depth = MIN(depth, excluded.depth), is_list = MAX(is_list, excluded.is_list), "
            "fields = CASE excluded.fields WHEN '{}' THEN fields ELSE excluded.fields END",
            [(entry.address, entry.depth, int(entry.is_list), json.dumps(entry.fields)) for entry in entries],
        )

    # ── What is known ───────────────────────────────────────────────────────────────────────────────────────────────

    def page(self, address: str) -> KnownPage | None:
        """Return what is known of an address."""
        with self._open() as database:
            row = database.execute("SELECT * FROM pages WHERE address = ?", (address,)).fetchone()
        return _page(row) if row else None

    def address_with(self, field_name: str, value: str) -> str | None:
        """Return the address of a page that has a value in a field."""
        with self._open() as database:
            row = database.execute(
                "SELECT address FROM pages WHERE json_extract(fields, '$.' || ?) = ?", (field_name, value)
            ).fetchone()
        return str(row[0]) if row else None

    def forget(self, page: KnownPage) -> None:
        """Forget a page and remove its file."""
        if page.file:
            (self.folder / page.file).unlink(missing_ok=True)
        with self._open() as database:
            database.execute("DELETE FROM pages WHERE address = ?", (page.address,))

    def harvested(self, address: str) -> str:
        """Return until when an OAI-PMH interface was harvested; empty where it never was."""
        with self._open() as database:
            row = database.execute("SELECT until FROM harvests WHERE address = ?", (address,)).fetchone()
        return str(row[0]) if row else ""

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / RECORD
        try:
            with closing(sqlite3.connect(path, timeout=LOCK_SECONDS)) as database, database:
                yield database
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY")):
                raise NotWrittenError(f"cannot write {path}: {error}; {FETCH_AGAIN}") from error
            raise FetchError(f"{path} cannot be used: {error}; mend or remove it, and fetch again") from error


def _row(page: KnownPage) -> tuple[object, ...]:
    """Return a page as the record keeps it, column by column."""
    links = [(link.address, link.depth, link.is_list, link.fields) for link in page.links]
    return (
        page.address,
        page.depth,
        int(page.is_list),
        page.file,
        page.sha256,
        page.calls_itself,
        page.etag,
        page.modified,
        json.dumps(page.fields),
        json.dumps(links),
        page.fetched_at,
    )


def _page(row: tuple[Any, ...]) -> KnownPage:
    """Return what `_row` made a row of."""
    address, depth, is_list, file, sha256, calls_itself, etag, modified, fields, links, fetched_at = row
    return KnownPage(
        address,
        depth,
        bool(is_list),
        file,
        sha256,
        calls_itself,
        etag,
        modified,
        json.loads(fields),
        tuple(Entry(link, away, is_one, told) for link, away, is_one, told in json.loads(links)),
        fetched_at,
    )
