"""The figures that sentences state: of people, of money and in per cent, each with its year and with who says so.

A figure is of people where one of a language's words for them stands near it, of money where a currency does. Where it is of
neither nothing tells what it counts, and it is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.numbers import NUMBER, plain_number
from pes_search.ingest.types import PEOPLE, PER_CENT, StatedFigure

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
# Symbols, codes and names of the currencies of Europe, by their ISO 4217 codes; beginnings of words are enough.
_CURRENCIES = {
    "EUR": r"€|EUR\b|euro\w*\b|evro\w*\b|evra\b|evrov\b|eur[óa]\w*\b|ευρώ|евро|ewro\b",
    "GBP": r"£|GBP\b|pounds?\b",
    "USD": r"\$|USD\b|dollars?\b",
    "SEK": r"SEK\b",
    "DKK": r"DKK\b",
    "NOK": r"NOK\b",
    "PLN": r"zł\b|PLN\b|złot\w+",
    "CZK": r"Kč|CZK\b",
    "HUF": r"Ft\b|HUF\b|forint\w*\b",
    "RON": r"lei\b|RON\b",
    "BGN": r"лв\b|лева\b|BGN\b|leva\b",
    "HRK": r"HRK\b|kun[ae]\b",
    "CHF": r"CHF\b",
}
_CURRENCY = "|".join(f"(?P<{code}>{expression})" for code, expression in _CURRENCIES.items())
_BEFORE = re.compile(rf"(?:{_CURRENCY})\s?$")
_AFTER = re.compile(rf"\s?(?:d['’]|de |di |of )?(?:{_CURRENCY})")
_PER_CENT = re.compile(r"\s?(?:%|per ?cent\b|percent\w*|prozent\b|pour cent\b|por c\w*ento\b|procent\w*)", re.IGNORECASE)
_RANGE = re.compile(r"\d\d?[-–]\d\d?")  # of ages or hours, mostly: it counts nobody
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_WORDS_BETWEEN = 4  # at most between a number and the people that it counts
_NEAR = re.compile(rf"(?:\W+[\w’'-]+){{0,{_WORDS_BETWEEN + 1}}}")
LOOKED_AT_CHARACTERS = 120  # before and behind a number
OWNER_CHARACTERS = 80  # of who says so; what is longer tells something else


def stated_figures(sentence: str, language: str | None, passage_id: str, start: int) -> Iterator[StatedFigure]:
    """Yield the figures of a sentence that stands in a passage from `start` on."""
    end = start + len(sentence)
    bracketed = [(match.span(), match[1]) for match in _IN_BRACKETS.finditer(sentence)]
    for match in NUMBER.finditer(sentence):
        text = plain_number(match[0])
        if _YEAR.fullmatch(match[0]) or _RANGE.search(sentence[max(0, match.start() - 3) : match.end() + 3]):
            continue
        rest = sentence[match.end() : match.end() + LOOKED_AT_CHARACTERS]
        scale, scale_end = _scale(rest, language)
        before = sentence[max(0, match.start() - LOOKED_AT_CHARACTERS) : match.start()]
        unit = _unit(before, rest, rest[scale_end:], language)
        if unit:
            # What is in brackets right after a figure dates it and names its source: "5,500 parents (press report, 2016)".
            after = [content for (first, _), content in bracketed if first >= match.end()]
            note = after[0] if after else ""
            years = _YEAR.findall(note) or _YEAR.findall(sentence)
            yield StatedFigure(
                value=float(text) * scale,
                unit=unit,
                year=int(years[-1]) if years else None,
                owner=note if re.search(r"[^\W\d]{3}", note) and len(note) <= OWNER_CHARACTERS else None,
                passage_id=passage_id,
                start=start,
                end=end,
            )


def _unit(before: str, after: str, after_scale: str, language: str | None) -> str | None:
    """Return what a number counts, by the text before it and behind it."""
    for found in (_BEFORE.search(before), _AFTER.match(after_scale), _AFTER.match(after)):
        if found:
            return found.lastgroup
    if _PER_CENT.match(after):
        return PER_CENT
    near = _NEAR.match(after_scale)
    return PEOPLE if near and re.match(r"\s|\)", after_scale) and _people(language).search(near[0]) else None


def _scale(after: str, language: str | None) -> tuple[float, int]:
    """Return the factor that the word behind a number stands for, 1 without one, and where that word ends."""
    for pattern, factor in _scales(language):
        if match := pattern.match(after):
            return factor, match.end()
    return 1.0, 0


@cache
def _people(language: str | None) -> re.Pattern[str]:
    """Return the expression for people in a language; of any language where its own is not known."""
    languages = known_languages()
    known = [languages[language]] if language is not None and language in languages else list(languages.values())
    return re.compile(any_of(one.people for one in known), re.IGNORECASE)


@cache
def _scales(language: str | None) -> list[tuple[re.Pattern[str], float]]:
    known = known_languages().get(language or "")
    scales = known.scales if known and known.scales else known_languages()["en"].scales
    return [(re.compile(rf"\s?(?:{scales[name]})(?!\w)\.?", re.IGNORECASE), factor) for name, factor in _SCALES.items()][::-1]
