"""What is old goes by days lived through, in steps and after a copy; a clock that jumps makes nothing old."""

import math
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from record_samples import Clock, add, ask, question_counts, save

from pes_search.service.records import retention
from pes_search.service.records.arrivals import ArrivalRecords
from pes_search.service.records.clock import SystemClock
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.file import MIGRATIONS, DatabaseError
from pes_search.service.records.records import Records, open_records
from pes_search.service.records.retention import copies, most_forgotten

DAYS = 180  # the retention of the settings


def lived_days(records: Records) -> float:
    with records.file.transaction() as connection:
        return records.file.lived(connection) / 86_400


def fill(records: Records, count: int = 1) -> None:
    for i in range(count):
        save(records, f"search {i}")
        ask(records, f"question {i}")
        records.feedback.set_handled(add(records).id, True)


def left(records: Records) -> tuple[int, int, int]:
    with records.file.transaction() as connection:
        rows = (connection.execute(f"SELECT COUNT(*) FROM {kind}").fetchone()[0] for kind in retention.KINDS)
        return tuple(rows)  # type: ignore[return-value]


# ── Clocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("years", [1, -1, 100])
def test_a_clock_that_jumps_and_comes_back_makes_nothing_old(years: int, records: Records, clock: Clock) -> None:
    fill(records)
    clock.jump(days=365 * years)
    for _ in range(3):
        clock.advance(days=10)
        assert sum(records.forget().values()) == 0
    clock.jump(days=-365 * years)
    clock.advance(days=1)
    assert sum(records.forget().values()) == 0
    assert left(records) == (1, 1, 1)
    assert lived_days(records) == 31


def test_what_was_made_while_the_clock_was_ahead_grows_old_like_all_else(records: Records, clock: Clock) -> None:
    clock.jump(days=365)
    fill(records)
    clock.jump(days=-365)
    clock.advance(days=DAYS)
    assert sum(records.forget().values()) == 0
    clock.advance(days=1)
    assert records.forget() == {"feedback": 1, "saved_searches": 1, "questions": 1}


def test_a_clock_that_jumps_with_every_start_of_the_machine_counts_two_days_each(records: Records, clock: Clock) -> None:
    fill(records)
    for _ in range(3):
        clock.restart(days=365)
        records.forget()
    assert lived_days(records) == 3 * 2
    clock.restart(days=-3 * 365)  # and back: no time is taken off
    records.forget()
    assert lived_days(records) == 3 * 2
    assert left(records) == (1, 1, 1)


def test_days_without_visits_count_within_one_run_of_the_machine(records: Records, clock: Clock, path: Path) -> None:
    fill(records)
    clock.advance(days=DAYS + 1)
    assert lived_days(open_records(DatabaseConfig(path=path), clock)) == DAYS + 1


def test_two_services_over_one_file_count_each_day_once(path: Path, clock: Clock) -> None:
    services = [open_records(DatabaseConfig(path=path), clock) for _ in range(2)]
    for _ in range(4):
        clock.advance(days=0.5)
        for service in services:
            service.forget()
            ask(service, "?")
    assert lived_days(services[0]) == lived_days(services[1]) == 4 * 0.5


def test_short_steps_add_up(records: Records, clock: Clock) -> None:
    for _ in range(10):
        clock.advance(seconds=0.25)
        ask(records, "?")
    assert lived_days(records) * 86_400 == 2  # 10 * 0.25, in whole seconds


def test_the_machine_tells_its_runs_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("one\n")
    monkeypatch.setattr("pes_search.service.records.clock.BOOT_ID", boot)
    assert SystemClock().run == SystemClock().run == "one"
    boot.unlink()
    assert SystemClock().run != SystemClock().run  # then each process counts for itself
    assert SystemClock().seconds() <= SystemClock().seconds()


def test_what_came_after_a_search_is_new_to_it_whatever_the_clock_says(records: Records, clock: Clock) -> None:
    records.arrivals.note("one", ["before"])
    clock.advance(days=1)
    clock.jump(days=365)
    token = save(records)
    clock.jump(days=-365)
    clock.advance(days=1)
    records.arrivals.note("two", ["before", "after"])
    search, seen = records.saved_searches.open(token), records.arrivals.first_seen(["before", "after"])
    assert seen["after"].at < search.at  # as the clock had it
    assert seen["before"].lived < search.lived < seen["after"].lived


def test_the_desk_counts_days_that_were_lived_through(records: Records, clock: Clock) -> None:
    clock.jump(days=365)
    ask(records, "asked while the clock was ahead")
    clock.jump(days=-365)
    clock.advance(days=29)
    assert question_counts(records, days=28) == []
    clock.jump(days=365)
    ask(records, "today")
    assert question_counts(records, days=28) == [("today", 1)]


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fifth_goes_a_day_the_oldest_first(records: Records, clock: Clock) -> None:
    for i in range(11):
        ask(records, f"question {i}")
        clock.advance(seconds=1)
    clock.advance(days=DAYS)
    gone = []
    while left(records)[2]:
        gone.append(records.forget()["questions"])
        assert sum(records.forget().values()) == 0  # not twice a day, however often a service starts
        clock.advance(days=1)
        if len(gone) == 1:
            assert [question for question, _ in question_counts(records, days=1_000)][-1] == "question 3"
    # ceil(11 / 5), ceil(8 / 5), ceil(6 / 5), ceil(4 / 5) …
    assert gone == [3, 2, 2, 1, 1, 1, 1]


