"""What builds of an index made of its documents, so that the next one does anew only what has changed.

A document is known by its metadata and blocks, and by the recipe: the code, model, settings and lists that made it. One SQLite
file for each index, in the cache folder: it can be made again, so one that cannot be used is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import pickle
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pes_search.index.copies import Signature
from pes_search.index.types import EncodedDocument
from pes_search.ingest.types import Block, Document, Link

_DAMAGE = (sqlite3.Error, pickle.PickleError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError)
LOCK_SECONDS = 60.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document as the store takes it, what tells its copies, and what it links to."""

    encoded: EncodedDocument
    signature: Signature
    links: tuple[Link, ...]


class KeptDocuments:
    """The documents of one index, by `key`. Safe to be stopped at any moment."""

    def __init__(self, path: Path | None, recipe: str = "") -> None:
        """`path` is that of the file, None to keep nothing; `recipe` tells all that documents are made by."""
        self._recipe = recipe.encode()
        self._used: set[bytes] = set()
        self._database: sqlite3.Connection | None = None
        self._path = path
        if path is None:
            return
        with contextlib.suppress(OSError, sqlite3.Error):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=LOCK_SECONDS)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute("CREATE TABLE IF NOT EXISTS documents (key BLOB PRIMARY KEY, document BLOB)")

    def key(self, document: Document, blocks: Sequence[Block]) -> bytes:
        """Return what a document is known by."""
        return hashlib.sha256(self._recipe + repr((document, blocks)).encode("utf-8", "replace")).digest()

    def get(self, key: bytes) -> KeptDocument | None:
        """Return what is kept of a document."""
        self._used.add(key)
        try:
            row = self._database and self._database.execute("SELECT document FROM documents WHERE key = ?", (key,)).fetchone()
            known: KeptDocument | None = pickle.loads(row[0]) if row else None  # noqa: S301 – from the user's own cache
        except _DAMAGE:
            return None
        return known

    def put(self, documents: Iterable[tuple[bytes, KeptDocument]]) -> None:
        """Keep documents."""
        if self._database is None:
            return
        rows = [(key, pickle.dumps(document, pickle.HIGHEST_PROTOCOL)) for key, document in documents]
        try:
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            logger.warning(
                "cannot keep what was made of the documents in %s: %s; the next build makes it anew", self._path, error
            )
            self.close()

    def forget_others(self) -> None:
        """Forget the documents that nobody asked for: they are not of the index any more."""
        if self._database is None:
            return
        with contextlib.suppress(sqlite3.Error), self._database:
            known = {key for (key,) in self._database.execute("SELECT key FROM documents")}
            self._database.executemany("DELETE FROM documents WHERE key = ?", [(key,) for key in known - self._used])

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None


def kept_path(cache_dir: Path, place: str) -> Path:
    """Return where the documents of the index in a place are kept."""
    name = hashlib.sha256(str(Path(place).absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return cache_dir / "documents" / f"{name}.sqlite"
