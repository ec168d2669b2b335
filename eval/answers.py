"""How good are the answers? Gold quoted, words read, citations, and refusal.

Of a question that has an answer: is it in what was quoted, and if not, whose fault is it? The retriever's, if none of the
passages that were read holds it; the threshold's, if it was refused; else the sentence scorer's (`reader` in the results),
which had it and quoted others.

Support of citations as TREC RAG 2024 has it: a sentence's citation supports it fully (1), in part (.5) or not (0); weighted
precision divides the sum by the citations, weighted recall by the sentences. A quotation supports itself. Of a language
model's sentence the service's own check is the judge, so there the figures are an upper bound.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from pes_search.eval.collections.gold_answers import Gold
from pes_search.eval.collections.questions import Question
from pes_search.eval.measures import Estimate, estimate
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import by_document, hits_of, ranked, read_query
from pes_search.index.types import SearchResult
from pes_search.ingest.languages.identify import detect_language
from pes_search.service.answers.answer import Answerer, answer_events, judge
from pes_search.service.answers.sentences import passage_hits
from pes_search.service.answers.types import Answer, Citation, JudgedSearch
from pes_search.service.answers.writer_name import WriterName

FIRST_SENTENCES = 3  # that the bars look at
FULL_SUPPORT, PART_SUPPORT = 0.9, 0.5  # from which a citation counts 1, and .5
ALL_PASSAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question."""

    question: Question
    is_impossible: bool
    has_gold: bool
    refused: bool
    fell_back: bool  # another writer answered than the one asked for
    confidence: float
    gold_first: bool  # within the first three sentences, of what would be quoted if it were not refused
    gold_all: bool
    gold_own_document: bool  # within the first three, quoted from the document that the answer stands in
    retrieved: bool  # a passage that was read holds the gold
    words: int  # quoted
    sentences: int
    rejected: int
    citation_precision: float
    citation_recall: float
    search_ms: float
    answer_ms: float


