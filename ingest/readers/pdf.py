"""PDF by pypdf: lines are put together from positioned text, then cleaned of running headers and joined to paragraphs."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from pes_search.ingest.cleaning.blocks import from_title, interface_texts
from pes_search.ingest.cleaning.edges import line_key, running_lines
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line, find_date
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.types import Block, FileContent

# None of the numbers below was measured: they were set by hand while reading PDFs, and tests/ingest/readers/test_pdf.py and
# tests/ingest/test_shared_data.py hold what they give. "Letters" are letter sizes, "widths" the characters of the longest line
# of a page's body text.

# Fragments become lines.
MOST_TURNED = 1 / 3  # of a page's fragments; with more of them its lines have no common height
LEAST_POSITIONED = 1 / 2  # of the text that pypdf gives; with less the positions are of no use
SAME_LINE = 0.45  # letters by which two fragments of a line may differ in height: indices and powers
SAME_ROW = 0.3  # letters by which lines side by side may
RISE = 0.5  # letters by which a line may stand above the one drawn before it and still go on its run
INDEX_CHARACTERS = 3  # a shorter or equal fragment, such as a footnote's number, does not make its line's letters larger
# Columns.
COLUMN_LINES = 8  # a shorter run of lines beside others is a box or a table, not a column
COLUMN_SHARE = 0.5  # of a column's lines start at the same place …
COLUMN_GRID = 4  # … to so many points
# Headings.
HEADING_SCALE = 1.12  # a line is a heading when its letters are that much larger than the body's …
HEADING_CHARACTERS = 160  # … and it is no longer than this
SAME_SIZE = 0.08  # of the size, by which letters may differ and count as equally large
LOWEST_SIZED_HEADING = 5  # level of the fifth largest letters and all smaller ones
BOLD_HEADING = 6  # level of headings that are only bold
# Paragraphs.
PARAGRAPH_GAP = 1.3  # line distances from one line to the next, above which a paragraph ends
LARGE_LINE = 1.1  # letters from one line of large letters to the next
LARGEST_DISTANCE = 4  # letters, of the body's or of LEAST_BODY, between two lines; more is no line distance
LEAST_BODY = 8  # points
SHORT_LINE = 0.7  # widths; a shorter line that ends a sentence ends its paragraph
SHORT_ENTRY = 0.55  # widths; a shorter line above a capital is an entry of a list or menu
# Fields: a label and its value.
LABEL_CHARACTERS = 50
LABEL_WIDTH = 0.5  # widths; a longer line that ends in a colon is running text
VALUE_GAP = 3  # line distances or letters from a label to its value
# Page numbers, running lines, and the title.
EDGE_LINES = 4  # lines at the top and at the bottom of a page among which its number and its running lines stand
NUMBERED_PAGES = 2  # pages whose printed numbers agree; one figure alone is no page number
HEAD_LINES = 60  # the first page's lines among which a title and a date are looked for
TITLE_CHARACTERS = 200
TITLE_LETTERS = 3  # a shorter or equal line in large letters is an ornament
TITLE_WORDS_SHOWN = 1 / 2  # of a stated title's words on the first page; with fewer it is that of a template or an older file

BULLETS = "\x7f•◦▪■●○‣⁃∙·–—*-"
_BULLET = re.compile(rf"^\s*(?:[{re.escape(BULLETS)}\ue000-\uf8ff]|/[a-z]+\d+)\s+")  # /square6: a glyph without a character
_NUMBER = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|\(?[a-z]\))\s+")
_SENTENCE_END = re.compile(r"[.!?:;»”\")]\s*$")


@dataclass(slots=True)
class _Line:
    text: str
    y: float
    size: float
    bold: bool
    x: float


def read(data: bytes) -> FileContent:
    """Read a PDF's text, page by page.

    Raises:
        UnreadableFileError: the file is encrypted with a password or too damaged to open.
    """
    import pypdf

    with _complaints() as complaints:
        return _read(data, pypdf, complaints)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what pypdf logs of the file's faults, instead of printing it."""
    collected: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: collected.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("pypdf")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield collected
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _read(data: bytes, pypdf: Any, complaints: list[str]) -> FileContent:
    try:
        pdf = pypdf.PdfReader(io.BytesIO(data))
        if pdf.is_encrypted and not pdf.decrypt(""):
            raise UnreadableFileError("encrypted: needs a password")
        count = len(pdf.pages)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged PDF: {type(error).__name__}: {error}") from error
    pages: list[list[_Line]] = []
    warnings: list[str] = []
    for number in range(count):
        complaints.clear()
        try:
            pages.append(_lines(pdf.pages[number]))
            if not pages[-1] and complaints:
                warnings.append(f"page {number + 1} could not be read: {complaints[0]}")
        except Exception as error:  # noqa: BLE001 – one damaged page must not lose the others
            warnings.append(f"page {number + 1} could not be read: {type(error).__name__}: {error}")
            pages.append([])
    fields, title = _fields(pdf, pages)
    blocks = _blocks(pages)
    if title:
        blocks = from_title(blocks, title)
    return FileContent(blocks, fields, tuple(warnings))


