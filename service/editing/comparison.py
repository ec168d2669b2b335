"""Practices side by side: for each field the sentence of each document that states it, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import QueryError
from pes_search.index.open_index import OpenIndex, unknown_document
from pes_search.index.text.words import without_brackets
from pes_search.index.types import DocumentText, PassageSentences
from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.passages import heading_above, is_imagined
from pes_search.ingest.types import Document, Passage
from pes_search.service.answers.fitting import CLASSED
from pes_search.service.answers.names import country_names, plain_text
from pes_search.service.answers.sentence_scorers import FieldScorer
from pes_search.service.answers.sentences import quoted_span
from pes_search.service.answers.types import Citation, Comparison, Row
from pes_search.service.editing.stated import EVIDENCE, evidence_quotation

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


MOST_COMPARED_DOCUMENTS = 10
MOST_QUOTED_SENTENCES = 2  # sentences in a cell
# A sentence states a field if it is nearer to the field's questions than to those of most others by this much (cosine), and
# the second one of a cell only if it comes this close to the first. Set by reading the cells of ten practices.
STATEMENT_COSINE_LEAD = 0.0
SECOND_SENTENCE_COSINE_GAP = 0.01
# Log-odds, by the field scorer's view, that one needs whose figure is to say what a practice has done: many have figures.
LEAST_STATEMENT_LOG_ODDS = -0.5


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared."""

    name: str
    label: str
    questions: tuple[str, ...]  # that a sentence answers which states the field
    needs: str = ""  # that such a sentence holds in any language; an expression. `Language.field_words` has each language's own


PRACTICE_LEVELS = {"national", "regional", "local"}  # of a practice; no name of a place
_YEAR = r"(?<!\d)(?:19|20)\d\d(?!\d)"
_FIGURE = rf"(?<!\d)(?!{_YEAR})\d"  # a number that is no year

FIELDS = (
    Field("target_group", "Target group", ("Which people is the practice for?", "target group, eligible participants")),
    Field("country", "Country", ("In which country or region does it take place?", "national, regional or local scheme of")),
    Field("organisation", "Organisation", ("Which public employment service or body runs it?", "run by, led by")),
    Field("partners", "Partners", ("Who are the partners?", "works together with partner organisations, cooperation")),
    Field("funding", "Funding", ("Who pays for it and how much does it cost?", "funded by, budget, money from")),
    Field("period", "Period", ("When did it start and end?", "runs since, from year to year, pilot period"), _YEAR),
    Field("outputs", "Outputs", ("How many people took part?", "number of participants, places, offices"), _FIGURE),
    Field("outcomes", "Outcomes", ("How many found work afterwards?", "share in employment after, results, effect"), _FIGURE),
    Field("lessons", "Lessons", ("What was learnt?", "what worked well, what was difficult, success factors, obstacles")),
    Field("transfer", "Transfer conditions", ("What would another country need to take it over?", "conditions for transfer")),
    Field(EVIDENCE, "Strength of evidence", ("How was it evaluated?", "evaluation, control group, randomised trial, survey")),
)


@cache
def _field_words(name: str, language: str | None) -> re.Pattern[str]:
    """Return the expression of which a sentence that states a field, or the heading above it, has one alternative.

    It holds the words of every language, since write-ups quote names and programmes in others. It matches anything in a
    language that has no words in its file.
    """
    languages = known_languages()
    if language is not None and not (language in languages and languages[language].field_words):
        return re.compile("")
    expressions = [known.field_words[name] for known in languages.values() if name in known.field_words]
    return re.compile(any_of(expressions) if expressions else "", re.IGNORECASE)


@cache
def _not_stated() -> re.Pattern[str]:
    """Return how write-ups say what they do not tell; that is no statement."""
    return re.compile(any_of(words for known in known_languages().values() for words in known.not_stated), re.IGNORECASE)


def states(text: str) -> bool:
    """Tell whether a sentence states something; what it lacks in brackets ("date not stated") does not matter."""
    return not _not_stated().search(without_brackets(text))


def compare(ids: Sequence[str], index: OpenIndex, encoder: Encoder, field_scorer: FieldScorer) -> Comparison:
    """Return the documents field by field.

    Raises:
        NotInIndexError: no document has one of the ids.
        QueryError: there are no ids, or too many.
    """
    ids = list(dict.fromkeys(ids))
    if not 1 <= len(ids) <= MOST_COMPARED_DOCUMENTS:
        raise QueryError(
            f"compare from 1 to {MOST_COMPARED_DOCUMENTS} documents, not {len(ids)}; give their ids, as `pes search` lists them"
        )
    texts = index.stored.texts(ids)
    if missing := set(ids) - {text.document.id for text in texts}:
        raise unknown_document(next(document_id for document_id in ids if document_id in missing))
    columns = stated_fields(texts, index, field_questions(encoder), field_scorer)
    rows = [Row(field.name, field.label, tuple(column[field.name] for column in columns)) for field in FIELDS]
    return Comparison(index.manifest.index_id, tuple(text.document for text in texts), tuple(rows))


def field_questions(encoder: Encoder) -> Vectors:
    """Return the vectors of the fields' questions, field after field: the same for every document."""
    return encoder.encode_queries([question for field in FIELDS for question in field.questions])


