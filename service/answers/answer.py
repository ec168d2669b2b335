"""A question becomes a cited answer, or a refusal: found, read, judged, written."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search
from pes_search.index.types import Hit, Query, SearchResult
from pes_search.service.answers.confidence import AnswerModels, is_in_field
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.answers.sentences import scored_sentences
from pes_search.service.answers.signals import signals
from pes_search.service.answers.types import Answer, Event, JudgedSearch, Reason, Sentence, Writer, WriterError
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.answers.writers import WRITERS

SEARCHED_DOCUMENTS = 10  # documents whose sentences are read
LEAST_WORD_IDF = 1.0  # of a word that says something; one in a third of the passages has about as much
READ_PASSAGES = 8  # of each; with three, 2 % fewer of the development questions' answers were among what was read
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """All that answering needs besides the question."""

    encoder: Encoder
    search: SearchConfig
    config: AnswerConfig
    models: AnswerModels
    _fields: dict[str, bool] = field(default_factory=dict)  # by index

    def in_field(self, index: OpenIndex) -> bool:
        """Tell whether an index is of the field that the models know; looked at once."""
        index_id = index.manifest.index_id
        if index_id not in self._fields:
            self._fields[index_id] = is_in_field(index, self.encoder, self.models)
        return self._fields[index_id]

    def writer(self, name: WriterName, index: OpenIndex) -> Writer:
        """Return the writer of a name.

        Raises:
            MissingPartError: what it needs is not installed.
        """
        return WRITERS.load(name)(self.config, self.encoder, index)


def search_and_judge(question: str, index: OpenIndex, answerer: Answerer, *, k: int, filters: Filters) -> JudgedSearch:
    """Search the collection for a question and judge what was found.

    Raises:
        QueryError: the question is empty or too long, or `k` is out of range.
    """
    config = replace(answerer.search, passages_per_document=READ_PASSAGES)
    result = search(question, index, answerer.encoder, config, k=max(k, SEARCHED_DOCUMENTS), filters=filters)
    return judge(result, index, answerer.models, in_field=answerer.in_field(index))


def judge(result: SearchResult, index: OpenIndex, models: AnswerModels, *, in_field: bool) -> JudgedSearch:
    """Return what was found with its sentences and the confidence that they answer."""
    query, hits = result.parsed_query, result.hits[:SEARCHED_DOCUMENTS]
    sentences = scored_sentences(
        query,
        hits,
        index,
        models.sentence_scorer,
        number_wanted=models.number.probability(query.vector),
        fact_wanted=models.fact.probability(query.vector),
    )
    if not sentences or not _asks(query, index):
        return JudgedSearch(result, [], [], 0.0, "nothing_relevant", several=False)
    kind = models.kind(query.vector, in_field=in_field)
    values = signals(query, hits, sentences, index, kind, in_field=in_field)
    return JudgedSearch(
        result=result,
        sentences=sentences,
        signals=values,
        confidence=round(models.probability(values), 4),
        reason=models.reason(values, kind),
        several=kind.several,
    )


def answer_events(
    question: str,
    index: OpenIndex,
    answerer: Answerer,
    *,
    k: int = 5,
    filters: Filters | None = None,
    writer: WriterName | None = None,
) -> Iterator[Event]:
    """Yield what answers a question as it comes: the search result, each sentence, and at last the whole answer.

    A writer that fails is replaced by the extractive one, which the answer's notice says; what had been written by then
    is kept, as it was checked. A language model of which no sentence holds is replaced as well.

    Raises:
        QueryError: the question is empty or too long, or `k` is out of range.
    """
    started = time.perf_counter()
    judged_search = search_and_judge(question, index, answerer, k=k, filters=filters or Filters())
    yield judged_search.result
    wanted = writer or answerer.config.writer
    answer = Answer(
        question=question,
        language=judged_search.result.language,
        reason=None,
        confidence=judged_search.confidence,
        sentences=(),
        nearest=nearest(judged_search.result, k, answerer.search.passages_per_document),
        writer=wanted,
        index_id=judged_search.result.index_id,
        took_ms=0.0,
    )
    if judged_search.confidence < answerer.config.threshold or not judged_search.sentences:
        yield _finished(replace(answer, reason=judged_search.reason), started)
        return
    sentences: list[Sentence] = []
    rejected, notice = 0, None
    try:
        for written in answerer.writer(wanted, index).sentences(judged_search):
            if written.citations:
                sentences.append(written)
                yield written
            else:
                rejected += 1
    except WriterError as error:
        logger.warning("the writer %s failed: %s", wanted, error)
        notice = f"the language model failed: {error}"
    if sentences and notice:
        notice += "; its answer breaks off, what it says is checked"
    if not sentences and wanted != "extractive":
        why = notice or "nothing that the language model wrote is supported"
        notice = f"{why}; the sentences are quoted from the documents"
        wanted = "extractive"
        for written in answerer.writer(wanted, index).sentences(judged_search):
            sentences.append(written)
            yield written
    reason: Reason | None = None if sentences else "not_answered"
    yield _finished(
        replace(answer, reason=reason, sentences=tuple(sentences), rejected=rejected, notice=notice, writer=wanted), started
    )


def answer(
    question: str,
    index: OpenIndex,
    answerer: Answerer,
    *,
    k: int = 5,
    filters: Filters | None = None,
    writer: WriterName | None = None,
) -> Answer:
    """Return the answer to a question; see `answer_events`."""
    *_, last = answer_events(question, index, answerer, k=k, filters=filters, writer=writer)
    if not isinstance(last, Answer):
        raise TypeError(f"the last event of an answer is {type(last).__name__}")
    return last


def _asks(query: Query, index: OpenIndex) -> bool:
    """Tell whether a question has a word that is not in nearly every passage: "?" and "what of the" ask nothing."""
    words = {word for of_language in query.terms.values() for word in of_language}
    return any(idf >= LEAST_WORD_IDF for idf in index.stored.idf(words).values())


def nearest(result: SearchResult, k: int, passages: int) -> tuple[Hit, ...]:
    """Return the first k documents with no more than so many passages each."""
    return tuple(replace(hit, passages=hit.passages[: passages - 1]) for hit in result.hits[:k])


def _finished(answer: Answer, started: float) -> Answer:
    return replace(answer, took_ms=round((time.perf_counter() - started) * 1000, 1))