# ── Text with positions becomes lines in reading order ──────────────────────────────────────────────────────────────


def _lines(page: Any) -> list[_Line]:
    """Return a page's lines in reading order: that of the content, with what was drawn late put in its place."""
    fragments: list[tuple[str, float, float, float, bool]] = []
    turned = 0

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], font: Any, size: float) -> None:
        nonlocal turned
        if not text.strip():
            if fragments:
                fragments[-1] = (fragments[-1][0] + text, *fragments[-1][1:])
            return
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        across = abs(tm[0] * cm[0] + tm[1] * cm[2])
        up = abs(tm[0] * cm[1] + tm[1] * cm[3])
        turned += up > across
        name = str((font or {}).get("/BaseFont", ""))
        scale = abs(tm[3] * cm[3] + tm[2] * cm[1]) or max(across, up) or 1.0
        fragments.append((text, x, y, round(size * scale, 1), "bold" in name.lower() or "black" in name.lower()))

    text = page.extract_text(visitor_text=visit)
    positioned = clean_text("".join(fragment for fragment, *_ in fragments))
    if turned > MOST_TURNED * len(fragments) or len(positioned) < LEAST_POSITIONED * len(clean_text(text)):
        # Turned pages have no lines of equal height; then pypdf's own order is the best there is.
        return [_Line(line, -float(i), 0, False, 0) for i, line in enumerate(text.splitlines()) if line.strip()]
    lines: list[_Line] = []
    ended = False  # pypdf saw a line end before this fragment, though it may stand on the same height
    for part, x, y, size, bold in fragments:
        for i, piece in enumerate(part.split("\n")):
            if not piece.strip():
                continue
            last = lines[-1] if lines else None
            if i == 0 and last and abs(last.y - y) < SAME_LINE * max(size, last.size, 1):
                last.text = _join(last.text, piece) if ended else last.text + piece
                last.size = max(last.size, size) if len(piece) > INDEX_CHARACTERS else last.size
                last.bold = last.bold and bold
            else:
                lines.append(_Line(piece, y - i * size, size, bold, x))
        ended = part.rstrip(" ").endswith("\n")
    return _in_place(lines)


def _join(left: str, right: str) -> str:
    """Join two stretches of one line between which no space was drawn: one is missing, except around punctuation."""
    if left[-1:].isspace() or right[:1].isspace() or right[:1] in ".,;:!?)]’'%" or left[-1:] in "([‘'":
        return left + right
    return f"{left} {right}"


