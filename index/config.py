"""The settings of indexing and searching, beside the encoder's. Imports next to nothing, as every command reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from pes_search.ingest.config import PassageConfig


@dataclass(frozen=True, slots=True)
class Bm25Config:
    """BM25's parameters: saturation of term frequency, and length normalisation."""

    __pydantic_config__ = {"extra": "forbid"}

    k1: float = 1.5
    b: float = 0.75

    def __post_init__(self) -> None:
        if self.k1 < 0 or not 0 <= self.b <= 1:
            raise ValueError("needs k1 >= 0 and 0 <= b <= 1")


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """How passages are made and their words scored; kept in the index's manifest."""

    passages: PassageConfig = field(default_factory=PassageConfig)
    bm25: Bm25Config = field(default_factory=Bm25Config)

    def values(self) -> dict[str, dict[str, float]]:
        """Return the settings as plain values, by stage."""
        return {"passages": dataclasses.asdict(self.passages), "bm25": dataclasses.asdict(self.bm25)}


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """How much each part counts."""

    __pydantic_config__ = {"extra": "forbid"}

    lexical_weight: float = 0.2
    sentence_weight: float = 0.5  # of the closest sentence; the whole passage has the rest
    topic_weight: float = 0.2  # of the document's mean vector; the passage has the rest
    concept_weight: float = 0.075
    label_weight: float = 0.2  # of the names of the document's concepts
    question_weight: float = 0.25  # of the questions that the document answers

    def __post_init__(self) -> None:
        if min(self.lexical_weight, self.concept_weight, self.label_weight, self.question_weight) < 0:
            raise ValueError("lexical_weight, concept_weight, label_weight and question_weight must not be negative")
        if not 0 <= self.sentence_weight <= 1 or not 0 <= self.topic_weight <= 1:
            raise ValueError("sentence_weight and topic_weight must be from 0 to 1")

    def weights(self) -> Mapping[str, float]:
        """Return the weight of each kind of evidence, by its name in `Scores`."""
        return {
            "dense": 1 - self.topic_weight,
            "topic": self.topic_weight,
            "lexical": self.lexical_weight,
            "agreement": self.concept_weight,
            "labels": self.label_weight,
            "questions": self.question_weight,
        }


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How results are ranked and grouped."""

    __pydantic_config__ = {"extra": "forbid"}

    fusion: FusionConfig = field(default_factory=FusionConfig)
    language_shift: float = 0.8  # how far a query's vector moves to the passages' language (see `language_shift`)
    passages_per_document: int = 3  # shown with each document, the best included

    def __post_init__(self) -> None:
        if self.language_shift < 0:
            raise ValueError("language_shift must not be negative")
        if self.passages_per_document < 1:
            raise ValueError("passages_per_document must be at least 1")
