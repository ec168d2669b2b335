"""Country codes from printed names."""

import pytest

from pes_search.ingest.countries import codes_in, countries_of_title, country_code


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


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        ("Finland: Wage guarantee", ("FI",)),
        ("Vouchers for training, Lithuania", ("LT",)),
        ("Gutscheine für Lehrlinge (Österreich)", ("AT",)),
        ("Mobile office – Sweden", ("SE",)),
        ("Work, training and the rest", ()),
        ("CV: how to write one", ()),
        ("AI: new tools for advisers", ()),
        ("IT: courses for beginners", ()),
        ("Courses (IT)", ()),
    ],
)
def test_a_title_may_begin_or_end_with_its_country(title: str, codes: tuple[str, ...]) -> None:
    assert countries_of_title(title) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Austria, applies nationwide", ("AT",)),
        ("Austria, Germany; France / Italy", ("AT", "DE", "FR", "IT")),
        ("Austria, Germany and Italy", ("AT", "DE", "IT")),
        ("Spain, Spain", ("ES",)),
        ("Germany (Saxony)", ("DE",)),
        ("Belgium – Flanders", ("BE",)),
        ("Atlantis", ()),
    ],
)
def test_a_field_may_name_several_countries(text: str, codes: tuple[str, ...]) -> None:
    assert codes_in(text) == codes
