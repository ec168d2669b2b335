"""Questions with their gold answers: `answers.jsonl` beside the questions, as SQuAD has it in JSON lines.

A line has `_id` (of a question, or of a need whose wordings share the answers), `is_impossible`, and `answers` with a `text`
each, and where it stands, `doc`, for the line or for each answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pes_search.eval.collections.files import InputError, raise_faults, read_records
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question
from pes_search.ingest.faults import Fault

PROJECT_ANSWERS = PROJECT_QUESTIONS / "answers.jsonl"


@dataclass(frozen=True, slots=True)
class Gold:
    """What answers a question. Any of the texts is an answer; without texts an answerable question counts for refusal only."""

    is_impossible: bool  # the collection, or the paragraph `document`, has no answer
    texts: tuple[tuple[str, str], ...]  # each with its document, empty where the file does not tell
    document: str = ""  # the paragraph that the question was written for, by the id in the file
    wants: str = ""  # fact, topic or list, where the file tells


def read_answers(path: Path) -> dict[str, Gold]:
    """Read the gold answers by id of question or need.

    Raises:
        InputError: the file cannot be read, or lines of it are no answers.
    """
    faults: list[Fault] = []
    gold = {}
    for number, record in read_records(path, faults):
        entry = _gold(record)
        if entry is None:
            faults.append(Fault(str(path), number, "needs `answers`, a list of objects with a `text` each; correct it"))
        else:
            gold[record["_id"]] = entry
    if not gold and not faults:
        faults.append(Fault(str(path), 1, "holds no answer; add lines with `_id`, `is_impossible` and `answers`"))
    raise_faults(faults)
    return gold


def with_gold(questions: Sequence[Question], answers: Mapping[str, Gold], path: Path) -> list[tuple[Question, Gold]]:
    """Return the questions that have an entry, by their own id or by their need's.

    Raises:
        InputError: none has.
    """
    pairs = [
        (question, gold)
        for question in questions
        if question.text and (gold := answers.get(question.id) or answers.get(question.need)) is not None
    ]
    if not pairs:
        raise InputError(
            [Fault(str(path), 1, "has an answer for none of the questions; name the file of these with --answers")]
        )
    return pairs


def _gold(record: Mapping[str, Any]) -> Gold | None:
    answers, document = record.get("answers", []), record.get("doc") or ""
    if not isinstance(answers, list) or not isinstance(document, str):
        return None
    if not all(isinstance(answer, dict) and isinstance(answer.get("text"), str) for answer in answers):
        return None
    texts = tuple((answer["text"], str(answer.get("doc") or document)) for answer in answers if answer["text"].strip())
    return Gold(bool(record.get("is_impossible", False)), texts, document, str(record.get("wants") or ""))
