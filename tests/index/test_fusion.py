"""One score of two legs."""

import pytest

from pes_search.index.fusion import FusionConfig, fused


def test_the_score_is_the_cosine_and_a_share_of_the_bounded_bm25() -> None:
    assert fused(0.8, 0.5, FusionConfig(lexical_weight=0.2)) == pytest.approx(0.8 + 0.2 * 0.5)


def test_without_lexical_evidence_the_dense_leg_decides_alone() -> None:
    assert fused(0.81, 0.0, FusionConfig()) == 0.81


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        FusionConfig(lexical_weight=-0.1)
