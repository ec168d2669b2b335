"""The lexical retriever: bounded BM25 over the passages' terms.

The scores are those of `rank_bm25.BM25Plus`, computed by bm25s once, when an index is built. That class gives a passage
δ·idf(t) for every term of the query, held or not; the constant is taken off, which leaves

    score(q, d)   = Σ idf(t) · tf·(k1+1) / (tf + k1·(1 - b + b·|d|/avgdl))     over the query's terms, idf(t) = ln((N+1)/df)
    bounded(q, d) = score(q, d) / ((k1 + 1) · Σ idf(t))

The second line divides by the most that the query could score, so a passage gets near 1 only if it holds all the words that
matter, and a query whose words the collection lacks (most questions in another language) stays near 0 instead of promoting
chance matches. A term that the collection lacks counts below the line with the highest idf. The normalisation is Bruch, Gai
and Ingber's (2023, "An Analysis of Fusion Functions for Hybrid Retrieval", theoretical maximum).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.config import Bm25Config

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.arrays import Mask, Rows, Vectors

DELTA = 1.0  # rank_bm25's default; it drops out of the scores


class Bm25Builder:
    """Collects the passages' terms; memory is four bytes a term and the vocabulary."""

    def __init__(self) -> None:
        self.vocabulary: dict[str, int] = {}
        self.documents: list[npt.NDArray[np.int32]] = []

    def add(self, terms: Iterable[str]) -> None:
        """Add the next passage's terms."""
        ids = [self.vocabulary.setdefault(term, len(self.vocabulary)) for term in terms]
        self.documents.append(np.array(ids, dtype=np.int32))

    def save(self, folder: Path, config: Bm25Config) -> None:
        """Compute the scores and write them into the folder."""
        import bm25s

        if not self.vocabulary:  # bm25s fails on a collection without a single term; one that no query can hold stands in
            self.vocabulary["\x00"] = 0
            self.documents[:1] = [np.zeros(1, np.int32)]
        model = bm25s.BM25(method="bm25+", k1=config.k1, b=config.b, delta=DELTA)
        model.index((self.documents, self.vocabulary), show_progress=False, create_empty_token=False)
        model.save(str(folder), show_progress=False)


class Bm25Index:
    """Scores passages for a query's terms, from the files that `Bm25Builder` saved."""

    def __init__(self, folder: Path) -> None:
        """Open the files, mapped from disk and not read into memory.

        They are bm25s' own: what each term adds to the score of each passage that holds it, less the constant that it adds to
        the others, column by column. Read here without bm25s, which takes a third of a second to import.
        """
        parameters = json.loads((folder / "params.index.json").read_text(encoding="utf-8"))
        self._vocabulary: dict[str, int] = json.loads((folder / "vocab.index.json").read_text(encoding="utf-8"))
        self._gains = np.load(folder / "data.csc.index.npy", mmap_mode="r").view(np.ndarray)
        self._holders = np.load(folder / "indices.csc.index.npy", mmap_mode="r").view(np.ndarray)
        self._starts = np.load(folder / "indptr.csc.index.npy")  # of each term's rows in the two above
        self._passages = int(parameters["num_docs"])
        self._most = float(parameters["k1"]) + 1
        self._highest_idf = math.log(self._passages + 1)

    def scores(self, terms: Sequence[str], among: Mask | None = None, onto: Vectors | None = None) -> Vectors:
        """Return every passage's bounded score, from 0 to 1, for the query's terms (repeats count).

        With `among` those of these passages only, the others have 0; with `onto` they are added to what is there.
        """
        scores = np.zeros(self._passages, np.float32) if onto is None else onto
        for rows, gains in self._found(terms):
            if among is not None:
                kept = among[rows]
                rows, gains = rows[kept], gains[kept]
            scores[rows] += gains  # a passage stands once among a term's
        return scores

    def scores_of(self, passages: Rows, terms: Sequence[str]) -> Vectors:
        """Return the bounded scores of some passages only."""
        scores = np.zeros(len(passages), np.float32)
        for rows, gains in self._found(terms):
            places = np.minimum(np.searchsorted(rows, passages), len(rows) - 1)
            holding = np.flatnonzero(rows[places] == passages)
            scores[holding] += gains[places[holding]]
        return scores

    def _found(self, terms: Sequence[str]) -> Iterator[tuple[Rows, Vectors]]:
        """Yield for each term the passages that hold it, ascending, and what it adds to the bounded score of each."""
        numbers = [self._vocabulary[term] for term in terms if term in self._vocabulary]
        most = np.float32(self._most * sum(self.idf(term) for term in terms))
        for number in numbers:
            rows = slice(int(self._starts[number]), int(self._starts[number + 1]))
            yield self._holders[rows], self._gains[rows] / most

    def holders(self, term: str) -> Rows:
        """Return the passages that hold a term, ascending."""
        number = self._vocabulary.get(term)
        if number is None:
            return np.empty(0, np.int64)
        holders: Rows = self._holders[int(self._starts[number]) : int(self._starts[number + 1])]
        return holders

    def idf(self, term: str) -> float:
        """Return ln((N + 1) / df) as in `rank_bm25.BM25Plus`; a term that no passage holds gets the highest, ln(N + 1)."""
        frequency = self.document_frequency(term)
        return math.log((self._passages + 1) / frequency) if frequency else self._highest_idf

    def document_frequency(self, term: str) -> int:
        """Return the number of passages that hold the term."""
        number = self._vocabulary.get(term)
        return int(self._starts[number + 1] - self._starts[number]) if number is not None else 0
