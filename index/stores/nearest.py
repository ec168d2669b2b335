"""Vectors that are searched by FAISS: exactly, or, where there are more, by 8 bits a number and then exactly among the best.

Above `EXACT_VECTORS` the vectors are written in 8 bits too when an index is built. All of them are scored so, and four times
as many as are asked for are scored again by the vectors themselves. A search that wants much of the whole, or what few a filter
leaves, scores the vectors alone.

Of 200,000 vectors (10,000 sentences, the others moved by noise) this found the ten nearest of 100 queries all, in 8 ms where
exact search takes 60. Inverted lists found .90 to .98 of them in 1.5 to 4 ms, a graph (HNSW) .994 in 1.2 ms after 35 s of
building: for more vectors than one machine should hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pes_search.index.arrays import highest

if TYPE_CHECKING:
    from pes_search.index.arrays import HalfVectors, Mask, Rows, Vectors

QUANTISED_FILE = "vectors.sq8"
EXACT_VECTORS = 5_000  # takes a millisecond; 10,000 take 2.6, or .4 in 8 bits
OVERSAMPLING = 4  # times as many candidates as are asked for: 8 bits change the order of near ones
TRAINED_VECTORS = 100_000  # for the range of each number
CHUNK = 50_000  # rows that are taken from disk at once
EXACT_SHARE = 0.1  # of all vectors: whoever wants more of them has all scored
SHARED_VECTORS = 100_000  # from which on threads share a search; fewer take some milliseconds
THREADS = min(4, os.cpu_count() or 1)


class NearestVectors(Protocol):
    """Vectors, row i for passage i."""

    def top(self, vector: Vectors, allowed: Mask | None, depth: int) -> Rows:
        """Return the rows of the `depth` highest inner products among the allowed ones, best first."""

    def take(self, rows: Rows) -> Vectors:
        """Return the vectors of rows."""


class ExactVectors:
    """Vectors in memory, in single precision: FAISS takes seven times as long to search halves."""

    def __init__(self, vectors: HalfVectors) -> None:
        import faiss

        self._faiss = faiss.IndexFlatIP(vectors.shape[1])
        self._faiss.add(vectors.astype(np.float32))
        # FAISS holds the only copy; this is a view of it.
        view = faiss.rev_swig_ptr(self._faiss.get_xb(), vectors.size) if vectors.size else np.empty(0, np.float32)
        self._vectors: Vectors = view.reshape(vectors.shape)

    def top(self, vector: Vectors, allowed: Mask | None, depth: int) -> Rows:
        """Return the rows of the `depth` highest inner products among the allowed ones, best first."""
        import faiss

        count = len(self._vectors) if allowed is None else int(allowed.sum())
        if not count:
            return np.empty(0, np.int64)
        library: Any = faiss  # its annotations are those of the C++ signatures, not of the Python ones
        parameters = None if allowed is None else library.SearchParameters(sel=_selector(allowed))
        _, rows = self._faiss.search(vector.reshape(1, -1), min(depth, count), params=parameters)
        best: Rows = rows[0][rows[0] >= 0]
        return best

    def take(self, rows: Rows) -> Vectors:
        """Return the vectors of rows."""
        return self._vectors[rows]


class QuantisedVectors:
    """Vectors on disk, and in 8 bits; both are mapped into memory."""

    def __init__(self, vectors: HalfVectors, path: Path) -> None:
        import faiss

        self._vectors = vectors
        self._quantised = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        if self._quantised.ntotal != len(vectors):
            raise ValueError(f"{path.name} has {self._quantised.ntotal} vectors for {len(vectors)}")
        self._pool = ThreadPoolExecutor(THREADS) if len(vectors) >= SHARED_VECTORS else None

    def top(self, vector: Vectors, allowed: Mask | None, depth: int) -> Rows:
        """Return the rows of the `depth` highest inner products among the allowed ones, best first."""
        count = len(self._vectors) if allowed is None else int(allowed.sum())
        wanted = OVERSAMPLING * depth
        if count <= EXACT_VECTORS or wanted >= EXACT_SHARE * count:
            return self._best(vector, np.arange(count) if allowed is None else np.flatnonzero(allowed), depth)
        return self._best(vector, np.sort(self._nearest(vector, allowed, wanted)), depth)

    def take(self, rows: Rows) -> Vectors:
        """Return the vectors of rows."""
        return self._vectors[rows].astype(np.float32)

    def _nearest(self, vector: Vectors, allowed: Mask | None, wanted: int) -> Rows:
        """Return the rows of the `wanted` highest inner products in 8 bits, in any order."""
        import faiss

        library: Any = faiss
        of_filters = None if allowed is None else _selector(allowed)
        if self._pool is None:
            parameters = library.SearchParameters(sel=of_filters) if of_filters else None
            _, rows = self._quantised.search(vector.reshape(1, -1), wanted, params=parameters)
            found: Rows = rows[0][rows[0] >= 0]
            return found

        def search(first: int, last: int) -> tuple[Vectors, Rows]:
            of_part = library.IDSelectorRange(first, last)
            selector = library.IDSelectorAnd(of_part, of_filters) if of_filters else of_part
            parameters = library.SearchParameters(sel=selector)
            scores, rows = self._quantised.search(vector.reshape(1, -1), wanted, params=parameters)
            return scores[0], rows[0]

        ends = np.linspace(0, len(self._vectors), THREADS + 1).astype(int).tolist()
        parts = list(self._pool.map(search, ends[:-1], ends[1:]))
        scores, rows = (np.concatenate(several) for several in zip(*parts, strict=True))
        there = np.flatnonzero(rows >= 0)
        return rows[there[highest(scores[there], wanted)]]

    def _best(self, vector: Vectors, rows: Rows, depth: int) -> Rows:
        """Return the rows with the highest inner products, best first, equal ones in their order."""
        scores = np.concatenate([np.empty(0, np.float32), *(self.take(part) @ vector for part in _chunks(rows))])
        best: Rows = rows[np.argsort(-scores, kind="stable")[:depth]]
        return best


def open_vectors(vectors: HalfVectors, folder: Path) -> NearestVectors:
    """Return the vectors of a folder, with what was written for them in 8 bits, if anything."""
    path = folder / QUANTISED_FILE
    return QuantisedVectors(vectors, path) if path.is_file() else ExactVectors(vectors)


def write_quantised(vectors: HalfVectors, folder: Path) -> None:
    """Write many vectors in 8 bits beside themselves; few need it not."""
    import faiss

    count, dimensions = vectors.shape
    if count <= EXACT_VECTORS:
        return
    library: Any = faiss
    kind = library.ScalarQuantizer.QT_8bit
    quantised = library.IndexScalarQuantizer(dimensions, kind, library.METRIC_INNER_PRODUCT)
    quantised.train(vectors[:: max(1, count // TRAINED_VECTORS)].astype(np.float32))
    for rows in _chunks(np.arange(count)):
        quantised.add(vectors[rows].astype(np.float32))
    try:
        library.write_index(quantised, str(folder / QUANTISED_FILE))
    except RuntimeError as error:  # its only kind; of writing, an `OSError` to everybody else
        raise OSError(f"{QUANTISED_FILE} cannot be written") from error


def _selector(allowed: Mask) -> Any:
    import faiss

    library: Any = faiss
    return library.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))


def _chunks(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
