"""A table's rows as texts that can be read alone."""

from __future__ import annotations

from collections.abc import Sequence

from pes_search.ingest.cleaning.text import clean_text

ROW_SEPARATOR = " | "  # between the cells of a row
NAMED_COLUMNS = 6  # a wider table's rows would be longer by the columns' names than by what they say


def table_rows(rows: Sequence[Sequence[str]], header: bool = False) -> list[str]:
    """Return a table's rows as texts that can be read alone.

    Two cells become "label: value". In a table with a header row each value carries its column's name, since a passage may
    hold one row without the header; wide tables (more than six columns) are given as they stand, cells between bars.
    """
    cleaned = [[clean_text(cell) for cell in row] for row in rows]
    names = cleaned[0] if header and len(cleaned) > 1 and len(cleaned[0]) <= NAMED_COLUMNS else None
    texts = []
    if names:
        cleaned = cleaned[1:]
        if not any(len(row) == len(names) for row in cleaned):
            texts.append(ROW_SEPARATOR.join(filter(None, names)))  # no row can carry them
    for cells in cleaned:
        if names and len(cells) == len(names):
            parts = [f"{name.rstrip(':')}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell]
        elif len(filled := [cell for cell in cells if cell]) == 2 and not header:
            parts = [f"{filled[0].rstrip(':')}: {filled[1]}"]
        else:
            parts = filled
        texts.append(ROW_SEPARATOR.join(parts))
    return texts
