"""What documents hold, as a sparse matrix, is what it would be as a whole one."""

import numpy as np
import pytest

from pes_search.index.evidence.holdings import Holdings

MATRIX = np.array([[1, 0, 0.5], [0, 0, 0], [0.25, 1, 0]], np.float32)
CONCEPTS = ["channels/events", "target-groups/neet", "target-groups/women"]


def holdings() -> Holdings:
    held = [{concept: float(value) for concept, value in zip(CONCEPTS, row, strict=True)} for row in MATRIX]
    return Holdings.of_documents(["a", "b", "c"], held)


def test_sums_are_those_of_the_matrix() -> None:
    assert holdings().concepts == CONCEPTS
    assert holdings().counts().tolist() == [2, 1, 1]
    weights = np.array([2, 0.5], np.float32)
    assert holdings().weighted([2, 0], weights).tolist() == (MATRIX[:, [2, 0]] @ weights).tolist()
    assert holdings().weighted([], weights[:0]).tolist() == [0, 0, 0]


def test_rows_come_in_the_order_asked_for() -> None:
    assert holdings().of([2, 0]).tolist() == MATRIX[[2, 0]].tolist()
    assert holdings().of([]).shape == (0, 3)


def test_columns_can_be_put_into_another_order_and_be_more() -> None:
    more = [CONCEPTS[2], "countries/DE", *CONCEPTS[:2]]
    expected = np.insert(MATRIX[:, [2, 0, 1]], 1, 0, axis=1)
    assert holdings().with_concepts(more).of([0, 1, 2]).tolist() == expected.tolist()
    with pytest.raises(KeyError, match="target-groups/women"):
        holdings().with_concepts(CONCEPTS[:2])


def test_concepts_as_documents_hold_themselves() -> None:
    assert Holdings.of_themselves(CONCEPTS, 2).of([0, 1]).tolist() == [[1, 0, 0], [0, 1, 0]]
