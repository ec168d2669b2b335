"""The values that answering gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pes_search.index.types import Hit, SearchResult
from pes_search.ingest.errors import VisitorError
from pes_search.ingest.types import Document, Passage, StatedFigure
from pes_search.service.answers.writer_name import WriterName

if TYPE_CHECKING:
    from pes_search.service.answers.questions import Understood
    from pes_search.service.answers.sentences import ScoredSentence

Reason = Literal["nothing_relevant", "not_answered", "personal_or_instruction", "before_start", "not_stated"]
Status = Literal["complete", "partial", "none", "clarify", "table"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation: a stretch of a passage's text, which cannot differ from the passage because it is read from it."""

    passage: Passage
    document: Document
    start: int  # characters of the passage's text
    end: int
    support: float = 1.0  # how far it supports the sentence, from 0 to 1; of a sentence that is the quotation itself 1

    @property
    def quote(self) -> str:
        """Return the words quoted."""
        return self.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer with what it rests on; without citations it was rejected."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class JudgedSearch:
    """What a search found for a question, and what to think of it."""

    result: SearchResult
    sentences: Sequence[ScoredSentence]  # of the first documents, the best first
    signals: Sequence[float]  # in the order of `signals.SIGNALS`; empty where nothing was found
    confidence: float  # that the collection answers the question, from 0 to 1
    reason: Reason  # why it is refused, if it is
    several: bool  # the question asks for several documents
    is_list: bool  # its kind says so: as many as there are
    in_field: bool  # the collection is of the field that the kinds of questions were written for
    asked: Understood
    by_part: Sequence[Sequence[ScoredSentence]]  # for each part of the question its sentences, the best first


@dataclass(frozen=True, slots=True)
class AnsweredPart:
    """A question, or one of two in one, and whether a quotation answers it."""

    question: str
    kind: str  # of `kinds.KINDS`
    is_answered: bool


@dataclass(frozen=True, slots=True)
class TableRow:
    """A document of a table, with its years and the quotation that states what was asked for."""

    document: Document
    citation: Citation
    figure: StatedFigure | None = None  # by which the rows are sorted, where they are sorted by one


@dataclass(frozen=True, slots=True)
class Answer:
    """What the collection says to a question, or that it does not."""

    question: str
    language: str | None  # of the question, as identified
    reason: Reason | None  # why it is refused; None for an answer
    confidence: float  # that the collection answers the question, from 0 to 1
    sentences: tuple[Sentence, ...]  # empty if refused
    nearest: tuple[Hit, ...]  # the documents that come closest, whether they answer or not
    writer: WriterName  # whose sentences these are
    index_id: str
    took_ms: float
    status: Status = "complete"
    parts: tuple[AnsweredPart, ...] = ()
    choices: tuple[Document, ...] = ()  # that the question may mean, where it does not say which
    table: tuple[TableRow, ...] = ()
    understood_as: str | None = None  # what the question was understood to ask, where that is not what was typed
    about: Document | None = None  # the practice that the reason for refusing speaks of
    suggested: tuple[str, ...] = ()  # questions that are answered, where this one is not
    rejected: int = 0  # sentences of a language model that nothing supports
    notice: str | None = None  # why another writer answered than the one asked for

    @property
    def refused(self) -> bool:
        """Tell whether the question is refused."""
        return self.reason is not None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the parts of the question that no document answers."""
        return tuple(part.question for part in self.parts if not part.is_answered)


@dataclass(frozen=True, slots=True)
class Row:
    """A field of a comparison: for each document the quotations that state it, none where it is not stated."""

    field: str
    label: str
    cells: tuple[tuple[Citation, ...], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Documents side by side, field by field."""

    index_id: str
    documents: tuple[Document, ...]
    rows: tuple[Row, ...]


Event = SearchResult | Sentence | Answer


class WriterError(VisitorError):
    """A writer cannot go on; what it wrote before stands. The answer shows the message: no address or key is in it."""


class Writer(Protocol):
    """Writes sentences from what was found."""

    def sentences(self, judged_search: JudgedSearch) -> Iterator[Sentence]:
        """Yield the sentences of the answer; one that nothing supports comes without citations.

        Raises `WriterError` where the writer cannot go on.
        """
