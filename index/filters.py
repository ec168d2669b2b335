"""Filters: which documents may be found.

A filter field is one row of `FILTER_FIELDS`; the command line, the HTTP interface, the pages and every store read that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pes_search.index.errors import QueryError
from pes_search.ingest.types import Document


@dataclass(frozen=True, slots=True)
class FilterField:
    """Something that documents are filtered by: its values are names or terms, of which any may fit."""

    name: str  # of the parameter and the facet; the option has hyphens
    heading: str  # in the pages, which translate it
    values: Callable[[Document], Sequence[str]]
    about: str  # the values, for who writes a request
    example: str = ""  # that goes with the other fields' examples
    list_name: str = ""  # the controlled list that the values are from: its labels and broader terms filter too


FILTER_FIELDS: Mapping[str, FilterField] = {
    field.name: field
    for field in (
        FilterField(
            "country", "Country", lambda document: document.countries, "ISO 3166-1 alpha-2, or a name", "DE", "countries"
        ),
        FilterField(
            "target_group",
            "Target group",
            lambda document: document.target_groups,
            "id or label in any language",
            "women-returners",
            "target-groups",
        ),
        FilterField(
            "measure_type",
            "Measure",
            lambda document: document.measure_types,
            "id or label in any language",
            "outreach",
            "measure-types",
        ),
        FilterField(
            "channel", "Channel", lambda document: document.channels, "id or label in any language", "events", "channels"
        ),
        FilterField(
            "evidence",
            "Evidence",
            lambda document: (document.evidence,) if document.evidence else (),
            "the strongest that a practice's text states: id or label in any language",
            "monitoring-figures",
            "evidence-strengths",
        ),
        FilterField(
            "organisation",
            "Organisation",
            lambda document: document.organisations,
            "that runs it: id, name or former name",
            "city-of-munich",
            "organisations",
        ),
        FilterField("kind", "Kind of document", lambda document: (document.kind,), "practice, news …", "practice"),
        FilterField(
            "language",
            "Language of the document",
            lambda document: (document.language,) if document.language else (),
            "of the document, ISO 639-1",
            "en",
        ),
        FilterField(
            "end_year",
            "Ended in",
            lambda document: (str(document.end_year),) if document.end_year else (),
            "a practice's last year, such as 2022",
        ),
    )
}
LISTS: Mapping[str, str] = {field.name: field.list_name for field in FILTER_FIELDS.values() if field.list_name}
"""For each filter whose values are of a controlled list, the list's name."""
YEAR_FACET = "year"  # years are filtered by range, so their facet is no filter's
YEARS: Mapping[str, str] = {
    "year_from": "the first year of a span: a practice passes that ran in one of its years, another document of that year",
    "year_to": "the last year of the span",
}
"""The ends of the span of years, with what they mean. Each is a facet too."""
DATED_KINDS = ("practice", "project")  # whose years are those of what is described, not of the publication
STILL_RUNNING = 9999  # the last year of a practice that has none


def years_of(document: Document) -> tuple[int, int] | None:
    """Return the first and the last year of what a document describes; `STILL_RUNNING` for a practice without an end."""
    if not document.year:
        return None
    runs_on = document.kind in DATED_KINDS and not document.end_year
    return document.year, STILL_RUNNING if runs_on else max(document.year, document.end_year or 0)


@dataclass(frozen=True, slots=True, init=False)
class Filters:
    """Which documents may be found. A field without values does not restrict; several values of one mean any of them."""

    chosen: Mapping[str, tuple[str, ...]]  # by field, only those that restrict
    year_from: int | None
    year_to: int | None
    only: frozenset[str] | None  # the documents that a query's operators leave, by id; None: all
    without: frozenset[str]  # those that they leave out

    def __init__(
        self,
        chosen: Mapping[str, Sequence[str] | None] | None = None,
        *,
        year_from: int | None = None,
        year_to: int | None = None,
        only: frozenset[str] | None = None,
        without: frozenset[str] = frozenset(),
        **more: Sequence[str] | None,
    ) -> None:
        """Take the values of `FILTER_FIELDS`: `Filters(country=["DE", "AT"], year_from=2015)`, or as a mapping.

        Raises:
            QueryError: there is no such field, or the years are in the wrong order.
        """
        given = {**(chosen or {}), **more}
        if unknown := [name for name in given if name not in FILTER_FIELDS]:
            raise QueryError(f"no filter {unknown[0]!r}; choose of {', '.join([*FILTER_FIELDS, *YEARS])}")
        if year_from is not None and year_to is not None and year_from > year_to:
            raise QueryError(f"year_from {year_from} is after year_to {year_to}; give the earlier year first")
        values = {name: (value,) if isinstance(value, str) else tuple(value or ()) for name, value in given.items()}
        object.__setattr__(self, "chosen", {name: values[name] for name in FILTER_FIELDS if values.get(name)})
        object.__setattr__(self, "year_from", year_from)
        object.__setattr__(self, "year_to", year_to)
        object.__setattr__(self, "only", only)
        object.__setattr__(self, "without", without)

    def values(self) -> dict[str, tuple[str, ...] | int]:
        """Return what restricts, by the name of its parameter."""
        years = {"year_from": self.year_from, "year_to": self.year_to}
        return {**self.chosen, **{name: year for name, year in years.items() if year is not None}}

    def but(self, facet: str) -> Filters:
        """Return the filters without the one of a facet."""
        chosen = {name: values for name, values in self.chosen.items() if name != facet}
        return Filters(
            chosen,
            year_from=None if facet in {YEAR_FACET, "year_from"} else self.year_from,
            year_to=None if facet in {YEAR_FACET, "year_to"} else self.year_to,
            only=self.only,
            without=self.without,
        )

    def within(self, more: Filters) -> Filters:
        """Return the filters with others', whose values count where both have some."""
        years = (self.year_from, self.year_to) if more.year_from is None else (more.year_from, more.year_to)
        chosen = {**self.chosen, **more.chosen}
        return Filters(chosen, year_from=years[0], year_to=years[1], only=self.only, without=self.without)

    def restricted(self, only: frozenset[str] | None, without: frozenset[str]) -> Filters:
        """Return the filters for some documents only, by id, and without others."""
        return Filters(self.chosen, year_from=self.year_from, year_to=self.year_to, only=only, without=without)


EVERYTHING = Filters()
