"""Vectors in 8 bits find what exact search finds, whatever is filtered and however much is wanted."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pes_search.index.stores import nearest
from pes_search.index.stores.nearest import (
    QUANTISED_FILE,
    ExactVectors,
    NearestVectors,
    QuantisedVectors,
    open_vectors,
    write_quantised,
)

COUNT, DIMENSIONS = 20_000, 64


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Clustered vectors in a narrow cone, as an encoder of texts gives them."""
    draw = np.random.default_rng(3)
    centres = draw.standard_normal((300, DIMENSIONS)) * 0.8 + 2 * draw.standard_normal(DIMENSIONS)
    values = centres[draw.integers(0, 300, COUNT)] + 0.5 * draw.standard_normal((COUNT, DIMENSIONS))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module", params=[1, 3], ids=["one thread", "three threads"])
def both(
    vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[NearestVectors, NearestVectors]]:
    folder = tmp_path_factory.mktemp("quantised")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "EXACT_VECTORS", 1_000)
        patch.setattr(nearest, "SHARED_VECTORS", COUNT if request.param > 1 else COUNT + 1)
        patch.setattr(nearest, "THREADS", request.param)
        write_quantised(vectors, folder)
        quantised = open_vectors(vectors, folder)
        assert isinstance(quantised, QuantisedVectors)
        yield ExactVectors(vectors), quantised


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "EXACT_VECTORS", 1_000)


def queries(vectors: np.ndarray) -> np.ndarray:
    draw = np.random.default_rng(4)
    near = vectors[draw.integers(0, COUNT, 50)].astype(np.float32) + 0.03 * draw.standard_normal((50, DIMENSIONS))
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


def recall(both: tuple[NearestVectors, NearestVectors], query: np.ndarray, allowed: np.ndarray | None, depth: int) -> float:
    exact, quantised = (set(each.top(query, allowed, depth).tolist()) for each in both)
    assert len(quantised) == len(exact)
    return len(exact & quantised) / len(exact)


def test_few_vectors_are_kept_once(vectors: np.ndarray, tmp_path: Path) -> None:
    write_quantised(vectors[:1_000], tmp_path)
    assert not (tmp_path / QUANTISED_FILE).exists()
    assert isinstance(open_vectors(vectors[:1_000], tmp_path), ExactVectors)


@pytest.mark.parametrize("depth", [10, 100])
def test_recall_against_exact_search(both: tuple[NearestVectors, NearestVectors], vectors: np.ndarray, depth: int) -> None:
    assert np.mean([recall(both, query, None, depth) for query in queries(vectors)]) >= 0.99


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_recall_among_what_a_filter_leaves(
    both: tuple[NearestVectors, NearestVectors], vectors: np.ndarray, share: float
) -> None:
    allowed = np.random.default_rng(5).random(COUNT) < share
    for query in queries(vectors)[:10]:
        assert allowed[both[1].top(query, allowed, 10)].all()
    assert np.mean([recall(both, query, allowed, 10) for query in queries(vectors)]) >= 0.99


def test_whoever_wants_much_gets_all_of_it(both: tuple[NearestVectors, NearestVectors], vectors: np.ndarray) -> None:
    query = queries(vectors)[0]
    assert sorted(both[1].top(query, None, COUNT).tolist()) == list(range(COUNT))
    assert both[1].top(query, np.zeros(COUNT, bool), 10).tolist() == []


def test_the_best_comes_first_and_vectors_are_the_ones_that_were_given(
    both: tuple[NearestVectors, NearestVectors], vectors: np.ndarray
) -> None:
    rows = both[1].top(queries(vectors)[0], None, 20)
    scores = both[1].take(rows) @ queries(vectors)[0]
    assert (np.diff(scores) <= 0).all()
    for each in both:
        assert (each.take(rows) == vectors[rows].astype(np.float32)).all()
