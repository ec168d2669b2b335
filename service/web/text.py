"""A document's text as pages show it: paragraphs with marks and links, whatever the document holds shown as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pes_search.index.open_index import OpenIndex
from pes_search.index.types import Hit, PassageSentences, Query
from pes_search.ingest.passages import is_imagined
from pes_search.ingest.types import Page, Passage
from pes_search.service.editing.comparison import states

if TYPE_CHECKING:
    from pes_search.ingest.types import Document

Span = tuple[int, int]

# A matched word says something of a sentence, but less than its meaning: so much cosine a word.
WORD_BONUS_COSINE = 0.02
NOT_STATED_PENALTY_COSINE = 0.1  # "the year is not stated" is near to many questions and helps nobody
EXCERPT_CHARACTERS = 320  # of a hit's passage; the whole is one click away
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]']")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph."""

    text: str
    is_marked: bool = False
    href: str | None = None  # an address that stands in the text


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of a page's text."""

    level: int  # of a heading, 0 for text
    pieces: list[Piece]
    anchor: str = ""  # of a heading, for the table of contents

    @property
    def text(self) -> str:
        """Return the text without marks."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Section:
    """A passage of a page, or what lies between two."""

    passage_id: str | None
    paragraphs: list[Paragraph]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a hit's passage that answers best, and whether something was left out before and after it."""

    paragraphs: list[Paragraph]
    is_cut_before: bool
    is_cut_after: bool
    by_meaning: bool  # the mark is the sentence nearest in meaning: no word matched


def sections(page: Page, passages: Sequence[Passage], marked: tuple[str, Span] | None = None) -> Iterator[Section]:
    """Yield a page in passages and what lies between them; `marked` is a passage's id and characters of its text."""
    position = 0
    for passage in passages:
        if passage.page == page.number:
            if page.text[position : passage.start].strip():
                yield Section(None, list(paragraphs(page, position, passage.start)))
            marks = [marked[1]] if marked and marked[0] == passage.id else []
            yield Section(passage.id, list(paragraphs(page, passage.start, passage.end, marks)))
            position = passage.end
    if page.text[position:].strip():
        yield Section(None, list(paragraphs(page, position, len(page.text))))


def paragraphs(page: Page, start: int, end: int, marks: Sequence[Span] = ()) -> Iterator[Paragraph]:
    """Yield the paragraphs of `page.text[start:end]`; marks are counted from `start` and may go over several lines."""
    levels = {heading: level for heading, _, level in page.headings}
    for line in re.finditer(r"[^\n]+", page.text[start:end]):
        line_marks = [
            (max(first, line.start()) - line.start(), min(last, line.end()) - line.start())
            for first, last in marks
            if first < line.end() and last > line.start()
        ]
        place = start + line.start()
        level = levels.get(place, 0)
        anchor = f"p{page.number or 0}-{place}" if level else ""
        yield Paragraph(level, list(_pieces(line[0], line_marks)), anchor)


def _pieces(text: str, marks: Sequence[Span]) -> Iterator[Piece]:
    position = 0
    for first, last in marks:
        yield from _linked(text[position:first])
        yield Piece(text[first:last], is_marked=True)
        position = last
    yield from _linked(text[position:])


def _linked(text: str) -> Iterator[Piece]:
    position = 0
    for match in _ADDRESS.finditer(text):
        if match.start() > position:
            yield Piece(text[position : match.start()])
        yield Piece(match[0], href=match[0])
        position = match.end()
    if text[position:]:
        yield Piece(text[position:])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands, and its sentences."""

    page: Page
    passage: Passage
    sentences: PassageSentences

    def told(self) -> list[int]:
        """Return the rows of the sentences that tell of the document: all but situations that somebody made up."""
        above = [
            next((heading for heading in reversed(self.page.headings) if heading[0] <= self.passage.start + start), None)
            for start, _ in self.sentences.spans
        ]
        return [
            row for row, heading in enumerate(above) if not (heading and is_imagined(self.page.text[heading[0] : heading[1]]))
        ]


def places_of(hits: Sequence[Hit], index: OpenIndex) -> list[Place]:
    """Return the place of each hit's passage."""
    document_ids = list(dict.fromkeys(hit.document.id for hit in hits))
    pages = {(text.document.id, page.number): page for text in index.stored.texts(document_ids) for page in text.pages}
    sentences = index.stored.sentences([hit.passage.id for hit in hits])
    return [
        Place(pages[hit.document.id, hit.passage.page], hit.passage, of_hit)
        for hit, of_hit in zip(hits, sentences, strict=True)
    ]


def excerpt(hit: Hit, query: Query, place: Place) -> Excerpt:
    """Return the sentences of a hit's passage around the one that fits the query best, with what matched marked.

    Situations that somebody made up are shown only where a passage holds nothing else.
    """
    passage = hit.passage
    page, spans, vectors = place.page, place.sentences.spans, place.sentences.vectors
    if not len(spans):
        return Excerpt(list(paragraphs(page, passage.start, passage.end, hit.highlights)), False, False, False)
    vector = query.vectors.get(passage.language, query.vector)
    words = [sum(start <= first < end for first, _ in hit.highlights) for start, end in spans]
    scores = [
        float(cosine) + WORD_BONUS_COSINE * count - (0 if states(passage.text[start:end]) else NOT_STATED_PENALTY_COSINE)
        for cosine, count, (start, end) in zip(vectors @ vector, words, spans, strict=True)
    ]
    told = place.told() or list(range(len(spans)))
    best = max(told, key=lambda row: scores[row])
    first, last = _around(best, spans, set(told))
    by_meaning = not any(spans[first][0] <= start < spans[last][1] for start, _ in hit.highlights)
    marks = [spans[best]] if by_meaning else hit.highlights
    start, end = spans[first][0], spans[last][1]
    inside = [(a - start, b - start) for a, b in marks if a < end and b > start]
    return Excerpt(
        list(paragraphs(page, passage.start + start, passage.start + end, inside)),
        is_cut_before=first > 0,
        is_cut_after=last < len(spans) - 1,
        by_meaning=by_meaning,
    )


def _around(best: int, spans: Sequence[Span], told: Set[int]) -> tuple[int, int]:
    """Return the first and last of the sentences around the best one that fit into an excerpt, those after it first."""
    first = last = best
    while spans[last][1] - spans[first][0] < EXCERPT_CHARACTERS:
        after = last + 1 in told and spans[last + 1][1] - spans[first][0] <= EXCERPT_CHARACTERS
        before = first - 1 in told and spans[last][1] - spans[first - 1][0] <= EXCERPT_CHARACTERS
        if after:
            last += 1
        elif before:
            first -= 1
        else:
            break
    return first, last


def contents(document: Document, pages: Sequence[tuple[int | None, list[Section]]]) -> list[tuple[int, str, str]]:
    """Return a document's table of contents: level (1 or 2), text and anchor of each heading but its own title."""
    headings = [
        (paragraph.level, paragraph.text, paragraph.anchor)
        for _, page_sections in pages
        for section in page_sections
        for paragraph in section.paragraphs
        if paragraph.level and paragraph.text != document.title
    ]
    top = min((level for level, _, _ in headings), default=1)
    return [(1 if level == top else 2, text, anchor) for level, text, anchor in headings]
