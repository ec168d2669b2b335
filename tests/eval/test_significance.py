"""Comparisons agree with arithmetic that can be done by hand."""

import pytest

from pes_search.eval.significance import compare, holm


def test_a_clear_difference_is_found() -> None:
    first = [0.1 * (i % 5) for i in range(40)]
    (comparison,) = compare(first, [[value + 0.2 + 0.01 * (i % 3) for i, value in enumerate(first)]])
    assert comparison.second - comparison.first == pytest.approx(comparison.difference.value)
    assert comparison.p_value <= 2 / 10_001  # no choice of signs in 10,000 gives as much
    assert 0.2 < comparison.difference.low < comparison.difference.value < comparison.difference.high < 0.22
    assert (comparison.wins, comparison.ties, comparison.losses) == (40, 0, 0)


def test_few_queries_are_permuted_in_every_way() -> None:
    # Signs of four differences: of 16 ways two (all plus, all minus) are as extreme.
    (comparison,) = compare([0.0] * 4, [[0.1, 0.2, 0.3, 0.4]])
    assert comparison.p_value == pytest.approx(2 / 16)


def test_the_same_run_twice_is_no_difference() -> None:
    (comparison,) = compare([0.5, 0.2], [[0.5, 0.2]])
    assert (comparison.p_value, comparison.holm, comparison.difference.value, comparison.ties) == (1.0, 1.0, 0.0, 2)


def test_several_comparisons_are_corrected_step_by_step() -> None:
    # The worked example of R's p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm").
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.04, 0.01]) == pytest.approx([0.04, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
