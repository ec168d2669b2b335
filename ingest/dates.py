"""Dates as documents print them, in the languages whose country names are recognised too."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from functools import cache

from pes_search.ingest.countries import LANGUAGES

_NUMERIC = re.compile(r"(?<!\d)(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[./](\d{1,2})[./](\d{4}))(?!\d)")
_WORDS = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+)?([^\W\d]{3,})\.?,?\s+(?:de\s+)?(\d{4})(?!\d)")
LINE_CHARACTERS = 60  # a date line carries little else; a longer line is prose that happens to name a date


def date_line(lines: Iterable[str]) -> str | None:
    """Return the first date (ISO 8601) that stands on a short line, such as "News 27/04/2023" or "22 January 2013"."""
    return next((date for line in lines if len(line) <= LINE_CHARACTERS and (date := find_date(line))), None)


def find_date(text: str) -> str | None:
    """Return the first date in the text as ISO 8601, or None. Numbers with dots or slashes are day, month, year."""
    if match := _NUMERIC.search(text):
        year, month, day, day2, month2, year2 = match.groups()
        return _iso(int(year or year2), int(month or month2), int(day or day2))
    if (match := _WORDS.search(text)) and (number := _months().get(match[2].casefold())):
        return _iso(int(match[3]), number, int(match[1]))
    return None


def _iso(year: int, month: int, day: int) -> str | None:
    """Return the date, or None where it does not exist or lies in the future: no document is published there."""
    try:
        date = datetime.date(year, month, day)
    except ValueError:
        return None
    return date.isoformat() if date.year <= datetime.datetime.now(datetime.UTC).year else None


@cache
def _months() -> dict[str, int]:
    from babel.dates import get_month_names

    return {
        name.rstrip(".").casefold(): number
        for language in LANGUAGES
        for width in ("wide", "abbreviated")
        for number, name in get_month_names(width, locale=language).items()
    }
