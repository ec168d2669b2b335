"""Documents that are the same text again: as another file, in another format, cut, or translated.

Copies are found by their words: MinHash over runs of five words (Broder 1997) brings up the pairs, and the estimates decide,

    J ≥ .7, or J · (|a| + |b|) / ((1 + J) · min(|a|, |b|)) ≥ .85: the shorter is in the longer, of twice its length at most

and they have one title, or half of their figures in common: rows of a list may share all but what they tell. Translations have
no words in common: their mean vectors are near, and the figures in them are the same. A group is one document with all that are
copies or translations of it, so that two that are only like a third are not taken for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import regex
from rensa import RMinHash, RMinHashLSH

from pes_search.index.copy_groups import standing
from pes_search.ingest.numbers import NUMBER, plain_number

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.index.types import CopyGroup
    from pes_search.ingest.types import Document, Passage

PERMUTATIONS, BANDS = 128, 32  # pairs of J = .42 are brought up half of the times, of .6 in .99
SEED = 1
RUN_WORDS = 5
LEAST_RUNS = 20  # of a document; a shorter one is like too many others
LEAST_JACCARD = 0.7
LEAST_CONTAINED = 0.85
MOST_TIMES_LONGER = 2.0  # a newsletter holds ten stories and is a copy of none
# Measured on XQuAD's paragraphs and the corpus (docs/copies.md).
LEAST_COSINE = 0.88  # of a translation …
LEAST_FIGURES = 3  # … that has so many figures …
LEAST_FIGURES_SHARED = 0.5  # … and this share of both in common; or without figures
SURE_COSINE = 0.93
LEAST_LENGTH_SHARE = 0.5  # characters of the shorter translation
BLOCK_DOCUMENTS = 1_000
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True, slots=True)
class Signature:
    """What of a document tells its copies."""

    id: str
    title: str
    language: str | None
    characters: int
    standing: tuple[int, str, int]  # the highest stands for its group
    runs: int  # of five words
    figures: frozenset[str]
    hashed: RMinHash


def signature_of(document: Document, passages: Sequence[Passage]) -> Signature:
    """Return what of a document tells its copies."""
    text = "\n".join(passage.text for passage in passages)
    words = _WORD.findall(text.casefold())
    runs = {" ".join(words[start : start + RUN_WORDS]) for start in range(max(len(words) - RUN_WORDS + 1, 0))}
    hashed = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    hashed.update(sorted(runs))
    figures = frozenset(plain_number(match[0]) for match in NUMBER.finditer(text))
    return Signature(
        document.id,
        document.title.casefold(),
        document.language,
        len(text),
        standing(document, len(text)),
        len(runs),
        frozenset(figure for figure in figures if len(figure) > 1),
        hashed,
    )


@dataclass(slots=True)
class CopyFinder:
    """Takes documents one by one, and tells the groups at the end."""

    _known: list[Signature] = field(default_factory=list)
    _means: list[Vectors] = field(default_factory=list)

    def add(self, signature: Signature, mean: Vectors) -> None:
        """Add a document; `mean` is its mean vector, of unit length."""
        self._known.append(signature)
        self._means.append(mean)

    def groups(self) -> list[CopyGroup]:
        """Return each group, first the document that stands for it: the best described, else the newest, else the fullest."""
        alike: dict[int, set[int]] = {}
        for first, second in [*self._copies(), *self._translations()]:
            alike.setdefault(first, set()).add(second)
            alike.setdefault(second, set()).add(first)
        order = sorted(alike, key=lambda row: self._known[row].id)
        order.sort(key=lambda row: self._known[row].standing, reverse=True)
        taken: set[int] = set()
        groups: list[CopyGroup] = []
        for row in order:
            if row not in taken and (others := sorted(alike[row] - taken, key=lambda other: self._known[other].id)):
                taken.update([row, *others])
                members = [self._known[place] for place in (row, *others)]
                groups.append([(known.id, known.language or "") for known in members])
        return groups

    def _copies(self) -> Iterable[tuple[int, int]]:
        """Yield the pairs whose words are the same."""
        buckets = RMinHashLSH(threshold=0.5, num_perm=PERMUTATIONS, num_bands=BANDS)
        for row, known in enumerate(self._known):
            if known.runs < LEAST_RUNS:
                continue
            for other in buckets.query(known.hashed):
                if _are_copies(known, self._known[other]):
                    yield other, row
            buckets.insert(row, known.hashed)

    def _translations(self) -> Iterable[tuple[int, int]]:
        """Yield the pairs in two languages that say the same."""
        rows_of: dict[str, list[int]] = {}
        for row, known in enumerate(self._known):
            if known.language:
                rows_of.setdefault(known.language, []).append(row)
        means = np.stack(self._means)
        of_languages = [(np.array(rows), means[rows]) for rows in rows_of.values()]
        for (rows, own), (others, of_others) in combinations(of_languages, 2):
            for start in range(0, len(rows), BLOCK_DOCUMENTS):
                block = slice(start, start + BLOCK_DOCUMENTS)
                for place, other in np.argwhere(own[block] @ of_others.T >= LEAST_COSINE).tolist():
                    pair = sorted((int(rows[start + place]), int(others[other])))
                    if self._is_translation(*pair):
                        yield pair[0], pair[1]

    def _is_translation(self, first: int, second: int) -> bool:
        one, other = self._known[first], self._known[second]
        if min(one.characters, other.characters) < LEAST_LENGTH_SHARE * max(one.characters, other.characters):
            return False
        every, both = one.figures | other.figures, one.figures & other.figures
        shared = len(both) / len(every) if every else 0.0
        if len(every) >= LEAST_FIGURES:
            return shared >= LEAST_FIGURES_SHARED
        return shared == (1.0 if every else 0.0) and float(self._means[first] @ self._means[second]) >= SURE_COSINE


def _are_copies(one: Signature, other: Signature) -> bool:
    jaccard = float(one.hashed.jaccard(other.hashed))
    shorter, longer = sorted([one.runs, other.runs])
    contained = jaccard * (one.runs + other.runs) / ((1 + jaccard) * shorter)
    is_same_text = jaccard >= LEAST_JACCARD or (contained >= LEAST_CONTAINED and longer <= MOST_TIMES_LONGER * shorter)
    fewer = min(len(one.figures), len(other.figures))
    has_same_figures = len(one.figures & other.figures) >= LEAST_FIGURES_SHARED * fewer
    return is_same_text and (one.title == other.title or has_same_figures)
