"""Questions are counted, and those without a good answer are found."""

from pathlib import Path

from record_samples import Clock, ask, question_counts

from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.questions import LoggedQuestion
from pes_search.service.records.records import Records, open_records


def test_a_question_is_counted_whatever_its_case_and_spaces(records: Records, clock: Clock) -> None:
    ask(records, "  Which  Maßnahmen\nhelp? ", reason="not_answered", confidence=0.2, documents=9)
    clock.advance(hours=1)
    ask(records, "which MASSNAHMEN help?", reason="nothing_relevant", confidence=0.1, documents=5)
    clock.advance(hours=1)
    records.questions.log(question="Which Maßnahmen help?", language="de", reason="", confidence=0.7, documents=4)
    assert records.questions.find() == [
        LoggedQuestion("Which Maßnahmen help?", "de", 3, 2, "", 0.7, 4, "2025-03-01T14:00:00+00:00")
    ]


def test_the_questions_asked_most_come_first_then_the_latest(records: Records) -> None:
    for question in ("once", "twice", "twice", "once, later"):
        ask(records, question)
    assert question_counts(records) == [("twice", 2), ("once, later", 1), ("once", 1)]
    assert [question.question for question in records.questions.find(limit=2)] == ["twice", "once, later"]


def test_only_the_last_days_count(records: Records, clock: Clock) -> None:
    ask(records, "Old wording")
    ask(records, "long ago")
    clock.advance(days=28, seconds=1)
    ask(records, "old WORDING")
    assert question_counts(records) == [("old WORDING", 1)]
    assert question_counts(records, days=29) == [("Old wording", 2), ("long ago", 1)]


def test_the_questions_without_a_good_answer_are_found(records: Records) -> None:
    ask(records, "refused", reason="not_answered", confidence=0.9)
    ask(records, "unsure", confidence=0.49)
    ask(records, "sure", confidence=0.5)
    ask(records, "answered since", reason="not_answered", confidence=0.1)
    ask(records, "answered since", confidence=0.9)
    ask(records, "no longer answered", confidence=0.9)
    ask(records, "no longer answered", reason="nothing_relevant", confidence=0.0)
    assert question_counts(records, below=0.5) == [("no longer answered", 2), ("unsure", 1), ("refused", 1)]
    assert len(records.questions.find()) == 5


def test_personal_questions_are_not_kept(records: Records, path: Path) -> None:
    ask(records, "Why was my benefit stopped?", reason="personal_or_instruction")
    assert records.questions.find() == []
    assert b"benefit" not in path.read_bytes()


def test_no_question_is_kept_where_no_log_is_wanted(path: Path) -> None:
    records = open_records(DatabaseConfig(path=path, log_questions=False))
    ask(records, "What works?")
    assert records.questions.find() == []
