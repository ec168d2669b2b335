"""A document's blocks become pages of text, and the pages passages that fit the encoder."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, takewhile

from pes_search.ingest.config import PassageConfig
from pes_search.ingest.languages import known_languages
from pes_search.ingest.types import Block, Document, Page, Passage, passage_id

IMAGINED = "when to think of it"  # the heading of situations in our own write-ups, case-folded
TokenStarts = Callable[[str], Sequence[int]]
"""Gives the characters at which a text's tokens start, ascending, by the encoder's own tokenizer."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A block's or sentence's place in its page."""

    start: int
    end: int
    headings: tuple[str, ...]
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a passage is made of: a block or sentence with the headings right above it."""

    start: int
    end: int
    headings: tuple[str, ...]
    above: tuple[str, ...]  # those of the headings that do not stand in its text
    starts_section: bool


def build_pages(document: Document, blocks: Sequence[Block]) -> list[tuple[Page, list[Block]]]:
    """Return the document's pages with their blocks. A page's text is its blocks, separated by blank lines or newlines."""
    pages = []
    for number, group in groupby(blocks, key=lambda block: block.page):
        page_blocks = list(group)
        text = "".join(_separator(page_blocks, i) + block.text for i, block in enumerate(page_blocks))
        headings = tuple(
            (start, start + len(block.text), block.level) for start, block in _starts(page_blocks) if block.kind == "heading"
        )
        pages.append((Page(document.id, number, text, headings), page_blocks))
    return pages


def build_passages(
    document: Document, pages: Sequence[tuple[Page, list[Block]]], token_starts: TokenStarts, config: PassageConfig
) -> list[Passage]:
    """Split pages into passages: at headings first, then between paragraphs and list items, then between sentences.

    Passages do not overlap and together hold every word of the document, except headings with nothing below them and lists
    of sources (where there is anything else).
    """
    return _passages(document, pages, token_starts, config, with_sources=False) or _passages(
        document, pages, token_starts, config, with_sources=True
    )


def _passages(
    document: Document,
    pages: Sequence[tuple[Page, list[Block]]],
    token_starts: TokenStarts,
    config: PassageConfig,
    *,
    with_sources: bool,
) -> list[Passage]:
    passages: list[Passage] = []
    headings: list[Block] = []  # the path at the current place; goes on over the end of a page
    for page, blocks in pages:
        tokens = _TokenCounter(page.text, token_starts)
        wanted = (span for span in _spans(blocks, headings) if with_sources or not any(map(is_source_heading, span.headings)))
        spans = _split_long(page.text, wanted, tokens, document.language, config)
        units = _merged(page.text, _with_headings(page.text, spans, tokens, config), tokens, config)
        passages.extend(_passage(document, page, unit) for unit in units)
    return passages


def _passage(document: Document, page: Page, unit: _Unit) -> Passage:
    return Passage(
        id=passage_id(document.id, page.number, unit.start, unit.end),
        document_id=document.id,
        page=page.number,
        start=unit.start,
        end=unit.end,
        headings=unit.headings,
        language=document.language,
        text=page.text[unit.start : unit.end],
    )


def _starts(blocks: Sequence[Block]) -> Iterator[tuple[int, Block]]:
    """Yield the blocks of a page with the characters at which they start."""
    start = 0
    for i, block in enumerate(blocks):
        start += len(_separator(blocks, i))
        yield start, block
        start += len(block.text)


def is_source_heading(heading: str) -> bool:
    """Tell whether a heading stands above a list of sources.

    Such lists are for reading, not for finding: short, full of names and addresses in many languages, they come close to
    nearly any question (measured on the corpus: best passage of four of six cross-language questions). They stay in the
    page's text.
    """
    return re.sub(r"[\W\d_]+", " ", heading).strip().casefold() in _source_headings()


def heading_above(page: Page, place: int) -> str:
    """Return the heading right above a place in a page's text, or nothing."""
    above = bisect_right(page.headings, place, key=lambda heading: heading[1])
    if not above:
        return ""
    start, end, _ = page.headings[above - 1]
    return page.text[start:end]


def is_imagined(heading: str) -> bool:
    """Tell whether a heading stands above situations that somebody imagined for those who search: nobody quotes them."""
    return heading.strip().casefold() == IMAGINED


@cache
def _source_headings() -> frozenset[str]:
    return frozenset(heading for language in known_languages().values() for heading in language.source_headings)


def _separator(blocks: Sequence[Block], i: int) -> str:
    if i == 0:
        return ""
    together = blocks[i].kind == blocks[i - 1].kind and blocks[i].kind in ("item", "row")
    return "\n" if together else "\n\n"


class _TokenCounter:
    """Counts the tokens of any part of a text, which is tokenised once."""

    def __init__(self, text: str, token_starts: TokenStarts) -> None:
        self.starts = token_starts(text)

    def count(self, start: int, end: int) -> int:
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)

    def cut(self, start: int, tokens: int) -> int:
        """Return the character where the token stands that is `tokens` after the one at `start`."""
        token = bisect_left(self.starts, start) + tokens
        return self.starts[token] if token < len(self.starts) else -1