def outcomes(
    questions: Sequence[tuple[Question, Gold]],
    index: OpenIndex,
    answerer: Answerer,
    *,
    writer: WriterName | None = None,
    ids: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Ask every question of the whole collection; `ids` gives the index's documents the names that the gold has.

    What would be refused is answered too, so that risk is known at every threshold.
    """
    threshold = answerer.config.threshold
    wanted = writer or answerer.config.writer
    answerer = replace(answerer, config=answerer.config.model_copy(update={"threshold": 0.0}))
    for question, gold in questions:
        started = time.perf_counter()
        *events, last = answer_events(question.text, index, answerer, writer=writer)
        answer_ms = (time.perf_counter() - started) * 1000
        result = events[0]
        if not isinstance(last, Answer) or not isinstance(result, SearchResult):
            raise TypeError("an answer's first event is its search, the last the answer")
        refused = last.refused or last.confidence < threshold
        yield replace(
            _outcome(question, gold, result, last, answer_ms, ids or {}), refused=refused, fell_back=last.writer != wanted
        )


def given_paragraph(
    questions: Sequence[tuple[Question, Gold]], index: OpenIndex, answerer: Answerer, ids: Mapping[str, str]
) -> Iterator[tuple[bool, float]]:
    """Judge every question by its own paragraph alone: whether it has no answer there, and the confidence that it has."""
    for is_impossible, judged in paragraph_judgments(questions, index, answerer, ids):
        yield is_impossible, judged.confidence


def paragraph_judgments(
    questions: Sequence[tuple[Question, Gold]], index: OpenIndex, answerer: Answerer, ids: Mapping[str, str]
) -> Iterator[tuple[bool, JudgedSearch]]:
    """Judge every question by its own paragraph alone: whether it has no answer there, and what was made of it."""
    index_ids = {original: document for document, original in ids.items()}
    wordings = [index.expander.wording(question.text) for question, _ in questions]
    vectors = answerer.encoder.encode_queries([wording.written_out for wording in wordings])
    for (question, gold), wording, vector in zip(questions, wordings, vectors, strict=True):
        document = index_ids.get(gold.document, gold.document)
        query = read_query(wording.written_out, detect_language(wording.plain), vector, index, answerer.search)
        everything = ranked(query, index, answerer.search, Filters(), ALL_PASSAGES)
        found = [candidate for candidate in everything if candidate.document_id == document]
        if not found:
            continue
        hits = hits_of(by_document(found, answerer.search.fusion), index)
        result = SearchResult(
            query=question.text,
            parsed_query=query,
            language=query.language,
            index_id="",
            hits=hits,
            concepts=(),
            expansions=(),
            named_filters=(),
            total=1,
            matching=1,
            further=0,
            absent_phrases=(),
            facets={},
            took_ms=0.0,
        )
        asked = answerer.understood(question.text, index)
        yield gold.is_impossible, judge(result, hits, asked, index, answerer)


def _outcome(
    question: Question, gold: Gold, result: SearchResult, answer: Answer, answer_ms: float, ids: Mapping[str, str]
) -> Outcome:
    wanted = [(words(text), document) for text, document in gold.texts if words(text)]
    first = [citation for sentence in answer.sentences[:FIRST_SENTENCES] for citation in sentence.citations]
    every = [citation for sentence in answer.sentences for citation in sentence.citations]
    read = [(words(hit.passage.text), hit.document.id) for hit in passage_hits(result.hits)]
    support = [[_support(citation) for citation in sentence.citations] for sentence in answer.sentences]
    return Outcome(
        question=question,
        is_impossible=gold.is_impossible,
        has_gold=bool(wanted),
        refused=answer.refused,
        fell_back=False,
        confidence=answer.confidence,
        gold_first=_holds(_quoted(first), wanted),
        gold_all=_holds(_quoted(every), wanted),
        gold_own_document=_holds(_quoted(first), wanted, ids),
        retrieved=_holds(read, wanted),
        words=sum(len(citation.quote.split()) for citation in every),
        sentences=len(answer.sentences),
        rejected=answer.rejected,
        citation_precision=float(np.mean([value for values in support for value in values])) if every else 0.0,
        citation_recall=float(np.mean([max(values, default=0.0) for values in support])) if support else 0.0,
        search_ms=result.took_ms,
        answer_ms=answer_ms,
    )


def words(text: str) -> str:
    """Return a text's words between single spaces: markup, line breaks and case, which reading changes, do not count."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))


def holds(text: str, part: str) -> bool:
    """Tell whether a text holds a part at the borders of words; both as `words` gives them."""
    return f" {part} " in f" {text} "


def _quoted(citations: Sequence[Citation]) -> list[tuple[str, str]]:
    """Return what was quoted with its document; sentences that follow each other in a passage are one stretch."""
    stretches: list[tuple[str, str]] = []
    end, before = -1, ""
    for citation in sorted(citations, key=lambda citation: (citation.passage.id, citation.start)):
        text = citation.passage.text
        quote = words(citation.quote)
        if citation.passage.id == before and not text[end : citation.start].strip():
            stretches[-1] = (f"{stretches[-1][0]} {quote}", citation.document.id)
        else:
            stretches.append((quote, citation.document.id))
        end, before = citation.end, citation.passage.id
    return stretches


def _holds(
    stretches: Sequence[tuple[str, str]], wanted: Sequence[tuple[str, str]], ids: Mapping[str, str] | None = None
) -> bool:
    """Tell whether one of the wanted texts is in one of the stretches; with `ids`, in one of its own document."""
    return any(
        holds(stretch, text) and (ids is None or not gold_document or ids.get(document, document) == gold_document)
        for stretch, document in stretches
        for text, gold_document in wanted
    )


def _support(citation: Citation) -> float:
    return 1.0 if citation.support >= FULL_SUPPORT else 0.5 if citation.support >= PART_SUPPORT else 0.0


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Refusal:
    """How well a threshold tells the questions that have no answer; a refused one is a positive."""

    impossible: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auroc: Estimate | None  # None where one of the two kinds is missing


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over questions, with intervals."""

    questions: int
    with_gold: int
    answered: Estimate  # share of the answerable ones that are not refused
    gold_first: Estimate  # of those with gold: quoted in the first three sentences
    gold_all: Estimate
    gold_own_document: Estimate
    faults: Mapping[str, int]  # gold not quoted at all, by whose fault it is
    words: Estimate  # quoted per answer
    sentences: Estimate
    citation_precision: Estimate
    citation_recall: Estimate
    fallen_back: int  # answers by another writer than the one asked for; they are not in the figures of citations
    rejected: int
    refusal: Refusal | None  # None where every question has an answer
    answer_by_search: float  # median of the time for the answer by that for the search in it


def figures(results: Sequence[Outcome]) -> Figures:
    """Return the figures of some outcomes."""
    possible = [outcome for outcome in results if not outcome.is_impossible]
    gold = [outcome for outcome in possible if outcome.has_gold]
    answered = [outcome for outcome in results if not outcome.refused]
    written = [outcome for outcome in answered if not outcome.fell_back]
    lost = [outcome for outcome in gold if outcome.refused or not outcome.gold_all]
    faults = {
        "retriever": sum(not outcome.retrieved for outcome in lost),
        "refused": sum(outcome.retrieved and outcome.refused for outcome in lost),
        "reader": sum(outcome.retrieved and not outcome.refused for outcome in lost),
    }
    ratios = [outcome.answer_ms / outcome.search_ms for outcome in results if outcome.search_ms]
    return Figures(
        questions=len(results),
        with_gold=len(gold),
        answered=estimate([not outcome.refused for outcome in possible]),
        gold_first=estimate([outcome.gold_first and not outcome.refused for outcome in gold]),
        gold_all=estimate([outcome.gold_all and not outcome.refused for outcome in gold]),
        gold_own_document=estimate([outcome.gold_own_document and not outcome.refused for outcome in gold]),
        faults=faults,
        words=estimate([outcome.words for outcome in answered]),
        sentences=estimate([outcome.sentences for outcome in answered]),
        citation_precision=estimate([outcome.citation_precision for outcome in written]),
        citation_recall=estimate([outcome.citation_recall for outcome in written]),
        fallen_back=len(answered) - len(written),
        rejected=sum(outcome.rejected for outcome in results),
        refusal=refusal(
            [outcome.is_impossible for outcome in results],
            [outcome.refused for outcome in results],
            [outcome.confidence for outcome in results],
        ),
        answer_by_search=round(median(ratios), 2) if results else 0.0,
    )


def refusal(impossible: Sequence[bool], refused: Sequence[bool], confidence: Sequence[float]) -> Refusal | None:
    """Return the figures of refusal; None where no question lacks an answer."""
    if not any(impossible):
        return None
    truth, positive, scores = np.array(impossible), np.array(refused), -np.array(confidence)
    area = None
    if not truth.all():
        area = _resampled(lambda rows: auroc(truth[rows], scores[rows]), truth)
    return Refusal(
        int(truth.sum()),
        _resampled(lambda rows: _ratio((truth & positive)[rows].sum(), positive[rows].sum()), truth),
        _resampled(lambda rows: _ratio((truth & positive)[rows].sum(), truth[rows].sum()), truth),
        _resampled(lambda rows: _ratio(2 * (truth & positive)[rows].sum(), truth[rows].sum() + positive[rows].sum()), truth),
        area,
    )


def auroc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Return the chance that a positive scores higher than a negative; ties count half."""
    from scipy.stats import rankdata

    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return 0.5
    ranks = rankdata(scores)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def risk_coverage(results: Sequence[Outcome]) -> list[tuple[float, float, float]]:
    """Return coverage, risk and threshold, the most confident answers first.

    Coverage is the share of all questions that is answered, risk the share of these answers that is wrong: the question has
    no answer, or its gold is not quoted. A question whose gold is not known counts by whether it has an answer.
    """
    order = sorted(results, key=lambda outcome: -outcome.confidence)
    points, wrong = [], 0
    for count, outcome in enumerate(order, start=1):
        wrong += outcome.is_impossible or (outcome.has_gold and not outcome.gold_all)
        points.append((count / len(order), wrong / count, outcome.confidence))
    return points


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


RESAMPLES = 1_000
SEED = 20_231_127


def _resampled(measure: Callable[[np.ndarray], float], truth: np.ndarray) -> Estimate:
    """Return a measure of all questions with its 95 % interval (percentile bootstrap over the questions)."""
    rng = np.random.default_rng(SEED)
    count = len(truth)
    values = [measure(rng.integers(count, size=count)) for _ in range(RESAMPLES)]
    low, high = np.percentile(values, [2.5, 97.5])
    return Estimate(measure(np.arange(count)), float(low), float(high))