def _in_place(lines: list[_Line]) -> list[_Line]:
    """Sort the lines of a one-column page from top to bottom: side boxes and headers are often drawn last.

    A page with two long runs of lines side by side has columns and stays in the order in which it was drawn.
    """
    runs: list[list[_Line]] = []
    for line in lines:
        if runs and line.y <= runs[-1][-1].y + RISE * max(line.size, 1):
            runs[-1].append(line)
        else:
            runs.append([line])
    columns = [run for run in runs if _is_column(run)]
    if any(_side_by_side(a, b) for i, a in enumerate(columns) for b in columns[:i]):
        return lines
    rows: list[list[_Line]] = []
    for line in sorted(lines, key=lambda line: -line.y):
        if rows and rows[-1][0].y - line.y < SAME_ROW * min(line.size, rows[-1][0].size):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_merged(sorted(row, key=lambda line: line.x)) for row in rows]


def _is_column(run: list[_Line]) -> bool:
    """Tell whether a run of lines is a column of text: long, and most lines start at the same place."""
    starts = Counter(round(line.x / COLUMN_GRID) for line in run)
    return len(run) >= COLUMN_LINES and starts.most_common(1)[0][1] >= COLUMN_SHARE * len(run)


def _side_by_side(run: list[_Line], other: list[_Line]) -> bool:
    """Tell whether both runs have lines at the other's height: a box that stands in the text's gap has not."""

    def beside(inner: list[_Line], outer: list[_Line]) -> int:
        return sum(outer[-1].y <= line.y <= outer[0].y for line in inner)

    return min(beside(run, other), beside(other, run)) >= COLUMN_LINES // 2


def _merged(row: list[_Line]) -> _Line:
    first, *others = row
    for line in others:
        if first.text.rstrip().endswith(":"):
            first.size = min(first.size, line.size)  # a field's value in large letters is no heading
        first.text = _join(first.text, line.text)
        first.bold = first.bold and line.bold
    return first


# ── Lines become blocks ─────────────────────────────────────────────────────────────────────────────────────────────


def _blocks(pages: list[list[_Line]]) -> list[Block]:
    running = running_lines([[line.text for line in lines] for lines in pages])
    offsets = _page_number_offsets(pages)
    kept = [_content_lines(lines, running, {number + offset for offset in offsets}) for number, lines in enumerate(pages)]
    sizes: Counter[float] = Counter()
    bold: Counter[bool] = Counter()
    for lines in kept:
        for line in lines:
            sizes[line.size] += len(line.text)
            bold[line.bold] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted({line.size for lines in kept for line in lines if line.size > body * HEADING_SCALE}, reverse=True)
    levels = {size: min(level, LOWEST_SIZED_HEADING) for level, size in enumerate(larger, start=1)}
    bold_heads = bold[False] > bold[True]
    blocks: list[Block] = []
    hyphens = _Hyphens(line.text for lines in kept for line in lines)
    for number, lines in enumerate(kept, start=1):
        for group in _groups(lines, body, bold_heads):
            text = hyphens.join([line.text for line in group])
            blocks.append(_block(text, group, number, levels, body, bold_heads))
    return blocks


def _page_number_offsets(pages: list[list[_Line]]) -> set[int]:
    """Return by how much the printed page numbers differ from the pages' places; a lone figure is no page number."""
    offsets = Counter(
        int(line.text) - number
        for number, lines in enumerate(pages)
        for line in {id(line): line for line in (*lines[:EDGE_LINES], *lines[-EDGE_LINES:])}.values()
        if re.fullmatch(r"\s*[0-9]{1,4}\s*", line.text)
    )
    return {offset for offset, count in offsets.items() if count >= NUMBERED_PAGES}


def _content_lines(lines: list[_Line], running: set[str], numbers: set[int]) -> list[_Line]:
    """Drop running headers, footers and page numbers, which stand among the first and last lines, and interface words."""
    inner = range(EDGE_LINES, len(lines) - EDGE_LINES)
    kept = [line for i, line in enumerate(lines) if i in inner or not _is_running(line.text, running, numbers)]
    interface = interface_texts([line.text for line in kept])
    return [line for line, drop in zip(kept, interface, strict=True) if not drop]


