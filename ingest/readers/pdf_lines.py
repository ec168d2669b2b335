"""Runs of letters become the lines of a page in reading order: raised marks told from figures, columns one after the other.

Lengths are in letter sizes ("letters") unless said. None of the numbers was measured: they were set while reading PDFs, and
tests/ingest/readers/test_pdf*.py and tests/ingest/test_shared_data.py hold what they give.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from pes_search.ingest.cleaning.text import LOWERED, RAISED
from pes_search.ingest.readers.pdf_tables import BULLETS, Piece, Rule, Table, build_table, reads_to_left, table_extent
from pes_search.ingest.readers.pdf_text import Run

# Runs become pieces.
SAME_HEIGHT = 0.1  # letters by which two runs of a line may differ in height
SMALL = 0.85  # of the size of the letters beside it, below which a run may be a mark
LEAST_RISE, MOST_RISE = 0.12, 0.9  # letters by which a mark stands above its line
LEAST_FALL = 0.05  # letters by which an index stands below it
MARK_GAP = 0.6  # letters from a mark to its word
WORD_GAP = 0.18  # letters between two runs, from which on a space is missing
MARK_CHARACTERS = 8
RAISED_CHARACTERS = 20  # of several marks
INDEX_CHARACTERS = 3  # a shorter or equal run does not make its line's letters larger
# Pieces become lines.
SAME_ROW = 0.3  # letters by which pieces side by side may differ in height
WIDE_PART = 2  # letters between two stretches of a line that are no one text
# Columns.
COLUMN_LINES = 6  # fewer lines beside others are a box or a table, not a column …
BOX_LINES = 3  # … and a box has so many, drawn in one go
COLUMN_STARTS = 4  # points by which the starts of a column's lines may differ
ACROSS_SHARE = 0.2  # of a column's lines, which may reach into the next one
FILLED = 0.6  # of its column's width: the line in the middle of prose
PROSE_CHARACTERS = 20  # the line in the middle of prose
BOX_WIDTH = 0.6  # of the column beside it
TURNS_A_LINE = 1 / 6  # times that the file goes from one column to the other: with more they are a table's
DEEPEST = 4  # columns within columns

_EXPONENT = re.compile(r"[+\-−–]?\d{1,2}|n")
_NOTE = re.compile(r"[\[(]?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4}|[*†‡§#]{1,3})(?:\s*[,;–-]\s*(?:\d{1,3}|[a-zA-Z*]))*[\])]?")
# What has powers: units of length, "10", and a variable's single letter.
_HAS_POWERS = re.compile(r"(?:^|[\s\d/(·×])(?:[kcdmµn]?m|ha|yd|ft|in|s)$|(?<![\d.,])10$|(?<![^\W_])[^\W\d_]$", re.IGNORECASE)
_ORDINAL = re.compile(r"st|nd|rd|th|er|ère|re|e|ème|me|o|os|a|as|º|ª|do|ma|te|de|TM|SM|®|™|©", re.IGNORECASE)
_NUMERATOR = re.compile(r"\s*\[(\d{1,3})\]$")
_MARKER = re.compile(rf"(?:[{re.escape(BULLETS)}\ue000-\uf8ff]|\(?\d{{1,2}}[.)]|\d{{1,2}}(?:\.\d{{1,2}}){{1,3}}\.?|\(?[a-z]\))")


@dataclass(slots=True)
class Line:
    """One line of a page, or a whole table."""

    text: str
    x: float
    y: float
    size: float
    bold: bool
    table: Table | None = None
    in_box: bool = False  # beside the page's text
    x1: float = 0.0
    parts: int = 1  # stretches with wide gaps between them


def build_lines(pieces: list[Piece], rules: Callable[[], Sequence[Rule]] = list) -> list[Line]:
    """Return a page's lines in reading order.

    Args:
        pieces: in the order of the file.
        rules: gives the page's horizontal rules; asked where there may be a table.
    """
    lines: list[Line] = []
    for region in _regions(pieces, 0):
        lines.extend(_region_lines(region, rules))
    return lines


# ── Runs become pieces: stretches of a line without a wide gap ──────────────────────────────────────────────────────


def build_pieces(runs: Sequence[Run]) -> list[Piece]:
    """Return the runs of a page, in the order of the file, with what stands beside each other as one piece."""
    pieces: list[Piece] = []
    for run in runs:
        last = pieces[-1] if pieces else None
        if last is None or not _goes_on(last, run):
            pieces.append(Piece(run.text, run.x0, run.x1, run.y, run.size, run.bold, len(pieces)))
    return pieces


def _goes_on(last: Piece, run: Run) -> bool:
    """Add a run to the piece before it, if it stands beside it."""
    gap = run.x0 - last.x1
    rise = run.y - last.y
    size = max(last.size, run.size)
    if abs(rise) <= SAME_HEIGHT * size and -0.6 * size < gap <= size:
        _append(last, run, gap > WORD_GAP * size or run.space_before)
    elif _MARKER.fullmatch(last.text) and abs(rise) < size / 2 and -MARK_GAP * size < gap <= 2 * size:
        # A list's mark may be of another size and height than its text.
        last.text, last.x1, last.y = f"{last.text} {run.text}", run.x1, run.y
        last.size, last.bold = run.size, run.bold
    elif (
        len(run.text) <= RAISED_CHARACTERS
        and run.size < SMALL * last.size
        and -MARK_GAP * size < gap <= MARK_GAP * size
        and _is_off(rise, size)
    ):
        last.text = _with_raised(last.text, run.text) if rise > 0 else _with_lowered(last.text, run.text)
        last.x1 = run.x1
    elif _is_first_mark(last, run, gap):
        if run.text[:1] in "⁄/":
            last.text, last.x1, last.y, last.size = last.text + run.text, run.x1, run.y, run.size
            return True
        note = last.text.strip("[]()")
        last.text = f"[{note}] {run.text}" if _NOTE.fullmatch(last.text) else f"{last.text}{run.text}"
        last.x1, last.y, last.size, last.bold = run.x1, run.y, run.size, run.bold
    else:
        return False
    return True


def _append(last: Piece, run: Run, spaced: bool) -> None:
    if last.text.endswith(":"):
        last.size = min(last.size, run.size)  # a field's value in large letters is no heading
    elif len(last.text) <= INDEX_CHARACTERS < len(run.text):
        last.size = run.size  # a letter of another font's, such as the É of a name, or a number before a heading
    elif len(run.text) > INDEX_CHARACTERS or len(last.text) <= INDEX_CHARACTERS:
        last.size = max(last.size, run.size)
    if run.text[:1] in "⁄/" and (numerator := _NUMERATOR.search(last.text)):
        last.text = f"{last.text[: numerator.start()]} {numerator[1]}".lstrip()  # no note: a fraction
    starts_with_punctuation = run.text[:1] in ".,;:!?)]’'%" and not run.space_before
    last.text += run.text if starts_with_punctuation or not spaced else f" {run.text}"
    last.x1, last.bold = max(last.x1, run.x1), last.bold and run.bold


def _is_off(rise: float, size: float) -> bool:
    return LEAST_RISE * size < rise < MOST_RISE * size or LEAST_FALL * size < -rise < MOST_RISE * size / 2


def _is_first_mark(last: Piece, run: Run, gap: float) -> bool:
    """Tell whether the piece is a raised mark before this text, as at the head of a footnote."""
    rise = last.y - run.y
    return (
        last.size < SMALL * run.size
        and len(last.text) <= MARK_CHARACTERS
        and LEAST_RISE * run.size < rise < MOST_RISE * run.size
        and -MARK_GAP * run.size < gap <= run.size
    )


def _with_raised(text: str, raised: str) -> str:
    """Return a text with what is raised at its end: a power, the end of an ordinal, or a note's mark in brackets."""
    word = text.rstrip()
    if _EXPONENT.fullmatch(raised) and _HAS_POWERS.search(word):
        return word + raised.translate(RAISED)
    if _ORDINAL.fullmatch(raised) and not (len(raised) == 1 and len(re.findall(r"\d", word[-4:])) > 2):
        return word + raised
    if _NOTE.fullmatch(raised):
        return f"{word} [{raised.strip('[]()')}]"
    return f"{word} {raised}"