@pytest.mark.parametrize("retention_days", [1, 2, 7, 30, 180, 3_650])
def test_as_much_can_go_in_a_day_as_grows_old(retention_days: int) -> None:
    a_day = 100
    rows = a_day * (retention_days + 1)
    assert a_day < most_forgotten(rows, retention_days) < rows
    assert most_forgotten(1, retention_days) == 1
    assert most_forgotten(1_000, 180) == math.ceil(1_000 / 5)


def test_a_service_that_runs_on_keeps_its_days_and_forgets_the_rest(path: Path, clock: Clock) -> None:
    records = open_records(DatabaseConfig(path=path, retention_days=4), clock)
    for day in range(12):
        ask(records, f"day {day}")
        records.forget()
        clock.advance(days=1)
    assert left(records)[2] == 4 + 1  # today's and those of four days


# ── Copies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_is_made_before_anything_is_forgotten(records: Records, path: Path, clock: Clock) -> None:
    fill(records)
    records.forget()
    assert copies(records.file) == {}  # there was nothing to forget
    clock.advance(days=DAYS + 1)
    assert records.forget()["saved_searches"] == 1
    [(day, copy)] = copies(records.file).items()
    assert (day, stat.S_IMODE(copy.stat().st_mode)) == (DAYS + 1, 0o600)
    assert [file.name for file in path.parent.glob(f"{path.name}.before*")] == [copy.name]
    assert left(open_records(DatabaseConfig(path=copy), clock)) == (1, 1, 1)


def test_three_copies_are_kept_and_none_for_long(records: Records, clock: Clock) -> None:
    fill(records, 5)
    clock.advance(days=DAYS + 1)
    for _ in range(4):
        records.forget()
        clock.advance(days=1)
    assert list(copies(records.file)) == [DAYS + 4, DAYS + 3, DAYS + 2]
    fill(records)  # nothing grows old any more for a while
    with records.file.transaction(write=True) as connection:
        for kind in retention.KINDS:
            connection.execute(f"DELETE FROM {kind}")
    clock.advance(days=6)
    records.forget()
    assert list(copies(records.file)) == [DAYS + 4]  # seven days lived through
    clock.advance(days=1)
    records.forget()
    assert copies(records.file) == {}


def test_nothing_is_forgotten_where_no_copy_can_be_made(
    records: Records, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(records)
    clock.advance(days=DAYS + 1)
    blocked = path.with_name(f".{path.name}.before-forgetting-{DAYS + 1:06}.part")
    blocked.mkdir()
    (blocked / "file").touch()
    with pytest.raises((DatabaseError, OSError)):
        records.forget()
    assert left(records) == (1, 1, 1)


# ── Files of before ───────────────────────────────────────────────────────────────────────────────────────────────────


def ago(**duration: float) -> str:
    return (datetime.now(UTC) - timedelta(**duration)).isoformat(timespec="seconds")


def earlier_file(path: Path, days: list[float]) -> None:
    """Write a file of the version before, with a question asked so many days ago each."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for statement in (statement for migration in MIGRATIONS[:2] for statement in migration):
            connection.execute(statement)
        for i, each in enumerate(days):
            connection.execute(
                "INSERT INTO questions (at, folded, question, language, reason, confidence, documents)"
                " VALUES (?, ?, ?, '', '', 1, 1)",
                (ago(days=each), str(i), str(i)),
            )
            connection.execute("INSERT INTO arrivals VALUES (?, ?)", (str(i), ago(days=each)))
        connection.execute("PRAGMA user_version = 2")
        connection.commit()


def ages(records: Records, count: int) -> list[int]:
    seen = ArrivalRecords(records.file).first_seen([str(i) for i in range(count)])
    return [round(-seen[str(i)].lived / 86_400) for i in range(count)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([200, 100, 0], [200, 100, 0]),
        ([300, 200], [100, 0]),  # after a rest, or with a clock that is ahead now: by the newest that there is
        ([20, 10, -365], [10, 0, 0]),  # made when the clock was ahead: no older than new
        ([-700, -800], [0, 0]),  # the clock is behind now
        ([], []),
    ],
)
def test_what_was_there_before_has_the_age_that_it_has_beside_the_newest(
    days: list[float], expected: list[int], path: Path, clock: Clock
) -> None:
    earlier_file(path, days)
    records = open_records(DatabaseConfig(path=path), clock)
    assert ages(records, len(days)) == expected
    assert lived_days(records) == 0
    old = sum(age > DAYS for age in expected)
    assert records.forget()["questions"] == min(old, 1)
