"""Vectors by content: a text that this model has encoded once is not encoded again, whichever build or run asks.

One SQLite file for each model, in the cache folder. It is written as encoding goes on, so a build that dies loses nothing.
Where it cannot be written, such as on a full disk, that is told once, and all goes on without it.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.errors import EncoderError

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.index.encoders.base import Encoder

KEYS_PER_SELECT = 500  # SQLite takes at least 999 variables
TEXTS_PER_WRITE = 256  # as many a dying build may lose
LOCK_TIMEOUT_SECONDS = 60  # a build in another process may hold the lock while it writes a batch
# What SQLite says where a file is whole but cannot be written: no room, no right, a disk that fails.
CANNOT_WRITE = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")
logger = logging.getLogger(__name__)


class VectorCache:
    """Vectors of one model and one kind of text."""

    def __init__(self, folder: Path, name: str) -> None:
        """`name` is that of a model and a kind of text, see `cache_name`."""
        self._folder = folder
        self._database: sqlite3.Connection | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(folder / f"{name}.sqlite", timeout=LOCK_TIMEOUT_SECONDS)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        except sqlite3.Error as error:
            if not getattr(error, "sqlite_errorname", "").startswith(CANNOT_WRITE):
                self.close()
                raise EncoderError(
                    f"cannot open the vector cache in {folder}: {error}; delete that folder (it can be made again) "
                    "or point PES_CACHE_DIR elsewhere"
                ) from error
            self._do_without(error)
        except OSError as error:
            self._do_without(error)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _do_without(self, error: OSError | sqlite3.Error) -> None:
        why = error.strerror if isinstance(error, OSError) else str(error)
        logger.warning(
            "cannot use the vector cache in %s: %s; this build encodes without it, and the next one anew; make room there or "
            "point PES_CACHE_DIR elsewhere",
            self._folder,
            why,
        )
        self.close()

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors of those texts that are known, each of shape (dimensions,)."""
        text_of = {_key(text): text for text in texts}
        keys = list(text_of)
        vectors: dict[str, Vectors] = {}
        try:
            for start in range(0, len(keys) if self._database else 0, KEYS_PER_SELECT):
                part = keys[start : start + KEYS_PER_SELECT]
                find = f"SELECT key, vector FROM vectors WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
                for key, vector in self._database.execute(find, part) if self._database else ():
                    vectors[text_of[key]] = np.frombuffer(vector, np.float32)
        except sqlite3.Error as error:
            self._do_without(error)
        return vectors

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Remember the texts' vectors."""
        if self._database is None:
            return
        rows = [(_key(text), vector.tobytes()) for text, vector in zip(texts, vectors, strict=True)]
        try:
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            self._do_without(error)


def cache_name(encoder: Encoder, kind: str) -> str:
    """Return the name of the cache of an encoder's vectors for texts of a kind, "queries" or "passages"."""
    return f"{encoder.model_id}-{encoder.runtime}-{kind}"


def encode_cached(
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], Vectors],
    dimensions: int,
    cache: VectorCache,
    on_progress: Callable[[int], object] | None = None,
) -> tuple[Vectors, int]:
    """Return the texts' vectors, shape (len(texts), dimensions), and how many had to be encoded.

    `encode` is the encoder's method for texts of this kind; a cache holds texts of one kind.
    """
    known = cache.get(texts)
    # Longest first, so that the slices below hold texts of like length and little is spent on padding.
    missing = sorted({text for text in texts if text not in known}, key=len, reverse=True)
    if on_progress:
        on_progress(len(texts) - len(missing))
    for start in range(0, len(missing), TEXTS_PER_WRITE):
        part = missing[start : start + TEXTS_PER_WRITE]
        vectors = encode(part)
        cache.put(part, vectors)
        if on_progress:
            on_progress(len(part))
        known.update(zip(part, vectors, strict=True))
    if not texts:
        return np.empty((0, dimensions), np.float32), 0
    return np.stack([known[text] for text in texts]), len(missing)


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