def _with_lowered(text: str, lowered: str) -> str:
    """Return a text with what is lowered at its end: "CO2", but no figure that is larger than it was."""
    if text[-1:].isdigit():
        return text + lowered.translate(LOWERED)
    return text + lowered if len(lowered) <= MARK_CHARACTERS else f"{text} {lowered}"


# ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _regions(pieces: list[Piece], depth: int) -> list[list[Piece]]:
    """Return the pieces by the parts of the page that are read one after the other."""
    found = _columns(pieces) if depth < DEEPEST and len(pieces) > COLUMN_LINES else None
    if not found:
        return [pieces]
    regions: list[list[Piece]] = []
    for part in found:
        regions.extend(_regions(part, depth + 1))
    return regions


def _columns(pieces: list[Piece]) -> list[list[Piece]] | None:
    """Return what is above two columns, the left one, the right one, and what is below; None where there are none."""
    starts = Counter(round(piece.x0 / COLUMN_STARTS) for piece in pieces)
    leftmost = min(starts)
    common = [start for start, count in starts.most_common(12) if start > leftmost + 5 and count >= BOX_LINES]
    for start in sorted(common, key=lambda start: -starts[start]):
        gutter = start * COLUMN_STARTS - COLUMN_STARTS
        band = _band(pieces, gutter)
        if band is None:
            continue
        top, bottom = band
        inside = [piece for piece in pieces if bottom <= piece.y <= top]
        left = [piece for piece in inside if piece.x0 < gutter]
        right = [piece for piece in inside if piece.x0 >= gutter]
        if _are_columns(inside, left, right, gutter):
            above = [piece for piece in pieces if piece.y > top]
            below = [piece for piece in pieces if piece.y < bottom]
            _mark_box(left, right)
            return [part for part in (above, left, right, below) if part]
    return None


