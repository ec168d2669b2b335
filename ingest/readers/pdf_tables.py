"""Tables of a PDF, from where the pieces of their cells stand: a row is one row, also where a cell has several lines.

Rows are told by the rules between them; where there are none by the order of the file, and by the distances of the lines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

BULLETS = "\x7f•◦▪■●○‣⁃∙·–—*-"

CELL_GAP = 0.35  # letters between two cells, at least
LINE_PITCH = 1.4  # letters from one line of a cell to the next, at most
ROW_PITCH = 3.5  # letters from one row's last line to the next row's first, at most
WIDE_ROW_PITCH = 5.5  # of rows that fill more than two columns
CELL_LINES = 6  # of a cell in the first column; elsewhere as many as stand close together
EVEN = 1.35  # times the least distance of lines that the largest may be where all are equally far apart
BANDS_FILLED = 0.7  # of the bands between rules; with fewer the rules are not those of the rows
LEAST_CELLS = 4  # of a row alone; fewer are a line with wide spaces
MOST_CELLS = 30
NUMERIC = frozenset("0123456789.,%€$£+-–−/() ")

Rule = tuple[float, float, float]
"""Left and right end of a horizontal rule, and its height."""


@dataclass(slots=True)
class Piece:
    """A stretch of a line without a wide gap; positions in points."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    order: int  # in the file
    in_box: bool = False  # beside the page's text


@dataclass(frozen=True, slots=True)
class Table:
    """A table: rows of cells, each with its lines."""

    rows: list[list[list[str]]]
    has_header: bool


@dataclass(slots=True)
class _Column:
    x0: float
    x1: float

    def overlap(self, piece: Piece) -> float:
        return min(self.x1, piece.x1) - max(self.x0, piece.x0)


def reads_to_left(text: str) -> bool:
    """Tell whether a text is Hebrew or Arabic."""
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def table_extent(rows: Sequence[Sequence[Piece]], start: int) -> tuple[int, int]:
    """Return the first and the last row (exclusive) of what may be a table that has the row `start`; two equal, if none.

    Rows of one piece are the further lines of a cell if they stand near, and under or over a column.
    """
    if len(rows[start]) < 2:
        return start, start
    columns = _columns(rows[start])
    end = last = start + 1
    while end < len(rows):
        row = rows[end]
        pitch = rows[end - 1][0].y - row[0].y
        size = max(piece.size for piece in row)
        row_pitch = WIDE_ROW_PITCH if len(row) > 2 and _fits(row, columns) else ROW_PITCH
        if pitch > row_pitch * size + LINE_PITCH * size * (end - last):
            break
        if len(row) > 1:
            if not _fits(row, columns):
                break
            columns = _columns([*(Piece("", c.x0, c.x1, 0, 0, False, 0) for c in columns), *row])
            end = last = end + 1
        elif (
            _column_of(row[0], columns) is not None
            and pitch <= ROW_PITCH * size
            and (end - last < CELL_LINES or (_column_of(row[0], columns) != 0 and pitch <= LINE_PITCH * size))
        ):
            end += 1
        else:
            break
    while last < end and _is_cell_line(rows[last][0], rows[last - 1], columns, below=True):
        last += 1
    first = start
    while first > 0 and len(rows[first - 1]) == 1 and _is_cell_line(rows[first - 1][0], rows[first], columns, below=False):
        first -= 1
    return first, last


def _is_cell_line(piece: Piece, beside: Sequence[Piece], columns: Sequence[_Column], *, below: bool) -> bool:
    """Tell whether a piece alone on its height is a line of a cell in the row beside it, and no text before or after it."""
    column = _column_of(piece, columns)
    if column is None or min(abs(piece.y - other.y) for other in beside) > LINE_PITCH * piece.size:
        return False
    if column > 0:
        return True
    if piece.bold or piece.x1 > columns[0].x1 + piece.size:
        return False
    return piece.text[:1].islower() if below else _column_of(beside[0], columns) != 0


def _columns(pieces: Sequence[Piece]) -> list[_Column]:
    """Return the columns of pieces: stretches of the page's width that they cover without a gap between them."""
    columns: list[_Column] = []
    for piece in sorted(pieces, key=lambda piece: piece.x0):
        if columns and piece.x0 < columns[-1].x1 + CELL_GAP:
            columns[-1].x1 = max(columns[-1].x1, piece.x1)
        else:
            columns.append(_Column(piece.x0, piece.x1))
    return columns


