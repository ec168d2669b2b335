"""What a document states of itself in labelled fields near its beginning: "Country: Austria", "Target groups" above a list.

The labels are those of the languages' files, of whatever language: a site's labels are not always in that of its text. A label
stands before a colon, alone on its line above its value, or as a heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pes_search.ingest.cleaning.tables import ROW_SEPARATOR
from pes_search.ingest.countries import codes_in
from pes_search.ingest.dates import find_date
from pes_search.ingest.languages.field_labels import field_of
from pes_search.ingest.types import Block

MOST_COUNTRIES = 10  # in the list below a label; a longer one is a site's menu
FIELD_BLOCKS = 60  # a label that far into a document is about something else
LABEL_CHARACTERS = 60
NAME_CHARACTERS = 160  # of a title or an organisation; what is longer is a sentence
NAME_WORDS = 8  # of one partner among several
TERMS = ("target_groups", "measure_types")  # whose values are looked up in the controlled lists
_YEAR = re.compile(r"(?<!\d)(?<!\d,)(?:19|20)\d\d(?!\d|[.,]\d{3})")


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a document states in labelled fields, only what can be read."""

    fields: Mapping[str, Any]  # by the names of `Document`
    terms: Mapping[str, Sequence[str]]  # of `TERMS`, as the document has them
    other_dates: frozenset[str]  # of beginning and end: none of them is the day of publication


def labelled_fields(blocks: Sequence[Block], language: str | None, told: Iterable[tuple[str, str]] = ()) -> Labelled:
    """Return what a document with these blocks states of itself; `told` are fields that its site's layout tells."""
    stated = [*((field, [value]) for field, value in told), *_stated(blocks[:FIELD_BLOCKS])]
    values: dict[str, list[str]] = {}
    for field, several in stated:
        values.setdefault(field, []).extend(several)
    fields: dict[str, Any] = {}
    countries = (several for field, several in stated if field == "country" and len(several) <= MOST_COUNTRIES)
    if codes := next((codes for several in countries if (codes := codes_in("; ".join(several)))), ()):
        fields["countries"] = codes
    if date := next((date for value in values.get("published", ()) if (date := find_date(value, language))), None):
        fields["date"] = date
    year, end_year = _years(values, language)
    fields |= {"year": year} if year else {}
    fields |= {"end_year": end_year} if end_year and year and end_year >= year else {}
    for name in ("native_title", "organisation"):
        if short := [value for value in values.get(name, ()) if len(value) <= NAME_CHARACTERS]:
            fields[name] = short[0]
    if partners := [name for value in values.get("partners", ()) for name in _names(value)]:
        fields["partners"] = tuple(dict.fromkeys(partners))
    lifetime = [value for name in ("period", "start", "end") for value in values.get(name, ())]
    other_dates = frozenset(date for value in lifetime if (date := find_date(value, language)))
    return Labelled(fields, {name: values[name] for name in TERMS if name in values}, other_dates)


def _stated(blocks: Sequence[Block]) -> list[tuple[str, list[str]]]:
    """Return the name of each labelled field, and its values: several where they are a list.

    What the rows of a table say each for itself ("Country: Spain | Start: 2020") is not said of the document.
    """
    found: list[tuple[str, list[str]]] = []
    of_rows: dict[str, set[str]] = {}
    for number, block in enumerate(blocks):
        parts = block.text.split(ROW_SEPARATOR)
        for part in parts:
            label, colon, value = part.partition(":")
            field = field_of(label) if len(label) <= LABEL_CHARACTERS else None
            if field is None:
                continue
            if value.strip():
                found.append((field, [value.strip()]))
                if len(parts) > 1:
                    of_rows.setdefault(field, set()).add(value.strip())
            elif colon or block.text.strip() == label.strip():
                below = [*_values_below(blocks[number + 1 :], is_heading=block.kind == "heading")]
                found += [(field, below)] if below else []
    return [(field, values) for field, values in found if len(of_rows.get(field, ())) < 2 or not set(values) <= of_rows[field]]


def _values_below(blocks: Sequence[Block], *, is_heading: bool) -> Iterator[str]:
    """Yield what stands below a label: one paragraph or row, or the items of a list; prose under a heading only."""
    for number, block in enumerate(blocks):
        if block.kind == "heading" or (number and block.kind != "item"):
            return
        if not is_heading and len(block.text) > NAME_CHARACTERS:
            return
        yield block.text
        if block.kind != "item":
            return


def _names(value: str) -> list[str]:
    """Return the names of a list with commas, semicolons or bars between them; none where it is prose."""
    names = [name.strip(" .") for name in re.split(r"[,;|]", value)]
    return [name for name in names if name] if all(len(name.split()) <= NAME_WORDS for name in names) else []


def _years(values: Mapping[str, Sequence[str]], language: str | None) -> tuple[int | None, int | None]:
    """Return the first and the last year that fields state."""

    def years(field: str) -> list[int]:
        found: list[int] = []
        for value in values.get(field, ()):
            in_value = [int(year) for year in _YEAR.findall(value)]
            if not in_value and (date := find_date(value, language)):
                in_value = [int(date[:4])]
            found += in_value
        return found

    period, start, end = years("period"), years("start"), years("end")
    first = next(iter([*start[:1], *period[:1]]), None)
    last = next(iter([*end[-1:], *period[1:][-1:]]), None)
    return first, last
