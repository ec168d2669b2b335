"""What becomes of the state when things go wrong: killed processes, broken clocks, full disks, folders that are gone.

    python -m pes_search.eval.experiments.state_safety --moments 100

Prints a table in Markdown and fails if anything was lost or wrong. Needs no index and no model; a minute.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

from pes_search.ingest.errors import PesSearchError
from pes_search.service.cli.frame import FAILED_STATUS, print_table
from pes_search.service.operation.archives import Archive
from pes_search.service.operation.backup import back_up
from pes_search.service.operation.restore import places, restore
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.records import Records, open_records
from pes_search.service.settings import DeskConfig, Settings

SEED = 1  # of the moments: the same in every run
LONGEST_SECONDS = 0.25  # that a process lives; a write takes some milliseconds, a backup of the uploads here some more
UPLOADS, UPLOAD_BYTES = 20, 500_000
ROWS = 50  # of the state that is restored
WRITES = 100  # of each of two services
SMALLEST_DISK_BYTES = 100_000  # a file may have, where the disk is "full"
DAYS = 180


@dataclass(slots=True)
class Outcome:
    """What one trial gave."""

    what: str
    tries: int
    lost: int  # of what somebody was told is kept
    wrong: int  # of what is there and should not be, or is damaged
    told: str = ""


@dataclass(slots=True)
class HandClock:
    """Clocks that are moved by hand."""

    run: str = "first"
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))
    passed: float = 0.0

    def now(self) -> datetime:
        """Return the time on the wall."""
        return self.wall

    def seconds(self) -> float:
        """Return the seconds that have passed."""
        return self.passed

    def advance(self, days: float) -> None:
        """Let time pass."""
        self.wall += timedelta(days=days)
        self.passed += days * 86_400


def main(arguments: Sequence[str] | None = None) -> int:
    """Try everything and print what came of it; return 0 if nothing was lost and nothing wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--moments", type=int, default=100, help="at which each kind of process is killed (default: 100)")
    parsed = parser.parse_args(arguments)
    outcomes = list(trials(parsed.moments))
    print_table(
        ("what", "tries", "lost", "wrong", "what is said"),
        ((each.what, each.tries, each.lost, each.wrong, each.told) for each in outcomes),
    )
    return FAILED_STATUS if any(each.lost or each.wrong for each in outcomes) else 0


def trials(moments: int) -> Iterator[Outcome]:
    """Yield what came of each trial, each in a folder of its own."""
    draw = random.Random(SEED)  # noqa: S311
    for trial in (killed_writing, killed_backing_up, killed_restoring):
        with tempfile.TemporaryDirectory() as folder:
            yield trial(Path(folder), [draw.uniform(0, LONGEST_SECONDS) for _ in range(moments)])
    for alone in (
        clock_ahead_and_back,
        off_for_a_year,
        runs_on,
        two_services,
        disk_full_writing,
        disk_full_backing_up,
        folder_deleted,
        file_replaced,
    ):
        with tempfile.TemporaryDirectory() as folder:
            yield alone(Path(folder))


# ── Processes that are killed ───────────────────────────────────────────────────────────────────────────────────────


def killed_writing(folder: Path, moments: Sequence[float]) -> Outcome:
    """Kill what writes, and look for everything that it had acknowledged."""
    acknowledged: list[str] = []
    for number, moment in enumerate(moments):

        def write(tell: Callable[[str], None], number: int = number) -> None:
            records = _records(folder)
            for i in range(1_000_000):
                _ask(records, f"{number}-{i}")
                tell(f"{number}-{i}")

        acknowledged += _killed(write, moment)
    found = set(_questions(folder))
    told = f"{len(acknowledged):,} writes were acknowledged"
    return Outcome("`kill -9` while writing", len(moments), len(set(acknowledged) - found), _damage(_path(folder)), told)


