"""Sheets of cells, whatever file they come from: tables become rows of "label: value", a list of practices a document a row.

A sheet is a heading. Blank rows part its tables. The first row that only has names is the header of the rows below; what stands
alone in a row above is text. A table is a list where one column has names ("Practice", "Projekttitel": `title` of the field
labels in `ingest/languages`), each but once, beside what else is told of a practice: other field labels, or prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pes_search.ingest.cleaning.tables import ROW_SEPARATOR
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages.field_labels import field_of
from pes_search.ingest.types import Block, FileContent, Inside

LARGEST_CELLS = 3_000_000  # of a file
NAME_CHARACTERS = 160  # of a practice, or of a value that stands on a line with its label
HEADER_CHARACTERS = 80  # a longer cell is no column's name
HEADER_ROWS = 8  # of a table, among which its header stands
PROSE_CHARACTERS = 80  # on average, in a column that tells something
UNIQUE_SHARE = 0.9  # of the names of a list
LEAST_COLUMNS, LEAST_ROWS = 3, 2  # of a list
INSIDE_NAME_CHARACTERS = 80
LEAST_OWN_CHARACTERS = 200  # beside a list; less is its title
LEAST_FORM_FIELDS = 2  # labels in the first of two columns
_YEAR = re.compile(r"(?:19|20)\d\d")
_FIGURE = re.compile(r"[^\w]{0,3}\d[\d\s.,%€$£/:-]*")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet's cells as they are shown, row by row; rows may differ in length."""

    name: str
    rows: Sequence[Sequence[str]]


def content_of(sheets: Sequence[Sheet], left_out: Mapping[str, int] | None = None) -> FileContent:
    """Return what a file with these sheets holds."""
    if sum(len(row) for sheet in sheets for row in sheet.rows) > LARGEST_CELLS:
        raise UnreadableFileError(f"too large: more than {LARGEST_CELLS:,} cells; hand in parts of it")
    blocks: list[Block] = []
    inside: list[Inside] = []
    taken: set[str] = set()
    for sheet in sheets:
        rows = [[clean_text(cell) for cell in row] for row in sheet.rows]
        of_sheet: list[Block] = []
        for filled, table in groupby(rows, key=any):
            if filled:
                of_table, documents = _read_table([*table], taken)
                of_sheet += of_table
                inside += documents
        if of_sheet:
            name = clean_text(sheet.name)
            blocks += [Block("heading", name, level=1), *of_sheet] if name else of_sheet
    if inside and (own := sum(len(block.text) for block in blocks)) < LEAST_OWN_CHARACTERS:
        blocks, left_out = [], {**(left_out or {}), "titles above lists": own}
    counted = {what: count for what, count in (left_out or {}).items() if count}
    return FileContent(blocks, left_out=counted, inside=tuple(inside))


def _read_table(rows: Sequence[Sequence[str]], taken: set[str]) -> tuple[list[Block], list[Inside]]:
    """Return the blocks of a table, or of what stands above it and the documents of its rows."""
    place = _header_place(rows)
    if place is None:
        return [*_rows_without_names(rows)], []
    header, below = rows[place], rows[place + 1 :]
    above = [*_rows_without_names(rows[:place])]
    title = _title_column(header, below)
    if title is None:
        return [*above, *_rows_with_names(header, below)], []
    notes = [Block("paragraph", text) for row in below if (text := _only_cell(row))]
    practices = [row for row in below if _cell(row, title) and not _only_cell(row)]
    return [*above, *notes], [_document(header, row, title, taken) for row in practices]


