"""Measures are those of the textbook, intervals those of scipy."""

from math import log2

import numpy as np
import pytest

from pes_search.eval.measures import Estimate, answerable, by_group, estimate, estimates, measure, one_measure
from pes_search.ingest.errors import PesSearchError

QRELS = {"q1": {"a": 1}, "q2": {"b": 1}, "missing": {"c": 1}, "unanswerable": {"a": 0}}
RUN = {"q1": {"a": 2.0, "x": 1.0}, "q2": {"x": 2.0, "b": 1.0}}


def test_measures_are_those_of_the_textbook() -> None:
    query_ids = answerable(QRELS)
    assert query_ids == ["q1", "q2", "missing"]
    values = estimates(measure(RUN, QRELS, query_ids))
    assert values["nDCG@10"].value == pytest.approx((1 + 1 / log2(3) + 0) / 3)  # a query missing from the run counts 0
    assert values["RR@10"].value == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert values["R@100"].value == pytest.approx(2 / 3)
    assert values["judged@10"].value == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)  # x is unjudged


def test_grades_weigh_and_equal_scores_are_ordered_by_id() -> None:
    qrels = {"q": {"a": 3, "b": 1}}
    (value,) = one_measure({"q": {"b": 1.0, "a": 1.0}}, qrels, ["q"], "nDCG@10").values()
    assert value == pytest.approx(1.0)  # a before b
    (value,) = one_measure({"q": {"b": 2.0, "a": 1.0}}, qrels, ["q"], "nDCG@10").values()
    assert value == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(PesSearchError, match="no measure 'nonsense'"):
        one_measure(RUN, QRELS, ["q1"], "nonsense")


def test_an_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    values = np.linspace(0, 1, 101).tolist()
    first = estimate(values)
    assert first == estimate(values)
    # The standard error of the mean is .0291 (scipy.stats.sem), 1.96 of them to each side.
    assert (first.value, first.low, first.high) == pytest.approx((0.5, 0.443, 0.557), abs=0.005)


def test_a_value_that_does_not_vary_has_an_interval_of_its_own_size() -> None:
    assert estimate([0.5, 0.5]) == Estimate(0.5, 0.5, 0.5)
    assert estimate([]) == Estimate(0.0, 0.0, 0.0)
    assert str(estimate([1.0])) == "1.000 [1.000, 1.000]"


def test_queries_are_grouped_by_name() -> None:
    assert by_group({"a": 1.0, "b": 0.0, "c": 0.5}, {"a": "de", "c": "de", "b": "bg"}) == {"bg": [0.0], "de": [1.0, 0.5]}
