"""Figures of a text, and those that its facts do not hold."""

import pytest

from pes_search.ingest.corpus.provenance import Value, figures, unsupported


def values(text: str) -> list[tuple[Value, bool]]:
    return [(figure.value, figure.is_percent) for figure in figures(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("3,300 women", [3300]),
        ("12,3000", [12, 3000]),  # no thousands
        ("EUR 1.6 m a year", [1_600_000]),
        ("1.6 million", [1_600_000]),
        ("EUR 1.6M, €1.2 bn, 5 k, 3 mn", [1_600_000, 1.2e9, 5000, 3_000_000]),
        ("5 **million**", [5_000_000]),
        ("20\nmillion", [20_000_000]),  # wrapped
        ("20\n\nmillion", [20, 1_000_000]),  # another paragraph
        ("EUR 4.4-4.9 bn", [4.4e9, 4.9e9]),
        ("EUR 4.4 to 4.9 billion", [4.4e9, 4.9e9]),
        ("from EUR 708,000 to 1.6 m", [708_000, 1_600_000]),  # what is written out in full needs no unit
        ("20 months", [20]),  # not 20 m
        ("§16i SGB II, 15-29s, MD1", [16, 15, 29, 1]),
        ("six bodies, one brand, Twelve months", [6, 12]),
        ("twenty-five, two hundred and ten, six hundred thousand", [25, 210, 600_000]),
        ("one hundred, a million", [100, 1_000_000]),
        ("three, four", [3, 4]),
        ("someone", []),
        ("Half of them, two thirds", [2, "half", "thirds"]),
        ("Most of them; at most; those most in need; most of all", ["most", "most"]),
        ("third-party, third country, the Latin Quarter, a quarter", ["quarter"]),
        ("doubled, tenfold", ["doubled", "tenfold"]),
        ("https://example.org/2019/page-7 says 5", [5]),
        ("www.example.org/3", []),
        ("[7 women](https://x.org/8), (https://x.org),9", [7, 9]),  # the words of a link count, its target does not
        ("[x](../practices/de-16i.md)", []),
        ("Covid-19", []),
    ],
)
def test_numbers_and_amounts(text: str, expected: list[Value]) -> None:
    assert values(text) == [(value, False) for value in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("65 %, 65%, 65 per cent, 65 percent, 65 pct", [65, 65, 65, 65, 65]),
        ("1-2 %", [1, 2]),
        ("1 – 2 %", [1, 2]),
        ("1 to 2 per cent", [1, 2]),
        ("40, 50 and 60 %", [40, 50, 60]),
        ("40/60 %", [40, 60]),
    ],
)
def test_percentages(text: str, expected: list[float]) -> None:
    assert values(text) == [(value, True) for value in expected]


def test_a_year_before_a_percentage_is_none() -> None:
    assert values("in 2018, 41 %") == [(2018, False), (41, True)]
    assert values("3.2 m, of whom 24.8 % on path 2") == [(3_200_000, False), (24.8, True), (2, False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("27/04/2023", [(2023, 4, 27)]),
        ("2023-04-27", [(2023, 4, 27)]),
        ("27 April 2023", [(2023, 4, 27)]),
        ("6 Oct 2020", [(2020, 10, 6)]),
        ("04/2023, 2023-04, April 2023, Apr. 2023", [(2023, 4, None)] * 4),
        ("on 27 April", [(None, 4, 27)]),
        ("07/2021-03/2023", [(2021, 7, None), (2023, 3, None)]),
        ("Marketing 2020, it may 2020", [2020, 2020]),
        ("2014-2021", [2014, 2021]),
        ("2017-22, 2009/10", [2017, 2022, 2009, 2010]),
        ("2017–22", [2017, 2022]),
        ("2008-10", [(2008, 10, None)]),  # October, no range of years
        ("2015-14", [2015, 14]),
    ],
)
def test_dates_and_years(text: str, expected: list[Value]) -> None:
    assert sorted(map(repr, (value for value, _ in values(text)))) == sorted(
        repr(float(value) if isinstance(value, int) else value) for value in expected
    )


def test_figures_have_their_line() -> None:
    found = {(figure.line, figure.text) for figure in figures("a 1\nb\nc 2 %\n\n5\nmillion\nsix\nhalf\n3 May 2020")}
    assert found == {(1, "1"), (3, "2 %"), (5, "5 million"), (7, "six"), (8, "half"), (9, "3 May 2020")}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("about 3,300 women", ">3,300 women"),
        ("EUR 1.6 million", "EUR 1.6 m"),
        ("EUR 1,600,000", "EUR 1.6 m"),
        ("two million people", "2 m people"),
        ("twenty-five people", "25 people"),
        ("six bodies", "network of 6 bodies"),
        ("65 per cent", "65 % back in work"),
        ("in 2022", "2017-22"),
        ("2017-22", "2017 to 2022"),
        ("half of them", "about half"),
        ("7 February 2023", "07/02/2023"),
        ("February 2023", "07/02/2023"),  # less than the fact says
        ("in 2023", "07/02/2023"),
        ("on 7 February", "07/02/2023"),
        ("by the end of January 2025", "by 31/01/2025"),
        ("40 % to 60 %", "40-60 %"),
    ],
)
def test_supported(text: str, fact: str) -> None:
    assert unsupported(text, ["something else", fact]) == []


@pytest.mark.parametrize(
    ("text", "fact", "words"),
    [
        ("3,400 women", ">3,300 women", "3,400"),
        ("1.6 billion", "EUR 1.6 m", "1.6 billion"),
        ("1.6", "EUR 1.6 m", "1.6"),
        ("65 %", "65 people", "65 %"),
        ("65 of them", "65 %", "65"),  # a percentage proves no count
        ("seven bodies", "six bodies", "seven"),
        ("six hundred thousand", "six bodies", "six hundred thousand"),
        ("a million people", "some", "million"),
        ("half of them", "some", "half"),
        ("Most of them", "some", "Most"),
        ("most\nof them", "some", "most"),
        ("in 2009", "published 2019-09", "2009"),  # a month, no range of years
        ("in 2010", "published 2008-10", "2010"),
        ("in 27 offices", "27/04/2023", "27"),  # the day of a date proves no count
        ("May 2023", "27/04/2023", "May 2023"),
        ("28 April 2023", "27/04/2023", "28 April 2023"),
        ("3 April 2023", "April 2023", "3 April 2023"),  # more than the fact says
        ("5", "https://example.org/5", "5"),  # an address proves nothing
        ("[more than 99,000](https://example.org) women", "some", "99,000"),
    ],
)
def test_unsupported(text: str, fact: str, words: str) -> None:
    assert unsupported(f"first line\n{text}", [fact]) == [(2, words)]


def test_the_facts_are_apart() -> None:
    """Two facts do not make a range or a number together."""
    assert unsupported("5 million", ["in 5", "million"]) == [(1, "5 million")]
