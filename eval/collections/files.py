"""Files of a test collection: JSON lines, judgments and runs, read whole or refused with one line for every fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.faults import Fault, read_utf8

SHOWN_FAULTS = 20  # of one file; the rest is counted
QRELS_COLUMNS, TREC_QRELS_COLUMNS = 3, 4

Qrels = dict[str, dict[str, int]]
"""For each query the grades of its judged documents: 0 is not relevant, higher is better."""
Run = dict[str, dict[str, float]]
"""For each query the scores of its documents: higher is better."""


class InputError(PesSearchError):
    """Files do not fit; the message has a line for every fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        lines = [str(fault) for fault in faults[:SHOWN_FAULTS]]
        if len(faults) > SHOWN_FAULTS:
            lines.append(f"and {len(faults) - SHOWN_FAULTS} faults more")
        super().__init__("\n".join(lines))


def raise_faults(faults: Sequence[Fault]) -> None:
    """Raise `InputError` if there are any faults."""
    if faults:
        raise InputError(faults)


def read_records(path: Path, faults: list[Fault], *, ids: Sequence[str] = ("_id",)) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects of a file with their lines; each gets its id, from the first of `ids` that it has, as `_id`."""
    seen: dict[str, int] = {}
    for number, line in _lines(path, faults):
        try:
            record = json.loads(line)
        except ValueError as error:
            faults.append(Fault(str(path), number, f"no JSON: {error}; mend the line"))
            continue
        if not isinstance(record, dict):
            faults.append(Fault(str(path), number, "no JSON object; write one a line"))
            continue
        record_id = next((record[name] for name in ids if name in record), None)
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record_id = str(record_id)
        if not isinstance(record_id, str) or not record_id:
            faults.append(Fault(str(path), number, f"has no text in `{ids[0]}`; give every line an id"))
        elif record_id in seen:
            faults.append(Fault(str(path), number, f"the id {record_id!r} is that of line {seen[record_id]}; give it another"))
        else:
            seen[record_id] = number
            yield number, {**record, "_id": record_id}


def text_of(record: Mapping[str, Any], name: str, path: Path, number: int, faults: list[Fault]) -> str | None:
    """Return a record's text, or None and a fault."""
    value = record.get(name)
    if isinstance(value, str):
        return value
    faults.append(Fault(str(path), number, f"`{name}` must be text, not {value!r}; correct it"))
    return None


def read_qrels(path: Path) -> Qrels:
    """Read judgments: query, document and grade between tabs (BEIR, with or without header), or TREC's four columns.

    Raises:
        InputError: the file cannot be read, or lines of it are no judgments.
    """
    faults: list[Fault] = []
    judgments: Qrels = {}
    for number, line in _lines(path, faults):
        columns = line.rstrip("\r\n").split("\t")
        if len(columns) != QRELS_COLUMNS:
            columns = line.split()
        if len(columns) == TREC_QRELS_COLUMNS:
            columns = [columns[0], *columns[2:]]
        if len(columns) == QRELS_COLUMNS and _is_integer(columns[2]):
            query, document, grade = columns[0].strip(), columns[1].strip(), int(columns[2])
            if judgments.setdefault(query, {}).setdefault(document, grade) != grade:
                faults.append(Fault(str(path), number, f"judges {query!r} and {document!r} again, differently; keep one"))
        elif not (number == 1 and len(columns) == QRELS_COLUMNS):  # the header
            faults.append(Fault(str(path), number, "needs query-id, corpus-id and a whole number between tabs; correct it"))
    if not judgments and not faults:
        faults.append(Fault(str(path), 1, "holds no judgment; add lines of query-id, corpus-id and grade"))
    raise_faults(faults)
    return judgments


def read_run(path: Path) -> Run:
    """Read a ranking in TREC's format: query, Q0, document, rank, score and tag. Order is by score, as trec_eval has it.

    Raises:
        InputError: the file cannot be read, or lines of it are no rows of a ranking.
    """
    faults: list[Fault] = []
    run: Run = {}
    for number, line in _lines(path, faults):
        columns = line.split()
        try:
            query, _, document, _, score, _ = columns
            value = float(score)
            if value != value:
                raise ValueError
        except ValueError:
            faults.append(Fault(str(path), number, "needs query, Q0, document, rank, score and tag; correct it"))
            continue
        if document in run.setdefault(query, {}):
            faults.append(Fault(str(path), number, f"ranks {document!r} for {query!r} a second time; keep one"))
        run[query][document] = value
    if not run and not faults:
        faults.append(Fault(str(path), 1, "holds no ranking; add lines of query, Q0, document, rank, score and tag"))
    raise_faults(faults)
    return run


def write_run(path: Path, run: Run, tag: str) -> None:
    """Write a ranking in TREC's format, best first, equal scores by id.

    Raises:
        InputError: an id holds a space, which the format cannot write.
    """
    ids = {*run, *(document for scores in run.values() for document in scores)}
    if spaced := sorted(name for name in ids if not name or name.split() != [name]):
        raise InputError([Fault(str(path), 1, f"cannot hold the id {spaced[0]!r}: TREC's format has no spaces; rename it")])
    with path.open("w", encoding="utf-8") as file:
        for query, scores in run.items():
            for rank, (document, score) in enumerate(sorted(scores.items(), key=lambda item: (-item[1], item[0])), start=1):
                file.write(f"{query} Q0 {document} {rank} {score:.6f} {tag}\n")


def _lines(path: Path, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    text = read_utf8(path, faults)
    for number, line in enumerate((text or "").split("\n"), start=1):
        if line.strip():
            yield number, line


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("-").isdecimal()
