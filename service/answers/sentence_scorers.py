"""Scores of sentences as answers to a question, from what is known of each; fitted by `make train-answers`.

The *sentence scorer* knows no field and no kind of question; it serves every collection. The *field scorer* knows besides how a
sentence fits the kind of the question (`fitting`), and what a sentence of such a write-up looks like; it serves collections of
the field that the kinds were written for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


@dataclass(frozen=True, slots=True)
class SentenceScorer:
    """Scores sentences: a weight for each standardised feature."""

    mean: Vectors
    scale: Vectors
    weights: Vectors  # (features,)

    def scores(self, features: Vectors) -> Vectors:
        """Return the score of each row."""
        scores: Vectors = ((features - self.mean) / self.scale @ self.weights).astype(np.float32)
        return scores


@dataclass(frozen=True, slots=True)
class FieldScorer:
    """Scores sentences: a linear part, a hidden layer over the features and the question's kind, and the sentence's vector.

    The vector alone tells what an answer looks like whatever the question: what is done from what somebody might wish for.
    Column 0 of its weights is for every question; column 1 counts as far as a question asks for a single fact.
    """

    mean: Vectors
    scale: Vectors
    weights: Vectors  # (features,)
    hidden_weights: Vectors  # (features + kinds, hidden)
    hidden_biases: Vectors  # (hidden,)
    output_weights: Vectors  # (hidden,)
    vector_mean: Vectors
    vector_weights: Vectors  # (dimensions, 2)

    def scores(self, features: Vectors, kind: Vectors, vectors: Vectors, fact_wanted: float) -> Vectors:
        """Return the score of each row.

        `kind` is 1 for the kind of the question and 0 for the others, `fact_wanted` the probability that a fact is asked for.
        """
        standard = (features - self.mean) / self.scale
        inputs = np.hstack([standard, np.tile(kind, (len(standard), 1))])
        hidden = np.maximum(0.0, inputs @ self.hidden_weights + self.hidden_biases)
        scores = standard @ self.weights + hidden @ self.output_weights
        if vectors.shape[1] == len(self.vector_mean):  # an encoder of other dimensions has no such weights
            scores = scores + (vectors - self.vector_mean) @ (self.vector_weights @ np.array([1.0, fact_wanted]))
        result: Vectors = scores.astype(np.float32)
        return result

    def statement(self, vectors: Vectors) -> Vectors:
        """Return how far each sentence states something, rather than tells a situation, whatever is asked (log-odds)."""
        if vectors.shape[1] != len(self.vector_mean):
            return np.zeros(len(vectors), np.float32)
        return ((vectors - self.vector_mean) @ self.vector_weights[:, 0]).astype(np.float32)
