"""Is one of two rankings of the same queries better, by how much, and for which queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pes_search.eval.measures import RESAMPLES, SEED, Estimate, estimate

PERMUTATIONS = 10_000
TIE = 1e-9  # differences below are rounding


@dataclass(frozen=True, slots=True)
class Comparison:
    """B against A over the same queries. Positive differences are in favour of B."""

    first: float  # mean of A
    second: float  # mean of B
    difference: Estimate
    p_value: float  # paired randomisation test, two-sided
    holm: float  # the same, corrected for the number of comparisons
    wins: int  # queries where B is better
    ties: int
    losses: int


def compare(first: Sequence[float], seconds: Sequence[Sequence[float]]) -> list[Comparison]:
    """Compare each of `seconds` with `first`, the same queries in the same order; p-values are also Holm's."""
    differences = [np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64) for second in seconds]
    p_values = [_randomisation(difference) for difference in differences]
    return [
        Comparison(
            first=float(np.mean(first)),
            second=float(np.mean(second)),
            difference=estimate(difference.tolist()),
            p_value=p_value,
            holm=corrected,
            wins=int((difference > TIE).sum()),
            ties=int((np.abs(difference) <= TIE).sum()),
            losses=int((difference < -TIE).sum()),
        )
        for second, difference, p_value, corrected in zip(seconds, differences, p_values, holm(p_values), strict=True)
    ]


def _randomisation(differences: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return how often a random choice of signs gives a mean as far from 0 (Smucker, Allan and Carterette 2007)."""
    from scipy.stats import permutation_test

    if not (np.abs(differences) > TIE).any():
        return 1.0
    test = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(SEED),
        batch=RESAMPLES // 10,
    )
    return float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number, which keeps the chance of any false alarm (Holm 1979, step-down)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for position, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - position) * p_values[i]))
        corrected[i] = largest
    return corrected
