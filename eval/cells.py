"""Are the cells of a comparison right? Cells judged by hand, held against what the comparison quotes.

A row of the file has a document, a field, and `stated`: pieces of every sentence that states the field, none where the document
does not. A cell is right if it quotes one of them, or is empty where nothing states it. A false statement is the worst fault:
a cell that quotes what does not state the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pes_search.eval.acceptance import plain_quote
from pes_search.eval.collections.files import InputError, raise_faults, read_records
from pes_search.eval.collections.questions import PROJECT_QUESTIONS
from pes_search.ingest.faults import Fault
from pes_search.service.editing.stated import stated_value
from pes_search.service.engine import Engine

PROJECT_CELLS = PROJECT_QUESTIONS / "comparison_cells.jsonl"
OUTCOMES = ("right", "rightly empty", "missed", "false")


@dataclass(frozen=True, slots=True)
class JudgedCell:
    """A cell with its outcome, one of `OUTCOMES`."""

    document: str
    field: str
    outcome: str
    quoted: tuple[str, ...]


def read_cells(path: Path) -> list[dict[str, Any]]:
    """Read the judged cells.

    Raises:
        InputError: the file cannot be read, or a row has not what it must have.
    """
    faults: list[Fault] = []
    rows = []
    for number, row in read_records(path, faults, ids=("id",)):
        missing = [name for name in ("document", "field", "stated") if name not in row]
        if missing:
            faults.append(Fault(str(path), number, f"has no {', no '.join(missing)}; add it"))
        else:
            rows.append(row)
    raise_faults(faults)
    if not rows:
        raise InputError([Fault(str(path), 1, "no cells")])
    return rows


def judged_cells(rows: Sequence[Mapping[str, Any]], engine: Engine) -> Iterator[JudgedCell]:
    """Compare each document by itself, and hold its cells against the rows."""
    index = engine.index()
    for document in dict.fromkeys(row["document"] for row in rows):
        comparison = engine.compare(index, [document])
        cells = {row.field: row.cells[0] for row in comparison.rows}
        for row in rows:
            if row["document"] != document:
                continue
            quoted = tuple(plain_quote(citation.quote) for citation in cells[row["field"]])
            value = stated_value(row["field"], comparison.documents[0])
            yield JudgedCell(document, row["field"], _outcome(row["stated"], quoted, has_value=value is not None), quoted)


def _outcome(stated: Sequence[str], quoted: Sequence[str], *, has_value: bool) -> str:
    """Return a cell's outcome; what the front matter states is right."""
    wrong = [quote for quote in quoted if not any(plain_quote(piece) in quote for piece in stated)]
    if wrong:
        return "false"
    if quoted or has_value:
        return "right"
    return "missed" if stated else "rightly empty"
