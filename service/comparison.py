"""Practices side by side: for each field the sentence of each document that states it, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.encoder import Encoder
from pes_search.index.search import QueryError
from pes_search.index.store import OpenIndex
from pes_search.ingest.types import Document, Passage
from pes_search.service.evidence import lead_in
from pes_search.service.names import country_names, plain_text
from pes_search.service.types import Citation, Comparison, Row

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

MOST_DOCUMENTS = 10
MOST_QUOTED = 2  # sentences in a cell
# A sentence states a field if it is nearer to the field's questions than to those of most others by this much (cosine), and
# the second one of a cell only if it comes this close to the first. Set by reading the cells of twenty practices.
STANDS_OUT = 0.02
SECOND = 0.01
# Write-ups say what they do not tell; that is no statement.
NOT_STATED = re.compile(
    r"\b(?:not|nor|neither|never|without)\b[^.]{0,40}\bstated\b|\bnicht (?:angegeben|genannt)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared."""

    name: str
    label: str
    questions: tuple[str, ...]  # that a sentence answers which states the field
    pattern: re.Pattern[str] | None = None  # that such a sentence holds


_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DIGIT = re.compile(r"\d")

FIELDS = (
    Field("target_group", "Target group", ("Which people is the practice for?", "target group, eligible participants")),
    Field("country", "Country", ("In which country or region does it take place?", "national, regional or local scheme of")),
    Field("organisation", "Organisation", ("Which public employment service or body runs it?", "run by, led by")),
    Field("partners", "Partners", ("Who are the partners?", "works together with partner organisations, cooperation")),
    Field("funding", "Funding", ("Who pays for it and how much does it cost?", "funded by, budget, money from")),
    Field("period", "Period", ("When did it start and end?", "runs since, from year to year, pilot period"), _YEAR),
    Field("outputs", "Outputs", ("How many people took part?", "number of participants, places, offices"), _DIGIT),
    Field("outcomes", "Outcomes", ("How many found work afterwards?", "share in employment after, results, effect"), _DIGIT),
    Field("lessons", "Lessons", ("What was learnt?", "what worked well, what was difficult, success factors, obstacles")),
    Field("transfer", "Transfer conditions", ("What would another country need to take it over?", "conditions for transfer")),
    Field("evidence", "Strength of evidence", ("How was it evaluated?", "evaluation, control group, randomised trial, survey")),
)  # fmt: skip


def compare(ids: Sequence[str], index: OpenIndex, encoder: Encoder) -> Comparison:
    """Return the documents field by field.

    Raises:
        NotInIndexError: no document has one of the ids.
        QueryError: there are no ids, or too many.
    """
    ids = list(dict.fromkeys(ids))
    if not 1 <= len(ids) <= MOST_DOCUMENTS:
        raise QueryError(
            f"compare from 1 to {MOST_DOCUMENTS} documents, not {len(ids)}; give their ids, as `pes search` lists them"
        )
    documents = [index.document(own) for own in ids]
    questions = encoder.encode_queries([question for field in FIELDS for question in field.questions])
    columns = [_cells(document, index, questions) for document in documents]
    rows = [
        Row(field.name, field.label, tuple(column[position] for column in columns)) for position, field in enumerate(FIELDS)
    ]
    return Comparison(index.manifest.index_id, tuple(documents), tuple(rows))


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


def _cells(document: Document, index: OpenIndex, questions: Vectors) -> list[tuple[Citation, ...]]:
    """Return a document's cell for each field."""
    sentences: list[_Sentence] = []
    parts: list[Vectors] = []
    for passage in index.passages(document.id):
        spans, vectors = index.sentences(passage.id)
        sentences += [_Sentence(passage, start, end) for start, end in spans]
        parts.append(vectors)
    if not sentences:
        return [() for _ in FIELDS]
    cosines = np.concatenate(parts) @ questions.T
    starts = np.cumsum([0, *(len(field.questions) for field in FIELDS)])[:-1]
    by_field = np.maximum.reduceat(cosines, starts, axis=1)  # (sentences, fields)
    stands_out = by_field - np.median(by_field, axis=1, keepdims=True)
    return [
        _cell(document, field, sentences, by_field[:, position] + stands_out[:, position], stands_out[:, position])
        for position, field in enumerate(FIELDS)
    ]


def _cell(
    document: Document, field: Field, sentences: Sequence[_Sentence], scores: Vectors, stands_out: Vectors
) -> tuple[Citation, ...]:
    named = _named(document, field)
    able = [
        row
        for row, sentence in enumerate(sentences)
        if not NOT_STATED.search(sentence.text)
        and not sentence.text.endswith((":", "?"))
        and (field.pattern is None or field.pattern.search(sentence.text))
        and (any(name in plain_text(sentence.text) for name in named) if named else stands_out[row] >= STANDS_OUT)
    ]
    order = sorted(able, key=lambda row: (-float(scores[row]), row))[:MOST_QUOTED]
    best = [row for row in order if scores[row] >= scores[order[0]] - SECOND]
    return tuple(citation for row in sorted(best) for citation in _citations(document, sentences[row]))


def _named(document: Document, field: Field) -> list[str]:
    """Return the names of which a sentence must hold one to state the field, where the document's metadata tell them."""
    if field.name == "country":
        names = country_names(document.language or "en")
        return [name for name, code in names.items() if code in document.countries]
    if field.name == "organisation" and document.organisation:
        name = plain_text(document.organisation)
        short = re.findall(r"\(([^()]+)\)", name)
        return [re.sub(r"\s*\([^()]*\)", "", name), *(part for part in short if len(part) > 1)]
    return []


def _citations(document: Document, sentence: _Sentence) -> list[Citation]:
    """Return a sentence as a quotation, after the line that introduces its list."""
    lead = lead_in(sentence.passage.text, sentence.start)
    spans = [(sentence.start, sentence.end)] if lead is None else [lead, (sentence.start, sentence.end)]
    return [Citation(sentence.passage, document, start, end) for start, end in spans]
