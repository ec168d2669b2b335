"""A question becomes a cited answer, or a refusal: found, read, judged, written."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search
from pes_search.index.stages import check_deadline, count, each_in_stage, stage
from pes_search.index.types import Hit, Query, SearchResult
from pes_search.ingest.types import Document
from pes_search.service.answers.choices import choices_for
from pes_search.service.answers.confidence import AnswerModels, Kind, is_in_field
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.answers.fitting import bound, fitted, ordered
from pes_search.service.answers.practice_names import PracticeNames, practice_names
from pes_search.service.answers.questions import Understood, named_strengths, understood
from pes_search.service.answers.sentences import ScoredSentence, read_by, scored_sentences
from pes_search.service.answers.signals import signals
from pes_search.service.answers.suggestions import suggested_questions
from pes_search.service.answers.tables import table_rows
from pes_search.service.answers.types import (
    Answer,
    AnsweredPart,
    Event,
    JudgedSearch,
    Reason,
    Sentence,
    Writer,
    WriterError,
)
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.answers.writers import WRITERS

if TYPE_CHECKING:
    from pes_search.service.answers.reader import Reader

KEPT_NAMES = 8  # of so many indexes: one as it is seen by who may not read all of it has an id of its own
SEARCHED_DOCUMENTS = 10  # documents whose sentences are read
READ_PASSAGES = 8  # of each; with three, 2 % fewer of the development questions' answers were among what was read
LIKELY_SENTENCES = 8  # of several documents, among which an answer must be that looks like one
LEAST_WORD_IDF = 1.0  # of a word that says something; one in a third of the passages has about as much
EVALUATED = ("randomised-trial", "control-group", "before-and-after", "participants-views")  # strengths of evidence, and …
EVALUATED_DOCUMENTS = 4  # … how many documents of them are read where evidence is asked for
# Powers of the threshold, so that 0 and 1 stay: what is safe, and bare words, which want what there is (.15 for .5).
SAFE_POWER, KEYWORDS_POWER = 20, 2.7
SUGGESTING: tuple[Reason, ...] = ("not_stated", "not_answered", "before_start")  # reasons with something near that is answered
FOR_WANT_OF_WORDS: tuple[Reason, ...] = ("nothing_relevant", "not_answered")  # reasons that a misspelled word may be behind
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """All that answering needs besides the question."""

    encoder: Encoder
    search: SearchConfig
    config: AnswerConfig
    models: AnswerModels
    reader: Reader | None = None  # [answer] reader; without it sentences are chosen by their vectors and words
    respelled: Callable[[OpenIndex, str], str | None] | None = None  # gives a question with its misspelled words put right
    _fields: dict[str, bool] = field(default_factory=dict)  # by index
    _names: dict[str, PracticeNames] = field(default_factory=dict)  # by index

    def in_field(self, index: OpenIndex) -> bool:
        """Tell whether an index is of the field that the models know; looked at once."""
        index_id = index.manifest.index_id
        if index_id not in self._fields:
            self._fields[index_id] = is_in_field(index, self.encoder, self.models)
        return self._fields[index_id]

    def names(self, index: OpenIndex) -> PracticeNames:
        """Return the names of an index's documents; read once."""
        index_id = index.manifest.index_id
        if index_id not in self._names:
            names = practice_names(index)
            for old in list(self._names)[: -KEPT_NAMES + 1]:  # of generations before
                self._names.pop(old, None)
            self._names[index_id] = names
            return names
        return self._names[index_id]

    def understood(self, question: str, index: OpenIndex, previous: str | None = None) -> Understood:
        """Return what a question asks; `previous` is the one before it."""
        asked = understood(question, previous, self.names(index), self.models.questions, self.encoder.encode_queries)
        if asked.named:  # it is asked of one, not which have such evidence
            return asked
        return replace(asked, strengths=named_strengths(asked.text, asked.language, index.taxonomy))

    def writer(self, name: WriterName, index: OpenIndex) -> Writer:
        """Return the writer of a name.

        Raises:
            MissingPartError: what it needs is not installed.
        """
        return WRITERS.load(name)(self.config, self.encoder, index)


def search_and_judge(asked: Understood, index: OpenIndex, answerer: Answerer, *, k: int, filters: Filters) -> JudgedSearch:
    """Search the collection for a question and judge what was found.

    Raises:
        QueryError: the question is empty or too long, or `k` is out of range.
    """
    config = replace(answerer.search, passages_per_document=READ_PASSAGES)
    most = max(k, SEARCHED_DOCUMENTS)
    result = search(asked.searched, index, answerer.encoder, config, k=most, filters=filters, is_question=True)
    hits = result.hits[:SEARCHED_DOCUMENTS]
    if asks_for_evaluated(asked, filters):
        strengths = sorted(asked.strengths) or EVALUATED
        evaluated = Filters({**filters.chosen, "evidence": strengths}, year_from=filters.year_from, year_to=filters.year_to)
        most = SEARCHED_DOCUMENTS if asked.strengths else EVALUATED_DOCUMENTS
        more = search(asked.searched, index, answerer.encoder, config, k=most, filters=evaluated, is_question=True).hits
        ids = {hit.document.id for hit in hits}
        hits = more if asked.strengths and more else (*hits, *(hit for hit in more if hit.document.id not in ids))
    return judge(result, hits, asked, index, answerer)


