"""The numbers of a text, and which of them the facts that it rests on do not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# Words that stand for an amount without a digit: a text may use one only if its facts do.
AMOUNTS = (
    "half", "third", "thirds", "quarter", "quarters", "dozen", "dozens", "hundreds", "thousands", "double", "doubled", "twice",
    "most", "majority",
)
# fmt: on
WORDS = dict(zip(_UNITS, range(20), strict=True)) | dict(zip(_TENS, range(20, 100, 10), strict=True))
NO_NUMBER = {"one"}  # as good as always a pronoun or an article: "one of them", "the one that"
SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_PERCENT = ("%", "per cent", "percent")

_ADDRESS = re.compile(r"\S*(?:https?://|www\.)\S+")
_NUMBER = re.compile(
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<fraction>\.\d+)?"
    r"(?:\s?(?P<unit>%|per\ cent|percent|(?:k|thousand|mn?|million|bn|billion)\b))?"
)
_SHORT_YEAR = re.compile(r"[-–](\d\d)(?![\d-])")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a text has it."""

    value: float
    is_percent: bool
    text: str  # as printed
    line: int  # of the text, from 1


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text, in digits and in English words; web addresses are left out.

    "1.6 m" and "1.6 million" are 1,600,000; in "4.4-4.9 bn" and "1 to 2 %" the first number has the unit of the second.
    """
    for line_number, raw in enumerate(text.split("\n"), start=1):
        line = _ADDRESS.sub(" ", raw)
        found = list(_NUMBER.finditer(line))
        units = [match["unit"] for match in found]
        for i in range(len(found) - 2, -1, -1):
            between = line[found[i].end() : found[i + 1].start()]
            is_range = between in ("-", "–") or (between == " to " and units[i + 1] in _PERCENT)
            if units[i] is None and is_range:
                units[i] = units[i + 1]
        for match, unit in zip(found, units, strict=True):
            value = float(match["digits"].replace(",", "") + (match["fraction"] or ""))
            yield Number(round(value * SCALES.get(unit or "", 1), 6), unit in _PERCENT, match[0].strip(), line_number)
        for word in _WORD.findall(line.lower()):
            if word in WORDS and word not in NO_NUMBER:
                yield Number(float(WORDS[word]), False, word, line_number)


def unsupported(text: str, facts: Iterable[str]) -> list[tuple[int, str]]:
    """Return what a text counts and its facts do not, as line and words, in order.

    A percentage has to be one in the facts too; another number may stand there with or without a unit.
    """
    whole = "\n".join(facts)
    known = list(numbers(whole))
    values = {number.value for number in known} | set(_long_years(whole))
    percentages = {number.value for number in known if number.is_percent}
    faults = [
        (number.line, number.text)
        for number in numbers(text)
        if number.value not in (percentages if number.is_percent else values)
    ]
    words = set(_WORD.findall(whole.lower()))
    for line_number, line in enumerate(text.split("\n"), start=1):
        said = set(_WORD.findall(_ADDRESS.sub(" ", line).lower()))
        faults += [(line_number, word) for word in AMOUNTS if word in said and word not in words]
    return sorted(faults)


def _long_years(text: str) -> Iterator[float]:
    """Yield the second year of ranges such as "2017-22"."""
    for match in _NUMBER.finditer(text):
        end = _SHORT_YEAR.match(text, match.end())
        digits = match["digits"]
        if end and len(digits) == 4 and not match["fraction"] and end[1] > digits[2:]:  # 2019-09 is a month
            yield float(digits[:2] + end[1])
