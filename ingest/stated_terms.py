"""What labelled fields state becomes terms of the controlled lists: "Unemployed; youth in employment" names two target groups.

Longest labels first, in the document's language and in English: a site's fields are often in another language than its text.
Words that only say that it is about people are passed over: "disabled workers" are the list's "disabled people".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pes_search.ingest.taxonomy import FIELDS, Taxonomy, fold
from pes_search.ingest.types import Document

LONGEST_LABEL_WORDS = 8
SHORTEST_LABEL_CHARACTERS = 3
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
# A value that denies: "Does not apply to citizens".
_DENIED = re.compile(r"\b(?:not|no|none|keine?|aucun|ningun[oa]?|nessun[oa]?)\b", re.IGNORECASE)
_PARTS = re.compile(r"[;|\n]")
_ENDING = re.compile(r"(?<=[^\W\d_]{3})(?:['’]?s|s['’])$")
OF_PEOPLE = frozenset(
    [
        "people",
        "persons",
        "person",
        "individuals",
        "adults",
        "workers",
        "worker",
        "citizens",
        "personen",
        "menschen",
        "personnes",
        "personas",
        "persone",
        "pessoas",
        "mensen",
        "osoby",
        "lidé",
        "ľudia",
        "emberek",
        "persoane",
        "хора",
        "άτομα",
        "personer",
        "henkilöt",
        "inimesed",
        "cilvēki",
        "asmenys",
        "osebe",
        "ljudi",
    ]
)


class StatedTerms:
    """Looks up what documents state, by the labels of one taxonomy."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._labels: dict[tuple[str, str | None], Mapping[str, str]] = {}  # by list and language, once each

    def added_to(self, document: Document, stated: Mapping[str, Sequence[str]]) -> Document:
        """Return the document with the terms that its labelled fields name, in the fields that it leaves empty."""
        found: dict[str, Any] = {
            field: ids
            for field, values in stated.items()
            if field in FIELDS and not getattr(document, field)
            if (ids := _terms(values, self._labels_of(FIELDS[field], document.language)))
        }
        return replace(document, **found) if found else document

    def _labels_of(self, list_name: str, language: str | None) -> Mapping[str, str]:
        if (list_name, language) not in self._labels:
            self._labels[list_name, language] = term_labels(self._taxonomy, list_name, language)
        return self._labels[list_name, language]


def _terms(values: Sequence[str], labels: Mapping[str, str]) -> tuple[str, ...]:
    parts = (part for value in values for part in _PARTS.split(value) if not _DENIED.search(part))
    return named_terms(parts, labels)


def named_terms(texts: Iterable[str], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the terms that texts name by one of the labels, as `term_labels` has them, in the texts' order."""
    ids: dict[str, None] = {}
    for text in texts:
        words = _words(text)
        start = 0
        while start < len(words):
            lengths = range(min(LONGEST_LABEL_WORDS, len(words) - start), 0, -1)
            length = next((length for length in lengths if " ".join(words[start : start + length]) in labels), 0)
            if length:
                ids[labels[" ".join(words[start : start + length])]] = None
            start += max(length, 1)
    return tuple(ids)


def term_labels(taxonomy: Taxonomy, list_name: str, language: str | None) -> dict[str, str]:
    """Return the concept of each label, as words; one that two concepts have is that of the first."""
    labels: dict[str, str] = {}
    for concept in taxonomy.lists.get(list_name, {}).values():
        of_languages = (kind.get(code, ()) for kind in (concept.terms, concept.plain) for code in ("en", language or ""))
        for label in (*concept.tags, *(label for several in of_languages for label in several)):
            words = " ".join(_words(label))
            if len(words) >= SHORTEST_LABEL_CHARACTERS:
                labels.setdefault(words, concept.id)
    return labels


def _words(text: str) -> list[str]:
    """Return the words that tell something, without an English plural's ending."""
    folded = (fold(word) for word in _WORD.findall(text))
    return [_ENDING.sub("", word) for word in folded if word not in OF_PEOPLE]
