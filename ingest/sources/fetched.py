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

from pes_search.ingest.errors import FetchError
from pes_search.ingest.origin import Layout, Origin

RECORD = ".fetched.sqlite"
LOCK_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY, fields TEXT NOT NULL, layout TEXT NOT NULL, is_running INTEGER NOT NULL, harvested TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
    address TEXT PRIMARY KEY, source TEXT NOT NULL, depth INTEGER NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
    etag TEXT NOT NULL, modified TEXT NOT NULL, fields TEXT NOT NULL, links TEXT NOT NULL, fetched_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (
    place INTEGER PRIMARY KEY, source TEXT NOT NULL, address TEXT NOT NULL, depth INTEGER NOT NULL, fields TEXT NOT NULL,
    is_done INTEGER NOT NULL, UNIQUE (source, address)
);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An address that is to be fetched."""

    address: str
    depth: int = 0  # links away from the source's own addresses
    fields: Mapping[str, Any] = field(default_factory=dict)  # that the list which names it tells, by the names of `Document`


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What is kept of an address."""

    address: str
    depth: int
    file: str = ""  # relative to the folder; none for what only lists others
    sha256: str = ""  # of the file
    etag: str = ""
    modified: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[tuple[str, int, Mapping[str, Any]], ...] = ()  # addresses, depths and fields of what it leads to
    fetched_at: str = ""


def origins(folder: Path) -> dict[str, Origin]:
    """Return where the files of a folder were fetched, by their path in it; nothing for a folder of other files.

    Raises:
        FetchError: its record cannot be read.
    """
    if not (folder / RECORD).is_file():
        return {}
    return dict(FetchedFolder(folder).origins())


