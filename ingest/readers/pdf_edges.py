"""What a PDF's pages repeat: running headers and footers, and page numbers.

A line runs if it is the same text at the same height of most pages, and nothing but other such lines stands between it and the
page's edge. So a field that many pages of a catalogue have below their titles ("Start: 2019") stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.readers.pdf_lines import rows_of
from pes_search.ingest.readers.pdf_tables import Piece

HEIGHT_STEP = 4  # points within which a running line stands on all pages
EDGE_ROWS = 4  # at the top and at the bottom of a page, which may run
SHARED_PAGES = 3  # that have a running line, at least …
SHARED_PART = 0.4  # … and of all pages: those of odd and even pages may differ
NUMBERED_PAGES = 2  # whose printed numbers agree; one figure alone is no page number …
NUMBERED_PART = 0.5  # … and of all pages where it stands away from the edge
MOST_OFFSET = 1000  # of a printed page number from the page's place; a larger figure is a year
NEAR = 1.8  # letters from one line of a text to the next
NUMBERS_IN_LINE = 4
ROMAN = dict(
    zip(["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv"], range(1, 15), strict=True)
)
_NUMBER = re.compile(r"[-–—|\s]*(\d{1,4}|[ivx]{1,5})[-–—|\s]*")
_FIELD = re.compile(r"[^:]{2,40}:\s*\S")


@dataclass(slots=True)
class Edges:
    """Pages without what they repeat."""

    pages: list[list[Piece]]
    running: set[str] = field(default_factory=set)  # texts of running lines
    left_out: Counter[str] = field(default_factory=Counter)  # characters, by kind


@dataclass(slots=True)
class _Row:
    text: str
    height: int  # in steps
    size: float
    pieces: list[Piece]
    is_inner: bool
    is_near: bool  # to the next row, as within a text


def without_edges(pages: Sequence[list[Piece]]) -> Edges:
    """Return the pieces of each page without running headers, footers and page numbers."""
    rows = [_rows(pieces) for pieces in pages]
    counts: Counter[tuple[str, int, int | None]] = Counter()
    numbers: Counter[tuple[int, int | None]] = Counter()
    for place, page in enumerate(rows):
        counts.update({key for row in page if not row.is_inner for key in _keys(row, place)})
        numbers.update({key for row in page for key in _number_keys(row, place)})
    enough = max(SHARED_PAGES, SHARED_PART * len(pages))
    running = {key for key, count in counts.items() if count >= enough}
    most = max(NUMBERED_PAGES, NUMBERED_PART * len(pages))
    numbered = {key for key, count in numbers.items() if count >= (NUMBERED_PAGES if key[1] is None else most)}
    body = _body_size(pages)
    edges = Edges([])
    for place, page in enumerate(rows):
        edges.pages.append(_kept(edges, page, place, running, numbered, body))
    return edges if any(edges.pages) else Edges(list(pages))  # pages that are all the same have nothing but what they repeat


def _rows(pieces: Sequence[Piece]) -> list[_Row]:
    rows = rows_of(pieces)
    inner = range(EDGE_ROWS, len(rows) - EDGE_ROWS)
    heights = [row[0].y for row in rows]
    found: list[_Row] = []
    for i, row in enumerate(rows):
        near = NEAR * row[0].size
        is_near = (i > 0 and heights[i - 1] - row[0].y < near) or (i + 1 < len(rows) and row[0].y - heights[i + 1] < near)
        text = " ".join(piece.text for piece in row)
        found.append(_Row(text, round(row[0].y / HEIGHT_STEP), row[0].size, row, i in inner, is_near))
    return found


def _keys(row: _Row, place: int) -> Iterator[tuple[str, int, int | None]]:
    """Yield what is to be the same on most pages: the text, also without a number that goes up from page to page."""
    yield row.text, row.height, None
    for match in list(re.finditer(r"\d{1,4}", row.text))[:NUMBERS_IN_LINE]:
        offset = int(match[0]) - place
        if abs(offset) < MOST_OFFSET:
            yield f"{row.text[: match.start()]}#{row.text[match.end() :]}", row.height, offset


def _number_keys(row: _Row, place: int) -> Iterator[tuple[int, int | None]]:
    """Yield by how much a row's lone number differs from the page's place; within the page with its height."""
    match = _NUMBER.fullmatch(row.text)
    if match and (match[1].isdecimal() or match[1] in ROMAN):
        offset = (int(match[1]) if match[1].isdecimal() else ROMAN[match[1]] + MOST_OFFSET * 10) - place
        yield offset, row.height
        if not row.is_inner:
            yield offset, None


def _kept(
    edges: Edges,
    page: Sequence[_Row],
    place: int,
    running: set[tuple[str, int, int | None]],
    numbered: set[tuple[int, int | None]],
    body: float,
) -> list[Piece]:
    dropped: set[int] = set()
    for order in (range(len(page)), range(len(page) - 1, -1, -1)):
        for i in order:
            if _is_number(page[i], place, numbered):
                what = "page numbers"
            elif not page[i].is_inner and _runs(page[i], place, running, body):
                what = "running headers and footers"
                edges.running.add(page[i].text)
            else:
                break
            if i not in dropped:
                dropped.add(i)
                edges.left_out[what] += len(page[i].text)
    for i, row in enumerate(page):
        if i not in dropped and _is_number(row, place, numbered):
            dropped.add(i)
            edges.left_out["page numbers"] += len(row.text)
    gone = {id(piece) for i in dropped for piece in page[i].pieces}
    return sorted((piece for row in page for piece in row.pieces if id(piece) not in gone), key=lambda piece: piece.order)


def _is_number(row: _Row, place: int, numbered: set[tuple[int, int | None]]) -> bool:
    if any(key in numbered for key in _number_keys(row, place)):
        return True
    return not row.is_inner and _page_number().fullmatch(row.text.strip()) is not None


def _runs(row: _Row, place: int, running: set[tuple[str, int, int | None]], body: float) -> bool:
    if row.is_near and row.size >= body and _FIELD.match(row.text) and not re.search(r"https?:", row.text):
        return False
    return any(key in running for key in _keys(row, place))


def _body_size(pages: Sequence[Sequence[Piece]]) -> float:
    sizes: Counter[float] = Counter()
    for page in pages:
        for piece in page:
            sizes[piece.size] += len(piece.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


@cache
def _page_number() -> re.Pattern[str]:
    """Return the expression of "Page 3", "page 3 of 12" and "Seite 3 / 12"."""
    languages = known_languages().values()
    page = any_of(language.page for language in languages if language.page)
    page_of = any_of(language.page_of for language in languages if language.page_of)
    return re.compile(rf"({page})\s+\d+(\s+({page_of})\s+\d+|\s*/\s*\d+)?", re.IGNORECASE)