def _fits(row: Sequence[Piece], columns: Sequence[_Column]) -> bool:
    """Tell whether no piece of a row reaches over two columns, and no two of a row are in one."""
    joined = _columns([*(Piece("", column.x0, column.x1, 0, 0, False, 0) for column in columns), *row])
    places = [_column_of(piece, joined) for piece in row]
    return len(joined) >= max(2, len(columns)) and None not in places and len(set(places)) == len(places)


def _column_of(piece: Piece, columns: Sequence[_Column]) -> int | None:
    """Return the column that a piece stands in; None where it reaches over several, or stands in none."""
    touched = [i for i, column in enumerate(columns) if column.overlap(piece) > 0]
    return touched[0] if len(touched) == 1 else None


# ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def build_table(rows: Sequence[Sequence[Piece]], rules: Callable[[], Sequence[Rule]]) -> Table | None:
    """Return the table of rows of pieces, or None where they are none: one line with a gap, which is no label's."""
    several = [row for row in rows if len(row) > 1]
    if len(rows) == 1 and len(rows[0]) >= LEAST_CELLS:
        return Table([[[piece.text] for piece in rows[0]]], has_header=False)
    columns = _columns([piece for row in several for piece in row])
    if not 2 <= len(columns) <= MOST_CELLS:
        return None
    if len(several) == 1 and not _is_labelled(several[0]):
        return None
    pieces = [piece for row in rows for piece in row]
    groups = _groups(rows, pieces, columns, rules)
    cells = [_cells(group, columns) for group in groups]
    return Table(cells, _has_header(groups, cells))


def _groups(
    rows: Sequence[Sequence[Piece]], pieces: Sequence[Piece], columns: Sequence[_Column], rules: Callable[[], Sequence[Rule]]
) -> list[list[Piece]]:
    """Return the pieces of each row, by what says it most surely. The page's rules take the longest to find."""
    if _are_single_lines(rows):
        return [list(row) for row in rows]
    if labelled := _by_labels(rows, columns):
        return labelled
    ordered = _by_order(pieces, columns)
    if ordered and all(len({_nearest(piece, columns) for piece in group}) == len(columns) for group in ordered):
        return ordered
    return _by_rules(pieces, columns, rules()) or ordered or _by_distance(rows, columns)


def _is_labelled(row: Sequence[Piece]) -> bool:
    """Tell whether a single row is a label and its value."""
    return len(row) == 2 and _is_label(row[0])


def _are_single_lines(rows: Sequence[Sequence[Piece]]) -> bool:
    """Tell whether each height is a row: the file has them one after the other, and equally far apart."""
    order = [piece.order for row in rows for piece in row]
    pitches = [upper[0].y - lower[0].y for upper, lower in pairwise(rows)]
    is_even = max(pitches, default=0.0) <= EVEN * min(pitches, default=0.0)
    return order == sorted(order) and is_even and all(len(row) > 1 for row in rows)


def _by_labels(rows: Sequence[Sequence[Piece]], columns: Sequence[_Column]) -> list[list[Piece]] | None:
    """Return rows that begin with a label ("Country:"), or have one each; None where most have none."""
    firsts = [row[0] for row in rows if _nearest(row[0], columns) == 0]
    several = [row for row in rows if len(row) > 1]
    all_have = all(any(_is_label(piece) for piece in row) for row in several)
    if rows[0][0] not in firsts or not (all_have or sum(map(_is_label, firsts)) > len(firsts) / 2):
        return None
    groups: list[list[Piece]] = []
    for row in rows:
        if not groups or (all_have and len(row) > 1) or _nearest(row[0], columns) == 0:
            groups.append([])
        groups[-1].extend(row)
    return groups


def _is_label(piece: Piece) -> bool:
    return piece.text.rstrip().endswith(":")


