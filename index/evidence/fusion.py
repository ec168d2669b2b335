"""The evidence for a document or passage, as one score.

    meaning = (1 - v) · cosine of the whole passage + v · cosine of its closest window
    score   = (1 - t) · meaning + t · topic + w · lexical + c · agreement + n · labels

with BM25 bounded to 0…1 (see `bm25`), topic the cosine of the document's mean vector, agreement the share of the query's
concepts that the document holds (see `concepts`), and labels what the query shares with the names of the document's concepts in
the query's language (see `label_match`). For a document, meaning and lexical are the highest among its
passages. Every part is bounded, so none can outvote the others where it has no evidence; reciprocal rank fusion gives the
lexical leg half the vote always, which ruins cross-language search (`docs/retrieval.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pes_search.index.types import Candidate, Hit

# From .05 to .25 the 16 development questions of editors gain .22 to .28 of nDCG@10 (docs/retrieval.md).
CONCEPTS_OF_RELATED = 0.15


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """How much each part counts."""

    __pydantic_config__ = {"extra": "forbid"}

    lexical_weight: float = 0.2
    window_weight: float = 0.5  # of the closest window; the whole passage has the rest
    topic_weight: float = 0.2  # of the document's mean vector; the passage has the rest
    concept_weight: float = 0.075
    label_weight: float = 0.2  # of the names of the document's concepts

    def __post_init__(self) -> None:
        if min(self.lexical_weight, self.concept_weight, self.label_weight) < 0:
            raise ValueError("lexical_weight, concept_weight and label_weight must not be negative")
        if not 0 <= self.window_weight <= 1 or not 0 <= self.topic_weight <= 1:
            raise ValueError("window_weight and topic_weight must be from 0 to 1")


def fused(candidate: Candidate, config: FusionConfig) -> Hit:
    """Return a candidate as a hit without rank."""
    meaning = (1 - config.window_weight) * candidate.dense + config.window_weight * candidate.window
    return Hit(
        rank=0,
        score=_score(meaning, candidate.lexical, candidate.topic, candidate.agreement, candidate.labels, config),
        lexical=round(candidate.lexical, 6),
        dense=round(meaning, 6),
        topic=round(candidate.topic, 6),
        agreement=round(candidate.agreement, 6),
        labels=round(candidate.labels, 6),
        passage=candidate.passage,
        document=candidate.document,
    )


def document_score(hits: Sequence[Hit], config: FusionConfig) -> float:
    """Return the score of a document with these passages."""
    meaning, lexical = max(hit.dense for hit in hits), max(hit.lexical for hit in hits)
    return _score(meaning, lexical, hits[0].topic, hits[0].agreement, hits[0].labels, config)


def dense_score(hits: Sequence[Hit], config: FusionConfig) -> float:
    """Return what the vectors alone say of a document with these passages."""
    return _score(max(hit.dense for hit in hits), 0.0, hits[0].topic, 0.0, 0.0, config)


def related_score(cosine: float, overlap: float) -> float:
    """Return how near two documents are: the cosine of their mean vectors, and that of the concepts that they hold."""
    return round((1 - CONCEPTS_OF_RELATED) * cosine + CONCEPTS_OF_RELATED * overlap, 6)


def _score(meaning: float, lexical: float, topic: float, agreement: float, labels: float, config: FusionConfig) -> float:
    """Return the score, rounded so that ties are ties on every machine."""
    dense = (1 - config.topic_weight) * meaning + config.topic_weight * topic
    named = config.concept_weight * agreement + config.label_weight * labels
    return round(dense + config.lexical_weight * lexical + named, 6)
