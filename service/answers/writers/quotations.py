"""Sentences of the found passages, chosen as the answer: verbatim, without repetition, of several documents where asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.answers.names import country_names, plain_text
from pes_search.service.answers.sentences import DIGESTS, ScoredSentence, quoted_span, with_pointed_at
from pes_search.service.answers.types import Citation, JudgedSearch, Sentence

# Of two sentences of like meaning the second is repetition, unless it states another number. Cosines of the packaged
# encoder; sentences of different meaning in one document lie between .80 and .93.
REPETITION_COSINE = 0.96
# Another sentence of a document that has spoken already must be better by this much (in its scorer's log-odds), in collections
# of the field and in others: .5 was best of 0 to 1 on the development questions, .2 of 0 to 1 on XQuAD's, half of them seen.
SPOKEN_DOCUMENT_PENALTY_LOG_ODDS, SPOKEN_ELSEWHERE_LOG_ODDS = 0.5, 0.2
# Asked for several, documents this near to the best one speak, once each; questions of documents widen the scores of our field.
NEAR_DOCUMENT_SCORE_GAP, NEAR_ELSEWHERE_SCORE_GAP = 0.08, 0.05
LISTED_DOCUMENT_SCORE_GAP = 0.17  # where the kind of the question says that many are wanted ("which countries …")
MOST_DOCUMENTS = 8  # that speak then
NAMED_COUNTRY_BONUS_LOG_ODDS = 2.0  # that a sentence gains there if it names its document's country
# Three sentences are quoted anyway, more only if they are not this far below the best one (log-odds).
FEWEST_SENTENCES, FAR_SENTENCE_GAP_LOG_ODDS = 3, 4.0


@dataclass(frozen=True, slots=True)
class ExtractiveWriter:
    """Answers with the found sentences themselves; needs no language model."""

    most: int  # sentences

    def sentences(self, judged_search: JudgedSearch) -> Iterator[Sentence]:
        """Yield the chosen sentences, each as a quotation."""
        parts = [
            chosen(
                sentences,
                several=judged_search.several,
                most=self.most,
                is_list=judged_search.is_list,
                every=bool(judged_search.asked.named or judged_search.asked.strengths),
                in_field=judged_search.in_field,
            )
            for sentences in judged_search.by_part
        ]
        quoted: list[ScoredSentence] = []
        for sentence in _in_turn(parts, MOST_DOCUMENTS if judged_search.is_list else self.most):
            yield sentence_of(sentence, quoted)
            quoted.append(sentence)


def quotations_writer(config: AnswerConfig, encoder: Encoder, index: OpenIndex) -> ExtractiveWriter:  # noqa: ARG001
    """Return the writer as the settings have it; it needs neither encoder nor index."""
    return ExtractiveWriter(config.sentences)


def chosen(
    sentences: Sequence[ScoredSentence],
    *,
    several: bool,
    most: int,
    is_list: bool = False,
    every: bool = False,
    in_field: bool = True,
) -> list[ScoredSentence]:
    """Return the sentences of the answer; `sentences` has the best first.

    Asked for several, each document that is near (or `every` one, where the question itself says which) speaks once before any
    speaks twice, and those of a document stand together.
    """
    near = NEAR_DOCUMENT_SCORE_GAP if in_field else NEAR_ELSEWHERE_SCORE_GAP
    gap = math.inf if every else LISTED_DOCUMENT_SCORE_GAP if is_list else near
    penalty = SPOKEN_DOCUMENT_PENALTY_LOG_ODDS if in_field else SPOKEN_ELSEWHERE_LOG_ODDS
    picked = _one_a_document(sentences, max(most, MOST_DOCUMENTS) if is_list else most, gap) if several else []
    picked = _filled(picked, sentences, min(FEWEST_SENTENCES, most) if several else most, penalty)
    if several:
        order = list(dict.fromkeys(sentence.hit.document.id for sentence in picked))
        picked.sort(key=lambda sentence: order.index(sentence.hit.document.id))
    return picked


def _in_turn(parts: Sequence[Sequence[ScoredSentence]], most: int) -> list[ScoredSentence]:
    """Return the sentences for each part of a question in turn, no two of which say the same."""
    picked: list[ScoredSentence] = []
    for sentence in (sentence for row in zip_longest(*parts) for sentence in row if sentence is not None):
        if len(picked) < most and not any(_repeats(sentence, other) for other in picked):
            picked.append(sentence)
    return picked


def _one_a_document(sentences: Sequence[ScoredSentence], most: int, gap: float) -> list[ScoredSentence]:
    """Return the best sentence of each of the documents that are near, in the documents' order."""
    best: dict[str, ScoredSentence] = {}
    for sentence in sorted(
        sentences, key=lambda sentence: -sentence.score - NAMED_COUNTRY_BONUS_LOG_ODDS * _names_country(sentence)
    ):
        if sentence.behind <= gap and not any(_repeats(sentence, other) for other in best.values()):
            best.setdefault(sentence.hit.document.id, sentence)
    near = sorted(
        best.values(), key=lambda sentence: (sentence.hit.document.kind in DIGESTS, sentence.behind, sentence.hit.document.id)
    )
    return near[:most]


