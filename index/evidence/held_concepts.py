"""What the documents of a collection hold of the controlled lists, and what that says of a query.

Two kinds of evidence come from it, both by document: how far a document holds what the query is about (`concepts`), and what
the query shares with the names of what the document holds (`concept_labels`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import unit_length
from pes_search.index.config import Bm25Config
from pes_search.index.evidence.concept_labels import LabelMatcher, LabelTerms
from pes_search.index.evidence.concepts import COUNTRIES, ConceptSpace, Key, activations
from pes_search.index.evidence.holdings import Holdings
from pes_search.ingest.taxonomy import Taxonomy

if TYPE_CHECKING:
    from pes_search.index.arrays import Rows, Vectors
    from pes_search.index.types import Query


class HeldConcepts:
    """The concepts of every document; row i is the document of `ids[i]`."""

    def __init__(
        self, holdings: Holdings, space: ConceptSpace, taxonomy: Taxonomy, bm25: Bm25Config, main_language: str
    ) -> None:
        """`holdings` is what a store has of them; `main_language` the one that most of the collection is in."""
        self.ids = holdings.documents
        self.rows = {document_id: row for row, document_id in enumerate(self.ids)}
        self._space = space
        self._bm25 = bm25
        self._main_language = main_language
        countries: list[Key] = [(COUNTRIES, code) for code in taxonomy.lists.get(COUNTRIES, {})]
        keys = [*space.keys, *countries]
        concepts = [f"{name}/{concept_id}" for name, concept_id in keys]
        self._concepts = concepts
        self._holdings = holdings.with_concepts(concepts)
        self._labels = labels = LabelTerms(taxonomy, keys)
        labels.in_language(main_language)  # now, not with the first query: a command has time while its encoder is loading
        self._names_of_documents = LabelMatcher(labels, self._holdings, bm25)
        self._names_of_concepts = LabelMatcher(labels, Holdings.of_themselves(concepts, len(space.keys)), bm25)
        self._columns = {key: column for column, key in enumerate(space.keys)}
        self._idf = _concept_idf(self._holdings.counts()[: len(space.keys)], len(self.ids))

    def among(self, holdings: Holdings, main_language: str) -> HeldConcepts:
        """Return the same for the documents of other holdings, most of which are in this language; the lists are shared."""
        some = copy.copy(self)
        some.__dict__.pop("_lengths", None)
        some._main_language = main_language
        some.ids = holdings.documents
        some.rows = {document_id: row for row, document_id in enumerate(some.ids)}
        some._holdings = holdings.with_concepts(self._concepts)
        some._names_of_documents = LabelMatcher(self._labels, some._holdings, self._bm25)
        some._idf = _concept_idf(some._holdings.counts()[: len(self._idf)], len(some.ids))
        return some

    def of_query(self, text: str, language: str | None, vector: Vectors) -> list[tuple[str, str, float]]:
        """Return the concepts that a query is about: list, id and share, the highest first. `vector` is the encoder's."""
        named = self._shared(self._names_of_concepts, text, language)
        shares = activations(self._space.similarities(vector.reshape(1, -1))[0], named, self._idf)
        order = sorted(np.flatnonzero(shares).tolist(), key=lambda row: (-float(shares[row]), self._space.keys[row]))
        return [(*self._space.keys[row], float(shares[row])) for row in order]

    def agreement(self, query: Query) -> Vectors:
        """Return for each document how much of what the query is about it holds, from 0 to 1."""
        columns = [self._columns[name, concept_id] for name, concept_id, _ in query.concepts]
        return self._holdings.weighted(columns, np.array([share for _, _, share in query.concepts], np.float32))

    def labels(self, query: Query) -> Vectors:
        """Return for each document what the query shares with the names of its concepts and countries, from 0 to 1."""
        return self._shared(self._names_of_documents, query.text, query.language)

    def overlaps(self, first: Sequence[str], second: Sequence[str], cosines: Vectors) -> Vectors:
        """Return the cosine of the concepts of two lots of documents, shape (first, second).

        `cosines` are those of the documents' mean vectors: where one of two holds no concept, they are all that is known.
        """
        profiles = [self._profiles([self.rows[document_id] for document_id in ids]) for ids in (first, second)]
        known = np.logical_and.outer(*(several.any(axis=1) for several in profiles))
        overlaps: Vectors = np.where(known, profiles[0] @ profiles[1].T, cosines)
        return overlaps

    def sharing(self, document_id: str, depth: int) -> list[str]:
        """Return the documents that share most concepts with this one, which is not among them."""
        row = self.rows[document_id]
        own = self._profiles([row])[0]
        held = np.flatnonzero(own)
        shared = self._holdings.weighted(held.tolist(), own[held] * self._idf[held])
        holders = np.setdiff1d(np.flatnonzero(shared), [row])
        cosines = shared[holders] / self._lengths[holders]
        best = holders[np.argsort(-cosines, kind="stable")[:depth]]
        return [self.ids[other] for other in best.tolist()]

    def _profiles(self, rows: Sequence[int]) -> Vectors:
        """Return some documents' concepts, the rarer the weightier, unit length."""
        return unit_length(self._holdings.of(rows)[:, : len(self._idf)] * self._idf)

    @cached_property
    def _lengths(self) -> Vectors:
        """Of every document the length that its profile had before."""
        idf = np.zeros(len(self._holdings.concepts), np.float32)
        idf[: len(self._idf)] = self._idf
        squares = np.square(self._holdings.values * idf[self._holdings.columns])
        return np.sqrt(np.bincount(self._holdings.rows, squares, len(self.ids))).astype(np.float32)

    def _shared(self, names: LabelMatcher, text: str, language: str | None) -> Vectors:
        """Return the scores by the labels in the query's language or in the collection's: a few words are easily misread."""
        scores = names.scores(text, self._main_language)
        if language in {None, self._main_language}:
            return scores
        better: Vectors = np.maximum(scores, names.scores(text, str(language)))
        return better


def _concept_idf(holders: Rows, documents: int) -> Vectors:
    """Return each concept's inverse document frequency, the highest that can be as 1; 0 for one that no document holds."""
    most = np.log(max(documents, 1) + 1)
    idf: Vectors = np.where(holders > 0, np.log((documents + 1) / np.maximum(holders, 1)) / most, 0).astype(np.float32)
    return idf
