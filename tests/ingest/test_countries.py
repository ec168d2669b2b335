"""Country codes from printed names."""

import pytest

from pes_search.ingest.countries import country_code, stated_countries
from pes_search.ingest.types import Block


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Germany", "DE"),
        ("deutschland", "DE"),
        ("Allemagne", "DE"),
        ("Alemania", "DE"),
        ("Alemanha", "DE"),
        ("Germania", "DE"),
        ("Duitsland", "DE"),
        ("Niemcy", "DE"),
        ("Österreich", "AT"),
        ("Czechia", "CZ"),
        ("Czech Republic", "CZ"),
        ("The Netherlands", "NL"),
        (" European Union ", "EU"),
        ("no", "NO"),
        ("EU", "EU"),
        ("UK", "GB"),
        ("Turkey", "TR"),
        ("Bosnia and Herzegovina", "BA"),
    ],
)
def test_a_name_in_use_or_a_code_gives_the_code(name: str, code: str) -> None:
    assert country_code(name) == code


@pytest.mark.parametrize("name", ["", "Atlantis", "Bavaria", "QQ", "G", "Germany and France"])
def test_what_is_no_country_gives_none(name: str) -> None:
    assert country_code(name) is None


@pytest.mark.parametrize("name", ["ZZ", "Unknown Region", "XA", "UN", "United Nations", "EZ"])
def test_regions_that_the_cldr_lists_beside_the_countries_are_none(name: str) -> None:
    assert country_code(name) is None


def fields(*texts: str) -> list[Block]:
    return [Block("row", text) for text in texts]


def test_a_country_before_the_colon_of_the_title_is_stated() -> None:
    assert stated_countries("Finland: Wage guarantee", fields("Country: Sweden")) == ("FI",)


@pytest.mark.parametrize("title", ["CV: how to write one", "AI: new tools for advisers", "IT: courses for beginners"])
def test_an_abbreviation_before_the_colon_of_the_title_is_no_country(title: str) -> None:
    assert stated_countries(title, []) == ()


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        (["Country: Austria, applies nationwide"], ("AT",)),
        (["Countries: Austria, Germany; France / Italy"], ("AT", "DE", "FR", "IT")),
        (["Country: Spain, Spain"], ("ES",)),
        (["Land", "Polen"], ("PL",)),
        (["Pays :", "Belgique"], ("BE",)),
        (["The country: Spain is one of them"], ()),
        (["Land reform", "Polen"], ()),
        (["Country: Atlantis"], ()),
        (["Countries: Austria, Germany and Italy"], ("AT", "DE", "IT")),
    ],
)
def test_countries_stand_in_a_labelled_field_or_right_after_its_label(texts: list[str], codes: tuple[str, ...]) -> None:
    assert stated_countries("Mobile office", fields(*texts)) == codes


def test_a_label_far_down_is_about_something_else() -> None:
    assert stated_countries("Mobile office", fields(*["text"] * 40, "Country: Spain")) == ()