def asks_for_evaluated(asked: Understood, filters: Filters) -> bool:
    """Tell whether practices are asked for that were evaluated."""
    asks = asked.kind.name == "evidence" or bool(asked.strengths)
    return asks and not asked.named and "evidence" not in filters.chosen


def judge(result: SearchResult, hits: Sequence[Hit], asked: Understood, index: OpenIndex, answerer: Answerer) -> JudgedSearch:
    """Return what was found with the sentences of `hits` and the confidence that they answer."""
    models, in_field = answerer.models, answerer.in_field(index)
    query = result.parsed_query
    with stage("read"):
        found = scored_sentences(
            query,
            hits,
            index,
            models.sentence_scorer,
            number_wanted=models.number.probability(query.vector),
        )
    if not found or not _asks(query, index):
        return JudgedSearch(
            result, [], [], 0.0, "nothing_relevant", several=False, is_list=False, in_field=in_field, asked=asked, by_part=[]
        )
    kind = models.kind(query.vector, in_field=in_field)
    by_part: list[list[ScoredSentence]] = []
    for part in asked.parts:
        check_deadline()
        sentences = bound(found, asked, part.kind) if in_field else found
        if in_field:  # which is what the kinds and the field scorer know
            sentences = fitted(
                sentences,
                asked,
                part,
                models.field_scorer,
                fact_wanted=models.fact.probability(part.vector),
                several_wanted=kind.several,
            )
        if answerer.reader is not None:
            sentences = ordered(read_by(answerer.reader, part.text, sentences))
        by_part.append(list(sentences))
    values = signals(query, hits, found, asked, index, kind, in_field=in_field)
    return JudgedSearch(
        result=result,
        sentences=by_part[0],
        signals=values,
        confidence=round(models.probability(values), 4),
        reason=models.reason(values, kind, is_named=any(sentence.hit.document.id in asked.named for sentence in found)),
        several=_asks_for_several(asked, kind) if in_field else kind.several,
        is_list=in_field and (asked.kind.several or bool(asked.strengths)),
        in_field=in_field,
        asked=asked,
        by_part=by_part,
    )


def answer_events(
    question: str,
    index: OpenIndex,
    answerer: Answerer,
    *,
    k: int = 5,
    filters: Filters | None = None,
    writer: WriterName | None = None,
    previous: str | None = None,
) -> Iterator[Event]:
    """Yield what answers a question as it comes: the search result, each sentence, and at last the whole answer.

    `previous` is the question before, which this one may go on from ("and in Poland?"). A writer that fails is replaced by the
    extractive one, which the answer's notice says; what had been written by then is kept, as it was checked. A language model
    of which no sentence holds is replaced as well.

    Raises:
        QueryError: the question is empty or too long, or `k` is out of range.
    """
    started = time.perf_counter()
    filters = filters or Filters()
    with stage("understand"):
        asked = answerer.understood(question, index, previous)
    judged_search = search_and_judge(asked, index, answerer, k=k, filters=filters)
    refusal = _refusal(judged_search, answerer.config.threshold)
    if refusal and refusal[0] in FOR_WANT_OF_WORDS and (other := _respelled(question, index, answerer, previous)):
        again = search_and_judge(other, index, answerer, k=k, filters=filters)
        if not _refusal(again, answerer.config.threshold):
            asked, judged_search, refusal = other, again, None
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
        understood_as=asked.shown,
    )
    in_field = answerer.in_field(index)
    if in_field and (rows := table_rows(asked, index, filters)):
        sentences = [Sentence(row.citation.quote, (row.citation,)) for row in rows]
        yield from sentences
        yield _finished(replace(answer, status="table", table=tuple(rows), sentences=tuple(sentences)), started)
        return
    asks_which = (asked.is_vague or asked.is_open) and in_field
    if asks_which and judged_search.reason != "personal_or_instruction":
        choices = tuple(choices_for(asked, judged_search, index, filters))
        if choices:
            yield _finished(replace(answer, status="clarify", choices=choices), started)
            return
    if refusal:
        reason, about = refusal
        suggested: tuple[str, ...] = ()
        if in_field and reason in SUGGESTING:
            suggested = suggested_questions(asked, [about] if about else [hit.document for hit in answer.nearest], index)
        yield _finished(replace(answer, status="none", reason=reason, about=about, suggested=suggested), started)
        return
    sentences, rejected, notice = [], 0, None
    if wanted == "llm":
        count("language model", "called")
    try:
        for written in each_in_stage("write", answerer.writer(wanted, index).sentences(judged_search)):
            if written.citations:
                sentences.append(written)
                yield written
            else:
                rejected += 1
    except WriterError as error:
        logger.warning("the writer %s failed: %s", wanted, error)
        count("language model", "failed")
        notice = f"the language model failed: {error}"
    if sentences and notice:
        notice += "; its answer breaks off, what it says is checked"
    if not sentences and wanted != "extractive":
        why = notice or "nothing that the language model wrote is supported"
        notice = f"{why}; the sentences are quoted from the documents"
        wanted = "extractive"
        for written in each_in_stage("write", answerer.writer(wanted, index).sentences(judged_search)):
            sentences.append(written)
            yield written
    parts = answered_parts(judged_search, sentences)
    answer = replace(answer, sentences=tuple(sentences), rejected=rejected, notice=notice, writer=wanted, parts=parts)
    if not sentences:
        answer = replace(answer, status="none", reason="not_answered")
    elif answer.missing:
        answer = replace(answer, status="partial")
    yield _finished(answer, started)


