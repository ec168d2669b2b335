"""What a store tells of the documents that somebody may read, as if the index had been built of these alone."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pes_search.index.filters import EVERYTHING, LISTS
from pes_search.index.text.tokens import terms
from pes_search.index.text.words import words_of
from pes_search.index.types import Manifest
from pes_search.ingest.taxonomy import Concept, Taxonomy, fold

if TYPE_CHECKING:
    from pes_search.index.stores.base import StoredIndex

COUNTRIES = "countries"  # the list that everybody knows


def seen_manifest(
    manifest: Manifest, reads: Iterable[str], *, documents: int, passages: int, languages: Mapping[str, int]
) -> Manifest:
    """Return the manifest for who may read these labels; it names no files, and the open index knows copies and relations."""
    named = "\0".join([manifest.index_id, *sorted(reads)])
    return dataclasses.replace(
        manifest,
        index_id=hashlib.sha256(named.encode()).hexdigest()[: len(manifest.index_id)],
        documents=documents,
        passages=passages,
        languages=dict(sorted(((one, count) for one, count in languages.items() if count), key=lambda row: (-row[1], row[0]))),
        inputs_sha256="",
        report={},
        files={},
        left_out={},
        copies=(),
        relations=(),
    )


def seen_lists(stored: StoredIndex, taxonomy: Taxonomy) -> Taxonomy:
    """Return the controlled lists with those concepts only that documents of an index have or name, and the countries.

    `stored` has what may be seen: whom a list names because of a closed document stays unnamed.
    """
    counts = stored.counts(EVERYTHING)
    had = {(list_name, value) for name, list_name in LISTS.items() for value in counts.facets[name]}
    had |= {(name, value) for name, _, value in (concept.partition("/") for concept in stored.holdings().concepts)}
    languages = [language or None for language in stored.manifest.languages]
    kept: dict[str, dict[str, Concept]] = {}
    for name, concepts in taxonomy.lists.items():
        there = [
            concept.id
            for concept in concepts.values()
            if name == COUNTRIES or (name, concept.id) in had or _is_named(concept, stored, languages)
        ]
        whole = set(taxonomy.with_broader(name, there))
        kept[name] = {concept_id: concept for concept_id, concept in concepts.items() if concept_id in whole}
    return Taxonomy(kept)


def _is_named(concept: Concept, stored: StoredIndex, languages: Sequence[str | None]) -> bool:
    """Tell whether a passage has one of a concept's labels as it is written in the list."""
    for label in concept.labels():
        words = set(words_of(label))
        if not any(words.issubset(stored.words(language).keys()) for language in languages):
            continue  # most labels, of languages that nothing is in: they need not be looked for
        holding = stored.holding({language: terms(label, language) for language in languages}, EVERYTHING)
        for passage, document in stored.passages(holding):
            if any(fold(label) in fold(text) for text in (passage.text, document.title, *passage.headings)):
                return True
    return False