def killed_backing_up(folder: Path, moments: Sequence[float]) -> Outcome:
    """Kill what backs up: there is a whole backup or none, and the next leaves nothing of dead ones."""
    settings, target = _settings(folder), folder / "backups" / "backup.tar"
    _fill(_records(folder), "kept", UPLOADS)
    settings.desk.uploads.mkdir()
    for i in range(UPLOADS):
        (settings.desk.uploads / f"{i}.txt").write_bytes(os.urandom(UPLOAD_BYTES))
    wrong = whole = 0
    for moment in moments:
        target.unlink(missing_ok=True)
        _killed(lambda _: [back_up(settings, target) for _ in range(1_000)], moment)
        if target.exists():
            whole += 1
            wrong += len(Archive(target).of_part("uploads")) != UPLOADS
    back_up(settings, target)
    wrong += len(list(target.parent.iterdir())) - 1
    return Outcome(
        "`kill -9` while backing up",
        len(moments),
        UPLOADS - len(_questions(folder)),
        wrong,
        f"a whole backup {whole} times, else none",
    )


def killed_restoring(folder: Path, moments: Sequence[float]) -> Outcome:
    """Kill what restores: the state is wholly the one before or the one of the backup."""
    settings = _settings(folder)
    archives = []
    for name in ("first", "second"):
        _fill(_records(folder / name), name, ROWS)
        archives.append(Path(back_up(_settings(folder / name), folder / f"{name}.tar").file))
    _fill(_records(folder), "first", ROWS)
    lost = wrong = 0
    for moment in moments:

        def put_back(tell: Callable[[str], None]) -> None:
            for i in range(1_000):
                restore(archives[i % 2], places(settings), ["state"])
                tell("x")

        _killed(put_back, moment)
        kinds = [question.partition(" ")[0] for question in _questions(folder)]
        lost += len(kinds) != ROWS
        wrong += len(set(kinds)) != 1 or _damage(_path(folder))
        for kept in folder.glob("*.before-restore-*"):
            kept.unlink()
    return Outcome("`kill -9` while restoring", len(moments), lost, wrong, "the state before or the backup's, never a mixture")


# ── Clocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def clock_ahead_and_back(folder: Path) -> Outcome:
    """Set the clock a year ahead for a month, with the service running and started anew, and back."""
    clock = HandClock()
    records = _records(folder, clock)
    _fill(records, "kept", ROWS)
    forgotten = 0
    for years in (1, -1):
        clock.wall += timedelta(days=365 * years)
        for day in range(30):
            clock.advance(1)
            if not day % 10:  # the machine is started again
                clock.run, clock.passed = f"{years} {day}", 0.0
            forgotten += sum(records.forget().values())
    return Outcome("clock ahead a year and back", 60, forgotten, 0, f"{forgotten} forgotten in 60 days of it")


def off_for_a_year(folder: Path) -> Outcome:
    """Start a machine after a year: what is old goes in time, a part a day."""
    clock = HandClock()
    records = _records(folder, clock)
    _fill(records, "old", ROWS)
    clock.wall += timedelta(days=365)
    clock.run = "second"
    at_once = sum(records.forget().values())
    days, steps = 0, []
    while _questions(folder):
        clock.advance(1)
        days += 1
        if gone := sum(records.forget().values()):
            steps.append(gone)
    told = f"all forgotten after {days} more days, at most {max(steps)} of {ROWS} in a day"
    return Outcome("machine off for a year", 1, at_once, int(max(steps) > ROWS / 5), told)


def runs_on(folder: Path) -> Outcome:
    """Run for 180 days and some: what is old is forgotten, and what is not stays."""
    clock = HandClock()
    records = _records(folder, clock)
    for day in range(DAYS + 20):
        _ask(records, f"day {day}")
        records.forget()
        clock.advance(1)
    left = len(_questions(folder))
    return Outcome(
        f"service that runs {DAYS + 20} days", 1, max(0, DAYS + 1 - left), max(0, left - DAYS - 1), f"{left} days are left"
    )


# ── Files and disks ─────────────────────────────────────────────────────────────────────────────────────────────────


def two_services(folder: Path) -> Outcome:
    """Let two services write to one database."""
    _records(folder)
    children = []
    for name in ("first", "second"):
        child = os.fork()
        if not child:
            _end_after(lambda name=name: _fill(_records(folder), name, WRITES))  # type: ignore[misc]
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    found = _questions(folder)
    return Outcome("two services on one database", 2 * WRITES, 2 * WRITES - len(set(found)), _damage(_path(folder)))


