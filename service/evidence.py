"""The sentences of what was found, each with what speaks for it as an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.store import OpenIndex
from pes_search.index.tokens import terms
from pes_search.index.types import Hit, Query

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage that was found for a question."""

    hit: Hit  # its passage
    start: int  # characters of the passage's text
    end: int
    vector: Vectors
    cosine: float  # with the question
    lexical: float  # share of the question's idf mass whose terms the sentence holds, from 0 to 1
    score: float  # higher is better; comparable within one question only

    @property
    def text(self) -> str:
        """Return the sentence."""
        return self.hit.passage.text[self.start : self.end]

    @property
    def numbers(self) -> frozenset[str]:
        """Return the numbers that the sentence states, digits only."""
        return numbers(self.text)


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """What each kind of evidence counts for a sentence; fitted by `pes_search.eval.train_answers`."""

    passage: float = 1.0  # what the vectors say of the passage
    words: float = 0.2  # bounded BM25 of the passage
    cosine: float = 1.0  # of the sentence
    lexical: float = 0.1  # of the sentence


def evidence(asked: Query, hits: Sequence[Hit], index: OpenIndex, weights: EvidenceWeights) -> list[Evidence]:
    """Return the sentences of the hits' passages, the best first; `hits` are documents or single passages."""
    found = []
    for hit in passage_hits(hits):
        passage = hit.passage
        spans, vectors = index.sentences(passage.id)
        idf = {term: index.idf(term) for term in asked.terms.get(passage.language, ())}
        total = sum(idf.values())
        cosines = vectors @ asked.vectors.get(passage.language, asked.vector)
        of_passage = weights.passage * hit.dense + weights.words * hit.lexical
        for (start, end), vector, cosine in zip(spans, vectors, cosines.tolist(), strict=True):
            own = set(terms(passage.text[start:end], passage.language))
            lexical = sum(value for term, value in idf.items() if term in own) / total if total else 0.0
            score = of_passage + weights.cosine * cosine + weights.lexical * lexical
            found.append(Evidence(hit, start, end, vector, cosine, lexical, round(score, 6)))
    return sorted(found, key=lambda one: (-one.score, one.hit.document.id, one.hit.passage.id, one.start))


def passage_hits(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the passages of the hits: each document's best one and those that it carries."""
    for hit in hits:
        yield hit
        yield from hit.passages


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text without what separates their digits: 29,317 and 29.317 and 29317 are one."""
    return frozenset(re.sub(r"\D", "", match) for match in NUMBER.findall(text))


def lead_in(text: str, start: int) -> tuple[int, int] | None:
    """Return where the line stands that introduces the list of which a line starts at `start`; None outside a list."""
    above = text[:start]
    block = above.rfind("\n\n")
    if block < 0:
        return None
    line_start = above.rfind("\n", 0, block) + 1
    line = text[line_start:block].rstrip()
    return (line_start, line_start + len(line)) if line.endswith(":") else None
