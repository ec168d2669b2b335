"""The filters of the search page: their values with counts, the ones chosen, and addresses without one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pes_search.index.filters import FILTER_FIELDS, LISTS, Filters
from pes_search.index.types import Facets
from pes_search.ingest.taxonomy import Taxonomy, fold
from pes_search.service.web.languages import Interface, _
from pes_search.service.web.links import search_url

YEARS = {"year_from": _("From year"), "year_to": _("To year")}
KINDS = {
    "practice": _("Practice"),
    "news": _("News"),
    "report": _("Report"),
    "factsheet": _("Factsheet"),
    "case study": _("Case study"),
    "document": _("Document"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a filter."""

    value: str
    label: str
    count: int | None  # documents that choosing it would leave; None: not counted, as of a label that names several terms
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A filter with its values."""

    name: str
    label: str
    options: list[Option]

    @property
    def chosen(self) -> int:
        """Return how many of its values are chosen."""
        return sum(option.is_chosen for option in self.options)


@dataclass(frozen=True, slots=True)
class Chip:
    """A chosen value, with the address that is left without it."""

    label: str
    href: str


def groups(facets: Facets, filters: Filters, taxonomy: Taxonomy, interface: Interface) -> list[Group]:
    """Return the filters with the values that the others leave, the most frequent first, chosen ones before them."""
    return [
        Group(
            field.name,
            interface.text(field.heading),
            _options(field.name, facets[field.name], filters.chosen.get(field.name, ()), taxonomy, interface),
        )
        for field in FILTER_FIELDS.values()
    ]


def years(facets: Facets, filters: Filters, interface: Interface) -> list[Group]:
    """Return the first and the last year as lists: beside each year how many documents are left from it, or up to it, on.

    Counts hold with all other filters and the other end of the range as they are.
    """
    chosen = {"year_from": filters.year_from, "year_to": filters.year_to}
    groups = []
    for name, year in chosen.items():
        counts = facets[name] if year is None or str(year) in facets[name] else {**facets[name], str(year): 0}
        other = filters.year_to if name == "year_from" else filters.year_from
        options = [
            Option(end, end, count, end == str(year))
            for end, count in sorted(counts.items(), reverse=True)
            if other is None or (int(end) <= other if name == "year_from" else int(end) >= other)
        ]
        groups.append(Group(name, interface.text(YEARS[name]), options))
    return groups


def chips(query: str, filters: Filters, taxonomy: Taxonomy, interface: Interface) -> list[Chip]:
    """Return the chosen values, each with the address without it."""
    chosen: dict[str, object] = {**filters.values()}
    chosen_chips = []
    for name, values in chosen.items():
        if isinstance(values, tuple):
            for value in values:
                rest = {**chosen, name: tuple(other for other in values if other != value)}
                label = label_of(name, _only_id(name, value, taxonomy), taxonomy, interface)
                chosen_chips.append(Chip(label, search_url(query, rest)))
        else:
            rest = {other: value for other, value in chosen.items() if other != name}
            chosen_chips.append(Chip(f"{interface.text(YEARS[name])} {values}", search_url(query, rest)))
    return chosen_chips


def label_of(name: str, value: str, taxonomy: Taxonomy, interface: Interface) -> str:
    """Return what a filter's value is called in the interface's language."""
    if name == "country":
        return interface.country(value)
    if name == "language":
        return interface.language(value)
    if name == "kind":
        return kind_label(value, interface)
    return taxonomy.label(LISTS.get(name, ""), value, interface.code)


def kind_label(kind: str, interface: Interface) -> str:
    """Return what a kind of document is called; a kind of somebody's own front matter stays as it is."""
    return interface.text(KINDS[kind]) if kind in KINDS else kind


def _options(
    name: str, counts: Mapping[str, int], chosen: Sequence[str], taxonomy: Taxonomy, interface: Interface
) -> list[Option]:
    named = {value: _ids(name, value, taxonomy) for value in chosen}
    wanted = {next(iter(ids)) if len(ids) == 1 else value for value, ids in named.items()}
    folded = {fold(value) for value in wanted}
    known = {fold(value) for value in counts}
    complete = {**{value: 0 for value in sorted(wanted) if fold(value) not in known}, **counts}
    options = [
        Option(
            value,
            label_of(name, value, taxonomy, interface),
            None if len(named.get(value, ())) > 1 else count,
            fold(value) in folded,
        )
        for value, count in complete.items()
    ]
    return sorted(options, key=lambda option: not option.is_chosen)


def _ids(name: str, value: str, taxonomy: Taxonomy) -> set[str]:
    """Return the ids that a filter's value means: it may be a label."""
    return taxonomy.names(LISTS[name]).get(fold(value), set()) if name in LISTS else set()


def _only_id(name: str, value: str, taxonomy: Taxonomy) -> str:
    ids = _ids(name, value, taxonomy)
    return next(iter(ids)) if len(ids) == 1 else value
