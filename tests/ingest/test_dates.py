"""Dates as documents print them."""

import datetime
import time

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
        "between 2019 and 2023",
        "call 0123.4.2023",
        "1.2.20235",
        "5 people in 2023",
        "1403-09-19",  # a year of another calendar
    ],
)
def test_what_is_no_date_of_a_day_is_none(text: str) -> None:
    assert find_date(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9-ти юни 2021 г.", "2021-06-09"),
        ("9. června 2021", "2021-06-09"),
        ("9. července 2021", "2021-07-09"),
        ("den 9. juni 2021", "2021-06-09"),
        ("9. Jänner 2021", "2021-01-09"),
        ("9 Ιουνίου 2021", "2021-06-09"),
        ("1η ΜΑΪΟΥ 2021", "2021-05-01"),
        ("9th of June 2021", "2021-06-09"),
        ("June 9th 2021", "2021-06-09"),
        ("9 de junio del 2021", "2021-06-09"),
        ("9. juunil 2021", "2021-06-09"),
        ("kesäkuun 9. päivänä 2021", "2021-06-09"),
        ("9 juill. 2021", None),  # no name that a dictionary of months has
        ("9 juil. 2021", "2021-07-09"),
        ("9 Meitheamh 2021", "2021-06-09"),
        ("9 Mheán Fómhair 2021", "2021-09-09"),
        ("9. lipnja 2021.", "2021-06-09"),
        ("2021. június 9-én", "2021-06-09"),
        ("2021. 06. 09.", "2021-06-09"),
        ("1° giugno 2021", "2021-06-01"),
        ("2021 m. birželio 9 d.", "2021-06-09"),
        ("2021 m. birželio mėn. 9 d.", "2021-06-09"),
        ("2021. gada 9. jūnijā", "2021-06-09"),
        ("9 ta' Ġunju 2021", "2021-06-09"),
        ("9 t’Awwissu 2021", "2021-08-09"),
        ("9-06-2021", "2021-06-09"),
        ("9 czerwca 2021 r.", "2021-06-09"),
        ("9 VI 2021", "2021-06-09"),
        ("1.º de junho de 2021", "2021-06-01"),
        ("9 iunie 2021", "2021-06-09"),
        ("9. júna 2021", "2021-06-09"),
        ("9. junija 2021", "2021-06-09"),
        ("9:e juni 2021", "2021-06-09"),
        ("19/6-2021", "2021-06-19"),
    ],
)
def test_a_day_is_found_as_each_language_of_the_union_writes_it(text: str, expected: str | None) -> None:
    assert find_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("June 2021", "2021-06"),
        ("Juni 2021", "2021-06"),
        ("junio de 2021", "2021-06"),
        ("v červnu 2021", "2021-06"),
        ("w czerwcu 2021", "2021-06"),
        ("kesäkuussa 2021", "2021-06"),
        ("2021. június", "2021-06"),
        ("2021 m. birželis", "2021-06"),
        ("Ιούνιος 2021", "2021-06"),
        ("May 2021", "2021-05"),
        ("who may 2021", None),
        ("set 2021 goals", None),
        ("31 June 2021", None),
    ],
)
def test_a_month_and_year_are_the_month(text: str, expected: str | None) -> None:
    assert find_date(text) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("9. listopada 2021.", None, "2021-10-09"),  # the dots are Croatian
        ("9 listopada 2021 r.", None, "2021-11-09"),
        ("9. listopadu 2021", None, "2021-11-09"),
        ("9 listopada 2021", "hr", "2021-10-09"),
        ("9 listopada 2021", "pl", "2021-11-09"),
    ],
)
def test_a_name_that_means_two_months_is_told_by_its_language(text: str, language: str | None, expected: str) -> None:
    assert find_date(text, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05/06/2021", "2021-06-05"),
        ("06/25/2021", "2021-06-25"),  # can be nothing else
        ("25.06.21", "2021-06-25"),
        ("25/06/98", "1998-06-25"),
        ("20210625", "2021-06-25"),
        ("20210625T081500Z", "2021-06-25"),
        ("24–25 June 2021", "2021-06-24"),
        ("30 June – 2 July 2021", "2021-06-30"),
        ("30.6.–2.7.2021", "2021-06-30"),
        ("30.6.2021-2.7.2021", "2021-06-30"),
        ("30/06/2021-02/07/2021", "2021-06-30"),
        ("2021-06-30/2021-07-02", "2021-06-30"),
        ("24.-25.6.2021", "2021-06-24"),
        ("in 2019. June 25, 2021", "2021-06-25"),
    ],
)
def test_orders_of_figures_and_ranges_of_days(text: str, expected: str) -> None:
    assert find_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "6.25.2021",
        "Tel. 20210625",
        "20210625 euro",
        "order 4-20210625",
        "01.02.20.04.23",
        "192.168.10.21",
        "no. 3/4 2021",
        "Law 12/2003",
        "Regulation (EU) 2021/625",
        "chapter 5.4.21",
        "2020-21",
        "price 25.06 euro",
        "25.06.79",
    ],
)
def test_other_figures_are_no_dates(text: str) -> None:
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


def test_a_line_with_a_month_counts_where_no_line_has_a_day() -> None:
    assert date_line(["Brussels, June 2021"]) == "2021-06"
    assert date_line(["Newsletter, June 2021", "25.06.2021"]) == "2021-06-25"
    assert date_line(["The bus has come to the villages since June 2021"]) is None


def test_a_period_is_no_date_line() -> None:
    assert date_line(["1.2.2020 – 3.4.2021"]) is None


@pytest.mark.parametrize("text", ["1 " * 50_000, "1.2." * 25_000, "a" * 100_000, "2021 " * 20_000, "may " * 25_000])
def test_time_grows_with_the_length_only(text: str) -> None:
    begin = time.process_time()
    assert find_date(text) is None
    assert time.process_time() - begin < 3
