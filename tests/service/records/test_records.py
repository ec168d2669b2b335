"""What is old is forgotten, all kinds together; what is work stays."""

from datetime import timedelta, timezone
from pathlib import Path

import pytest
from pydantic import ValidationError
from record_samples import START, START_TEXT, Clock, add, ask, question_counts, save

from pes_search.service.records.arrivals import Arrival
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.file import NotStoredError
from pes_search.service.records.records import Records, open_records

NOTHING = {"feedback": 0, "saved_searches": 0, "questions": 0}


def test_what_is_old_is_forgotten(path: Path, clock: Clock) -> None:
    records = open_records(DatabaseConfig(path=path, retention_days=30), clock)
    handled, still_open = add(records, "handled"), add(records, "open")
    records.feedback.set_handled(handled.id, True)
    unopened, opened = save(records, "unopened"), save(records, "opened")
    ask(records, "old")
    records.judgments.judge(query="a", document_id="x", grade=1, index_id="i")
    records.copies.decide([("x", "y")], are_copies=True, index_id="i")
    records.arrivals.note("i", ["x"])
    clock.advance(days=30)
    assert records.forget() == NOTHING
    records.saved_searches.open(opened)
    ask(records, "new")
    records.feedback.set_handled(add(records, "just handled").id, True)
    clock.advance(days=1)
    assert records.forget() == {"feedback": 1, "saved_searches": 1, "questions": 1}
    assert [search.comment for search in records.feedback.find()] == ["just handled", still_open.comment]
    assert [search.token for search in records.saved_searches.find("anna")] == [opened]
    with pytest.raises(NotStoredError):
        records.saved_searches.open(unopened)
    assert question_counts(records, days=1_000) == [("new", 1)]
    assert (len(records.judgments.find()), len(records.copies.find())) == (1, 1)
    assert records.arrivals.first_seen(["x"]) == {"x": Arrival(START_TEXT, 0)}
    clock.advance(days=1)
    assert records.forget() == NOTHING


def test_what_is_forgotten_is_gone_from_the_file(records: Records, path: Path, clock: Clock) -> None:
    ask(records, "unmistakable")
    assert b"unmistakable" in path.read_bytes()
    clock.advance(days=181)
    assert records.forget()["questions"] == 1
    assert b"unmistakable" not in path.read_bytes()
    assert [file.name for file in path.parent.iterdir() if b"unmistakable" in file.read_bytes()] == [
        "pes.sqlite3.before-forgetting-000181"
    ]
    clock.advance(days=8)  # a copy is kept for seven
    assert records.forget()["questions"] == 0
    assert all(b"unmistakable" not in file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize("values", [{"retention_days": 0}, {"retention_days": 10**9}, {"colour": 1}])
def test_settings_that_cannot_be_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        DatabaseConfig.model_validate(values)


def test_the_longest_retention_can_be_applied(path: Path, clock: Clock) -> None:
    records = open_records(DatabaseConfig(path=path, retention_days=36_500), clock)
    ask(records, "kept")
    assert records.forget()["questions"] == 0


def test_times_are_kept_in_utc_whatever_the_clock_says(path: Path) -> None:
    clock = Clock()
    clock.time = START.astimezone(timezone(timedelta(hours=3)))
    records = open_records(DatabaseConfig(path=path), clock)
    assert add(records).at == START_TEXT
