"""What a query has in common with the names of a document's concepts, in the query's own language.

A document is in one language, but the controlled lists name its concepts in many. So a document is read as if it held every
label, in the query's language, of every concept that it holds, and is scored by bounded BM25 (see `bm25`):

    tf(t, d)      = Σ held(d, c) · n(t, c)            n: how often term t stands in the labels of concept c
    labels(q, d)  = Σ idf(t) · tf / (tf + k1·(1 - b + b·|d|/avgdl)) / Σ idf(t)          over the query's terms; from 0 to 1

with idf over documents, and k1 and b those of the passages' words: .8 and 3, .5 and 1 were no better on the development
questions than the defaults. Frequencies come from the concepts when a query asks for them: nothing is stored per document.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.config import Bm25Config
from pes_search.index.evidence.concepts import Key
from pes_search.index.evidence.holdings import Holdings
from pes_search.index.text.tokens import terms
from pes_search.ingest.taxonomy import Taxonomy

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


@dataclass(frozen=True, slots=True)
class _Language:
    """The labels in one language."""

    counts: Mapping[str, Mapping[int, int]]  # of each term, by the number of the concept that has it
    lengths: Vectors  # of each concept's labels, in terms


class LabelTerms:
    """The terms of the concepts' labels, language by language."""

    def __init__(self, taxonomy: Taxonomy, keys: Sequence[Key]) -> None:
        self._taxonomy = taxonomy
        self._keys = keys
        self._languages: dict[str, _Language] = {}  # read when a query in it comes

    def in_language(self, language: str) -> _Language:
        """Return the terms in a language."""
        if language not in self._languages:
            self._languages[language] = self._read(language)
        return self._languages[language]

    def _read(self, language: str) -> _Language:
        counts: dict[str, dict[int, int]] = {}
        lengths = np.zeros(len(self._keys), np.float32)
        for column, (name, concept_id) in enumerate(self._keys):
            concept = self._taxonomy.lists[name][concept_id]
            for label in (*concept.terms.get(language, ()), *concept.plain.get(language, ())):
                for term in terms(label, language):
                    of_term = counts.setdefault(term, {})
                    of_term[column] = of_term.get(column, 0) + 1
                    lengths[column] += 1
        return _Language(counts, lengths)


class LabelMatcher:
    """Scores documents by the labels of what they hold."""

    def __init__(self, labels: LabelTerms, holdings: Holdings, bm25: Bm25Config) -> None:
        """`holdings` has the concepts of `labels`, in their order."""
        self._labels = labels
        self._holdings = holdings
        self._bm25 = bm25
        self._saturations: dict[str, Vectors] = {}  # of each document, by language

    def scores(self, query: str, language: str) -> Vectors:
        """Return every document's score, from 0 to 1, for a query in this language."""
        labels = self._labels.in_language(language)
        saturation = self._saturation(language)
        documents = len(saturation)
        total = 0.0
        scores = np.zeros(documents, np.float32)
        for term, repeats in Counter(terms(query, language)).items():
            columns = labels.counts.get(term, {})
            frequency = self._holdings.weighted(list(columns), np.array(list(columns.values()), np.float32))
            holders = np.flatnonzero(frequency)
            idf = repeats * math.log((documents + 1) / max(len(holders), 1))
            total += idf
            # Without k1 a term that stands there counts fully.
            scores[holders] += np.float32(idf) * frequency[holders] / (frequency[holders] + saturation[holders])
        return scores / np.float32(total) if total else scores

    def _saturation(self, language: str) -> Vectors:
        """Return k1·(1 - b + b·|d|/avgdl) of each document."""
        if language not in self._saturations:
            k1, b = self._bm25.k1, self._bm25.b
            of_concepts = self._labels.in_language(language).lengths
            lengths = self._holdings.weighted(range(len(of_concepts)), of_concepts)
            mean = float(lengths.mean()) if len(lengths) else 0.0
            self._saturations[language] = k1 * (1 - b + b * lengths / mean) if mean else np.full_like(lengths, k1)
        return self._saturations[language]
