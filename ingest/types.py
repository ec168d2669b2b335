"""The values that reading produces: blocks of a file, then documents, pages and passages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

BlockKind = Literal["heading", "paragraph", "item", "row"]


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a file's text as its layout shows it: a heading, a paragraph, a list item or a table row."""

    kind: BlockKind
    text: str
    page: int | None = None  # from 1; None where the format has no pages
    level: int = 0  # of a heading, 1 the highest


@dataclass(frozen=True, slots=True)
class Link:
    """Where a document links to."""

    target: str  # an address, or a path from where the document lies
    text: str = ""  # the words that are the link
    is_aside: bool = False  # it stands in a list "see also" that is no text of the document


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file reader finds: its blocks in reading order, and what the file tells about itself.

    `fields` holds values under the names of `Document` (title, date, language, url, countries …), only where stated.
    """

    blocks: list[Block]
    fields: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()  # parts that could not be read, such as a damaged page
    left_out: Mapping[str, int] = field(default_factory=dict)  # what is no content, by kind ("menus"), with its characters
    inside: tuple[Inside, ...] = ()  # documents of their own that the file holds
    labelled: tuple[tuple[str, str], ...] = ()  # labelled fields and their values, where a layout tells them
    links: tuple[Link, ...] = ()  # of the content and of lists "see also", not of menus; addresses written out stay in the text


@dataclass(frozen=True, slots=True)
class Inside:
    """A document within a file: what is attached to a mail, a row of a list of practices."""

    name: str  # unlike that of the others in the file; with the suffix of its format where it is bytes
    content: FileContent | bytes


Question: TypeAlias = tuple[str, str]
"""A question that a document answers: its language and its text."""


PEOPLE, PER_CENT = "people", "%"
"""Units of stated figures that are no currency."""


@dataclass(frozen=True, slots=True)
class StatedFigure:
    """A figure that a sentence states."""

    value: float
    unit: str  # people, %, or a currency by its ISO 4217 code
    year: int | None  # that the sentence dates it to
    owner: str | None  # who says so, as the sentence has it in brackets
    passage_id: str
    start: int  # of the sentence, characters of the passage's text
    end: int


@dataclass(frozen=True, slots=True)
class InferredValue:
    """A value of a field that nothing states, with the words of the document that say so."""

    field: str  # of `Document`, which has the value too
    value: str
    confidence: float  # from 0 to 1: how often its rule was right where the truth is known
    sentence: str  # or the title
    passage_id: str | None  # that has the sentence; None for the title


@dataclass(frozen=True, slots=True)
class Document:
    """A file's metadata. Lists are empty and the rest None where the file does not tell."""

    id: str  # short, URL-safe
    title: str
    kind: str  # practice, news, report, factsheet …
    language: str | None  # ISO 639-1
    sha256: str  # of the file
    path: str  # as the build was given it
    visibility: str = ""  # who may read it (`visibility`): empty for everybody, else a label, or several that are all needed
    url: str | None = None  # where the original is published
    date: str | None = None  # ISO 8601, of publication
    year: int | None = None  # a practice's first year, else the year of `date`
    end_year: int | None = None  # a practice's last year; None while it runs or where unknown
    native_title: str | None = None
    organisation: str | None = None
    organisations: tuple[str, ...] = ()  # ids of the controlled list that it names, else itself; found when an index is built
    region: str | None = None
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2; EU for the whole
    target_groups: tuple[str, ...] = ()
    measure_types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()  # how a practice meets people
    partners: tuple[str, ...] = ()
    evidence: str | None = None  # how strong the evidence for a practice is
    evidence_sentence: str | None = None  # of the text, which says so, where front matter quotes it
    inferred: tuple[InferredValue, ...] = ()  # which values of the other fields nothing states, and what says so
    figures: tuple[StatedFigure, ...] = ()  # that its sentences state; found when an index is built
    related: tuple[str, ...] = ()  # document ids that the file names
    links: tuple[Link, ...] = ()  # while an index is built, which keeps the relations that they make
    recognised_pages: tuple[int | None, ...] = ()  # whose text was recognised in a picture (OCR); None where there are no pages
    recognition_confidence: float | None = None  # of those pages' words, on average, from 0 to 1
    questions: tuple[Question, ...] = ()  # that it answers: while an index is built, which keeps their vectors only
    media_type: str = "text/plain"

    def inferred_in(self, field: str) -> tuple[InferredValue, ...]:
        """Return what was inferred of a field; nothing where its values are stated."""
        return tuple(value for value in self.inferred if value.field == field)

    def states(self, field: str) -> bool:
        """Tell whether a field has a value that was not inferred."""
        return bool(getattr(self, field)) and not self.inferred_in(field)

    @property
    def saying_evidence(self) -> str | None:
        """The sentence that says how strong the evidence is: as front matter quotes it, or as it was inferred from."""
        return next((value.sentence for value in self.inferred_in("evidence")), self.evidence_sentence)


@dataclass(frozen=True, slots=True)
class Page:
    """The clean text of one page, or of the whole document where its format has no pages."""

    document_id: str
    number: int | None  # from 1; None for a pageless document
    text: str
    headings: tuple[tuple[int, int, int], ...] = ()  # start, end and level of each heading in the text


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a page that can be found and cited: `page.text[start:end] == passage.text`, always."""

    id: str
    document_id: str
    page: int | None
    start: int  # characters in the page
    end: int
    headings: tuple[str, ...]  # from the highest level down
    language: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that did not become a document, and why."""

    path: str
    reason: str


def passage_id(document_id: str, page: int | None, start: int, end: int) -> str:
    """Return a passage's id: its document and span, so that it stays as long as the text does."""
    place = f"p{page}~" if page is not None else ""
    return f"{document_id}~{place}{start}-{end}"


def document_of(passage_id: str) -> str:
    """Return the id of the document that a passage is of."""
    return passage_id.partition("~")[0]