def _is_running(text: str, running: set[str], numbers: set[int]) -> bool:
    if re.fullmatch(r"\s*[0-9]{1,4}\s*", text):
        return int(text) in numbers
    return line_key(text) in running or _page_number().fullmatch(text.strip()) is not None


@cache
def _page_number() -> re.Pattern[str]:
    """Return the expression of "Page 3", "page 3 of 12" and "Seite 3 / 12"."""
    languages = known_languages().values()
    page = any_of(language.page for language in languages if language.page)
    page_of = any_of(language.page_of for language in languages if language.page_of)
    return re.compile(rf"({page})\s+\d+(\s+({page_of})\s+\d+|\s*/\s*\d+)?", re.IGNORECASE)


def _groups(lines: list[_Line], body: float, bold_heads: bool) -> Iterator[list[_Line]]:
    """Yield the lines of each paragraph, heading or item."""
    running_text = [line for line in lines if abs(line.size - body) <= SAME_SIZE * body]
    distances = Counter(
        round(a.y - b.y) for a, b in pairwise(running_text) if 0 < a.y - b.y < LARGEST_DISTANCE * max(body, LEAST_BODY)
    )
    distance = distances.most_common(1)[0][0] if distances else 0
    width = max((len(line.text) for line in lines if line.size <= body * HEADING_SCALE), default=0)
    group: list[_Line] = []
    for line in lines:
        if group and _starts_block(group, line, distance, width, body, bold_heads):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _starts_block(group: list[_Line], line: _Line, distance: float, width: int, body: float, bold_heads: bool) -> bool:
    last = group[-1]
    gap = last.y - line.y
    if _BULLET.match(line.text):
        return True
    if _NUMBER.match(line.text) and (
        _SENTENCE_END.search(last.text) or len(last.text) < SHORT_LINE * width or _NUMBER.match(group[0].text)
    ):
        return True  # after running text "27." may be a day and "a)" the end of a remark
    if _is_label(last, width):
        return _is_label(line, width) or not 0 <= gap <= VALUE_GAP * max(distance, last.size)  # its value may be set apart
    if abs(line.size - last.size) > SAME_SIZE * max(line.size, last.size) or _is_label(line, width):
        return True
    if bold_heads and line.bold != last.bold and (last.bold or _SENTENCE_END.search(last.text)):
        return True
    # Large letters stand further apart.
    largest = PARAGRAPH_GAP * max(distance, last.size * LARGE_LINE if last.size > body * HEADING_SCALE else 0)
    if largest and not -largest < gap <= largest:
        return not (gap < 0 and line.text[:1].islower())  # a sentence that goes on in the next column
    if last.size > body * HEADING_SCALE:
        return False
    # The last line of a paragraph, or an entry of a list or menu: a line that was wrapped would be longer.
    ends = len(last.text) < SHORT_LINE * width and bool(_SENTENCE_END.search(last.text))
    return ends or (len(last.text) < SHORT_ENTRY * width and not last.text.endswith("-") and line.text[:1].isupper())


def _is_label(line: _Line, width: int) -> bool:
    """Tell whether a line is a field's name ("Country:"), whose value stands on the next line."""
    text = line.text.strip()
    return text.endswith(":") and len(text) <= min(LABEL_CHARACTERS, LABEL_WIDTH * width)


def _block(text: str, group: list[_Line], page: int, levels: dict[float, int], body: float, bold_heads: bool) -> Block:
    first = group[0]
    if marker := _BULLET.match(text):
        return Block("item", text[marker.end() :], page)
    if _NUMBER.match(text) and first.size <= body * HEADING_SCALE and not all(line.bold for line in group):
        return Block("item", text, page)
    short = len(text) <= HEADING_CHARACTERS and any(character.isalpha() for character in text)
    if short and first.size > body * HEADING_SCALE:
        return Block("heading", text, page, levels.get(first.size, LOWEST_SIZED_HEADING))
    if short and bold_heads and all(line.bold for line in group) and not text.rstrip().endswith((".", ",", ";")):
        return Block("heading", text, page, BOLD_HEADING)
    return Block("paragraph", text, page)


