"""The figures of a text (numbers, dates, words of amount), and which of them the facts that it rests on do not hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = dict(zip(_UNITS, range(20), strict=True)) | dict(zip(_TENS, range(20, 100, 10), strict=True))
_MULTIPLIERS = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_SCALES = _MULTIPLIERS | {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "bn": 1e9, "mrd": 1e9}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# fmt: on
_PERCENT = ("%", "per cent", "percent", "pct")

# No figures: addresses (but not the words that a link puts before them), names of files that links lead to, emphasis.
_NO_FIGURES = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]]+|(?<=\]\()[^)\s]*|[*`_]|(?i:covid-19)")

_MONTH = (
    r"(?P<month_name>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DATES = (
    re.compile(r"(?<![\d/.-])(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>[0-3]\d))?(?![\d/-])"),
    re.compile(r"(?<![\d/.-])(?P<day>[0-3]?\d)/(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\d/])"),
    re.compile(r"(?<![\d/.])(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\d/])"),
    re.compile(rf"(?:(?<![\d,.])(?P<day>[0-3]?\d)\s+)?\b{_MONTH}\s+(?P<year>(?:19|20)\d\d)\b"),
    re.compile(rf"(?<![\d,.])(?P<day>[0-3]?\d)\s+{_MONTH}"),
)
_YEARS = re.compile(r"(?<![\d,./-])(?P<first>(?:19|20)\d\d)[-–/](?P<last>\d\d)(?![\d,.]*\d)")
_NUMBER = re.compile(
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<fraction>\.\d+)?"
    r"(?:[ \t\u00a0]*\n?[ \t\u00a0]*(?P<unit>%|(?i:per\ cent|percent|pct|k|thousand|mn?|mio|million|bn|mrd|billion)\b))?"
)
_SMALL_DIGITS = 3  # of a number that is neither a year nor written out in full
# What stands between the numbers of a range or list, all of which have the unit of the last: "4.4-4.9 bn", "40, 50 and 60 %".
_SAME_UNIT = re.compile(r"\s*[-–/]\s*|\s+(?:to|and|or)\s+|\s*,\s+(?:(?:and|or)\s+)?")
_WORD = re.compile(r"[a-z]+")
_SMALL_WORDS = rf"(?:(?:{'|'.join(_TENS)})(?:(?:-|\s+)(?:{'|'.join(_UNITS[1:10])}))?|{'|'.join(_UNITS)})"
_NUMBER_WORDS = re.compile(
    rf"\b(?:(?:{_SMALL_WORDS}\b(?:(?:-|\s+)hundred\b(?:\s+(?:and\s+)?{_SMALL_WORDS}\b)?)?|hundred\b)"
    r"(?:\s+(?:thousand|million|billion)\b)?|(?:thousand|million|billion)\b)",
    re.IGNORECASE,
)
# Words that stand for an amount without saying a number.
_AMOUNT = re.compile(
    r"\b(?:(?i:half|halved|thirds?(?![- ](?:part|countr|sector|level|age))|fifths?|tenths?|dozens?|hundreds|thousands|millions|"
    r"billions|doubled?|twice|tripled?|trebled?|\w+fold|majority)|quarters?|most(?=\s+of\b)|Most)\b"
)


Value = float | tuple[int | None, int, int | None] | str
"""A number; a date as year, month and day, of which only the month is always known; the word of an amount."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as a text has it."""

    value: Value
    is_percent: bool
    text: str  # as printed
    line: int  # of the text, from 1


def figures(text: str) -> Iterator[Figure]:
    """Yield the figures of a text, kind by kind.

    "1.6 m" and "1.6 million" are 1,600,000, "twenty-five" is 25. In "4.4-4.9 bn" and "1 to 2 %" the first number has the unit
    of the last. "2019-09", "09/2019" and "September 2019" are one month, "2017-22" are two years.
    """
    rest = _NO_FIGURES.sub(_blank, text)

    def figure(match: re.Match[str], value: Value, percent: bool = False) -> Figure:
        return Figure(value, percent, " ".join(match[0].split()), text.count("\n", 0, match.start()) + 1)

    for pattern in _DATES:
        dates = list(pattern.finditer(rest))
        yield from (figure(match, _date(match)) for match in dates)
        rest = pattern.sub(_blank, rest)
    for match in [match for match in _YEARS.finditer(rest) if match["last"] > match["first"][2:]]:
        yield figure(match, float(match["first"]))
        yield figure(match, float(match["first"][:2] + match["last"]))
        rest = rest[: match.start()] + _blank(match) + rest[match.end() :]
    yield from _digits(rest, figure)
    rest = _NUMBER.sub(_blank, rest)
    # "one" alone is as good as always a pronoun.
    yield from (figure(match, _in_words(match)) for match in _NUMBER_WORDS.finditer(rest) if match[0].lower() != "one")
    yield from (figure(match, match[0].lower()) for match in _AMOUNT.finditer(rest))


def unsupported(text: str, facts: Iterable[str]) -> list[tuple[int, str]]:
    """Return what a text counts and its facts do not, as line and words, in order.

    A percentage has to be one in the facts too, and a count has to be a count. A date may say less than the facts' date.
    """
    known = [figure for fact in facts for figure in figures(fact)]
    dates = [figure.value for figure in known if isinstance(figure.value, tuple)]
    values = {(figure.value, figure.is_percent) for figure in known}
    values |= {(float(year), False) for year, _, _ in dates if year}

    def is_known(figure: Figure) -> bool:
        if isinstance(figure.value, tuple):
            year, month, day = figure.value
            return any(year in (None, other[0]) and month == other[1] and day in (None, other[2]) for other in dates)
        return (figure.value, figure.is_percent) in values

    return sorted({(figure.line, figure.text) for figure in figures(text) if not is_known(figure)})


def _blank(match: re.Match[str]) -> str:
    """Return as many spaces, so that every place and line stays what it was."""
    return re.sub(r"[^\n]", " ", match[0])


def _date(match: re.Match[str]) -> tuple[int | None, int, int | None]:
    parts = match.groupdict()
    name = parts.get("month_name")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["month"])
    year, day = parts.get("year"), parts.get("day")
    return (int(year) if year else None, month, int(day) if day else None)


def _digits(text: str, figure: Callable[[re.Match[str], float, bool], Figure]) -> Iterator[Figure]:
    numbers = list(_NUMBER.finditer(text))
    units = [match["unit"].lower() if match["unit"] else None for match in numbers]
    for i in range(len(numbers) - 2, -1, -1):
        between = text[numbers[i].end() : numbers[i + 1].start()]
        is_small = len(numbers[i]["digits"]) <= _SMALL_DIGITS
        if units[i] is None and is_small and _SAME_UNIT.fullmatch(between):
            units[i] = units[i + 1]
    for match, unit in zip(numbers, units, strict=True):
        value = float(match["digits"].replace(",", "") + (match["fraction"] or ""))
        yield figure(match, round(value * _SCALES.get(unit or "", 1), 6), unit in _PERCENT)


def _in_words(match: re.Match[str]) -> float:
    """Return the value of a number in English words."""
    value = 0.0
    for word in _WORD.findall(match[0].lower()):
        if word in _MULTIPLIERS:
            value = max(value, 1) * _MULTIPLIERS[word]
        else:
            value += _SMALL.get(word, 0)
    return value
