"""Words are marked in the passage's own language only."""

import pytest

from pes_search.index.query.highlights import Highlighter
from pes_search.index.text.tokens import terms
from pes_search.ingest.types import Passage


def marked(query: str, query_language: str, text: str, language: str, known: set[str] | None = None) -> list[str]:
    passage = Passage("a~0-9", "a", None, 0, len(text), (), language, text)
    of_query = {language: terms(query, language)}
    idf = dict.fromkeys(of_query[language], 1.0)
    highlighter = Highlighter(query, query_language, of_query, idf, lambda _: known or set())
    return [text[start:end] for start, end in highlighter.spans(passage)]


@pytest.mark.parametrize(
    ("query", "query_language", "text", "language", "expected"),
    [
        ("who pays", "en", "The service pays. Firms pay too.", "en", ["pays", "pay"]),
        ("des pays voisins", "fr", "The service pays.", "en", []),
        ("Gift für Rat", "de", "A gift at any rate.", "en", []),
        ("Wer bezahlt power_m 2019?", "de", "power_m began in 2019.", "en", ["2019"]),
        ("e-mail", "en", "By email and e-mail.", "en", ["email", "e-mail"]),
    ],
)
def test_marks(query: str, query_language: str, text: str, language: str, expected: list[str]) -> None:
    assert marked(query, query_language, text, language) == expected


def test_a_query_of_nothing_but_words_of_the_collection_is_in_its_language() -> None:
    assert marked("vouchers", "fr", "Vouchers help.", "en", {"vouchers"}) == ["Vouchers"]
