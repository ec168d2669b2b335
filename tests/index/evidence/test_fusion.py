"""One score of the legs' evidence."""

from dataclasses import replace

import pytest

from pes_search.index.evidence.fusion import FusionConfig, document_score, fused
from pes_search.index.types import Candidate
from pes_search.ingest.types import Document, Passage

DOCUMENT = Document(id="d", title="", kind="", language=None, sha256="", path="")
PASSAGE = Passage("p", "d", None, 0, 1, (), None, "x")
CANDIDATE = Candidate(PASSAGE, DOCUMENT, lexical=0.5, dense=0.8, window=0.9, topic=0.7, agreement=0.4, labels=0.6)
CONFIG = FusionConfig(lexical_weight=0.2, window_weight=0.25, topic_weight=0.3, concept_weight=0.1, label_weight=0.05)


def test_the_score_is_the_sum_of_its_parts() -> None:
    hit = fused(CANDIDATE, CONFIG)
    assert hit.dense == pytest.approx(0.75 * 0.8 + 0.25 * 0.9)
    assert hit.score == pytest.approx(0.7 * hit.dense + 0.3 * 0.7 + 0.2 * 0.5 + 0.1 * 0.4 + 0.05 * 0.6)


def test_a_document_takes_the_best_of_its_passages() -> None:
    words = fused(replace(CANDIDATE, lexical=0.9, dense=0.1, window=0.1), CONFIG)
    sense = fused(replace(CANDIDATE, lexical=0.0), CONFIG)
    named = 0.1 * 0.4 + 0.05 * 0.6
    assert document_score([words, sense], CONFIG) == pytest.approx(0.7 * sense.dense + 0.3 * 0.7 + 0.2 * 0.9 + named)
    assert document_score([sense], CONFIG) == pytest.approx(sense.score)


def test_without_other_evidence_the_dense_leg_decides_alone() -> None:
    alone = replace(CANDIDATE, lexical=0.0, agreement=0.0, labels=0.0, dense=0.81, window=0.81, topic=0.81)
    assert fused(alone, FusionConfig()).score == 0.81


@pytest.mark.parametrize("field", ["lexical_weight", "concept_weight", "label_weight"])
def test_negative_weights_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        FusionConfig(**{field: -0.1})


@pytest.mark.parametrize("field", ["window_weight", "topic_weight"])
def test_shares_are_from_0_to_1(field: str) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        FusionConfig(**{field: 1.1})
