"""Documents whose questions a query is near to stand out; the others get nothing, and no document outvotes the rest."""

import numpy as np
import pytest

from pes_search.index.arrays import EightBitVectors
from pes_search.index.evidence.questions import DocumentQuestions, StoredQuestions

DOCUMENTS = 12


def at(degrees: float) -> np.ndarray:  # type: ignore[type-arg]
    """A vector that stands so many degrees off the query."""
    radians = np.radians(degrees)
    return np.array([np.cos(radians), np.sin(radians)], np.float32)


QUERY = at(0)


def questions(angles: dict[int, list[float]], language: str = "en") -> list[tuple[int, str, np.ndarray]]:  # type: ignore[type-arg]
    return [(document, language, at(angle)) for document, several in angles.items() for angle in several]


def held(rows: list[tuple[int, str, np.ndarray]]) -> DocumentQuestions:  # type: ignore[type-arg]
    documents, languages, vectors = zip(*rows, strict=True)
    stored = StoredQuestions(np.array(documents, np.int64), list(languages), EightBitVectors.of(np.stack(vectors)))
    return DocumentQuestions(stored, DOCUMENTS)


def test_the_nearest_document_stands_out() -> None:
    angles = {document: [60.0, 61, 62, 80] for document in range(10)} | {3: [10.0, 11, 12, 80]}
    scores = held(questions(angles)).scores(QUERY, "en")
    assert int(scores.argmax()) == 3
    assert scores[3] == pytest.approx((3 - 1) / 3, abs=0.01)  # of ten, one apart from nine equal ones: z = √9
    assert np.delete(scores, 3).tolist() == [0.0] * 11


def test_one_near_question_of_many_counts_a_third() -> None:
    one = {document: [60.0, 61, 62] for document in range(10)} | {3: [10.0, 61, 62], 4: [30.0, 31, 32]}
    scores = held(questions(one)).scores(QUERY, "en")
    assert scores[4] > scores[3]


def test_the_language_of_the_query_counts_beside_the_main_one() -> None:
    english = questions({document: [60.0, 61, 62] for document in range(10)})
    german = questions({document: [60.0] for document in range(10)} | {5: [10.0]}, "de")
    evidence = held(english + german)
    assert evidence.scores(QUERY, "en").max() == 0
    assert evidence.scores(QUERY, "fr").max() == 0
    assert int(held(questions({d: [60.0 - (d == 5) * 50] for d in range(10)}) + german).scores(QUERY, "de").argmax()) == 5


def test_without_questions_or_with_vectors_of_another_model_it_says_nothing() -> None:
    nothing = StoredQuestions(np.array([], np.int64), [], EightBitVectors(np.zeros((0, 2), np.int8)))
    assert DocumentQuestions(nothing, 3).scores(QUERY, "en").tolist() == [0.0] * 3
    assert held(questions({1: [10.0]})).scores(np.ones(5, np.float32), "en").tolist() == [0.0] * DOCUMENTS