class _Hyphens:
    """Joins lines; decides for a word broken at a hyphen whether the hyphen belongs to it.

    The document is its own dictionary: "employ-|ment" loses its hyphen if "employment" stands elsewhere, "work-|related"
    keeps it if "work-related" does. For words that stand nowhere else the majority of the decided ones speaks.
    """

    _BROKEN = re.compile(r"([^\W\d_]+)[-\u2010]$")
    _START = re.compile(r"^([a-zà-öø-ÿα-ωа-я]\w*)", re.IGNORECASE)

    def __init__(self, lines: Iterator[str]) -> None:
        texts = list(lines)
        self.words = set(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", " ".join(texts).lower()))
        broken = [
            (left[1], right[1])
            for a, b in pairwise(texts)
            if (left := self._BROKEN.search(a)) and (right := self._START.search(b))
        ]
        joined = sum((left + right).lower() in self.words for left, right in broken)
        kept = sum(f"{left}-{right}".lower() in self.words for left, right in broken)
        self.drop = joined > kept

    def join(self, lines: list[str]) -> str:
        text = lines[0].rstrip()
        for line in lines[1:]:
            line = line.strip()
            left, right = self._BROKEN.search(text), self._START.search(line)
            if left and right:
                text = (text[:-1] if self._drops(left[1], right[1]) else text) + line
            elif text.endswith("/") or (re.search(r"(https?://|www\.)\S*$", text) and re.match(r"[\w/?=&%.#-]+$", line)):
                text += line  # an address broken over two lines
            else:
                text += " " + line
        return text

    def _drops(self, left: str, right: str) -> bool:
        if not right[0].islower():
            return False
        if (left + right).lower() in self.words:
            return True
        return f"{left}-{right}".lower() not in self.words and self.drop


# ── What the file says about itself ─────────────────────────────────────────────────────────────────────────────────


def _fields(pdf: Any, pages: list[list[_Line]]) -> tuple[dict[str, object], str | None]:
    """Return the metadata, and the title as it stands on the first page (None where it does not)."""
    try:
        info = pdf.metadata or {}
        stated, created = clean_text(str(info.get("/Title") or "")).strip(" |–—"), str(info.get("/CreationDate") or "")
    except Exception:  # noqa: BLE001 – a damaged information dictionary costs the title, not the text
        stated, created = "", ""
    head = [line for lines in pages[:1] for line in lines[:HEAD_LINES]]
    texts = [clean_text(line.text) for line in head]
    # Web pages printed to PDF carry the site's name behind a bar.
    candidates = [stated, *(part.strip() for part in re.split(r"\s[|–—]\s", stated))]
    shown = next((candidate for candidate in candidates if candidate and candidate in texts), None)
    title = shown or (stated if _is_about(stated, " ".join(texts)) else None) or _largest(head)
    match = re.match(r"D:(\d{4})(\d{2})(\d{2})", created)
    date = date_line(texts) or (find_date("-".join(match.groups())) if match else None)
    return {"title": title, "date": date}, title


def _is_about(stated: str, head: str) -> bool:
    """Tell whether a stated title speaks of this document: many carry their template's or an older file's."""
    words, shown = set(re.findall(r"\w{4,}", stated.casefold())), set(re.findall(r"\w{4,}", head.casefold()))
    return bool(words) and len(words & shown) > TITLE_WORDS_SHOWN * len(words)


def _largest(head: list[_Line]) -> str | None:
    """Return the first lines in the largest letters."""
    sizes = [line.size for line in head if len(line.text.strip()) > TITLE_LETTERS]
    largest = max(sizes, default=0)
    if not sizes or largest <= HEADING_SCALE * min(sizes):
        return None  # letters of one size: nothing stands out
    title: list[str] = []
    for line in head:
        if line.size == largest and largest:
            title.append(line.text)
        elif title:
            break
    return clean_text(" ".join(title))[:TITLE_CHARACTERS] or None