def _names_country(sentence: ScoredSentence) -> bool:
    """Tell whether a sentence names a country of its document: alone in a list of several it says whose practice it is."""
    text, countries = plain_text(sentence.text), set(sentence.hit.document.countries)
    return any(
        code in countries and name in text for name, code in country_names(sentence.hit.passage.language or "en").items()
    )


def _filled(
    picked: Sequence[ScoredSentence], sentences: Sequence[ScoredSentence], most: int, penalty: float
) -> list[ScoredSentence]:
    """Return what is picked already with the best of the others; what disagrees with a figure comes right after it.

    A sentence's score sinks with each one that its document has already.
    """
    picked = list(picked)
    times = Counter(sentence.hit.document.id for sentence in picked)
    left = list(sentences)
    while left and len(picked) < most:
        best = max(left, key=lambda sentence: sentence.score - penalty * times[sentence.hit.document.id])
        left.remove(best)
        if len(picked) >= FEWEST_SENTENCES and best.score < sentences[0].score - FAR_SENTENCE_GAP_LOG_ODDS:
            break
        for sentence in (best, *_disagreeing(best, sentences)):
            if len(picked) < most and not any(_repeats(sentence, other) for other in picked):
                picked.append(sentence)
                times[sentence.hit.document.id] += 1
    return picked


def sentence_of(sentence: ScoredSentence, quoted: Sequence[ScoredSentence] = ()) -> Sentence:
    """Return a chosen sentence as its quotation; the one that it points at is not quoted again."""
    start, end = _span(sentence)
    if any(other.hit.passage.id == sentence.hit.passage.id and start < _span(other)[1] <= sentence.start for other in quoted):
        start, end = _own_span(sentence)
    citation = Citation(sentence.hit.passage, sentence.hit.document, start, end)
    return Sentence(citation.quote, (citation,))


def _repeats(sentence: ScoredSentence, other: ScoredSentence) -> bool:
    """Tell whether a sentence says again what is quoted for another one, or is within it."""
    if sentence.hit.passage.id == other.hit.passage.id:
        (start, end), (first, last) = _own_span(sentence), _span(other)
        if start < last and first < end:
            return True
    return sentence.text == other.text or (_alike(sentence, other) and sentence.numbers == other.numbers)


def _disagreeing(sentence: ScoredSentence, sentences: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    """Return the sentences that say the same with other figures."""
    return [other for other in sentences if sentence.numbers and other.numbers - sentence.numbers and _alike(sentence, other)]


def _alike(sentence: ScoredSentence, other: ScoredSentence) -> bool:
    return float(sentence.vector @ other.vector) >= REPETITION_COSINE


def _own_span(sentence: ScoredSentence) -> tuple[int, int]:
    return quoted_span(sentence.hit.passage.text, sentence.start, sentence.end)


def _span(sentence: ScoredSentence) -> tuple[int, int]:
    """Return what is quoted for a sentence: with the one before, if it points at that."""
    start, end = _own_span(sentence)
    return (with_pointed_at(sentence.hit.passage, start), end) if start == sentence.start else (start, end)
