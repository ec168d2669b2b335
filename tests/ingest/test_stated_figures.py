"""Figures are read with what they count, whatever the language's separators and words are."""

import pytest

from pes_search.ingest.numbers import NUMBER, plain_number
from pes_search.ingest.stated_figures import stated_figures


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("12500", "12500"),
        ("12,500", "12500"),
        ("12.500", "12500"),
        ("12 500", "12500"),
        ("1.234.567,5", "1234567.5"),
        ("1,5", "1.5"),
        ("0.123", "0.123"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(text: str, plain: str) -> None:
    match = NUMBER.search(f"about {text} people")
    assert match is not None
    assert plain_number(match[0]) == plain


@pytest.mark.parametrize("text", ["27.04.2023", "192.168.1.1"])
def test_dates_and_addresses_are_no_numbers(text: str) -> None:
    assert not NUMBER.search(text)


@pytest.mark.parametrize(
    ("sentence", "language", "value", "unit"),
    [
        ("More than 3,300 women took part.", "en", 3300, "people"),
        ("Über 12.500 Teilnehmende wurden erreicht.", "de", 12500, "people"),
        ("Le budget est de 1,5 million d'euros.", "fr", 1.5e6, "EUR"),
        ("It cost € 2.5 million.", "en", 2.5e6, "EUR"),
        ("Wsparcie otrzymało 20 tys. bezrobotnych.", "pl", 20_000, "people"),
        ("Costó 300.000 euros.", "es", 300_000, "EUR"),
        ("Yli 4 500 nuorta osallistui.", "fi", 4500, "people"),
        ("65 % found work.", "en", 65, "%"),
    ],
)
def test_a_figure_has_its_unit(sentence: str, language: str, value: float, unit: str) -> None:
    found = [(figure.value, figure.unit) for figure in stated_figures(sentence, language, "a~0-9", 0)]
    assert found == [(value, unit)]


def test_a_figure_has_its_year_and_who_says_so() -> None:
    (figure,) = stated_figures("5,500 parents since the start (press report, 2016).", "en", "a~0-9", 40)
    assert (figure.year, figure.owner, figure.start) == (2016, "press report, 2016", 40)


@pytest.mark.parametrize("sentence", ["It began in 2009.", "For people aged 18-24.", "It has 12 offices."])
def test_years_ages_and_things_are_left(sentence: str) -> None:
    assert not list(stated_figures(sentence, "en", "a~0-9", 0))
