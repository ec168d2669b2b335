"""Countries, years and languages in plain words are filters that may be meant."""

from pathlib import Path

import pytest

from pes_search.index.query.named_filters import FilterNames
from pes_search.ingest.taxonomy import NO_TAXONOMY, read_taxonomy

NAMES = FilterNames(read_taxonomy(Path("corpus/taxonomy")))
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
    assert [(one.filter, one.value) for one in NAMES.named_in(query, language, FACETS)] == expected


def test_without_a_list_of_countries_there_are_years_and_languages() -> None:
    found = FilterNames(NO_TAXONOMY).named_in("German texts on Austria in 2019", "en", FACETS)
    assert [(one.filter, one.value) for one in found] == [("language", "de"), ("year", "2019")]