def _respelled(question: str, index: OpenIndex, answerer: Answerer, previous: str | None) -> Understood | None:
    """Return the question as it is understood with its misspelled words put right; None where there is nothing to put right."""
    other = answerer.respelled(index, question) if answerer.respelled else None
    if other is None:
        return None
    asked = answerer.understood(other, index, previous)
    return replace(asked, shown=asked.shown or other)


def _refusal(judged_search: JudgedSearch, threshold: float) -> tuple[Reason, Document | None] | None:
    """Return why a question is refused and the practice that the reason speaks of, or None where it is answered."""
    asked = judged_search.asked
    documents = {sentence.hit.document.id: sentence.hit.document for sentence in judged_search.sentences}
    named = [documents[name] for name in asked.named if name in documents]
    for document in named:
        if document.year and any(year < document.year for year in asked.years):
            return "before_start", document
    if any(sentence.hit.document.evidence in asked.strengths for sentence in judged_search.sentences):
        return None
    if named and asked.kind.always:
        threshold **= SAFE_POWER
    elif asked.kind.name == "keywords":
        threshold **= KEYWORDS_POWER
    if not judged_search.sentences or judged_search.confidence < threshold:
        return judged_search.reason, named[0] if named else None
    is_plain = (
        judged_search.in_field
        and len(asked.parts) == 1
        and asked.parts[0].is_told
        and asked.kind.is_certain
        and not asked.kind.by_body
    )
    if is_plain and not _may_answer(judged_search):
        return ("not_stated", named[0]) if named else ("not_answered", None)
    return None


def _may_answer(judged_search: JudgedSearch) -> bool:
    """Tell whether a sentence looks like the answer: of the document that is meant, else one of the best of all.

    That a fact is not stated is an answer from the one that is meant only.
    """
    kind, sentences = judged_search.asked.kind, judged_search.sentences
    is_bound = len({sentence.hit.document.id for sentence in sentences}) == 1
    if is_bound or judged_search.asked.named:
        return any(kind.answers(sentence.text, sentence.hit.passage.language) for sentence in sentences)
    best = sentences[:LIKELY_SENTENCES]
    return any(sentence.hit.passage.language != "en" or kind.fits(sentence.text) for sentence in best)


def answer(
    question: str,
    index: OpenIndex,
    answerer: Answerer,
    *,
    k: int = 5,
    filters: Filters | None = None,
    writer: WriterName | None = None,
    previous: str | None = None,
) -> Answer:
    """Return the answer to a question; see `answer_events`."""
    *_, last = answer_events(question, index, answerer, k=k, filters=filters, writer=writer, previous=previous)
    if not isinstance(last, Answer):
        raise TypeError(f"the last event of an answer is {type(last).__name__}")
    return last


def _asks_for_several(asked: Understood, kind: Kind) -> bool:
    """Tell whether many documents are asked for: by the question's kind, or by its vector."""
    return asked.kind.several or bool(asked.strengths) or (kind.several and not asked.named and not asked.kind.best_first)


def answered_parts(judged_search: JudgedSearch, sentences: Sequence[Sentence]) -> tuple[AnsweredPart, ...]:
    """Return the parts of the question, each with whether something quoted looks like its answer."""
    quotes = [(citation.quote, citation.passage.language) for sentence in sentences for citation in sentence.citations]
    return tuple(
        AnsweredPart(part.text, part.kind.name, any(part.kind.answers(*quote) for quote in quotes))
        for part in judged_search.asked.parts
    )


def _asks(query: Query, index: OpenIndex) -> bool:
    """Tell whether a question has a word that is not in nearly every passage: "?" and "what of the" ask nothing."""
    words = {word for of_language in query.terms.values() for word in of_language}
    return any(idf >= LEAST_WORD_IDF for idf in index.stored.idf(words).values())


def nearest(result: SearchResult, k: int, passages: int) -> tuple[Hit, ...]:
    """Return the first k documents with no more than so many passages each."""
    return tuple(replace(hit, passages=hit.passages[: passages - 1]) for hit in result.hits[:k])


def _finished(answer: Answer, started: float) -> Answer:
    count("answers", answer.status, answer.reason or "", answer.writer)
    return replace(answer, took_ms=round((time.perf_counter() - started) * 1000, 1))
