"""Documents whose questions a query is near to stand out; the others get nothing, and no document outvotes the rest."""

import numpy as np
import pytest

from pes_search.index.arrays import EightBitVectors
from pes_search.index.config import Bm25Config
from pes_search.index.evidence.question_words import QuestionWords, StoredWords
from pes_search.index.evidence.questions import WORD_SHARE, DocumentQuestions, StoredQuestions
from pes_search.index.text.tokens import terms
from pes_search.ingest.types import Question

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
    vectors_of = EightBitVectors.of(np.stack(vectors))
    stored = StoredQuestions(np.array(documents, np.int64), list(languages), vectors_of, StoredWords.of([]))
    return DocumentQuestions(stored, DOCUMENTS, Bm25Config())


def meaning(evidence: DocumentQuestions, language: str) -> np.ndarray:  # type: ignore[type-arg]
    """What the vectors alone say: the query has no words."""
    return evidence.scores("", language, QUERY) / (1 - WORD_SHARE)


def test_the_nearest_document_stands_out() -> None:
    angles = {document: [60.0, 61, 62, 80] for document in range(10)} | {3: [10.0, 11, 12, 80]}
    scores = meaning(held(questions(angles)), "en")
    assert int(scores.argmax()) == 3
    assert scores[3] == pytest.approx((3 - 1) / 3, abs=0.01)  # of ten, one apart from nine equal ones: z = √9
    assert np.delete(scores, 3).tolist() == [0.0] * 11


def test_one_near_question_of_many_counts_a_third() -> None:
    one = {document: [60.0, 61, 62] for document in range(10)} | {3: [10.0, 61, 62], 4: [30.0, 31, 32]}
    scores = meaning(held(questions(one)), "en")
    assert scores[4] > scores[3]


def test_the_language_of_the_query_counts_beside_the_main_one() -> None:
    english = questions({document: [60.0, 61, 62] for document in range(10)})
    german = questions({document: [60.0] for document in range(10)} | {5: [10.0]}, "de")
    evidence = held(english + german)
    assert meaning(evidence, "en").max() == 0
    assert meaning(evidence, "fr").max() == 0
    assert int(meaning(held(questions({d: [60.0 - (d == 5) * 50] for d in range(10)}) + german), "de").argmax()) == 5


def test_without_questions_or_with_vectors_of_another_model_it_says_nothing() -> None:
    nothing = StoredQuestions(np.array([], np.int64), [], EightBitVectors(np.zeros((0, 2), np.int8)), StoredWords.of([]))
    assert DocumentQuestions(nothing, 3, Bm25Config()).scores("bus", "en", QUERY).tolist() == [0.0] * 3
    assert held(questions({1: [10.0]})).scores("bus", "en", np.ones(5, np.float32)).tolist() == [0.0] * DOCUMENTS


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ASKED: list[list[Question]] = [
    [("en", "a bus for jobseekers in villages"), ("en", "does the bus stop here"), ("de", "Bus in die Dörfer")],
    [("en", "money for employers who hire people out of prison")],
    [],
    [("de", "Geld für Betriebe")],
]


def words(query: str, language: str) -> list[float]:
    return QuestionWords(StoredWords.of(ASKED), len(ASKED), Bm25Config()).scores(query, language).tolist()


def test_words_are_scored_by_bounded_bm25_over_the_documents_that_have_questions_in_the_language() -> None:
    (term,) = terms("buses", "en")
    lengths = [sum(len(terms(text, "en")) for language, text in several if language == "en") for several in ASKED]
    count = sum(terms(text, "en").count(term) for language, text in ASKED[0] if language == "en")
    mean = (lengths[0] + lengths[1]) / 2
    expected = count / (count + 1.5 * (1 - 0.75 + 0.75 * lengths[0] / mean))
    assert words("buses", "en") == [pytest.approx(expected, abs=1e-6), 0, 0, 0]


def test_words_count_in_their_own_language_only() -> None:
    assert words("Geld", "en") == [0.0] * 4
    assert words("Geld", "de")[3] > 0
    assert words("bus", "pl") == [0.0] * 4


def test_a_word_that_no_question_has_lowers_the_score_of_all() -> None:
    assert words("bus helicopter", "en")[0] < words("bus", "en")[0]
    assert max(words("bus bus villages prison money employers", "en")) <= 1
