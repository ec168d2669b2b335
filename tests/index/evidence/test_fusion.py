"""One score of all evidence."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pes_search.index.config import FusionConfig
from pes_search.index.evidence.fusion import best_of, dense_score, fused, scores_of
from pes_search.index.types import PassageRows, Query, Scores

CONFIG = FusionConfig(lexical_weight=0.2, sentence_weight=0.25, topic_weight=0.3, concept_weight=0.1, label_weight=0.05)
SCORES = Scores(lexical=0.5, dense=0.75 * 0.8 + 0.25 * 0.9, topic=0.7, agreement=0.4, labels=0.6)


def rows(whole: list[float], sentences: list[list[float]]) -> PassageRows:
    """Passages whose vectors have these first components, which are their cosines with a query along the first axis."""

    def vectors(cosines: list[float]) -> np.ndarray:  # type: ignore[type-arg]
        return np.array([[cosine, (1 - cosine**2) ** 0.5] for cosine in cosines], np.float32).reshape(-1, 2)

    return PassageRows(
        languages=[None] * len(whole),
        lexical=np.full(len(whole), 0.5, np.float32),
        vectors=vectors(whole),
        means=vectors([0.7] * len(whole)),
        sentences=vectors([cosine for several in sentences for cosine in several]),
        sentence_counts=[len(several) for several in sentences],
    )


def test_each_kind_of_evidence_is_computed_for_each_passage() -> None:
    along = np.array([1, 0], np.float32)
    query = Query("x", None, {}, along, {None: along}, ())
    computed = scores_of(
        query,
        rows([0.8, 0.6, 0.3], [[0.2, 0.9], [], [0.1]]),
        CONFIG,
        {kind: np.full(3, value, np.float32) for kind, value in (("agreement", 0.4), ("labels", 0.6), ("questions", 0.2))},
    )
    dense = [0.75 * 0.8 + 0.25 * 0.9, 0.6, 0.75 * 0.3 + 0.25 * 0.1]  # without sentences the whole passage is all there is
    assert [scores.dense for scores in computed] == pytest.approx(dense, abs=1e-6)
    for scores in computed:
        values = (scores.lexical, scores.topic, scores.agreement, scores.labels, scores.questions)
        assert values == pytest.approx((0.5, 0.7, 0.4, 0.6, 0.2))


def test_the_score_is_the_sum_of_its_parts() -> None:
    assert fused(SCORES, CONFIG) == pytest.approx(0.7 * SCORES.dense + 0.3 * 0.7 + 0.2 * 0.5 + 0.1 * 0.4 + 0.05 * 0.6)


def test_every_kind_of_evidence_has_a_weight() -> None:
    assert set(CONFIG.weights()) == {kind.name for kind in fields(Scores)}
    assert all(kind.metadata["about"] for kind in fields(Scores))


def test_a_document_takes_the_best_of_its_passages() -> None:
    words = replace(SCORES, lexical=0.9, dense=0.1)
    sense = replace(SCORES, lexical=0.0)
    named = 0.1 * 0.4 + 0.05 * 0.6
    assert fused(best_of([words, sense]), CONFIG) == pytest.approx(0.7 * sense.dense + 0.3 * 0.7 + 0.2 * 0.9 + named)
    assert fused(best_of([sense]), CONFIG) == fused(sense, CONFIG)


def test_without_other_evidence_the_vectors_decide_alone() -> None:
    alone = Scores(dense=0.81, topic=0.81)
    assert fused(alone, FusionConfig()) == 0.81
    assert dense_score(replace(alone, lexical=0.9, agreement=0.9, labels=0.9), FusionConfig()) == 0.81


@pytest.mark.parametrize("field", ["lexical_weight", "concept_weight", "label_weight"])
def test_negative_weights_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        FusionConfig(**{field: -0.1})


@pytest.mark.parametrize("field", ["sentence_weight", "topic_weight"])
def test_shares_are_from_0_to_1(field: str) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        FusionConfig(**{field: 1.1})