def _by_rules(pieces: Sequence[Piece], columns: Sequence[_Column], rules: Sequence[Rule]) -> list[list[Piece]] | None:
    """Return the pieces between each two rules that go along the columns; None where the rules are not those of rows."""
    left, right = columns[0].x0, columns[-1].x1
    top, bottom = max(piece.y + piece.size for piece in pieces), min(piece.y for piece in pieces)
    size = pieces[0].size
    covered: dict[int, list[tuple[float, float]]] = {}
    for x0, x1, y in rules:
        if bottom - 2 * size < y < top + 2 * size and x1 > left and x0 < right:
            covered.setdefault(round(y / 3), []).append((x0, x1))
    heights: list[float] = []
    for key in sorted(covered, reverse=True):
        spans = covered[key] + covered.get(key - 1, [])
        length = sum(min(x1, right) - max(x0, left) for x0, x1 in set(spans))
        if length >= 0.8 * (right - left) and not (heights and heights[-1] - key * 3 <= 4):
            heights.append(key * 3.0)
    bands: dict[int, list[Piece]] = {}
    for piece in pieces:
        middle = piece.y + piece.size / 3
        bands.setdefault(sum(height > middle for height in heights), []).append(piece)
    lines = {round(piece.y) for piece in pieces}
    if len(heights) < 3 or len(bands) < 2 or len(bands) < BANDS_FILLED * (len(heights) - 1):
        return None
    return [bands[key] for key in sorted(bands)] if len(bands) <= len(lines) else None


def _by_order(pieces: Sequence[Piece], columns: Sequence[_Column]) -> list[list[Piece]] | None:
    """Return the rows as the file has them, cell after cell; None where it is written column by column or line by line."""
    ordered = sorted(pieces, key=lambda piece: piece.order)
    groups: list[list[Piece]] = []
    place = -1
    for piece in ordered:
        column = _nearest(piece, columns)
        below = groups and piece.y < min(other.y for other in groups[-1])
        last = groups[-1][-1] if groups else None
        goes_on = last is not None and column == place and 0 < last.y - piece.y <= LINE_PITCH * piece.size
        starts = not groups or column < place or (column == place and not goes_on)
        if starts and groups and not below:
            return None
        if starts:
            groups.append([])
        groups[-1].append(piece)
        place = column
    single = sum(len(group) == 1 for group in groups)
    if single > len(groups) / 3 or any(_nearest(group[0], columns) > 0 for group in groups[1:]):
        return None
    return groups


def _by_distance(rows: Sequence[Sequence[Piece]], columns: Sequence[_Column]) -> list[list[Piece]]:
    """Return rows that begin where the first column has text, or where lines stand further apart than within a cell."""
    pitches = [upper[0].y - lower[0].y for upper, lower in pairwise(rows)]
    least = min((pitch for pitch in pitches if pitch > 0), default=0.0)
    apart = sum(pitch > 1.3 * least for pitch in pitches)
    groups = [list(rows[0])]
    for row, pitch in zip(rows[1:], pitches, strict=True):
        if 0 < apart < len(pitches) and least <= LINE_PITCH * row[0].size:
            starts = pitch > 1.3 * least
        else:
            starts = len(row) > 1 or (_nearest(row[0], columns) == 0 and not row[0].text[:1].islower())
        if starts:
            groups.append([])
        groups[-1].extend(row)
    return groups


def _nearest(piece: Piece, columns: Sequence[_Column]) -> int:
    return max(range(len(columns)), key=lambda i: columns[i].overlap(piece))


def _cells(pieces: Sequence[Piece], columns: Sequence[_Column]) -> list[list[str]]:
    cells: list[list[str]] = [[] for _ in columns]
    for piece in sorted(pieces, key=lambda piece: (-round(piece.y), piece.x0)):
        cells[_nearest(piece, columns)].append(piece.text)
    return cells


def _has_header(groups: Sequence[Sequence[Piece]], cells: Sequence[Sequence[Sequence[str]]]) -> bool:
    """Tell whether the first row names the columns: it alone is bold, or it has words where the others have figures."""
    if len(cells) < 2 or not all(cells[0][1:]) or any(" ".join(cell).rstrip().endswith(":") for cell in cells[0]):
        return False
    if all(piece.bold for piece in groups[0]) and not any(piece.bold for group in groups[1:] for piece in group[1:]):
        return True
    below = [[_is_figure(" ".join(row[k])) for row in cells[1:] if row[k]] for k in range(len(cells[0]))]
    return any(column and all(column) and not _is_figure(" ".join(cells[0][k])) for k, column in enumerate(below) if k)


def _is_figure(text: str) -> bool:
    return bool(text) and set(text) <= NUMERIC and any(letter.isdigit() for letter in text)
