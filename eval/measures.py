"""Runs and judgments become figures: measures by `ir-measures`, intervals by `scipy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, Judged, R, nDCG

from pes_search.eval.collections.files import Qrels, Run
from pes_search.ingest.errors import PesSearchError

MEASURES = (nDCG @ 10, RR @ 10, R @ 20, R @ 100, Judged @ 10)
MAIN = "nDCG@10"
RESAMPLES = 10_000
SEED = 20_231_127  # the same figures in every run
LEVEL = 0.95

Values = dict[str, dict[str, float]]
"""For each measure its value for each query."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over queries with the bounds of its 95 % interval (percentile bootstrap over the queries)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.value)} [{_short(self.low)}, {_short(self.high)}]"


def answerable(qrels: Qrels) -> list[str]:
    """Return the queries that have a relevant document; the measures say nothing about the others."""
    return [query for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())]


def measure(run: Run, qrels: Qrels, queries: Sequence[str]) -> Values:
    """Return each measure for each of the queries; one that is missing from the run counts 0.

    A document without judgment counts as not relevant; `judged@10` is the share of the first ten that have one.
    """
    return _measured(MEASURES, run, qrels, queries)


def one_measure(run: Run, qrels: Qrels, queries: Sequence[str], name: str) -> dict[str, float]:
    """Return one measure, by the name that `ir-measures` has for it, for each of the queries.

    Raises:
        PesSearchError: there is no such measure.
    """
    try:
        metric = ir_measures.parse_measure(name)
        return next(iter(_measured((metric,), run, qrels, queries).values()))
    except (NameError, ValueError, SyntaxError) as error:
        raise PesSearchError(f"no measure {name!r}; take one of ir-measures, such as nDCG@10, RR@10, R@100, AP") from error


def _measured(measures: Sequence[Any], run: Run, qrels: Qrels, queries: Sequence[str]) -> Values:
    judgments = {query: qrels[query] for query in queries}
    values: Values = {_name(name): dict.fromkeys(queries, 0.0) for name in measures}
    # trec_eval orders equal scores by descending id; rank is what we mean, so it is given the rank.
    ranked = {query: _by_rank(run[query]) for query in queries if run.get(query)}
    if ranked:
        for metric in ir_measures.iter_calc(measures, judgments, ranked):
            values[_name(metric.measure)][metric.query_id] = float(metric.value)
    return values


def _name(name: Any) -> str:
    return "judged@10" if name == Judged @ 10 else str(name)


def _by_rank(scores: Mapping[str, float]) -> dict[str, float]:
    order = sorted(scores, key=lambda document: (-scores[document], document))
    return {document: float(-rank) for rank, document in enumerate(order)}


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of the values and its interval; all that is known of fewer than two is their mean."""
    from scipy.stats import bootstrap

    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        return Estimate(0.0, 0.0, 0.0)
    mean = float(array.mean())
    if np.ptp(array) == 0:
        return Estimate(mean, mean, mean)
    resampled = bootstrap(
        (array,), np.mean, n_resamples=RESAMPLES, confidence_level=LEVEL, method="percentile", rng=_generator(), batch=1_000
    )
    return Estimate(mean, float(resampled.confidence_interval.low), float(resampled.confidence_interval.high))


def estimates(values: Values) -> dict[str, Estimate]:
    """Return each measure's mean with its interval."""
    return {name: estimate(list(by_query.values())) for name, by_query in values.items()}


def by_group(values: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, list[float]]:
    """Return the queries' values under the names of their groups, by name; queries of no group are left out."""
    grouped: dict[str, list[float]] = {}
    for query, value in values.items():
        if query in groups:
            grouped.setdefault(groups[query], []).append(value)
    return dict(sorted(grouped.items()))


def _generator() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 1 else f"{value:.3f}"
