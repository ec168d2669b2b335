"""What the words of the questions that documents answer say of a query, in the query's own language.

All questions of a document in a language are read as one text, scored by bounded BM25 (see `bm25`):

    words(q, d) = Σ idf(t) · tf / (tf + k1·(1 - b + b·|d|/avgdl)) / Σ idf(t)        over the query's terms, from 0 to 1

with idf = ln((N + 1) / df) and the mean length over the N documents that have questions in that language. A word that none of
them has counts below the line with the highest idf. Terms are kept as hashes of 64 bits, language by language: small, mapped
without being read into a dictionary, and nobody can read the questions back.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.config import Bm25Config
from pes_search.index.text.tokens import terms

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.arrays import Mask, Vectors
    from pes_search.ingest.types import Question


@dataclass(frozen=True, slots=True)
class StoredWords:
    """How often each document's questions have each term of each language; row i of everything is one of these counts.

    Ascending by term.
    """

    terms: npt.NDArray[np.uint64]  # hashes
    documents: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    languages: npt.NDArray[np.int16]  # places in `codes`
    codes: Sequence[str]

    @classmethod
    def of(cls, questions: Iterable[Sequence[Question]]) -> StoredWords:
        """Count the words of the questions of each document."""
        counts: Counter[tuple[int, int, str]] = Counter()
        for document, several in enumerate(questions):
            for language, text in several:
                counts.update((_hash(language, term), document, language) for term in terms(text, language))
        codes = sorted({language for _, _, language in counts})
        places = {code: place for place, code in enumerate(codes)}
        rows = sorted((term, document, places[language], count) for (term, document, language), count in counts.items())
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        return cls(
            terms=np.array(columns[0], np.uint64),
            documents=np.array(columns[1], np.int32),
            languages=np.array(columns[2], np.int16),
            counts=np.array(columns[3], np.int32),
            codes=codes,
        )

    def among(self, documents: Mask) -> StoredWords:
        """Return those of some documents, numbered among themselves."""
        kept = documents[self.documents]
        held, languages = np.unique(self.languages[kept], return_inverse=True)
        return StoredWords(
            terms=self.terms[kept],
            documents=(np.cumsum(documents) - 1)[self.documents[kept]].astype(np.int32),
            counts=self.counts[kept],
            languages=languages.astype(np.int16),
            codes=[self.codes[code] for code in held.tolist()],
        )


class QuestionWords:
    """Scores documents by the words of the questions that they answer."""

    def __init__(self, stored: StoredWords, documents: int, bm25: Bm25Config) -> None:
        """`documents` is their number."""
        self._stored = stored
        self._documents = documents
        self._bm25 = bm25
        self._saturations: dict[str, tuple[Vectors, int]] = {}  # of each document, and how many have questions, by language

    def scores(self, query: str, language: str) -> Vectors:
        """Return every document's score, from 0 to 1, for a query in this language."""
        scores = np.zeros(self._documents, np.float32)
        if language not in self._stored.codes:
            return scores
        saturation, having = self._saturation(language)
        total = 0.0
        for term, repeats in Counter(terms(query, language)).items():
            wanted = np.uint64(_hash(language, term))
            rows = slice(*(int(np.searchsorted(self._stored.terms, wanted, side)) for side in ("left", "right")))
            holders, counts = self._stored.documents[rows], self._stored.counts[rows].astype(np.float32)
            idf = repeats * math.log((having + 1) / max(len(holders), 1))
            total += idf
            scores[holders] += np.float32(idf) * counts / (counts + saturation[holders])
        return scores / np.float32(total) if total else scores

    def _saturation(self, language: str) -> tuple[Vectors, int]:
        """Return k1·(1 - b + b·|d|/avgdl) of each document, and how many have questions in the language."""
        if language not in self._saturations:
            k1, b = self._bm25.k1, self._bm25.b
            rows = self._stored.languages == self._stored.codes.index(language)
            lengths = np.bincount(self._stored.documents[rows], self._stored.counts[rows], self._documents).astype(np.float32)
            having = int(np.count_nonzero(lengths))
            saturation: Vectors = k1 * (1 - b + b * lengths * np.float32(having) / lengths.sum())
            self._saturations[language] = saturation, having
        return self._saturations[language]


def _hash(language: str, term: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{language}\0{term}".encode("utf-8", "replace"), digest_size=8).digest(), "little")
