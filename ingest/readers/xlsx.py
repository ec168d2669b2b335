"""Excel workbooks since 2007: what the visible cells of visible sheets show."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from typing import Any

import openpyxl
from openpyxl.styles.numbers import is_date_format

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.sheets import LARGEST_CELLS, Sheet, content_of
from pes_search.ingest.types import FileContent

LARGEST_SHEET_BYTES = 400_000_000  # unpacked
_CURRENCY = re.compile(r"\[\$([^\]-]+)(?:-[^\]]*)?\]|([€$£¥])|\"([^\"]{1,6})\"")


def read(data: bytes) -> FileContent:
    """Read an Office Open XML workbook.

    Raises:
        UnreadableFileError: the archive is damaged, too large when unpacked, or holds no workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(file.file_size for file in archive.infolist()) > LARGEST_SHEET_BYTES:
                raise UnreadableFileError(f"too large: more than {LARGEST_SHEET_BYTES // 1_000_000} MB when unpacked")
        return _content(openpyxl.load_workbook(io.BytesIO(data), data_only=True))
    except (UnreadableFileError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no workbook: {type(error).__name__}: {error}") from error


def _content(workbook: Any) -> FileContent:
    sheets = []
    hidden = 0
    for sheet in workbook.worksheets:
        if sheet.max_row * sheet.max_column > LARGEST_CELLS:
            raise UnreadableFileError(f"too large: more than {LARGEST_CELLS:,} cells; hand in parts of it")
        rows = [[shown(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]
        for merged in sheet.merged_cells.ranges:
            _fill(rows, merged.min_row, merged.max_row, merged.min_col)
        dimensions = sheet.row_dimensions
        gone_rows = {number for number, row in dimensions.items() if row.hidden}
        gone_columns = {
            number
            for column in sheet.column_dimensions.values()
            if column.hidden and column.min
            for number in range(column.min, min(column.max or column.min, sheet.max_column) + 1)
        }
        visible = [
            [cell for column, cell in enumerate(row, start=1) if column not in gone_columns]
            for number, row in enumerate(rows, start=1)
            if number not in gone_rows
        ]
        everything = sum(len(cell) for row in rows for cell in row)
        if sheet.sheet_state != "visible":
            hidden += everything
            continue
        hidden += everything - sum(len(cell) for row in visible for cell in row)
        sheets.append(Sheet(sheet.title, visible))
    content = content_of(sheets, {"hidden cells": hidden})
    title = str(workbook.properties.title or "")
    return FileContent(content.blocks, {"title": title} if title else {}, content.warnings, content.left_out, content.inside)


def _fill(rows: list[list[str]], first: int, last: int, column: int) -> None:
    """Tell a cell that spans rows in each of them; one that spans columns stands once."""
    if first <= len(rows) and column <= len(rows[first - 1]):
        for row in rows[first : min(last, len(rows))]:
            row[column - 1] = rows[first - 1][column - 1]


def shown(value: object, number_format: str = "General") -> str:
    """Return a cell's value as it is shown: .25 as 25 % where the format says so, a day without its hour."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (int, float)) and number_format not in ("General", "@") and not is_date_format(number_format):
        return _number(float(value), number_format)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _number(value: float, number_format: str) -> str:
    """Return a number by the first part of its format: decimals, thousands, per cent and currency."""
    part = number_format.split(";")[0]
    digits = re.sub(r"\[[^\]]*\]|\"[^\"]*\"|\\.|_.", "", part)
    if not re.search(r"[0#]", digits) or re.search(r"[eE]\+|/", digits):
        return f"{value:.15g}"  # a text, a fraction or a power of ten in the format
    is_share = "%" in digits
    decimals = len(re.sub(r"[^0#]", "", digits.partition(".")[2]))
    grouping = "," if re.search(r"[#0],[#0]", digits) else ""
    figure = f"{value * 100 if is_share else value:{grouping}.{decimals}f}"
    currency = next((name.strip() for match in _CURRENCY.findall(part) if (name := "".join(match).strip())), "")
    is_before = bool(currency) and part.index(currency) < re.search(r"[0#]", part).start()  # type: ignore[union-attr]
    figure += "%" if is_share else ""
    if not currency:
        return figure
    return f"{currency}{'' if len(currency) == 1 else ' '}{figure}" if is_before else f"{figure} {currency}"
