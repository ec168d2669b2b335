"""Small tools for arrays."""

import numpy as np
import pytest

from pes_search.index.arrays import EightBitVectors, highest


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 6, 9])
def test_the_highest_are_those_of_a_stable_sort(count: int) -> None:
    values = np.array([3, 1, 3, 2, 3, 0], np.float32)
    assert highest(values, count).tolist() == sorted(np.argsort(-values, kind="stable")[:count].tolist())


def test_vectors_of_8_bits_are_near_and_stay_as_they_are() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = EightBitVectors.of(vectors)
    near = kept.take(slice(None))
    assert np.linalg.norm(near, axis=1) == pytest.approx(np.ones(50), abs=1e-6)
    assert np.abs(near @ vectors.T - vectors @ vectors.T).max() < 0.002  # these are random; texts are nearer
    assert (EightBitVectors.of(near).numbers == kept.numbers).all()
    assert not EightBitVectors.of(np.zeros((1, 384), np.float32)).take(np.array([0])).any()
    assert EightBitVectors.of(np.empty((0, 4), np.float32)).take(slice(None)).shape == (0, 4)
