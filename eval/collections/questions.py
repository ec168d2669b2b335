"""Judged questions about an index: `questions.jsonl` and `qrels.tsv`. The project's own are in `eval/questions/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pes_search.eval.collections.files import Qrels, raise_faults, read_qrels, read_records, text_of
from pes_search.ingest.faults import Fault

PROJECT_QUESTIONS = Path(__file__).parents[1] / "questions"
SPLITS = ("dev", "test")
IDS = ("id", "_id", "qid")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks: a text, or a document whose relatives are wanted. Empty where the file does not tell."""

    id: str
    text: str = ""
    document: str = ""  # its id; then there is no text
    language: str = ""  # ISO 639-1
    slice: str = ""  # known_item, lexical, paraphrase, acronym, comparative, cross_language, editor, unanswerable
    split: str = ""  # dev or test
    need: str = ""  # the same for the wordings of one need


def read_questions(path: Path, split: str | None = None) -> list[Question]:
    """Read the questions of a file, all or those of one split.

    Raises:
        InputError: the file cannot be read, lines of it are no questions, or none is in the split.
    """
    faults: list[Fault] = []
    questions = []
    for number, record in read_records(path, faults, ids=IDS):
        document = _field(record, "document", path, number, faults)
        text = "" if document else text_of(record, "text", path, number, faults)
        if text is not None and not (document or text.strip()):
            faults.append(
                Fault(str(path), number, "asks nothing; give it a `text`, or a `document` whose relatives are wanted")
            )
        question = Question(
            id=record["_id"],
            text=text or "",
            document=document,
            language=_field(record, "language", path, number, faults) or _field(record, "lang", path, number, faults),
            slice=_field(record, "slice", path, number, faults),
            split=_field(record, "split", path, number, faults),
            need=_field(record, "need", path, number, faults),
        )
        if split is None or question.split == split:
            questions.append(question)
    if not questions and not faults:
        what = f"no question has the split {split!r}; leave out --split" if split else "holds no question; add some"
        faults.append(Fault(str(path), 1, what))
    raise_faults(faults)
    return questions


def read_judgments(path: Path, questions: list[Question]) -> Qrels:
    """Return the judgments of these questions, in their order; a question without any has an empty entry.

    Raises:
        InputError: the file does not fit.
    """
    qrels = read_qrels(path)
    return {question.id: qrels.get(question.id, {}) for question in questions}


def _field(record: dict[str, Any], name: str, path: Path, number: int, faults: list[Fault]) -> str:
    return (text_of(record, name, path, number, faults) or "") if record.get(name) is not None else ""