def _spans(blocks: Sequence[Block], headings: list[Block]) -> Iterator[_Span]:
    """Yield each block's place and heading path; `headings` is kept up to date for the next page."""
    for start, block in _starts(blocks):
        if block.kind == "heading":
            while headings and headings[-1].level >= block.level:
                headings.pop()
            headings.append(block)
        path = tuple(heading.text for heading in headings)
        yield _Span(start, start + len(block.text), path, block.kind == "heading")


def _split_long(
    text: str, spans: Iterator[_Span], tokens: _TokenCounter, language: str | None, config: PassageConfig
) -> Iterator[_Span]:
    """Yield the spans, those over the budget cut into sentences, and sentences over it between words."""
    for span in spans:
        if tokens.count(span.start, span.end) <= config.max_tokens:
            yield span
            continue
        for start, end in sentence_spans(text, span.start, span.end, language):
            while tokens.count(start, end) > config.max_tokens:
                cut = tokens.cut(start, config.max_tokens)
                middle = _pause(text, start, cut) or cut
                yield _Span(start, start + len(text[start:middle].rstrip()), span.headings)
                start = middle
            yield _Span(start, end, span.headings)


def _pause(text: str, start: int, cut: int) -> int:
    """Return where a sentence is best parted before `cut`: behind a sign if one is near, else at a space (0: nowhere)."""
    for signs, first in (("; ", 0.5), (", ", 0.7), (" ", 0.0)):
        found = text.rfind(signs, start + 1 + int(first * (cut - start)), cut + 1)
        if found > start:
            return found + len(signs)
    return 0


def sentence_spans(text: str, start: int, end: int, language: str | None) -> Iterator[tuple[int, int]]:
    """Yield the places of the sentences within `text[start:end]`, without the spaces around them."""
    import sentencex

    rest = begun = start
    for sentence in sentencex.segment(language or "en", text[start:end]):
        sentence_start = text.index(sentence, rest)
        rest = sentence_start + len(sentence)
        if text[rest - 1] == "." and (word := re.compile(r"\w+").match(text, rest, end)) and not word[0].istitle():
            continue  # within a name: "ATIVAR.PT"; a capital begins a sentence whose space was lost
        stripped = text[begun:rest].strip()
        if stripped:
            first = text.index(stripped, begun)
            yield first, first + len(stripped)
        begun = rest


def passage_sentences(passage: Passage, page: Page) -> list[tuple[int, int]]:
    """Return the places of a passage's sentences in its text, in their order; headings are none."""
    headings = [(start - passage.start, end - passage.start) for start, end, _ in page.headings]
    return [
        (start, end)
        for paragraph in re.finditer(r"[^\n]+", passage.text)
        if not any(first <= paragraph.start() and paragraph.end() <= last for first, last in headings)
        for start, end in sentence_spans(passage.text, *paragraph.span(), passage.language)
    ]


def _with_headings(text: str, spans: Iterator[_Span], tokens: _TokenCounter, config: PassageConfig) -> Iterator[_Unit]:
    """Join headings to the text that follows them, so that neither ends up alone."""
    headings: list[_Span] = []
    alone: list[_Span] = []  # as long as the page has nothing but headings
    seen = False
    for span in spans:
        if headings and text[headings[-1].end : span.start].strip():
            headings = []  # what they stood above is no passage
        if span.is_heading:
            headings.append(span)
            alone.append(span)
            continue
        start = headings[0].start if headings else span.start
        if tokens.count(start, span.end) > config.max_tokens:
            start = span.start  # the headings are still in the path
        shown = [text[heading.start : heading.end] for heading in headings if heading.start >= start]
        above = tuple(heading for heading in span.headings if heading not in shown)
        yield _Unit(start, span.end, span.headings, above, starts_section=bool(headings))
        headings, seen = [], True
    if not seen:
        # A page of nothing but headings, such as a title page, is still found.
        yield from (_Unit(span.start, span.end, span.headings, (), starts_section=False) for span in alone)


def _merged(text: str, units: Iterator[_Unit], tokens: _TokenCounter, config: PassageConfig) -> Iterator[_Unit]:
    """Join neighbouring units up to the budget; a new section starts a new passage once the least size is reached."""
    current: _Unit | None = None
    for unit in units:
        if current is not None:
            full = tokens.count(current.start, unit.end) > config.max_tokens
            apart = text[current.end : unit.start].strip() != ""  # something that is no passage stands between
            # A heading that stands in the path only must stay there.
            apart = apart or unit.headings[: len(current.above)] != current.above
            if full or apart or (unit.starts_section and tokens.count(current.start, current.end) >= config.min_tokens):
                yield current
            else:
                # A passage over several short sections is under what they share; their own headings are in its text.
                pairs = takewhile(lambda pair: pair[0] == pair[1], zip(current.headings, unit.headings, strict=False))
                shared = tuple(name for name, _ in pairs)
                current = _Unit(current.start, unit.end, shared, current.above, current.starts_section)
                continue
        current = unit
    if current is not None:
        yield current
