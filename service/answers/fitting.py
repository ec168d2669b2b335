"""Sentences held against what is asked: how each fits the kind of the question, and a name whose they must be.

What is measured here of each sentence the field scorer weighs (`make train-answers`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pes_search.ingest.types import Document
from pes_search.service.answers.kinds import KINDS, AnswerKind, is_silent
from pes_search.service.answers.names import names_of
from pes_search.service.answers.questions import Part, Understood
from pes_search.service.answers.sentence_scorers import FieldScorer
from pes_search.service.answers.sentences import (
    DIGESTS,
    FEATURES,
    LEAST_COSINE_SPREAD,
    NUMBER,
    POINTING_WORDS,
    ScoredSentence,
    list_around,
    with_pointed_at,
)

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors

# Beside the field scorer's log-odds, set by hand: what its training questions hardly show.
LEADS = {"definition": 2.5, "compare": 2.5}  # kinds that a document's first sentence answers best
NOT_STATED_UNASKED = -1.5  # "… is not stated", of something else than is asked for …
NOT_STATED_ELSEWHERE = -4.0  # … or by one of several documents, none of which is meant
BODY_TO_TURN_TO = 2.5  # names the body in charge, where it is asked whom to contact
# What is known of how a sentence fits a question, after FEATURES.
FITTING = (
    "fits", "in_section", "names_body", "not_stated_unasked", "not_stated_asked", "fits_for_sure", "misfits", "introduces",
    "figures_unasked", "classed", "points", "points_nowhere", "nameless", "of_digest", "of_named", "of_document_far_before",
    "of_country", "of_other_country", "states_evidence", "evidence_weight", "fits_meant", "in_section_meant", "opens_document",
    "detail_cosine", "detail_below_best", "detail_standing", "with_detail", "fact_wanted", "several_wanted",
)  # fmt: skip
FIELD_FEATURES = (*FEATURES, *FITTING)
KNOWN = ("opens_document", "evidence_weight", "not_stated_unasked")
EVIDENCE_WEIGHTS = {
    "randomised-trial": 5.0,
    "control-group": 5.0,
    "before-and-after": 4.0,
    "participants-views": 2.0,
    "monitoring-figures": 1.5,
}
LEAST_NAME_CHARACTERS = 3
FAR_BEFORE = 0.08  # of a document's score before the next one's: the question is about it
# Where each document speaks with the sentence nearest to the question ("which countries …"), these are log-odds, set by hand.
NEARNESS, SHARED_WORDS, FAR_BEHIND, DESCRIBING, OF_DIGEST, ISCLASSED, NOT_STATED = 100.0, 3.0, 20.0, 0.8, 2.0, 2.5, 4.0
# What lists say of a practice, not the document itself.
CLASSED = re.compile(
    r"\b(?:is|are|was|were) (?:also )?(?:classed|recorded|noted|listed) (?:as|under)\b|\bour notes\b", re.IGNORECASE
)


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

    What others say is no answer then. Asked for evidence of a strength, they are the sentences that state it.
    """
    stating = [
        sentence for sentence in sentences if sentence.hit.document.evidence in asked.strengths and _states_evidence(sentence)
    ]
    if stating:
        return stating
    documents = meant(sentences, asked, kind)
    if documents:
        return [sentence for sentence in sentences if sentence.hit.document.id in documents]
    of_country = [sentence for sentence in sentences if asked.countries & set(sentence.hit.document.countries)]
    return of_country or sentences


def fitted(
    sentences: Sequence[ScoredSentence],
    asked: Understood,
    part: Part,
    scorer: FieldScorer,
    *,
    fact_wanted: float,
    several_wanted: bool,
) -> list[ScoredSentence]:
    """Return the sentences scored by how they fit a part of a question, the best first.

    Asked for countries or practices, each document speaks with the sentence that is nearest to the question, not with what
    reads most like an answer.
    """
    if not sentences:
        return []
    if part.kind.by_nearest:
        scores = [_nearness(sentence, asked) for sentence in sentences]
    else:
        features = field_features(sentences, asked, part, fact_wanted=fact_wanted, several_wanted=several_wanted)
        vectors = np.stack([sentence.vector for sentence in sentences])
        lead = LEADS.get(part.kind.name, 0.0)
        known = features[:, [FIELD_FEATURES.index(name) for name in KNOWN]] @ np.array([lead, 1.0, NOT_STATED_UNASKED])
        if part.kind.name == "contact":
            known += BODY_TO_TURN_TO * features[:, FIELD_FEATURES.index("names_body")]
        if not asked.named and len({sentence.hit.document.id for sentence in sentences}) > 1:
            known += NOT_STATED_ELSEWHERE * features[:, FIELD_FEATURES.index("not_stated_asked")]
        scores = (scorer.scores(features, kind_row(part.kind), vectors, fact_wanted) + known).tolist()
    return ordered([replace(sentence, score=round(score, 6)) for sentence, score in zip(sentences, scores, strict=True)])


