"""What queries and documents are about, in the terms of the controlled lists: agreement where no word is shared.

A query is mapped to the concepts whose labels are nearest to it, in any language; a document has those of its tags, and
those that its passages come close to. The vectors are the encoder's, labels read as queries.

    s(q, c) = the highest cosine of the query with a label of concept c
    a(q, c) = max(0, z(s(q, c)) + β · n(q, c) - z₀) · idf(c), over their sum
    agreement(q, d) = Σ a(q, c) · held(d, c)     from 0 to 1

z is the standard score among the query's s, n the words that the query shares with the concept's labels (see `concept_labels`),
idf over documents. So a query that stands out nowhere spreads its weight thinly, and a document about none of it gets nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pes_search.ingest.taxonomy import FIELDS, Taxonomy

if TYPE_CHECKING:
    from pes_search.index.arrays import EightBitVectors, Vectors
    from pes_search.ingest.types import Document

Key = tuple[str, str]
"""A list's name and a concept's id."""

COUNTRIES = "countries"  # the list; a country is no concept that a query is vaguely about, but it has a name in every language
NAMED_WEIGHT = 4.0  # β: a concept that is called by name stands out; from 2 to 8 no different on the development questions
LEAST_Z = 1.0  # a query's concepts stand out from the others by one standard deviation (docs/retrieval.md)
COMPARED_VECTORS = 64  # with the labels at once: their cosines fit into the processor's cache
LEAST_LABELS = 50  # of a language whose mean vector says where it lies
BROADER_CONFIDENCE = 0.5  # a document holds what includes its own concepts only half
# A document's passages come as close to a label only where they are about it: of 5,183 abstracts of biomedicine one in a
# hundred has a label nearer than .867, of the corpus's tags a tenth are nearer than .881 (packaged encoder). Lower bounds
# (.85 to .90) cost .007 on Portuguese university rules, which are about learning but not about these concepts.
INFERRED_FROM_COSINE, INFERRED_FULLY_COSINE = 0.88, 0.93
INFERRED_Z = 1.5  # standard deviations by which such a concept stands out from the document's others


class Label(NamedTuple):
    """One of the labels of a concept."""

    key: Key
    language: str
    text: str


def labels_of(taxonomy: Taxonomy) -> list[Label]:
    """Return the labels, specialist and plain, in every language, of the lists that documents are tagged with."""
    return [
        Label((name, concept.id), language, text)
        for name in FIELDS.values()
        for concept in taxonomy.lists.get(name, {}).values()
        for labels in (concept.terms, concept.plain)
        for language, texts in labels.items()
        for text in texts
    ]


class ConceptSpace:
    """The labels' vectors, concept by concept."""

    def __init__(self, labels: Sequence[Label], vectors: EightBitVectors) -> None:
        """`vectors` are the labels', which come concept by concept as from `labels_of`."""
        counts = Counter(label.key for label in labels)
        self.keys = list(counts)
        self._starts = np.cumsum([0, *counts.values()])[:-1]
        self._labels = labels
        self._vectors = vectors.take(slice(None))
        self._means: dict[str, Vectors | None] = {}  # by language, once asked for

    def language_mean(self, language: str) -> Vectors | None:
        """Return where the labels of a language lie; None where there are too few to say."""
        if language not in self._means:
            rows = [row for row, label in enumerate(self._labels) if label.language == language]
            self._means[language] = self._vectors[rows].mean(axis=0) if len(rows) >= LEAST_LABELS else None
        return self._means[language]

    def similarities(self, vectors: Vectors) -> Vectors:
        """Return for each vector and concept the cosine of the nearest label, shape (vectors, concepts)."""
        similarities = np.empty((len(vectors), len(self.keys)), np.float32)
        if self.keys:
            for first in range(0, len(vectors), COMPARED_VECTORS):
                part = slice(first, first + COMPARED_VECTORS)
                similarities[part] = np.maximum.reduceat(vectors[part] @ self._vectors.T, self._starts, axis=1)
        return similarities

    def concepts_of(self, document: Document, similarities: Vectors, taxonomy: Taxonomy) -> dict[str, float]:
        """Return the concepts that a document holds, as `list/id`, each with a confidence.

        Its tags and countries are held fully, what includes a tag by half. From a list that it has no tag of, it holds the
        concepts that its passages come close to, by how close they come: `similarities` are theirs, shape (passages, concepts).
        """
        confidences = {f"{COUNTRIES}/{code}": 1.0 for code in document.countries if code in taxonomy.lists.get(COUNTRIES, {})}
        untagged = set()
        for field, name in FIELDS.items():
            concepts = taxonomy.lists.get(name, {})
            tags = [tag for tag in getattr(document, field) if tag in concepts]
            confidences |= {
                f"{name}/{tag}": 1.0 if tag in tags else BROADER_CONFIDENCE for tag in taxonomy.with_broader(name, tags)
            }
            if not tags:
                untagged.add(name)
        if similarities.size and untagged:
            nearest = similarities.max(axis=0)
            stands_out = standard_scores(nearest) >= INFERRED_Z
            closeness = (nearest - INFERRED_FROM_COSINE) / (INFERRED_FULLY_COSINE - INFERRED_FROM_COSINE)
            closeness = np.clip(closeness, 0, 1) * stands_out
            for row in np.flatnonzero(closeness):
                name, concept_id = self.keys[row]
                if name in untagged:
                    confidences[f"{name}/{concept_id}"] = round(float(closeness[row]), 3)
        return confidences


def activations(similarities: Vectors, named: Vectors, idf: Vectors) -> Vectors:
    """Return how much a query is about each concept; the sum is 1, or 0 where nothing stands out."""
    raw = np.clip(standard_scores(similarities) + NAMED_WEIGHT * named - LEAST_Z, 0, None) * idf
    total = float(raw.sum())
    shares: Vectors = (raw / total if total else raw).astype(np.float32)
    return shares


def standard_scores(values: Vectors) -> Vectors:
    """Return the standard scores of values."""
    spread = float(values.std()) if len(values) else 0.0
    scores: Vectors = (values - values.mean()) / spread if spread else np.zeros_like(values)
    return scores
