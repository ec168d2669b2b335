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

import copy
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

LENGTHS_FILE = "lengths.npy"  # of the passages, in terms: what some of them score among themselves is computed by them
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
        np.save(folder / LENGTHS_FILE, np.array([len(terms) for terms in self.documents], np.int32))


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
        self._k1, self._b = float(parameters["k1"]), float(parameters["b"])
        self._most = self._k1 + 1
        self._lengths = np.load(folder / LENGTHS_FILE, mmap_mode="r").view(np.ndarray)
        self._among: Mask | None = None
        self._count = self._passages  # of those among which is scored
        self._means = 0.0, 0.0  # length: of all passages, and of those

    def among(self, passages: Mask) -> Bm25Index:
        """Return what scores some passages as if there were no others; the rest holds no term."""
        some = copy.copy(self)
        some._among = passages
        some._count = int(passages.sum())
        some._means = float(self._lengths.mean()), float(self._lengths[passages].mean()) if some._count else 0.0
        return some

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
            rows, gains = self._column(number)
            if len(rows):
                yield rows, gains / most

    def _column(self, number: int) -> tuple[Rows, Vectors]:
        """Return the passages that hold a term, ascending, and what it adds to the score of each."""
        column = slice(int(self._starts[number]), int(self._starts[number + 1]))
        rows, gains = self._holders[column], self._gains[column]
        if self._among is None:
            return rows, gains
        kept = self._among[rows]
        if kept.any():
            gains = self._among_themselves(rows[kept], gains[kept], math.log((self._passages + 1) / len(rows)))
        return rows[kept], gains

    def _among_themselves(self, rows: Rows, gains: Vectors, idf: float) -> Vectors:
        """Return what a term adds to the score of some passages that hold it, from what it adds among all (by this `idf`).

        What is stored is idf · tf·(k1+1) / (tf + norm): the frequency comes out of it, and gets another norm and idf.
        """
        of_all, of_some = (self._norms(rows, mean) for mean in self._means)
        shares = gains.astype(np.float64) / (idf * self._most)  # tf / (tf + norm)
        # Without k1 the norm is 0, and a term that is held counts fully.
        frequencies = np.rint(shares * of_all / np.maximum(1 - shares, 1e-9)) if self._k1 else np.ones(len(rows))
        own_idf = math.log((self._count + 1) / len(rows))
        own: Vectors = (own_idf * frequencies * self._most / (frequencies + of_some)).astype(np.float32)
        return own

    def _norms(self, rows: Rows, mean: float) -> npt.NDArray[np.float64]:
        """Return k1·(1 - b + b·|d|/avgdl) of passages."""
        lengths = self._lengths[rows].astype(np.float64)
        norms: npt.NDArray[np.float64] = self._k1 * (1 - self._b + self._b * lengths / mean)
        return norms

    def holders(self, term: str) -> Rows:
        """Return the passages that hold a term, ascending."""
        number = self._vocabulary.get(term)
        if number is None:
            return np.empty(0, np.int64)
        holders: Rows = self._holders[int(self._starts[number]) : int(self._starts[number + 1])]
        return holders if self._among is None else holders[self._among[holders]]

    def idf(self, term: str) -> float:
        """Return ln((N + 1) / df) as in `rank_bm25.BM25Plus`; a term that no passage holds gets the highest, ln(N + 1)."""
        frequency = self.document_frequency(term)
        return math.log((self._count + 1) / max(frequency, 1))

    def document_frequency(self, term: str) -> int:
        """Return the number of passages that hold the term."""
        number = self._vocabulary.get(term)
        if number is None:
            return 0
        return int(self._starts[number + 1] - self._starts[number]) if self._among is None else len(self.holders(term))
