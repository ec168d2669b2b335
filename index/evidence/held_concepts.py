"""What the documents of a collection hold of the controlled lists, and what that says of a query.

Two kinds of evidence come from it, both by document: how far a document holds what the query is about (`concepts`), and what
the query shares with the names of what the document holds (`concept_labels`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import unit_length
from pes_search.index.evidence.bm25 import Bm25Config
from pes_search.index.evidence.concept_labels import LabelMatcher
from pes_search.index.evidence.concepts import COUNTRIES, ConceptSpace, Key, activations
from pes_search.ingest.taxonomy import Taxonomy

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.index.types import Query


class HeldConcepts:
    """The concepts of every document, as a matrix; row i is the document of `ids[i]`."""

    def __init__(
        self,
        concepts_of_documents: Sequence[tuple[str, Mapping[str, float]]],
        space: ConceptSpace,
        taxonomy: Taxonomy,
        bm25: Bm25Config,
        main_language: str,
    ) -> None:
        """`concepts_of_documents` is what a store has of them; `main_language` the one that most of the collection is in."""
        self.ids = [document_id for document_id, _ in concepts_of_documents]
        self.rows = {document_id: row for row, document_id in enumerate(self.ids)}
        self._space = space
        self._main_language = main_language
        countries: list[Key] = [(COUNTRIES, code) for code in taxonomy.lists.get(COUNTRIES, {})]
        matrix = _matrix([concepts for _, concepts in concepts_of_documents], [*space.keys, *countries])
        self._holdings = matrix[:, : len(space.keys)]
        self._names_of_documents = LabelMatcher(taxonomy, [*space.keys, *countries], matrix, bm25)
        self._names_of_concepts = LabelMatcher(taxonomy, space.keys, np.eye(len(space.keys), dtype=np.float32), bm25)
        self._columns = {key: column for column, key in enumerate(space.keys)}
        self._idf = _concept_idf(self._holdings)
        self._profiles = unit_length(self._holdings * self._idf)  # a document's concepts, the rarer the weightier

    def of_query(self, text: str, language: str | None, vector: Vectors) -> list[tuple[str, str, float]]:
        """Return the concepts that a query is about: list, id and share, the highest first. `vector` is the encoder's."""
        named = self._shared(self._names_of_concepts, text, language)
        shares = activations(self._space.similarities(vector.reshape(1, -1))[0], named, self._idf)
        order = sorted(np.flatnonzero(shares).tolist(), key=lambda row: (-float(shares[row]), self._space.keys[row]))
        return [(*self._space.keys[row], float(shares[row])) for row in order]

    def agreement(self, query: Query) -> Vectors:
        """Return for each document how much of what the query is about it holds, from 0 to 1."""
        columns = [self._columns[name, concept_id] for name, concept_id, _ in query.concepts]
        agreement: Vectors = self._holdings[:, columns] @ np.array([share for _, _, share in query.concepts], np.float32)
        return agreement

    def labels(self, query: Query) -> Vectors:
        """Return for each document what the query shares with the names of its concepts and countries, from 0 to 1."""
        return self._shared(self._names_of_documents, query.text, query.language)

    def overlaps(self, first: Sequence[str], second: Sequence[str], cosines: Vectors) -> Vectors:
        """Return the cosine of the concepts of two lots of documents, shape (first, second).

        `cosines` are those of the documents' mean vectors: where one of two holds no concept, they are all that is known.
        """
        profiles = [self._profiles[[self.rows[document_id] for document_id in ids]] for ids in (first, second)]
        known = np.logical_and.outer(*(several.any(axis=1) for several in profiles))
        overlaps: Vectors = np.where(known, profiles[0] @ profiles[1].T, cosines)
        return overlaps

    def sharing(self, document_id: str, depth: int) -> list[str]:
        """Return the documents that share most concepts with this one, which is not among them."""
        shared = self._profiles @ self._profiles[self.rows[document_id]]
        shared[self.rows[document_id]] = 0
        best = np.argsort(-shared, kind="stable")[:depth]
        return [self.ids[row] for row in best[shared[best] > 0].tolist()]

    def _shared(self, names: LabelMatcher, text: str, language: str | None) -> Vectors:
        """Return the scores by the labels in the query's language or in the collection's: a few words are easily misread."""
        scores = names.scores(text, self._main_language)
        if language in {None, self._main_language}:
            return scores
        better: Vectors = np.maximum(scores, names.scores(text, str(language)))
        return better


def _matrix(confidences: Sequence[Mapping[str, float]], keys: Sequence[Key]) -> Vectors:
    """Return how far each document holds each concept, shape (documents, concepts)."""
    columns = {f"{name}/{concept_id}": column for column, (name, concept_id) in enumerate(keys)}
    matrix = np.zeros((len(confidences), len(keys)), np.float32)
    for row, concepts in enumerate(confidences):
        for key, confidence in concepts.items():
            matrix[row, columns[key]] = confidence
    return matrix


def _concept_idf(holdings: Vectors) -> Vectors:
    """Return each concept's inverse document frequency, the highest that can be as 1; 0 for one that no document holds."""
    frequency = (holdings > 0).sum(axis=0)
    most = np.log(len(holdings) + 1)
    idf: Vectors = np.where(frequency > 0, np.log((len(holdings) + 1) / np.maximum(frequency, 1)) / most, 0).astype(np.float32)
    return idf
