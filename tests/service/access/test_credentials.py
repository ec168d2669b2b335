"""What the database knows counts from the next look on, whoever changed it; what cannot be read opens nothing."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pes_search.service.access import credentials
from pes_search.service.access.credentials import SETTLED_SECONDS, Credentials, Known
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.file import MIGRATIONS, DatabaseError
from pes_search.service.records.records import Records, open_records

NOTHING = Known(False, None, None, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pes.sqlite3"


@pytest.fixture
def records(path: Path) -> Records:
    return open_records(DatabaseConfig(path=path))


def known(of: Credentials, key: str = "", session: str = "") -> Known:
    """Return what a request goes by."""
    return of.remembered(key, session) or of.read(key, session)


def settle(path: Path) -> None:
    """Make the file's last change one of a while ago."""
    past = time.time() - 10 * SETTLED_SECONDS
    for file in path.parent.glob("pes.sqlite3*"):
        os.utime(file, (past, past))


def test_without_a_file_there_are_no_keys(path: Path) -> None:
    of = Credentials(path)
    assert of.remembered("", "") is None
    assert (known(of), of.remembered("", ""), of.count_valid()) == (NOTHING, NOTHING, 0)
    assert not path.exists()  # looking leaves nothing


def test_a_change_counts_from_the_next_look_on(path: Path, records: Records) -> None:
    of = Credentials(path)
    assert known(of) == NOTHING
    key, text = records.keys.add("reader", name="press")
    assert known(of, text).key == key
    assert known(of, text + "0") == Known(True, None, None, None)
    records.sessions.start(token="t", key_id=key.id, role="reader")
    assert known(of, session="t").session_key == key
    revoked = records.keys.revoke(key.id)
    assert known(of, text).key == revoked
    assert known(of, session="t") == Known(True, None, None, None)


def test_nothing_is_read_again_until_the_file_changes(path: Path, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    key, text = records.keys.add("reader")
    settle(path)
    of = Credentials(path)
    of.read(text, "")
    monkeypatch.setattr(credentials, "reading", lambda _: pytest.fail("it was read"))
    assert known(of, text).key == key
    monkeypatch.undo()
    records.keys.revoke(key.id)
    assert of.remembered(text, "") is None


def test_what_changed_just_now_is_not_remembered(path: Path, records: Records) -> None:
    _, text = records.keys.add("reader")
    of = Credentials(path)
    of.read(text, "")  # a second change in the same tick of the file system's clock would look the same
    assert of.remembered(text, "") is None


def test_another_process_counts_as_well(path: Path, records: Records) -> None:
    key, text = records.keys.add("editor")
    settle(path)
    of = Credentials(path)
    assert known(of, text).key == key
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(path), "UPDATE keys SET role = 'reader'"], check=True)
    found = known(of, text).key
    assert found is not None
    assert found.role == "reader"


def test_the_answers_are_bounded(path: Path, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "MOST_KNOWN", 3)
    records.keys.add("reader")
    settle(path)
    of = Credentials(path)
    for number in range(10):
        of.read(f"guess {number}", "")
    assert len(of._known) <= 3


def spoilt(path: Path) -> None:
    for file in path.parent.glob("pes.sqlite3*"):
        file.unlink()
    path.write_bytes(b"no database" * 1_000)


def gone(path: Path) -> None:
    for file in path.parent.glob("pes.sqlite3*"):
        file.unlink()


def replaced(path: Path) -> None:
    gone(path)
    open_records(DatabaseConfig(path=path))


@pytest.mark.parametrize("change", [spoilt, gone, replaced])
def test_keys_that_cannot_be_read_any_more_open_nothing(path: Path, records: Records, change: Callable[[Path], None]) -> None:
    _, text = records.keys.add("admin")
    of = Credentials(path)
    assert known(of, text).key is not None
    change(path)
    for key in (text, ""):
        with pytest.raises(DatabaseError):
            known(of, key)


def test_a_file_that_is_none_cannot_be_told(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)
    of = Credentials(path)
    with pytest.raises(DatabaseError, match="no database"):
        known(of)
    with pytest.raises(DatabaseError, match="no database"):
        of.count_valid()


def test_a_file_of_before_keys_has_none(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    of = Credentials(path)
    assert (known(of), of.count_valid()) == (NOTHING, 0)


def test_only_keys_that_open_something_are_counted(path: Path, records: Records) -> None:
    key, _ = records.keys.add("reader", days=1)
    records.keys.revoke(records.keys.add("admin")[0].id)
    of = Credentials(path)
    assert (of.count_valid(), known(of).has_keys) == (1, True)
    records.keys.revoke(key.id)
    assert (of.count_valid(), known(of).has_keys) == (0, True)  # it was closed once, and stays so
