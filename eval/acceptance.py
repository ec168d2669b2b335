"""Would a person accept the answer? Questions as people type them, held against what they would take for an answer.

A row of the file has `expect` (answer, partial, refuse, clarify or table), pieces of the documents that answer (`gold`, and in
`gold_in` the documents that hold each), how many are needed (`need`, counted in `pieces`, `documents` or `parts`), of which the
first sentence must have one (`lead`), and what must not be quoted (`never`). An answer is accepted if all of that holds and
nothing is quoted from a section of imagined situations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pes_search.eval.collections.files import InputError, raise_faults, read_records
from pes_search.eval.collections.questions import PROJECT_QUESTIONS
from pes_search.index.filters import EVERYTHING
from pes_search.ingest.faults import Fault
from pes_search.ingest.passages import is_imagined
from pes_search.service.answers.types import Answer, Status
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.engine import Engine

PROJECT_ACCEPTANCE = PROJECT_QUESTIONS / "acceptance.jsonl"
OUTCOMES: Mapping[Status, str] = {
    "complete": "answer",
    "partial": "partial",
    "none": "refuse",
    "clarify": "clarify",
    "table": "table",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with what speaks against its answer; nothing, if it is accepted."""

    id: str
    question: str
    language: str
    kind: str
    faults: tuple[str, ...]
    took_ms: float


def read_acceptance(path: Path, split: str | None = None) -> list[dict[str, Any]]:
    """Read the questions of a file; with `split` those of one half.

    Raises:
        InputError: the file cannot be read, or a row has not what it must have.
    """
    faults: list[Fault] = []
    rows = []
    for number, row in read_records(path, faults, ids=("id",)):
        missing = [name for name in ("question", "language", "type", "expect", "gold", "gold_in", "need") if name not in row]
        if missing:
            faults.append(Fault(str(path), number, f"has no {', no '.join(missing)}; add it"))
        elif len(row["gold"]) != len(row["gold_in"]):
            faults.append(Fault(str(path), number, "`gold` and `gold_in` differ in length; name the documents of each piece"))
        elif split is None or row.get("split") == split:
            rows.append(row)
    raise_faults(faults)
    if not rows:
        raise InputError([Fault(str(path), 1, f"no questions{f' of the split {split!r}' if split else ''}")])
    return rows


def judged(rows: Sequence[Mapping[str, Any]], engine: Engine, writer: WriterName | None = None) -> Iterator[Judged]:
    """Ask each question of the engine's index, and hold the answer against the row; `writer`: else that of the settings."""
    index = engine.index()
    imagined = _Imagined(engine)
    for row in rows:
        earlier = row.get("previous")
        question, previous = row["question"], earlier
        if isinstance(earlier, list):
            question, previous = earlier[-1], earlier[0]
        answer = engine.ask(index, question, k=5, filters=EVERYTHING, previous=previous, writer=writer)
        faults = tuple(_faults(row, answer, imagined))
        yield Judged(row["_id"], question, row["language"], row["type"], faults, answer.took_ms)


def accepted(results: Sequence[Judged], by: str) -> dict[str, tuple[int, int]]:
    """Return how many answers are accepted, and of how many, by an attribute of the results."""
    every = Counter(getattr(result, by) for result in results)
    good = Counter(getattr(result, by) for result in results if not result.faults)
    return {name: (good[name], every[name]) for name in sorted(every)}


def plain_quote(text: str) -> str:
    """Return a text as pieces are compared: without the addresses of links, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)).strip()


def _faults(row: Mapping[str, Any], answer: Answer, imagined: _Imagined) -> Iterator[str]:
    quoted = [
        (plain_quote(sentence.text), sentence.citations[0].document.id) for sentence in answer.sentences if sentence.citations
    ]
    outcome = OUTCOMES[answer.status]
    allowed = {row["expect"], *row.get("also_ok", ())}
    if row["expect"] == "partial" or (row["expect"] == "table" and row["gold"]):
        allowed.add("answer")
    if outcome not in allowed:
        yield f"{outcome} instead of {' or '.join(sorted(allowed))}"
        return
    for piece in row.get("never", ()):
        if any(plain_quote(piece) in text for text, _ in quoted):
            yield f"quotes {piece!r}"
    for text, document in quoted:
        if text in imagined.of(document):
            yield f"quotes an imagined situation: {text!r}"
    if row["gold"] and outcome in {"answer", "partial"}:
        yield from _missing(row, quoted)


def _missing(row: Mapping[str, Any], quoted: Sequence[tuple[str, str]]) -> Iterator[str]:
    holders = dict(zip(row["gold"], row["gold_in"], strict=True))
    found = {
        piece: {document for text, document in quoted if plain_quote(piece) in text and document in documents}
        for piece, documents in holders.items()
    }
    counted = row.get("need_of", "pieces")
    if counted == "documents":
        number = len(set().union(*found.values()))
    elif counted == "parts":
        number = sum(any(found.get(piece) for piece in part) for part in row["parts"])
    else:
        number = sum(bool(documents) for documents in found.values())
    if number < row["need"]:
        yield f"{number} of {row['need']} {counted}"
    if row.get("lead") and quoted and not any(plain_quote(piece) in quoted[0][0] for piece in row["lead"]):
        yield f"begins with {quoted[0][0]!r} ({quoted[0][1]})"


class _Imagined:
    """The text of documents' sections of imagined situations."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, str] = {}

    def of(self, document: str) -> str:
        """Return it for a document."""
        if document not in self._known:
            parts: list[str] = []
            for page in self._engine.index().text(document).pages:
                ends = [*(start for start, _, _ in page.headings[1:]), len(page.text)]
                for (start, end, _), last in zip(page.headings, ends, strict=False):
                    if is_imagined(page.text[start:end]):
                        parts.append(plain_quote(page.text[end:last]))
            self._known[document] = " ".join(parts)
        return self._known[document]