def disk_full_writing(folder: Path) -> Outcome:
    """Write until no file may grow any more."""

    def write(tell: Callable[[str], None]) -> None:
        records = _records(folder)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALLEST_DISK_BYTES, SMALLEST_DISK_BYTES))
        try:
            for i in range(10_000):
                _ask(records, f"{i} " + "x" * 500)
                tell(f"{i} " + "x" * 500)
        except PesSearchError as error:
            tell(f"error: {error}")

    said = _killed(write, None)
    *acknowledged, error = said
    lost = len(set(acknowledged) - set(_questions(folder)))
    return Outcome(
        "disk full while writing", 1, lost, _damage(_path(folder)) + int("error" not in error), _plain(error, folder)
    )


def disk_full_backing_up(folder: Path) -> Outcome:
    """Back up where there is room for half of it."""
    settings, target = _settings(folder), folder / "backups" / "backup.tar"
    _fill(_records(folder), "kept", ROWS)
    back_up(settings, target)
    before = target.read_bytes()
    settings.desk.uploads.mkdir()
    (settings.desk.uploads / "large.txt").write_bytes(os.urandom(UPLOAD_BYTES))

    def write(tell: Callable[[str], None]) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALLEST_DISK_BYTES, SMALLEST_DISK_BYTES))
        try:
            back_up(settings, target)
        except PesSearchError as error:
            tell(f"error: {error}")

    said = _killed(write, None)
    wrong = int([path.name for path in target.parent.iterdir()] != [target.name]) + int(not said)
    return Outcome("disk full while backing up", 1, int(target.read_bytes() != before), wrong, _plain("".join(said), folder))


def folder_deleted(folder: Path) -> Outcome:
    """Delete the folder of the state under a service."""
    records = _records(folder / "state")
    shutil.rmtree(folder / "state")
    return _refusal("folder of the state deleted", records, folder, lambda: not (folder / "state").exists())


def file_replaced(folder: Path) -> Outcome:
    """Write over the state under a service."""
    records = _records(folder)
    content = b"no database " * 1_000
    _path(folder).write_bytes(content)
    return _refusal("state replaced by something else", records, folder, lambda: _path(folder).read_bytes() == content)


def _refusal(what: str, records: Records, folder: Path, is_left_alone: Callable[[], bool]) -> Outcome:
    try:
        _ask(records, "lost")
    except PesSearchError as error:
        return Outcome(what, 1, 0, int(not is_left_alone()), _plain(str(error), folder))
    return Outcome(what, 1, 1, 0, "nothing: the write was acknowledged")


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _killed(work: Callable[[Callable[[str], None]], object], after_seconds: float | None) -> list[str]:
    """Run some work in a process of its own and kill it after a while; return the lines that it had told by then."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)

        def tell(line: str) -> None:
            os.write(writing, f"{' '.join(line.split())}\n".encode())

        _end_after(lambda: work(tell))
    os.close(writing)
    if after_seconds is not None:
        time.sleep(after_seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as told:
        lines = told.read().decode().split("\n")[:-1]  # what comes after the last end of a line was cut off
    os.waitpid(child, 0)
    return lines


def _end_after(work: Callable[[], object]) -> NoReturn:
    """Do the work of a child and end it, whatever comes of it."""
    try:
        work()
    finally:
        os._exit(0)


def _settings(folder: Path) -> Settings:
    return Settings(
        index_dir=folder / "index",
        database=DatabaseConfig(path=_path(folder), retention_days=DAYS),
        desk=DeskConfig(uploads=folder / "uploads"),
    )


def _path(folder: Path) -> Path:
    return folder / "pes.sqlite3"


def _records(folder: Path, clock: HandClock | None = None) -> Records:
    return open_records(DatabaseConfig(path=_path(folder), retention_days=DAYS), clock)


def _fill(records: Records, name: str, count: int) -> None:
    for i in range(count):
        _ask(records, f"{name} {i}")


def _ask(records: Records, question: str) -> None:
    records.questions.log(question=question, language="en", reason="", confidence=1, documents=1)


def _questions(folder: Path) -> list[str]:
    with closing(sqlite3.connect(_path(folder))) as connection:
        return [question for (question,) in connection.execute("SELECT question FROM questions")]


def _damage(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA integrity_check").fetchone() != ("ok",))


def _plain(text: str, folder: Path) -> str:
    return text.removeprefix("error: ").replace(f"{folder}/", "")


if __name__ == "__main__":
    raise SystemExit(main())
