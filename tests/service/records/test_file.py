"""The file is made, migrated, shared by threads and processes, and its faults are named."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from record_samples import START_TEXT, add, save

from pes_search.service.records import file
from pes_search.service.records.arrivals import Arrival
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.file import MIGRATIONS, DatabaseError
from pes_search.service.records.records import Records, open_records


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() == 0:
        pytest.skip("root may write into any folder")
    folder = tmp_path / "unwritable"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield folder
    folder.chmod(stat.S_IRWXU)


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def schema_of(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


# ── Several at once ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_lost_when_eight_threads_write(records: Records) -> None:
    def write(thread: int) -> None:
        for i in range(50):
            add(records, f"{thread} {i}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    kept = records.feedback.find(limit=1_000)
    assert {feedback.comment for feedback in kept} == {f"{thread} {i}" for thread in range(8) for i in range(50)}
    assert len(kept) == 8 * 50


def test_threads_that_save_the_same_search_keep_it_once(records: Records) -> None:
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: save(records), range(40)))
    assert [search.token for search in records.saved_searches.find("anna")] == list(tokens)


def test_threads_that_note_the_same_index_agree(records: Records) -> None:
    ids = [f"document {i}" for i in range(100)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: records.arrivals.note("one", ids), range(8)))
    assert records.arrivals.first_seen(ids) == dict.fromkeys(ids, Arrival(START_TEXT, 0))


def test_processes_that_start_together_make_the_file_once(path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: open_records(DatabaseConfig(path=path)), range(8)))
    for records in opened:
        add(records)
    assert len(opened[0].feedback.find()) == 8


def test_the_write_ahead_log_is_on(records: Records, path: Path) -> None:
    """Who reads does not wait for whoever writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM feedback")
        assert records.feedback.find() == []


def test_a_file_that_is_held_for_long_is_named(records: Records, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LOCK_WAIT_SECONDS", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is in use .*; try again"):
            add(records)
    add(records)


def test_a_call_that_fails_leaves_nothing_behind(records: Records, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER fail BEFORE INSERT ON noted_index BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: no room; "):
        records.arrivals.note("one", ["a"])  # the documents go in before the index
    assert records.arrivals.first_seen(["a"]) == {}


def test_what_was_acknowledged_outlasts_a_power_cut(records: Records) -> None:
    with records.file.transaction(write=True) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: the log is flushed at each commit


# ── The file ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "pes.sqlite3"
    open_records(DatabaseConfig(path=path))
    assert version_of(path) == len(MIGRATIONS)


def test_the_file_stays_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    records = open_records(DatabaseConfig())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    add(records)
    assert len(records.feedback.find()) == 1
    assert (tmp_path / "var" / "pes.sqlite3").is_file()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_a_file_of_any_version_becomes_one_of_the_latest(version: int, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for statement in (statement for migration in MIGRATIONS[:version] for statement in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
    assert version_of(path) == version
    open_records(DatabaseConfig(path=path))
    assert version_of(path) == len(MIGRATIONS)
    fresh = tmp_path / "fresh.sqlite3"
    open_records(DatabaseConfig(path=fresh))
    assert schema_of(path) == schema_of(fresh)
    assert {"feedback", "saved_searches", "arrivals", "questions", "judgments"} <= {name for name, _ in schema_of(path)}


def test_the_next_migration_keeps_what_is_there(records: Records, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = add(records)
    change = ("ALTER TABLE feedback ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",)
    monkeypatch.setattr(file, "MIGRATIONS", (*MIGRATIONS, change))
    assert open_records(DatabaseConfig(path=path)).feedback.find() == [given]
    assert version_of(path) == len(MIGRATIONS) + 1


def test_a_migration_that_fails_changes_nothing(records: Records, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema_of(path)
    monkeypatch.setattr(file, "MIGRATIONS", (*MIGRATIONS, ("DROP TABLE feedback", "DROP TABLE missing")))
    with pytest.raises(DatabaseError, match="no such table: missing"):
        open_records(DatabaseConfig(path=path))
    assert (schema_of(path), version_of(path)) == (before, len(MIGRATIONS))


def test_a_file_of_a_newer_version_is_left_as_it_is(records: Records, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DatabaseError, match=r"version 99, .*; install the newer program .* \[database\] path"):
        open_records(DatabaseConfig(path=path))
    assert version_of(path) == 99


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE vectors (key BLOB)")
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is the database of another program; let \[database\] path"):
        open_records(DatabaseConfig(path=path))
    assert [name for name, _ in schema_of(path)] == ["vectors"]


@pytest.mark.parametrize("content", [b"notes", b"no database " * 1_000])
def test_a_file_that_is_no_database_is_left_as_it_is(content: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is no database, .* move it away, .* \[database\] path"):
        open_records(DatabaseConfig(path=path))
    assert path.read_bytes() == content


def test_a_file_that_is_damaged_while_it_is_used_is_named(records: Records, path: Path) -> None:
    path.write_bytes(b"no database " * 1_000)
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is no database, or a damaged one"):
        add(records)


def test_a_file_that_is_removed_while_it_is_used_is_made_by_the_next_start(records: Records, path: Path) -> None:
    path.unlink()
    with pytest.raises(DatabaseError, match=r"pes\.sqlite3 is gone .*`pes restore` .* start again"):
        add(records)
    assert not path.exists()  # no empty file that would look like one of this program's
    assert add(open_records(DatabaseConfig(path=path))).id == 1


def test_a_folder_in_its_place_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: .*\[database\] path"):
        open_records(DatabaseConfig(path=path))


def test_a_file_in_place_of_its_folder_is_named(path: Path) -> None:
    path.parent.write_text("a file")
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: .*\[database\] path"):
        open_records(DatabaseConfig(path=path))


@pytest.mark.parametrize("name", ["pes.sqlite3", "deeper/pes.sqlite3"])
def test_a_folder_that_cannot_be_written_is_named(name: str, unwritable: Path) -> None:
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: Permission denied; .*\[database\] path"):
        open_records(DatabaseConfig(path=unwritable / name))


def test_a_file_that_can_only_be_read_is_named_at_once(records: Records, path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write any file")
    path.chmod(stat.S_IRUSR)
    with pytest.raises(DatabaseError, match=r"cannot use .*pes\.sqlite3: attempt to write a readonly database"):
        open_records(DatabaseConfig(path=path))