def _band(pieces: Sequence[Piece], gutter: float) -> tuple[float, float] | None:
    """Return the heights, upper first, between which most pieces start at the gutter and none crosses it."""
    best: tuple[int, float, float] | None = None
    group: list[Piece] = []
    for piece in [*sorted(pieces, key=lambda piece: -piece.y), None]:
        if piece is not None and not (piece.x0 < gutter - COLUMN_STARTS and piece.x1 > gutter + COLUMN_STARTS / 2):
            group.append(piece)
            continue
        right = [one for one in group if one.x0 >= gutter]
        if right and (best is None or len(right) > best[0]):
            heights = [one.y for one in right]
            best = (len(right), max(heights), min(heights))
            heights = [one.y for one in group]
            # The left column may begin above the right one and end below it.
            best = (len(right), *_extent(group, right, gutter))
        group = []
    return best and (best[1] + 0.5, best[2] - 0.5)


def _extent(group: Sequence[Piece], right: Sequence[Piece], gutter: float) -> tuple[float, float]:
    """Return the heights of the right column's lines, widened by the left column's lines that go on beside them."""
    top, bottom = max(piece.y for piece in right), min(piece.y for piece in right)
    left = sorted((piece for piece in group if piece.x0 < gutter), key=lambda piece: -piece.y)
    for upper, lower in pairwise(left):
        pitch = upper.y - lower.y
        if lower.y < bottom <= upper.y + pitch and pitch <= 1.6 * upper.size:
            bottom = lower.y
    for upper, lower in reversed(list(pairwise(left))):
        pitch = upper.y - lower.y
        if upper.y > top >= lower.y - pitch and pitch <= 1.6 * lower.size and abs(upper.size - lower.size) < 0.5:
            top = upper.y
    return top, bottom


