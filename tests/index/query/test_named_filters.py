"""Countries, years and languages in plain words are filters that may be meant."""

import pytest

from pes_search.index.query.named_filters import named_filters

FACETS = {"country": {"AT": 7, "BE": 3, "GB": 1}, "year": {"2019": 4}, "language": {"de": 2}}


@pytest.mark.parametrize(
    ("query", "language", "expected"),
    [
        ("vouchers in Austria", "en", [("country", "AT")]),
        ("Gutscheine in Österreich 2019", "de", [("country", "AT"), ("year", "2019")]),
        ("aides en Belgique", "fr", [("country", "BE")]),
        ("texts in German", "en", [("language", "de")]),
        ("the United Kingdom", "en", [("country", "GB")]),
        ("jobs in Norway", "en", []),  # nothing is of there
        ("it is in de facto", "en", []),
        ("€2019.50", "en", []),
        ("kursy w Austrii", "pl", [("country", "AT")]),
        ("Österreichs Betriebe", "de", [("country", "AT")]),
        ("austrianisch, belgiumesque", "en", []),  # an ending makes another word
    ],
)
def test_filters_are_named(query: str, language: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.filter, one.value) for one in named_filters(query, language, FACETS)] == expected