def stated_fields(
    texts: Sequence[DocumentText], index: OpenIndex, questions: Vectors, field_scorer: FieldScorer
) -> list[dict[str, tuple[Citation, ...]]]:
    """Return for each document by the fields' names the quotations that state them; `questions` are `field_questions`."""
    passage_ids = [passage.id for text in texts for passage in text.passages]
    sentences = dict(zip(passage_ids, index.stored.sentences(passage_ids), strict=True))
    names = [field.name for field in FIELDS]
    # What somebody has judged goes before what a search finds.
    return [
        dict(zip(names, _cells(text, sentences, questions, field_scorer), strict=True))
        | ({EVIDENCE: evidence_quotation(text)} if text.document.evidence else {})
        for text in texts
    ]


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int
    heading: str  # right above it

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


def _cells(
    text: DocumentText, sentences_of: Mapping[str, PassageSentences], questions: Vectors, field_scorer: FieldScorer
) -> list[tuple[Citation, ...]]:
    """Return a document's cell for each field; `sentences_of` has the sentences of each passage."""
    pages = {page.number: page for page in text.pages}
    sentences: list[_Sentence] = []
    parts: list[Vectors] = []
    for passage in text.passages:
        page = pages[passage.page]
        for start, end in sentences_of[passage.id].spans:
            sentences.append(_Sentence(passage, start, end, heading_above(page, passage.start + start)))
        parts.append(sentences_of[passage.id].vectors)
    if not sentences:
        return [() for _ in FIELDS]
    vectors = np.concatenate(parts)
    is_statement = field_scorer.statement(vectors) >= LEAST_STATEMENT_LOG_ODDS
    stating_figures = set(np.flatnonzero(is_statement).tolist())
    cosines = vectors @ questions.T
    starts = np.cumsum([0, *(len(field.questions) for field in FIELDS)])[:-1]
    by_field = np.maximum.reduceat(cosines, starts, axis=1)  # (sentences, fields)
    stands_out = by_field - np.median(by_field, axis=1, keepdims=True)
    able = [
        row
        for row, sentence in enumerate(sentences)
        if states(sentence.text) and not is_imagined(sentence.heading) and not CLASSED.search(sentence.text)
    ]
    scores = by_field + stands_out
    fitting = [
        _fitting(
            text.document,
            field,
            sentences,
            [row for row in able if field.needs != _FIGURE or row in stating_figures],
            stands_out[:, position],
        )
        for position, field in enumerate(FIELDS)
    ]
    chosen = _one_field_each(fitting, scores)
    return [_cell(text.document, sentences, rows) for rows in chosen]


def _fitting(
    document: Document, field: Field, sentences: Sequence[_Sentence], able: Sequence[int], stands_out: Vectors
) -> list[int]:
    """Return the rows of the sentences that state a field."""
    named = _named(document, field)
    words = _field_words(field.name, document.language)
    return [
        row
        for row in able
        if not sentences[row].text.endswith((":", "?"))
        and re.search(field.needs, sentences[row].text)
        and (words.search(sentences[row].text) or words.search(sentences[row].heading))
        and (
            any(name in plain_text(sentences[row].text) for name in named)
            if named
            else stands_out[row] >= STATEMENT_COSINE_LEAD
            or (words.search(sentences[row].text) and words.search(sentences[row].heading))
        )
    ]


def _one_field_each(fitting: Sequence[Sequence[int]], scores: Vectors) -> list[list[int]]:
    """Return for each field the rows of its cell: the best ones, and each sentence in one cell only."""
    chosen: list[list[int]] = [[] for _ in fitting]
    taken: set[int] = set()
    pairs = [(float(scores[row, position]), position, row) for position, rows in enumerate(fitting) for row in rows]
    for score, position, row in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        best = scores[chosen[position][0], position] if chosen[position] else score
        if row not in taken and len(chosen[position]) < MOST_QUOTED_SENTENCES and score >= best - SECOND_SENTENCE_COSINE_GAP:
            chosen[position].append(row)
            taken.add(row)
    return chosen


def _cell(document: Document, sentences: Sequence[_Sentence], rows: Sequence[int]) -> tuple[Citation, ...]:
    spans = {}  # of a list two items may be among the best
    for row in sorted(rows):
        passage = sentences[row].passage
        spans[passage.id, quoted_span(passage.text, sentences[row].start, sentences[row].end)] = passage
    return tuple(Citation(passage, document, start, end) for (_, (start, end)), passage in spans.items())


def _named(document: Document, field: Field) -> list[str]:
    """Return the names of which a sentence must hold one to state the field, where the document's metadata tell them."""
    if field.name == "country":
        names = country_names(document.language or "en")
        stated_names = [name for name, code in names.items() if code in document.countries]
        region = document.region
        return stated_names + ([plain_text(region)] if region and region not in PRACTICE_LEVELS else [])
    if field.name == "organisation" and document.organisation:
        name = plain_text(document.organisation)
        short = re.findall(r"\(([^()]+)\)", name)
        return [part for part in (without_brackets(name).strip(), *short) if len(part) > 1]
    return []
