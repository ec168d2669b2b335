"""Dates as documents print them."""

import datetime

import pytest

from pes_search.ingest.dates import date_line, find_date


@pytest.mark.parametrize(
    "text",
    [
        "2023-04-05",
        "2023-4-5",
        "05/04/2023",  # day first
        "5.4.2023",
        "Published on 2023-04-05T10:30:00+02:00",
        "News 05/04/2023",
        "5 April 2023",
        "5th April, 2023",
        "5 Apr. 2023",
        "5 APRIL 2023",
        "5. April 2023",
        "5 avril 2023",
        "5 de abril de 2023",
        "5 de Abril de 2023",
        "5 aprile 2023",
        "5 april 2023",
        "5 kwietnia 2023",
        "April 5, 2023",
    ],
)
def test_a_day_is_found_in_figures_and_in_words_of_eight_languages(text: str) -> None:
    assert find_date(text) == "2023-04-05"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1er mars 2020", "2020-03-01"),
        ("2. März 2020", "2020-03-02"),
        ("1º de março de 2021", "2021-03-01"),
        ("2 août 2020", "2020-08-02"),
        ("1 października 2020", "2020-10-01"),
        ("4 maart 2021", "2021-03-04"),
        ("3 Sept 2021", "2021-09-03"),
        ("29.02.2024", "2024-02-29"),
    ],
)
def test_months_are_known_by_their_own_languages_names(text: str, expected: str) -> None:
    assert find_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30.02.2023",
        "29/02/2023",
        "13/13/2020",
        "5 Brumaire 2023",
        "April 2023",
        "between 2019 and 2023",
        "call 0123.4.2023",
        "1.2.20235",
        "5 people in 2023",
        "1403-09-19",  # a year of another calendar
    ],
)
def test_what_is_no_date_of_a_day_is_none(text: str) -> None:
    assert find_date(text) is None


@pytest.mark.parametrize("days", [2, 40, 400])
def test_a_date_in_the_future_is_no_date_of_publication(days: int) -> None:
    day = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    assert find_date(day.isoformat()) is None


def test_today_is_a_date_of_publication() -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    assert find_date(f"Last change: {today}") == today


@pytest.mark.parametrize("text", ["from 01.02.2020 to 03.04.2021", "1 February 2020, changed 3 April 2021"])
def test_the_first_of_two_dates_counts(text: str) -> None:
    assert find_date(text) == "2020-02-01"


@pytest.mark.parametrize("text", ["Version 10.20.2020 of 1 February 2020", "Form 45.10.2020, 01.02.2020"])
def test_a_figure_that_only_looks_like_a_date_does_not_hide_one(text: str) -> None:
    assert find_date(text) == "2020-02-01"


def test_a_date_line_is_short_and_the_first_one_counts() -> None:
    prose = "The programme was opened on 1 January 2019 by the minister and the mayors of the region."
    assert date_line([prose, "Ministry", "News 05/04/2023", "6 April 2023"]) == "2023-04-05"
    assert date_line([prose]) is None
    assert date_line([]) is None