def _header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """Return which row names the columns: the first that is as wide as those below, if it has names only; None for a form."""
    width = max((sum(map(bool, row)) for row in rows), default=0)
    if width == 2 and sum(field_of(row[0]) is not None for row in rows if row) >= LEAST_FORM_FIELDS:
        return None
    for place, row in enumerate(rows[:HEADER_ROWS]):
        names = [cell for cell in row if cell]
        if len(names) < max(2, width - 1):
            continue
        if len({*names}) < len(names) or any(len(name) > HEADER_CHARACTERS for name in names):
            return None
        below = rows[place + 1 :]
        if any(_FIGURE.fullmatch(name) for name in names) and not _are_years(row, below):
            return None
        # Two columns of words are labels and values, unless most of the second are figures.
        figures = sum(_FIGURE.fullmatch(_cell(other, 1)) is not None for other in below)
        return place if below and (width > 2 or 2 * figures > len(below)) else None
    return None


def _are_years(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row names years: nothing or a word, and years behind it, above what is no year itself."""
    is_so = len(row) > 2 and not _FIGURE.fullmatch(row[0] or "-") and all(_YEAR.fullmatch(cell) for cell in row[1:] if cell)
    return is_so and not any(_YEAR.fullmatch(cell) for other in below for cell in other[1:])


def _title_column(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """Return which column names the practices of a list, or None where the table is no such list."""
    fields = [field_of(name) for name in header]
    if len([name for name in header if name]) < LEAST_COLUMNS or len(rows) < LEAST_ROWS or "title" not in fields:
        return None
    title = fields.index("title")
    names = [_cell(row, title) for row in rows if _cell(row, title)]
    if len(names) < UNIQUE_SHARE * len(rows) or len({*names}) < UNIQUE_SHARE * len(names):
        return None
    if any(len(name) > NAME_CHARACTERS for name in names):
        return None
    tells = len({field for field in fields if field} - {"title"}) >= 2 or any(
        sum(len(_cell(row, column)) for row in rows) >= PROSE_CHARACTERS * len(rows)
        for column in range(len(header))
        if column != title
    )
    return title if tells else None


def _document(header: Sequence[str], row: Sequence[str], title: int, taken: set[str]) -> Inside:
    """Return a row of a list as a document: short values as labelled fields, long ones under their column's name."""
    name = row[title]
    short: list[Block] = []
    long: list[Block] = []
    fields: dict[str, object] = {"title": name, "kind": "practice"}
    for column, value in enumerate(row):
        label = _cell(header, column).rstrip(":")
        if column == title or not value:
            continue
        if address := _ADDRESS.fullmatch(value):
            fields.setdefault("url", address[0])
        if len(value) > NAME_CHARACTERS and label:
            long += [Block("heading", label, level=2), Block("paragraph", value)]
        else:
            short.append(Block("paragraph", f"{label}: {value}" if label else value))
    key = re.sub(r"[/\\#]+", "-", name)[:INSIDE_NAME_CHARACTERS]
    number = 1
    while (unique := key if number == 1 else f"{key} {number}") in taken:
        number += 1
    taken.add(unique)
    return Inside(unique, FileContent([Block("heading", name, level=1), *short, *long], fields))


def _rows_without_names(rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    """Yield rows as they stand: one cell is a text, two are a label and its value."""
    for row in rows:
        filled = [cell for cell in row if cell]
        if len(filled) == 1:
            yield Block("paragraph", filled[0])
        elif len(filled) == 2 and not _FIGURE.fullmatch(filled[0]):
            yield Block("row", f"{filled[0].rstrip(':')}: {filled[1]}")
        else:
            yield Block("row", ROW_SEPARATOR.join(filled))


def _rows_with_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    """Yield rows with the names of their columns; a single cell below a wide table is a note."""
    is_wide = sum(map(bool, header)) > 2
    for row in rows:
        note = _only_cell(row)
        if is_wide and note:
            yield Block("paragraph", note)
        elif any(row):
            yield Block("row", _named(header, row))


def _named(header: Sequence[str], row: Sequence[str]) -> str:
    """Return a row with the names of its columns."""
    names = [_cell(header, column).rstrip(":") for column in range(len(row))]
    return ROW_SEPARATOR.join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=True) if cell)


def _only_cell(row: Sequence[str]) -> str:
    """Return the first cell of a row where it is the only one that is filled, as that of a note is; else nothing."""
    return row[0] if row and row[0] and not any(row[1:]) else ""


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""