def kind_row(kind: AnswerKind) -> Vectors:
    """Return 1 for a kind and 0 for the others, in the order of their table."""
    return np.array([name == kind.name for name in KINDS], np.float32)


def ordered(sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    """Return the sentences, the best first."""
    return sorted(
        sentences, key=lambda sentence: (-sentence.score, sentence.hit.document.id, sentence.hit.passage.id, sentence.start)
    )


def field_features(
    sentences: Sequence[ScoredSentence], asked: Understood, part: Part, *, fact_wanted: float, several_wanted: bool
) -> Vectors:
    """Return what is known of each sentence beside a part of a question, (sentences, FIELD_FEATURES)."""
    far_before = meant(sentences, asked, part.kind) - set(asked.named)
    known = np.stack([sentence.features for sentence in sentences])
    rows = [_row(sentence, asked, part.kind, is_far_before=sentence.hit.document.id in far_before) for sentence in sentences]
    details = _details(sentences, part.detail)
    with_detail = float(part.detail is not part.vector)
    rest = np.tile(np.array([with_detail, fact_wanted, several_wanted], np.float32), (len(sentences), 1))
    return np.hstack([known, np.array(rows, np.float32), details, rest]).astype(np.float32)


def _row(sentence: ScoredSentence, asked: Understood, kind: AnswerKind, *, is_far_before: bool) -> tuple[float, ...]:
    """Return the measurements up to `opens_document`."""
    text, document = sentence.text, sentence.hit.document
    fits = bool(kind.looks) and kind.fits(text)
    in_section = kind.is_in_section(sentence.heading)
    silent = is_silent(text)
    silent_answer = silent and kind.is_silent(text)
    is_meant = document.id in asked.named or is_far_before
    introduces = text.endswith(":")
    in_figures = introduces or bool(NUMBER.search(text) and list_around(sentence.hit.passage.text, sentence.start))
    points = POINTING_WORDS.match(text) is not None
    of_country = bool(asked.countries & set(document.countries))
    evidence = kind.name == "evidence" and _states_evidence(sentence)
    return (
        fits,
        in_section,
        kind.by_body and _names_body(text, document),
        silent and not silent_answer,
        silent_answer,
        kind.is_certain and fits,
        kind.is_certain and not fits and not silent_answer,
        introduces,
        in_figures and not kind.is_certain and not kind.with_figures,
        CLASSED.search(text) is not None,
        points,
        points and with_pointed_at(sentence.hit.passage, sentence.start) == sentence.start,
        not names_of(f"X {text}", sentence.hit.passage.language),
        document.kind in DIGESTS and document.id not in asked.named,
        document.id in asked.named,
        is_far_before,
        of_country,
        bool(asked.countries) and not of_country,
        evidence,
        EVIDENCE_WEIGHTS.get(document.evidence or "", 0.0) if evidence else 0.0,
        fits and is_meant,
        in_section and is_meant,
        sentence.is_first,
    )


def _details(sentences: Sequence[ScoredSentence], detail: Vectors) -> Vectors:
    """Return for each sentence its cosine with a detail, how far that is below its document's best, and how it stands there."""
    if any(sentence.vector.shape != detail.shape for sentence in sentences):
        return np.zeros((len(sentences), 3), np.float32)
    cosines = np.array([float(sentence.vector @ detail) for sentence in sentences], np.float32)
    documents = np.array([sentence.hit.document.id for sentence in sentences])
    result = np.zeros((len(sentences), 3), np.float32)
    result[:, 0] = cosines
    for document in set(documents.tolist()):
        of_document = documents == document
        own = cosines[of_document]
        spread = float(own.std())
        result[of_document, 1] = own - own.max()
        result[of_document, 2] = (own - own.mean()) / (spread if spread > LEAST_COSINE_SPREAD else 1.0)
    return result


def _nearness(sentence: ScoredSentence, asked: Understood) -> float:
    text, document = sentence.text, sentence.hit.document
    score = NEARNESS * sentence.cosine + SHARED_WORDS * sentence.lexical - FAR_BEHIND * sentence.behind
    score += DESCRIBING * sentence.is_first - ISCLASSED * (CLASSED.search(text) is not None) - NOT_STATED * is_silent(text)
    return score - OF_DIGEST * (document.kind in DIGESTS and document.id not in asked.named)


def _names_body(text: str, document: Document) -> bool:
    """Tell whether a sentence names the organisation that runs a practice, or a part of its name."""
    names = re.split(r"[(),/;]|\band\b|\bwith\b", document.organisation or "")
    return any(len(name.strip()) >= LEAST_NAME_CHARACTERS and name.strip() in text for name in names)


def _states_evidence(sentence: ScoredSentence) -> bool:
    stated = sentence.hit.document.saying_evidence
    return stated is not None and _is_in(sentence.text, stated)


def _is_in(sentence: str, stated: str) -> bool:
    """Tell whether a sentence is one that the metadata quote, whose markup and breaks may differ."""
    words, quoted = (re.sub(r"\W+", " ", text).strip() for text in (sentence, stated))
    return words in quoted or quoted in words
