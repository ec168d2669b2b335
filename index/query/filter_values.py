"""Are the values of filters ones that exist? A value that nobody has is told, with the nearest that somebody has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, FilterField, Filters
from pes_search.index.text.words import without_accents
from pes_search.ingest.languages import EU_LANGUAGES, known_languages
from pes_search.ingest.taxonomy import fold

if TYPE_CHECKING:
    from pes_search.index.stores.base import StoredIndex

SHOWN_NEAREST = 3
LEAST_LIKENESS = 65  # of 100, from which a name is worth proposing
LIKENESS_GAP = 12  # behind the likest one, from which it no longer is
SEVERAL = ",;|"  # between values that should have come one by one


def check_values(filters: Filters, stored: StoredIndex) -> None:
    """Check that the collection's lists, or its documents, know every value of the filters.

    Raises:
        QueryError: they do not know one; the message names the nearest ones.
    """
    for name, values in filters.chosen.items():
        field = FILTER_FIELDS[name]
        for value in values:
            if not _is_known(field, value, stored):
                raise QueryError(_told(field, value, stored))


def nearest(wanted: str, names: Iterable[str], most: int = SHOWN_NEAREST) -> list[str]:
    """Return the names that are like one, the most like first."""
    from rapidfuzz.fuzz import WRatio
    from rapidfuzz.process import extract
    from rapidfuzz.utils import default_process

    plain = {name: without_accents(name) for name in names}
    found = extract(without_accents(wanted), plain, scorer=WRatio, processor=default_process, limit=None)
    best = max((score for _, score, _ in found), default=0)
    return [name for _, score, name in found if score >= max(LEAST_LIKENESS, best - LIKENESS_GAP)][:most]


def _is_known(field: FilterField, value: str, stored: StoredIndex) -> bool:
    held = stored.counts(EVERYTHING).facets[field.name]
    if fold(value) in map(fold, held) or fold(value) in stored.taxonomy.names(field.list_name):
        return True
    if field.name == "language":
        return value.lower() in {*EU_LANGUAGES, *known_languages()}
    return field.name == "end_year" and value.isdigit()


def _told(field: FilterField, value: str, stored: StoredIndex) -> str:
    """Return what to say of an unknown value."""
    parts = [part.strip() for sign in SEVERAL if sign in value for part in value.split(sign)]
    if parts and all(_is_known(field, part, stored) for part in parts):
        return f"no {field.name} {value!r}; give several values one by one: {_query(field.name, parts)}"
    ids = {held: held for held in stored.counts(EVERYTHING).facets[field.name]}  # of each name the value that it stands for
    for concept in stored.taxonomy.lists.get(field.list_name, {}).values():
        ids |= dict.fromkeys([concept.id, *concept.labels()], concept.id)
    if field.name == "language":
        ids |= {language.name: code for code, language in known_languages().items()} | {code: code for code in EU_LANGUAGES}
    near: dict[str, str] = {}  # of each value the name that is like it
    for name in nearest(value, ids, len(ids)):
        near.setdefault(ids[name], name)
    shown = [found if fold(found) == fold(name) else f"{found} ({name})" for found, name in near.items()][:SHOWN_NEAREST]
    if shown:
        return f"no {field.name} {value!r}; did you mean {' or '.join(shown)}?"
    examples = ", ".join(list(stored.counts(EVERYTHING).facets[field.name])[:SHOWN_NEAREST])
    return f"no {field.name} {value!r}; it takes {field.about}" + (f", as in {examples}" if examples else "")


def _query(name: str, values: Sequence[str]) -> str:
    return "&".join(f"{name}={value}" for value in values)
