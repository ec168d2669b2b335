"""What people write before or above the fields of a practice ("Country", "Zielgruppe"), in whatever language."""

from __future__ import annotations

from functools import cache

from pes_search.ingest.languages import known_languages


def field_of(label: str) -> str | None:
    """Return the field that a label names (`country`, `period`, `title` …), or None.

    One that names different fields in different languages is that of the first language.
    """
    return _labels().get(label.strip(" :*").casefold())


@cache
def _labels() -> dict[str, str]:
    labels: dict[str, str] = {}
    for language in known_languages().values():
        for field, several in language.field_labels.items():
            for label in several:
                labels.setdefault(label.casefold(), field)
    return labels
