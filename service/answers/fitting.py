"""Sentences held against what is asked: the kind of the question decides which may lead, a name whose they must be.

The scores of the sentence scorer are log-odds; what is added and taken off here are log-odds too. None was fitted: they were
set on the development half of `eval/questions/acceptance.jsonl`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from pes_search.ingest.types import Document
from pes_search.service.answers.kinds import AnswerKind, is_silent
from pes_search.service.answers.names import names_of
from pes_search.service.answers.questions import Understood
from pes_search.service.answers.sentences import DIGESTS, NUMBER, POINTING_WORDS, ScoredSentence, list_around, with_pointed_at

FITS, FITS_FOR_SURE, IN_SECTION = 2.5, 3.5, 2.0
OF_MANY = 0.2  # of these, where sentences of several documents are compared
NAMES_BODY = 5.0  # the one in charge, where a body is asked for
SILENT, SILENT_ANSWER = -4.0, 4.0  # "… is not stated": elsewhere, and where it answers
DIGEST = -2.0  # a news item or report about many practices
CLASSED = -2.5  # "… is classed as training": what lists say, not the document
POINTING, POINTING_NOWHERE = -0.3, -3.0  # begins with "It": the sentence before is quoted with it, or there is none
NAMELESS = -0.7
NEARNESS, SHARED_WORDS, FAR_BEHIND = 100.0, 3.0, 20.0
DESCRIBING, DESCRIBING_ONE = 0.8, 2.5  # the first sentence says what a practice is: where many are asked for, or what one is
EVIDENCE = {
    "randomised-trial": 5.0,
    "control-group": 5.0,
    "before-and-after": 4.0,
    "participants-views": 2.0,
    "monitoring-figures": 1.5,
}
LEAST_NAME_CHARACTERS = 3
MISFIT = -2.5  # has nothing of what must be there, such as an amount
INTRODUCES = -2.0  # a list, mostly of figures, where no figures are asked for
FAR_BEFORE = 0.08  # of a document's score before the next one's: the question is about it
_CLASSED = re.compile(
    r"\b(?:is|are|was|were) (?:also )?(?:classed|recorded|noted|listed) (?:as|under)\b|\bour notes\b", re.IGNORECASE
)


def _names_body(text: str, document: Document) -> bool:
    """Tell whether a sentence names the organisation that runs a practice, or a part of its name."""
    names = re.split(r"[(),/;]|\band\b|\bwith\b", document.organisation or "")
    return any(len(name.strip()) >= LEAST_NAME_CHARACTERS and name.strip() in text for name in names)


def _is_in(sentence: str, stated: str) -> bool:
    """Tell whether a sentence is one that the front matter quotes, whose markup and breaks may differ."""
    words, quoted = (re.sub(r"\W+", " ", text).strip() for text in (sentence, stated))
    return words in quoted or quoted in words


def meant(sentences: Sequence[ScoredSentence], asked: Understood, kind: AnswerKind) -> frozenset[str]:
    """Return the documents that a question is about: those that it names, or the one that is found far before all others."""
    named = frozenset({sentence.hit.document.id for sentence in sentences} & set(asked.named))
    if named or kind.several:
        return named if kind.name == "compare" or not kind.several else frozenset()
    gaps = {sentence.hit.document.id: sentence.behind for sentence in sentences}
    first, second = [*sorted(gaps.values()), math.inf, math.inf][:2]
    return frozenset(document for document, gap in gaps.items() if gap == first and second - first >= FAR_BEFORE)


def bound(sentences: Sequence[ScoredSentence], asked: Understood, kind: AnswerKind) -> Sequence[ScoredSentence]:
    """Return the sentences of the documents that a question is about, else those of the countries that it names, else all.

    What others say is no answer then.
    """
    documents = meant(sentences, asked, kind)
    if documents:
        return [sentence for sentence in sentences if sentence.hit.document.id in documents]
    of_country = [sentence for sentence in sentences if asked.countries & set(sentence.hit.document.countries)]
    return of_country or sentences


def fitted(sentences: Sequence[ScoredSentence], asked: Understood, kind: AnswerKind) -> list[ScoredSentence]:
    """Return the sentences scored by how they fit a question of a kind, the best first."""
    is_bound = len({sentence.hit.document.id for sentence in sentences}) == 1
    scored = [
        replace(sentence, score=round(_plain_score(sentence, kind) + _fit(sentence, asked, kind, is_bound=is_bound), 6))
        for sentence in sentences
    ]
    return ordered(scored)


def _plain_score(sentence: ScoredSentence, kind: AnswerKind) -> float:
    """Return a sentence's score before the kind is looked at.

    Asked for countries or practices, each document speaks with the sentence that is nearest to the question, not with what
    reads most like an answer.
    """
    if kind.by_nearest:
        return NEARNESS * sentence.cosine + SHARED_WORDS * sentence.lexical - FAR_BEHIND * sentence.behind
    return sentence.score


def ordered(sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    """Return the sentences, the best first."""
    return sorted(
        sentences, key=lambda sentence: (-sentence.score, sentence.hit.document.id, sentence.hit.passage.id, sentence.start)
    )


def _fit(sentence: ScoredSentence, asked: Understood, kind: AnswerKind, *, is_bound: bool) -> float:
    text, document = sentence.text, sentence.hit.document
    fits = bool(kind.looks) and kind.fits(text)
    total = FITS * fits + IN_SECTION * kind.is_in_section(sentence.heading)
    total += NAMES_BODY * (kind.by_body and _names_body(text, document))
    if not is_bound:  # it must be of the subject first of all
        total *= OF_MANY if kind.of_many else 0.0
    if kind.is_certain:
        total += FITS_FOR_SURE * fits
    if is_silent(text):
        total += SILENT_ANSWER if kind.is_silent(text) and is_bound else SILENT
    if sentence.is_first and (kind.several or kind.by_first):
        total += DESCRIBING_ONE if kind.by_first else DESCRIBING
    if kind.name == "evidence" and document.evidence_sentence and _is_in(text, document.evidence_sentence):
        total += EVIDENCE.get(document.evidence or "", 0.0)
    if document.kind in DIGESTS and document.id not in asked.named:
        total += DIGEST
    if kind.is_certain and not fits and not kind.is_silent(text):
        total += MISFIT
    is_figure = text.endswith(":") or (NUMBER.search(text) and list_around(sentence.hit.passage.text, sentence.start))
    if is_figure and not kind.is_certain and not kind.with_figures:
        total += INTRODUCES
    if _CLASSED.search(text):
        total += CLASSED
    if POINTING_WORDS.match(text):
        total += POINTING if with_pointed_at(sentence.hit.passage, sentence.start) < sentence.start else POINTING_NOWHERE
    if not names_of(f"X {text}", sentence.hit.passage.language):
        total += NAMELESS
    return total
