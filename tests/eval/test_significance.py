"""Comparisons agree with arithmetic that can be done by hand."""

import pytest

from pes_search.eval.significance import compare, holm


def test_a_clear_difference_is_found() -> None:
    first = [0.1 * (i % 5) for i in range(40)]
    (found,) = compare(first, [[value + 0.2 + 0.01 * (i % 3) for i, value in enumerate(first)]])
    assert found.second - found.first == pytest.approx(found.difference.value)
    assert found.p_value <= 2 / 10_001  # no choice of signs in 10,000 gives as much
    assert 0.2 < found.difference.low < found.difference.value < found.difference.high < 0.22
    assert (found.wins, found.ties, found.losses) == (40, 0, 0)


def test_few_queries_are_permuted_in_every_way() -> None:
    # Signs of four differences: of 16 ways two (all plus, all minus) are as extreme.
    (found,) = compare([0.0] * 4, [[0.1, 0.2, 0.3, 0.4]])
    assert found.p_value == pytest.approx(2 / 16)


def test_the_same_run_twice_is_no_difference() -> None:
    (found,) = compare([0.5, 0.2], [[0.5, 0.2]])
    assert (found.p_value, found.holm, found.difference.value, found.ties) == (1.0, 1.0, 0.0, 2)


def test_several_comparisons_are_corrected_step_by_step() -> None:
    # The worked example of R's p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm").
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.04, 0.01]) == pytest.approx([0.04, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
