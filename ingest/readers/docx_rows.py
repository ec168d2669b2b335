"""Rows of a Word document's tables become lines, each value with the name of its column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pes_search.ingest.cleaning.tables import NAMED_COLUMNS, table_rows
from pes_search.ingest.readers.docx_styles import (
    W,
    is_on,
)
from pes_search.ingest.types import Block

NAME_CHARACTERS = 120  # a longer cell of a header row names no column

_FIGURE = re.compile(r"[^\w]{0,3}[0-9]")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}(?:\s*[/–-]\s*[0-9]{2,4})?")
PROSE_CHARACTERS = 300  # two cells of a row with more in several paragraphs stand side by side and are no label and value


@dataclass(slots=True)
class Cell:
    """A cell of a table, with all that stands in it."""

    column: int  # of the grid, from 0
    span: int
    blocks: list[Block]
    text: str
    is_bold: bool


@dataclass(slots=True)
class Row:
    """A row of a table."""

    cells: list[Cell]
    is_header: bool

    @property
    def texts(self) -> list[str]:
        """The cells' texts."""
        return [cell.text for cell in self.cells]


def is_bold_cell(cell: Any) -> bool:
    """Tell whether a cell's first words are set in bold by hand."""
    properties = cell.find(f"{W}p/{W}r/{W}rPr")
    return bool(is_on(properties, "b"))


def is_layout(row: Row) -> bool:
    """Tell whether a row's cells hold stretches of a document, and no values."""
    if len(row.cells) == 1:
        return len(row.cells[0].blocks) > 1 or any(block.kind == "heading" for block in row.cells[0].blocks)
    if any(len(cell.blocks) > 1 and any(block.kind == "heading" for block in cell.blocks) for cell in row.cells):
        return True
    return sum(len(cell.blocks) > 1 and len(cell.text) > PROSE_CHARACTERS for cell in row.cells) > 1


def looks_like_header(rows: Sequence[Row], *, is_styled: bool) -> bool:
    """Tell whether the first row names the columns, where the file does not say so."""
    if len(rows) < 2 or len(rows[0].cells) < 2:
        return False
    names, width = rows[0].texts, len(rows[0].cells)
    values = [row.texts for row in rows[1:] if len(row.cells) == width]
    if not values or not all(name.strip() for name in names[1:]):
        return False
    has_figures = [_is_of_figures([row[column] for row in values]) for column in range(width)]
    if any(map(_FIGURE.match, names)):
        return width > 2 and all(map(_YEAR.fullmatch, names[1:])) and not has_figures[0]
    if width == 2:
        return all(has_figures)
    is_bold = all(cell.is_bold for cell in rows[0].cells if cell.text) and not all(cell.is_bold for cell in rows[1].cells)
    return any(has_figures[1:]) or is_styled or is_bold


def _is_of_figures(texts: Sequence[str]) -> bool:
    filled = [text for text in texts if text.strip()]
    return bool(filled) and all(map(_FIGURE.match, filled))


def column_names(headers: Sequence[Row], rows: Sequence[Row]) -> dict[int, str]:
    """Return the names of the columns by where on the grid these start; none where they would be too many or too long."""
    starts = {cell.column for row in rows for cell in row.cells}
    if not headers or len(starts) > NAMED_COLUMNS:
        return {}
    names: dict[int, list[str]] = {start: [] for start in sorted(starts)}
    for row in headers:
        for cell in row.cells:
            for start, parts in names.items():
                if cell.column <= start < cell.column + cell.span and cell.text not in parts:
                    parts.append(cell.text)
    joined_names = {start: " ".join(filter(None, parts)) for start, parts in names.items()}
    return joined_names if all(len(name) <= NAME_CHARACTERS for name in joined_names.values()) else {}


def named_rows(names: dict[int, str], rows: Sequence[Row]) -> list[str]:
    """Return rows with the names of their columns; one cell over several columns stands for itself."""
    texts: list[str] = []
    for row in rows:
        filled = [cell for cell in row.cells if cell.text]
        if len(filled) == 1 and filled[0].span > 1:
            texts.append(filled[0].text)
            continue
        by_start = {cell.column: cell.text for cell in row.cells}
        values = [by_start.get(start, "") for start in names]
        texts += table_rows([list(names.values()), values], header=True)
    return texts
