"""What a query orders beside what it asks: "exact phrase", -word, title:word, country:DE.

    "job carving"            only documents that have these words as written, one after the other
    -voucher                 no document that has the word in any form; -"exact phrase" too
    title:academy            only documents that have the word in their title; title:"exact phrase" too
    country:DE               as the filter of that name; year:2019 and year:2019-2021 as a span of years

The rest is ranked as always. A sign that stands for something else is left alone: a hyphen inside a word, "3:1", an address.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, Filters
from pes_search.index.query.filter_values import check_values
from pes_search.index.text.tokens import terms
from pes_search.ingest.types import document_of

if TYPE_CHECKING:
    from pes_search.index.stores.base import StoredIndex
    from pes_search.index.types import Terms

_QUOTES = '"“”„«»‟'
_FIELDS = "|".join(["title", "year", *FILTER_FIELDS])
_QUOTED = rf"[{_QUOTES}](?P<{{}}>[^{_QUOTES}]+)[{_QUOTES}]"
_OPERATOR = regex.compile(
    rf"(?<![^\s(\[,;])(?:(?P<not>[-−])?(?:(?P<field>{_FIELDS}):)?(?:{_QUOTED.format('phrase')}|(?P<word>[^\s{_QUOTES}]+)))(?=[\s.,;?!)]|$)",
    regex.IGNORECASE,
)
SHORTEST_EXCLUDED_CHARACTERS = 2  # "- a list" excludes nothing


@dataclass(frozen=True, slots=True)
class Operators:
    """What a query orders."""

    text: str  # what is ranked by: the query without what only restricts
    phrases: tuple[str, ...] = ()  # that a document must have
    excluded: tuple[str, ...] = ()  # words and phrases that it must not have
    titles: tuple[str, ...] = ()  # that its title must have
    filters: Filters = field(default_factory=Filters)

    @property
    def restrict_texts(self) -> bool:
        """Tell whether documents' texts decide which of them may be found."""
        return bool(self.phrases or self.excluded or self.titles)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which documents a query's operators leave, by id."""

    only: frozenset[str] | None  # None: all
    without: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()  # phrases that no document of the collection has


def read_operators(query: str) -> Operators:
    """Read what a query orders. A query of nothing but orders is ranked by their words.

    Raises:
        QueryError: a year is none.
    """
    phrases: list[str] = []
    excluded: list[str] = []
    titles: list[str] = []
    chosen: dict[str, list[str]] = {}
    years: list[int] = []

    def taken(match: regex.Match[str]) -> str:
        typed = str(match[0])
        value = (match["phrase"] or match["word"].rstrip(".,;?!)]")).strip()
        if not _plain(value):  # signs are no order
            return typed
        name = (match["field"] or "").lower()
        if match["not"] and name not in {"", "title"}:
            return typed
        if match["not"]:
            if len(value) < SHORTEST_EXCLUDED_CHARACTERS or not value[0].isalpha():
                return typed
            excluded.append(value)
            return " "
        if name == "year":
            years.extend(_years(value))
            return " "
        if name == "title":
            titles.append(value)
            return str(value)
        if name:
            chosen.setdefault(name, []).append(value)
            return " "
        if match["phrase"] is not None:
            phrases.append(value)
            return str(value)
        return typed

    text = " ".join(_OPERATOR.sub(taken, query).split())
    filters = Filters(chosen, year_from=min(years, default=None), year_to=max(years, default=None))
    rest = text or " ".join([*titles, *phrases, *(value for values in chosen.values() for value in values)]) or query
    return Operators(rest, tuple(phrases), tuple(excluded), tuple(titles), filters)


def allowed_documents(operators: Operators, stored: StoredIndex, terms_of: Callable[[str], Terms], filters: Filters) -> Allowed:
    """Return which of the documents that pass the filters a query's operators leave.

    Raises:
        QueryError: a value of a filter among them is unknown.
    """
    check_values(operators.filters, stored)
    only: frozenset[str] | None = None
    absent: list[str] = []
    for phrase in operators.phrases:
        having = _having(phrase, stored, terms_of, filters)
        if not having and not _having(phrase, stored, terms_of, EVERYTHING):
            absent.append(phrase)
        only = having if only is None else only & having
    for title in operators.titles:
        titled = frozenset(
            document.id
            for _, document in stored.passages(stored.holding(terms_of(title), filters))
            if set(terms(title, document.language)) <= set(terms(document.title, document.language))
        )
        only = titled if only is None else only & titled
    without: set[str] = set()
    for value in operators.excluded:
        if len(_plain(value).split()) > 1:
            without |= _having(value, stored, terms_of, filters)
        else:
            without.update(map(document_of, stored.holding(terms_of(value), filters)))
    return Allowed(only, frozenset(without), tuple(absent))


def without_quotation_marks(query: str) -> str:
    """Return a query whose phrases are nothing but their words."""
    return query.translate(dict.fromkeys(map(ord, _QUOTES)))


def _having(phrase: str, stored: StoredIndex, terms_of: Callable[[str], Terms], filters: Filters) -> frozenset[str]:
    """Return the documents that have a phrase as written, in a passage, its headings or the title."""
    holding = stored.holding(terms_of(phrase), filters)
    return frozenset(
        document.id
        for passage, document in stored.passages(holding)
        if any(_has(text, phrase) for text in (passage.text, document.title, *passage.headings))
    )


def _has(text: str, phrase: str) -> bool:
    """Tell whether a text has the words of a phrase, one right after the other, in any case and with any spaces."""
    return f" {_plain(phrase)} " in f" {_plain(text)} "


def _plain(text: str) -> str:
    return " ".join(regex.findall(r"[\p{L}\p{M}\p{N}]+|[^\s\p{P}]", unicodedata.normalize("NFKC", text).casefold()))


def _years(value: str) -> list[int]:
    years = regex.fullmatch(r"(\d{4})(?:[-–](\d{4}))?", value)
    if not years:
        raise QueryError(f"year:{value} is no year; give four digits, as in year:2019 or year:2019-2021")
    return [int(year) for year in years.groups() if year]