class FetchedFolder:
    """The record. Safe to use from several processes: each step opens it for itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder and its record where there are none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.executescript(_TABLES)

    def origins(self) -> Iterator[tuple[str, Origin]]:
        """Yield each file with where it is from."""
        with self._open() as database:
            described = {
                name: (json.loads(fields), json.loads(layout))
                for name, fields, layout in database.execute("SELECT name, fields, layout FROM sources")
            }
            rows = database.execute("SELECT file, address, source, fields FROM pages WHERE file != '' ORDER BY file").fetchall()
        for file, address, source, stated in rows:
            fields, layout = described.get(source, ({}, {}))
            yield file, Origin(address, {**fields, **json.loads(stated)}, Layout(**layout))

    # ── A run ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, source: str, fields: Mapping[str, object], layout: Mapping[str, object], starts: Iterable[Entry]) -> bool:
        """Begin a run with these entries and all that is known of the source; tell whether one goes on that was stopped."""
        with self._open() as database:
            row = database.execute("SELECT is_running FROM sources WHERE name = ?", (source,)).fetchone()
            database.execute(
                "INSERT INTO sources VALUES (?, ?, ?, 1, '{}') ON CONFLICT (name) "
                "DO UPDATE SET fields = excluded.fields, layout = excluded.layout, is_running = 1",
                (source, json.dumps(fields), json.dumps(layout)),
            )
            if is_going_on := bool(row and row[0]):
                self._enqueue(database, source, starts)
                return is_going_on
            database.execute("DELETE FROM queue WHERE source = ?", (source,))
            self._enqueue(database, source, starts)
            known = database.execute("SELECT address, depth FROM pages WHERE source = ? ORDER BY depth, address", (source,))
            self._enqueue(database, source, [Entry(address, depth) for address, depth in known.fetchall()])
        return False

    def end(self, source: str) -> None:
        """Note that a run has come to its end."""
        with self._open() as database:
            database.execute("UPDATE sources SET is_running = 0 WHERE name = ?", (source,))
            database.execute("DELETE FROM queue WHERE source = ?", (source,))

    def next(self, source: str) -> Entry | None:
        """Return the entry that is to be fetched now, those first that are few links away."""
        with self._open() as database:
            row = database.execute(
                "SELECT address, depth, fields FROM queue WHERE source = ? AND is_done = 0 ORDER BY depth, place LIMIT 1",
                (source,),
            ).fetchone()
        return Entry(row[0], row[1], json.loads(row[2])) if row else None

    def count(self, source: str) -> tuple[int, int]:
        """Return how many entries are done, and how many there are."""
        with self._open() as database:
            done, every = database.execute(
                "SELECT COALESCE(SUM(is_done), 0), COUNT(*) FROM queue WHERE source = ?", (source,)
            ).fetchone()
        return int(done), int(every)

    def is_done(self, source: str, address: str) -> bool:
        """Tell whether this run has fetched an address."""
        with self._open() as database:
            row = database.execute("SELECT is_done FROM queue WHERE source = ? AND address = ?", (source, address)).fetchone()
        return bool(row and row[0])

    def finish(
        self, source: str, addresses: Iterable[str], found: Iterable[Entry] = (), pages: Iterable[KnownPage] = ()
    ) -> None:
        """Note that addresses are done, what was found there, and what is kept, in one step."""
        with self._open() as database:
            for page in pages:
                database.execute(
                    "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        page.address,
                        source,
                        page.depth,
                        page.file,
                        page.sha256,
                        page.etag,
                        page.modified,
                        json.dumps(page.fields),
                        json.dumps(page.links),
                        page.fetched_at,
                    ),
                )
            self._enqueue(database, source, found)
            for address in addresses:
                database.execute(
                    "INSERT INTO queue (source, address, depth, fields, is_done) VALUES (?, ?, 0, '{}', 1) "
                    "ON CONFLICT (source, address) DO UPDATE SET is_done = 1",
                    (source, address),
                )

    def _enqueue(self, database: sqlite3.Connection, source: str, entries: Iterable[Entry]) -> None:
        """Add entries; one that waits already is as near as the nearest way to it, and has what any list tells."""
        database.executemany(
            "INSERT INTO queue (source, address, depth, fields, is_done) VALUES (?, ?, ?, ?, 0) "
            "ON CONFLICT (source, address) DO UPDATE SET depth = MIN(depth, excluded.depth), "
            "fields = CASE excluded.fields WHEN '{}' THEN fields ELSE excluded.fields END",
            [(source, entry.address, entry.depth, json.dumps(entry.fields)) for entry in entries],
        )

    # ── What is kept ────────────────────────────────────────────────────────────────────────────────────────────────

    def page(self, address: str) -> KnownPage | None:
        """Return what is kept of an address."""
        with self._open() as database:
            row = database.execute(
                "SELECT address, depth, file, sha256, etag, modified, fields, links, fetched_at FROM pages WHERE address = ?",
                (address,),
            ).fetchone()
        if row is None:
            return None
        address, depth, file, sha256, etag, modified, stated, links, fetched_at = row
        found = tuple((link, away, fields) for link, away, fields in json.loads(links))
        return KnownPage(address, depth, file, sha256, etag, modified, json.loads(stated), found, fetched_at)

    def address_with(self, source: str, field_name: str, value: str) -> str | None:
        """Return the address of a source's page that has a value in a field."""
        with self._open() as database:
            row = database.execute(
                f"SELECT address FROM pages WHERE source = ? AND json_extract(fields, '$.{field_name}') = ?",  # noqa: S608 – our own name
                (source, value),
            ).fetchone()
        return str(row[0]) if row else None

    def forget(self, address: str) -> None:
        """Forget an address and remove its file."""
        page = self.page(address)
        if page is not None and page.file:
            (self.folder / page.file).unlink(missing_ok=True)
        with self._open() as database:
            database.execute("DELETE FROM pages WHERE address = ?", (address,))

    def harvested(self, source: str, address: str) -> str:
        """Return until when an OAI-PMH interface was harvested; empty where it never was."""
        with self._open() as database:
            row = database.execute("SELECT harvested FROM sources WHERE name = ?", (source,)).fetchone()
        return str(json.loads(row[0]).get(address, "")) if row else ""

    def set_harvested(self, source: str, address: str, until: str) -> None:
        """Keep until when an OAI-PMH interface was harvested."""
        with self._open() as database:
            row = database.execute("SELECT harvested FROM sources WHERE name = ?", (source,)).fetchone()
            harvested = {**json.loads(row[0]), address: until}
            database.execute("UPDATE sources SET harvested = ? WHERE name = ?", (json.dumps(harvested), source))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / RECORD
        try:
            with closing(sqlite3.connect(path, timeout=LOCK_SECONDS)) as database, database:
                yield database
        except sqlite3.Error as error:
            raise FetchError(f"{path} cannot be used: {error}; mend or remove it, and fetch again") from error
