"""Numbers of a text, and those that its facts do not hold."""

import pytest

from pes_search.ingest.corpus.provenance import numbers, unsupported


def values(text: str) -> list[tuple[float, bool]]:
    return [(number.value, number.is_percent) for number in numbers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("3,300 women", [(3300, False)]),
        ("EUR 1.6 m a year", [(1_600_000, False)]),
        ("1.6 million", [(1_600_000, False)]),
        ("EUR 4.4-4.9 bn", [(4.4e9, False), (4.9e9, False)]),
        ("from EUR 708,000 to 1.6 m", [(708_000, False), (1_600_000, False)]),  # "to" carries no scale over
        ("1-2 %", [(1, True), (2, True)]),
        ("1 to 2 per cent", [(1, True), (2, True)]),
        ("3.2 m, of whom 24.8 % on path 2", [(3_200_000, False), (24.8, True), (2, False)]),
        ("27/04/2023", [(27, False), (4, False), (2023, False)]),
        ("2014-2021", [(2014, False), (2021, False)]),
        ("§16i SGB II, 15-29s, MD1", [(16, False), (15, False), (29, False), (1, False)]),
        ("six bodies, one brand, Twelve months", [(6, False), (12, False)]),
        ("someone twofold", []),
        ("20 months", [(20, False)]),  # not 20 m
        ("https://example.org/2019/page-7 says 5", [(5, False)]),
        ("www.example.org/3", []),
    ],
)
def test_numbers(text: str, expected: list[tuple[float, bool]]) -> None:
    assert values(text) == expected


def test_numbers_have_their_line() -> None:
    assert [(number.line, number.text) for number in numbers("a 1\nb\nc 2 %")] == [(1, "1"), (3, "2 %")]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("about 3,300 women", ">3,300 women"),
        ("EUR 1.6 million", "EUR 1.6 m"),
        ("EUR 1,600,000", "EUR 1.6 m"),
        ("six bodies", "network of 6 bodies"),
        ("65 per cent", "65 % back in work"),
        ("in 2022", "2017-22"),
        ("65 of them", "65 %"),  # a number without a unit may stand with one in the facts
        ("half of them", "about half"),
        ("7 February 2023", "07/02/2023"),
    ],
)
def test_supported(text: str, fact: str) -> None:
    assert unsupported(text, ["something else", fact]) == []


@pytest.mark.parametrize(
    ("text", "fact", "words"),
    [
        ("3,400 women", ">3,300 women", "3,400"),
        ("1.6 billion", "EUR 1.6 m", "1.6 billion"),
        ("65 %", "65 people", "65 %"),
        ("seven bodies", "six bodies", "seven"),
        ("half of them", "some", "half"),
        ("most of them", "some", "most"),
        ("in 2009", "published 2019-09", "2009"),  # a month, no range of years
        ("5", "https://example.org/5", "5"),  # an address proves nothing
    ],
)
def test_unsupported(text: str, fact: str, words: str) -> None:
    assert unsupported(f"first line\n{text}", [fact]) == [(2, words)]
