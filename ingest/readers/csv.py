"""Comma-separated values, with whatever stands between them: a sheet without a name."""

from __future__ import annotations

import csv
import io

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.decode import decode
from pes_search.ingest.readers.sheets import Sheet, content_of
from pes_search.ingest.types import FileContent

SEPARATORS = ",;\t|"
SAMPLE_ROWS = 50
LARGEST_CELL = 1_000_000  # characters


def read(data: bytes) -> FileContent:
    """Read a table in any common encoding.

    Raises:
        UnreadableFileError: it is no text, or a cell does not end.
    """
    text = decode(data)
    csv.field_size_limit(LARGEST_CELL)
    try:
        rows = [*csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))]
    except csv.Error as error:
        raise UnreadableFileError(f"no table: {error}") from error
    return content_of([Sheet("", rows)])


def _separator(text: str) -> str:
    """Return what parts the first rows into the same number of cells, the most if several do."""
    chosen, best = ",", (0.0, 0)
    for separator in SEPARATORS:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            widths = [len(row) for row, _ in zip(rows, range(SAMPLE_ROWS), strict=False) if row]
        except csv.Error:
            continue
        if widths and (width := max(widths, key=widths.count)) > 1:
            best, chosen = max((best, chosen), ((widths.count(width) / len(widths), width), separator))
    return chosen