def _are_columns(inside: Sequence[Piece], left: Sequence[Piece], right: Sequence[Piece], gutter: float) -> bool:
    """Tell columns from the columns of a table: prose on both sides, and the file finishes one before the other."""
    if len(left) < BOX_LINES or len(right) < BOX_LINES:
        return False
    # Lines that run right across are no column: boxes of a web page may stand a little further right than its text.
    if sum(piece.x1 > gutter + COLUMN_STARTS / 2 for piece in left) > ACROSS_SHARE * len(left):
        return False
    sides = [piece.x0 >= gutter for piece in sorted(inside, key=lambda piece: piece.order)]
    turns = sum(a != b for a, b in pairwise(sides))
    proses = [_is_prose(left), _is_prose(right)]
    if turns <= max(2, TURNS_A_LINE * len(inside) / 2):
        enough = min(len(left), len(right)) >= COLUMN_LINES
        return all(proses) or (any(proses) and (enough or turns <= 2))
    # Line by line across both columns, as some programs write: each line of both is full.
    return turns >= 1.6 * min(len(left), len(right)) and all(
        len(side) >= 2 * COLUMN_LINES and _is_prose(side, 0.9) for side in (left, right)
    )


def _mark_box(left: Sequence[Piece], right: Sequence[Piece]) -> None:
    """Mark what stands beside a much wider column as a box: its heading does not head the text that follows."""
    widths = [max(piece.x1 for piece in side) - min(piece.x0 for piece in side) for side in (left, right)]
    if min(widths) < BOX_WIDTH * max(widths):
        for piece in left if widths[0] < widths[1] else right:
            piece.in_box = True


def _is_prose(pieces: Sequence[Piece], filled: float = FILLED) -> bool:
    width = max(piece.x1 for piece in pieces) - min(piece.x0 for piece in pieces)
    lengths = [piece.x1 - piece.x0 for piece in pieces]
    return median(lengths) >= filled * width and median(len(piece.text) for piece in pieces) >= PROSE_CHARACTERS


# ── Pieces become lines and tables ──────────────────────────────────────────────────────────────────────────────────


def _region_lines(pieces: Sequence[Piece], rules: Callable[[], Sequence[Rule]]) -> list[Line]:
    rows = [_with_markers(row) for row in rows_of(pieces)]
    lines: list[Line] = []
    i = 0
    while i < len(rows):
        first, end = table_extent(rows, i)
        if end > i and (table := build_table(rows[first:end], rules)):
            del lines[len(lines) - (i - first) :]
            lines.append(_table_line(table, rows[first]))
            i = end
        else:
            lines.append(_merged(rows[i]))
            i += 1
    return lines


def rows_of(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces that stand on one height, from top to bottom and each from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (-piece.y, piece.x0)):
        if rows and rows[-1][0].y - piece.y < SAME_ROW * min(piece.size, rows[-1][0].size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.x0) for row in rows]


def _with_markers(row: list[Piece]) -> list[Piece]:
    """Join a list's mark or number to the text behind it."""
    if len(row) > 1 and _MARKER.fullmatch(row[0].text.strip()) and row[1].x0 - row[0].x1 < 5 * row[1].size:
        mark, text, *others = row
        joined = replace(text, text=f"{mark.text} {text.text}", x0=mark.x0, order=mark.order)
        return [joined, *others]
    return row


def _merged(row: Sequence[Piece]) -> Line:
    if len(row) > 1 and all(reads_to_left(piece.text) for piece in row):
        row = row[::-1]
    first, *others = row
    line = Line(first.text, first.x0, first.y, first.size, first.bold, in_box=first.in_box, x1=max(piece.x1 for piece in row))
    line.parts += sum(right.x0 - left.x1 > WIDE_PART * right.size for left, right in pairwise(row))
    for piece in others:
        if line.text.rstrip().endswith(":"):
            line.size = min(line.size, piece.size)
        line.text = _join(line.text, piece.text)
        line.bold = line.bold and piece.bold
    return line


def _join(left: str, right: str) -> str:
    """Join two stretches of one line: a space is missing between them, except around punctuation."""
    if left[-1:].isspace() or right[:1] in ".,;:!?)]’'%" or left[-1:] in "([‘'":
        return left + right
    return f"{left} {right}"


def _table_line(table: Table, row: Sequence[Piece]) -> Line:
    text = " ".join(" ".join(cell) for cells in table.rows for cell in cells)
    first = row[0]
    return Line(text, first.x0, first.y, first.size, False, table, x1=max(piece.x1 for piece in row))
