"""Dates as documents print them, with months in the languages whose files say so."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from functools import cache

from pes_search.ingest.languages import any_of, known_languages

_NUMERIC = re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"(?<![\d.])(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})(?!\d)")
FIRST_YEAR = 1900
LINE_CHARACTERS = 60  # a date line carries little else; a longer line is prose that happens to name a date


def date_line(lines: Iterable[str]) -> str | None:
    """Return the first date (ISO 8601) that stands on a short line, such as "News 27/04/2023" or "22 January 2013"."""
    return next((date for line in lines if len(line) <= LINE_CHARACTERS and (date := find_date(line))), None)


def find_date(text: str) -> str | None:
    """Return the first date in the text as ISO 8601, or None. Numbers with dots or slashes are day, month, year."""
    dates = [
        (match.start(), date)
        for pattern in (_NUMERIC, _DAY_FIRST, *_in_words())
        for match in pattern.finditer(text)
        if (date := _date(match))
    ]
    return min(dates)[1] if dates else None


def _date(match: re.Match[str]) -> str | None:
    """Return the date of a match, or None where there is no such day, or where no document can be of it."""
    parts = match.groupdict()
    month = parts["month"]
    number = int(month) if month.isdecimal() else _months().get(month.casefold(), 0)
    try:
        date = datetime.date(int(parts["year"]), number, int(parts["day"]))
    except ValueError:
        return None
    is_possible = date.year >= FIRST_YEAR and date <= datetime.datetime.now(datetime.UTC).date()
    return date.isoformat() if is_possible else None


@cache
def _in_words() -> tuple[re.Pattern[str], ...]:
    """Return the expressions of "1 May 2020", "1er mai 2020" and "1 de mayo de 2020", and of "May 1, 2020"."""
    languages = known_languages().values()
    endings = any_of((*(ending for language in languages for ending in sorted(language.day_endings)), r"\."))
    particles = any_of(language.date_particle for language in languages if language.date_particle)
    month, year = r"(?P<month>[^\W\d]{3,})\.?", r"(?P<year>\d{4})(?!\d)"
    # Only English puts the month first.
    english = any_of(sorted(known_languages()["en"].day_endings))
    return (
        re.compile(
            rf"(?<!\d)(?P<day>\d{{1,2}})(?:{endings})?\s+(?:(?:{particles})\s+)?{month},?\s+(?:(?:{particles})\s+)?{year}"
        ),
        re.compile(rf"{month}\s+(?P<day>\d{{1,2}})(?:{english})?,\s+{year}"),
    )


@cache
def _months() -> dict[str, int]:
    from babel.dates import get_month_names

    return {
        name.rstrip(".").casefold(): number
        for language in known_languages().values()
        if language.countries_and_months
        for width in ("wide", "abbreviated")
        for number, name in get_month_names(width, locale=language.code).items()
    }
