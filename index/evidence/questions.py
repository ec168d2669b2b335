"""What the questions that documents answer say of a query: how near it comes to those of each document.

A document may bring such questions (`ingest.questions`). They speak by their meaning, and by their words (`question_words`):

    questions(q, d) = .2 · meaning(q, d) + .8 · words(q, d)          from 0 to 1

Their vectors are the encoder's, read as queries.

    n(q, d, l) = mean of the cosines of the query with its three nearest questions of document d in language l
    z(q, d, l) = standard score of n among the documents that have questions in l; 0 for the others
    s(q, d)    = .7 · z(q, d, main language) + .3 · z(q, d, the query's language)
    meaning(q, d) = (s - 1) / 3, from 0 to 1

The main language is the one that has most questions. So a query that is as near to everybody's questions as to one document's
says nothing, and a document without questions has no part in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import EightBitVectors
from pes_search.index.config import Bm25Config
from pes_search.index.evidence.question_words import QuestionWords, StoredWords

if TYPE_CHECKING:
    from pes_search.index.arrays import Mask, Rows, Vectors

NEAREST = 3  # questions of a document; of one to five, three was best on the development questions
OWN_LANGUAGE_SHARE = 0.3  # of the questions in the query's language; from .2 to .4 alike
LEAST_Z, SPAN_Z = 1.0, 3.0
WORD_SHARE = 0.8  # docs/retrieval.md has the others


@dataclass(frozen=True, slots=True)
class StoredQuestions:
    """The questions of all documents as a store keeps them; row i of the first three is question i."""

    documents: Rows  # the place of its document among those ordered by id
    languages: Sequence[str]
    vectors: EightBitVectors
    words: StoredWords

    def among(self, documents: Mask) -> StoredQuestions:
        """Return those of some documents, numbered among themselves."""
        kept = documents[self.documents]
        languages = [language for language, is_kept in zip(self.languages, kept.tolist(), strict=True) if is_kept]
        place = np.cumsum(documents) - 1
        vectors = EightBitVectors(self.vectors.numbers[kept])
        return StoredQuestions(place[self.documents[kept]], languages, vectors, self.words.among(documents))


class DocumentQuestions:
    """The questions of every document, by language."""

    def __init__(self, stored: StoredQuestions, documents: int, bm25: Bm25Config) -> None:
        """`documents` is their number."""
        counts = Counter(stored.languages)
        self._documents = documents
        self._main = max(sorted(counts), key=counts.__getitem__) if counts else None
        order = np.argsort(stored.documents, kind="stable")
        languages = np.array(stored.languages)[order]
        self._owners = {code: stored.documents[order[languages == code]] for code in counts}
        self._words = QuestionWords(stored.words, documents, bm25)
        self._vectors = {code: stored.vectors.take(order[languages == code]) for code in counts}

    @property
    def are_there(self) -> bool:
        """Tell whether the collection brings any."""
        return self._main is not None

    def scores(self, query: str, language: str | None, vector: Vectors) -> Vectors:
        """Return for each document how near a query is to its questions, from 0 to 1. `vector` is the encoder's."""
        if self._main is None:
            return np.zeros(self._documents, np.float32)
        words = self._words.scores(query, language or self._main)
        scores: Vectors = (1 - WORD_SHARE) * self._meaning(vector, language, self._main) + WORD_SHARE * words
        return scores

    def _meaning(self, vector: Vectors, language: str | None, main: str) -> Vectors:
        if vector.shape != self._vectors[main].shape[1:]:
            return np.zeros(self._documents, np.float32)
        standing = self._standing(vector, main)
        if language in self._owners and language != main:
            standing = (1 - OWN_LANGUAGE_SHARE) * standing + OWN_LANGUAGE_SHARE * self._standing(vector, language)
        meaning: Vectors = np.clip((standing - LEAST_Z) / SPAN_Z, 0, 1).astype(np.float32)
        return meaning

    def _standing(self, vector: Vectors, language: str) -> Vectors:
        """Return the documents' standard scores in a language."""
        owners, cosines = self._owners[language], self._vectors[language] @ vector
        order = np.lexsort((-cosines, owners))
        owners, cosines = owners[order], cosines[order]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        place = np.arange(len(owners)) - np.repeat(starts, np.diff(starts, append=len(owners)))
        near = place < NEAREST
        sums = np.bincount(owners[near], cosines[near], self._documents)
        counts = np.bincount(owners[near], minlength=self._documents)
        has = counts > 0
        means = sums[has] / counts[has]
        standing = np.zeros(self._documents, np.float32)
        spread = float(means.std())
        if spread > 0:
            standing[has] = (means - means.mean()) / spread
        return standing
