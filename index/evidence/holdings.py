"""How far the documents of a collection hold the concepts of the lists: a sparse matrix, kept concept by concept.

A document holds some ten of several hundred concepts, so the whole matrix of a million documents would be of zeros mostly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pes_search.index.arrays import Mask, Rows, Vectors


class Holdings:
    """Documents as rows, concepts as columns, and how far one holds the other, from 0 to 1."""

    def __init__(self, documents: Sequence[str], concepts: Sequence[str], rows: Rows, columns: Rows, values: Vectors) -> None:
        """Entry j says that document `rows[j]` holds concept `columns[j]` as far as `values[j]`; what is missing is 0."""
        held = np.flatnonzero(values)
        by_column = held[np.argsort(columns[held], kind="stable")]
        self.documents = documents  # their ids
        self.concepts = concepts  # as `list/id`
        self.rows, self.columns, self.values = rows[by_column], columns[by_column], values[by_column]
        self._starts = np.searchsorted(self.columns, np.arange(len(concepts) + 1))

    @classmethod
    def of_documents(cls, documents: Sequence[str], held: Sequence[Mapping[str, float]]) -> Holdings:
        """Return what documents hold, each as its concepts with how far."""
        concepts = sorted({concept for several in held for concept in several})
        column = {concept: number for number, concept in enumerate(concepts)}
        entries = [(row, column[concept], value) for row, several in enumerate(held) for concept, value in several.items()]
        rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
        return cls(documents, concepts, np.array(rows, np.int64), np.array(columns, np.int64), np.array(values, np.float32))

    @classmethod
    def of_themselves(cls, concepts: Sequence[str], count: int) -> Holdings:
        """Return the first `count` concepts as documents, each of which holds itself."""
        own = np.arange(count)
        return cls(concepts[:count], concepts, own, own, np.ones(count, np.float32))

    def with_concepts(self, concepts: Sequence[str]) -> Holdings:
        """Return the same with these concepts as columns, in this order.

        Raises:
            KeyError: a concept that is held is not among them.
        """
        column = {concept: number for number, concept in enumerate(concepts)}
        columns = np.array([column[concept] for concept in self.concepts], np.int64)
        return Holdings(self.documents, concepts, self.rows, columns[self.columns], self.values)

    def among(self, documents: Mask) -> Holdings:
        """Return what some of the documents hold, numbered among themselves, without concepts that none of them holds."""
        kept = documents[self.rows]
        held, columns = np.unique(self.columns[kept], return_inverse=True)
        place = np.cumsum(documents) - 1
        ids = [document for document, is_kept in zip(self.documents, documents.tolist(), strict=True) if is_kept]
        concepts = [self.concepts[column] for column in held.tolist()]
        return Holdings(ids, concepts, place[self.rows[kept]], columns.astype(np.int64), self.values[kept])

    def counts(self) -> Rows:
        """Return the number of documents that hold each concept."""
        counts: Rows = np.diff(self._starts)
        return counts

    def weighted(self, columns: Sequence[int], weights: Vectors) -> Vectors:
        """Return for each document the sum over some concepts of how far it holds one, times the concept's weight."""
        parts = [slice(self._starts[column], self._starts[column + 1]) for column in columns]
        rows = [self.rows[part] for part in parts]
        values = [self.values[part] * weight for part, weight in zip(parts, weights, strict=True)]
        if not rows:
            return np.zeros(len(self.documents), np.float32)
        sums = np.bincount(np.concatenate(rows), np.concatenate(values), len(self.documents))
        return sums.astype(np.float32)

    def of(self, rows: Sequence[int]) -> Vectors:
        """Return how far some documents hold each concept, shape (documents, concepts)."""
        place = np.full(len(self.documents), -1)
        place[list(rows)] = np.arange(len(rows))
        entries = np.flatnonzero(place[self.rows] >= 0)
        matrix = np.zeros((len(rows), len(self.concepts)), np.float32)
        matrix[place[self.rows[entries]], self.columns[entries]] = self.values[entries]
        return matrix
