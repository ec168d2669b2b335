"""Records as tests leave them, and a clock that moves when it is told to."""

from datetime import UTC, datetime, timedelta

from pes_search.service.records.feedback import Feedback
from pes_search.service.records.records import Records

START = datetime(2025, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)
START_TEXT = "2025-03-01T12:00:00+00:00"


class Clock:
    """A time that moves when it is told to, and a clock on the wall that may say something else."""

    def __init__(self) -> None:
        self.time = START
        self.passed = 0.0
        self.run = "first"

    def now(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        return self.passed

    def advance(self, **duration: float) -> None:
        """Let time pass, which both clocks tell."""
        self.time += timedelta(**duration)
        self.passed += timedelta(**duration).total_seconds()

    def jump(self, **duration: float) -> None:
        """Set the clock on the wall; no time passes."""
        self.time += timedelta(**duration)

    def restart(self, **duration: float) -> None:
        """Start the machine again, after it was off for so long."""
        self.time += timedelta(**duration)
        self.passed, self.run = 0.0, f"{self.run}, and another"


def add(records: Records, comment: str = "", *, useful: bool = True, question: str = "What works?") -> Feedback:
    return records.feedback.add(
        about="hit",
        question=question,
        document_id="de-1",
        passage_id="de-1#3",
        useful=useful,
        comment=comment,
        language="fr",
        index_id="ab12",
    )


def ask(records: Records, question: str, *, reason: str = "", confidence: float = 0.8, documents: int = 9) -> None:
    records.questions.log(question=question, language="en", reason=reason, confidence=confidence, documents=documents)


def question_counts(records: Records, *, below: float | None = None, days: int = 28) -> list[tuple[str, int]]:
    return [(question.question, question.count) for question in records.questions.find(below=below, days=days)]


def save(records: Records, query: str = "youth", owner: str = "anna", name: str = "") -> str:
    return records.saved_searches.save(owner=owner, name=name, query=query, filters={}).token
