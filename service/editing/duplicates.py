"""Documents that say the same, perhaps in two languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pes_search.index.evidence.fusion import CONCEPTS_OF_RELATED, related_score
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.types import Document

# Chosen with the packaged encoder on the 113 documents of the corpus and eleven versions of two of them, which is few: small
# edits .9999, half of the text without metadata .938, rewritten .945, translated to German and French .928 to .957 with the
# metadata and .915 to .949 (cosine) without. Of the corpus's own pairs only two employment pacts, Czech and Hungarian, reach
# .917, the next .909; the nearest other practice in another language has a cosine of .897.
LEAST_DUPLICATE_SCORE = 0.91
BLOCK_DOCUMENTS = 1_000  # compared with all others at once; the product of so many takes some megabytes


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents that are near to each other, in the order of their ids."""

    first: Document
    second: Document
    score: float  # near 1 they say the same: that of `search.related`; between two languages the cosine where it is higher
    is_translation: bool  # their languages are known and differ, and their countries do not contradict it


@dataclass(frozen=True, slots=True)
class Group:
    """Copies and translations of one document, of which a search lists one."""

    documents: tuple[Document, ...]  # first the one that stands for them
    is_confirmed: bool  # editors said of all of them that they are copies
    parted: tuple[str, ...]  # ids of what editors said that it is no copy of one of them


def near_duplicates(index: OpenIndex, *, least: float = LEAST_DUPLICATE_SCORE, most: int = 50) -> list[Pair]:
    """Return the pairs of documents whose score is at least `least`, each once, the nearest first, at most `most`.

    Every document is compared with every other one, so the time grows with the square of their number.
    """
    documents = index.stored.documents(EVERYTHING)
    pairs = [pair for pair in _pairs(documents, index, least) if pair.score >= least]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.first.id, pair.second.id))[:most]


def unsettled(pairs: Sequence[Pair], index: OpenIndex) -> list[Pair]:
    """Return the pairs that are in no group together, and that no editor has parted."""
    return [pair for pair in pairs if not index.copies.is_settled(pair.first.id, pair.second.id)]


def copy_groups(index: OpenIndex) -> list[Group]:
    """Return the groups of copies and translations, as the build found them and editors decided."""
    ids = [one for group in index.copies.groups for one in group]
    documents = {text.document.id: text.document for text in index.stored.texts(ids)}
    return [
        Group(
            tuple(documents[one] for one in group),
            index.copies.is_confirmed(group),
            tuple(index.copies.parted_from(group)),
        )
        for group in index.copies.groups
    ]


def _pairs(documents: list[Document], index: OpenIndex, least: float) -> Iterator[Pair]:
    """Yield the pairs whose cosine or score may reach `least`; the documents are in the order of their ids."""
    ids = [document.id for document in documents]
    means = index.stored.means(ids)
    for start in range(0, len(ids), BLOCK_DOCUMENTS):
        block = slice(start, start + BLOCK_DOCUMENTS)
        cosines = means[block] @ means.T
        overlaps = index.concepts.overlaps(ids[block], ids, cosines)
        scores = (1 - CONCEPTS_OF_RELATED) * cosines + CONCEPTS_OF_RELATED * overlaps
        # A score counts by itself, a cosine only between two languages; rounding must not lose a pair.
        for row, column in np.argwhere(np.maximum(scores, cosines) >= least - 1e-5).tolist():
            first, second = documents[start + row], documents[column]
            if start + row < column and means[start + row].any() and means[column].any():  # both have text
                score = pair_score(first, second, float(cosines[row, column]), float(overlaps[row, column]))
                yield Pair(first, second, score, _is_translation(first, second))


def pair_score(first: Document, second: Document, cosine: float, overlap: float) -> float:
    """Return how far two documents say the same, from their cosine and what they share of concepts; near 1 they do."""
    score = related_score(cosine, overlap)
    # A translation often comes without the tags of its original, and its concepts are then guessed.
    return max(score, round(cosine, 6)) if _languages_differ(first, second) else score


def _languages_differ(first: Document, second: Document) -> bool:
    return bool(first.language and second.language) and first.language != second.language


def _is_translation(first: Document, second: Document) -> bool:
    same_place = not (first.countries and second.countries) or bool({*first.countries} & {*second.countries})
    return _languages_differ(first, second) and same_place
