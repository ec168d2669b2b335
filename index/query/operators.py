"""What a query orders beside what it asks: "exact phrase", -word, title:word, country:DE.

    "job carving"            only documents that have these words as written, one after the other
    -voucher                 no document that has the word in any form; -"exact phrase" too
    title:academy            only documents that have the word in their title; title:"exact phrase" too
    country:DE, year:2019    as the filter of that name, or both ends of the span of years

The rest is ranked as always. A sign that stands for something else is left alone: a hyphen inside a word, "3:1", an address.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from pes_search.index.errors import QueryError
from pes_search.index.filters import FILTER_FIELDS, Filters
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
    rf"(?<!\S)(?:(?P<not>[-−])?(?:(?P<field>{_FIELDS}):)?(?:{_QUOTED.format('phrase')}|(?P<word>[^\s{_QUOTES}]+)))(?=[\s.,;?!)]|$)",
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
    """Which documents a query's operators leave."""

    documents: frozenset[str] | None  # by id; None: all
    absent: tuple[str, ...] = ()  # phrases that no document has


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
        value = (match["phrase"] or match["word"].rstrip(".,;?!)")).strip()
        name = (match["field"] or "").lower()
        if match["not"] and name not in {"", "title"}:
            return typed
        if match["not"]:
            if len(value) < SHORTEST_EXCLUDED_CHARACTERS or not value[0].isalpha():
                return typed
            excluded.append(value)
            return " "
        if name == "year":
            years.append(_year(value))
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
    left: frozenset[str] | None = None
    absent: list[str] = []

    def keep(documents: frozenset[str]) -> None:
        nonlocal left
        left = documents if left is None else left & documents

    for phrase in operators.phrases:
        having = _having(phrase, stored, terms_of, filters)
        if not having:
            absent.append(phrase)
        keep(having)
    for title in operators.titles:
        holding = stored.holding(terms_of(title), filters)
        titles = {document.id: document.title for _, document in stored.passages(holding)}
        keep(frozenset(name for name, text in titles.items() if _holds_words(text, title)))
    if operators.excluded:
        everything = {document.id for document in stored.documents(filters)} if left is None else set(left)
        for value in operators.excluded:
            everything -= (
                _having(value, stored, terms_of, filters)
                if len(value.split()) > 1
                else {document_of(name) for name in stored.holding(terms_of(value), filters)}
            )
        keep(frozenset(everything))
    return Allowed(left, tuple(absent))


def only_allowed(filters: Filters, operators: Operators, allowed: Allowed) -> Filters:
    """Return the filters of a search with what the query's operators leave."""
    return filters.within(operators.filters, allowed.documents)


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


def _holds_words(title: str, wanted: str) -> bool:
    held = set(terms(title, "en")) | set(terms(title, None))
    return all(word in held for word in terms(wanted, "en")) or all(word in held for word in terms(wanted, None))


def _year(value: str) -> int:
    if not regex.fullmatch(r"\d{4}", value):
        raise QueryError(f"year:{value} is no year; give four digits, as in year:2019")
    return int(value)
