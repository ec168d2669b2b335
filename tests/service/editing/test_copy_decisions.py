"""Decisions last: over a restart, over builds, over what goes and comes back."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from copied import write_copied

from pes_search.index.filters import EVERYTHING, Filters
from pes_search.service.answers.tables import _listed
from pes_search.service.editing.copy_decisions import decide
from pes_search.service.engine import Engine
from pes_search.service.records.records import open_records

Build = Callable[..., object]
BUS = "a bus that visits villages"


def say(engine: Engine, verdict: str, *ids: str) -> None:
    decide(verdict, ids[0], ids[1:], engine.index(), open_records(engine.settings.database).copies)  # type: ignore[arg-type]


def groups(engine: Engine) -> list[tuple[str, ...]]:
    return engine.index().copies.groups


def restarted(engine: Engine) -> Engine:
    return Engine(engine.settings, engine.settings.index_store(), engine.encoder)


def rebuild(build: Build, tmp_path: Path, without: str = "") -> None:
    """Build anew, with one document more or less."""
    build([write_copied(tmp_path / "sources", without=without)], tmp_path / "index")


def test_a_decision_lasts_over_a_restart_and_builds(copied: Engine, build: Build, tmp_path: Path) -> None:
    say(copied, "part", "copy", "story", "german")
    before = copied.index()
    assert groups(copied) == groups(restarted(copied)) == [("story", "german")]
    assert copied.index() is before  # made anew only where something changed
    rebuild(build, tmp_path, without="fair")
    assert groups(copied) == [("story", "german")]
    assert copied.index().manifest.index_id != before.manifest.index_id
    assert before.copies.groups == [("story", "german")]  # a request that goes on sees what it began with


def test_what_has_gone_is_no_fault_and_comes_back_as_it_was(copied: Engine, build: Build, tmp_path: Path) -> None:
    say(copied, "part", "copy", "story", "german")
    say(copied, "confirm", "club", "fair", "german")
    assert groups(copied) == [("story", "club", "fair", "german")]
    rebuild(build, tmp_path, without="club")
    assert groups(copied) == [("story", "fair", "german")]  # as copies of what has gone
    rebuild(build, tmp_path, without="story")
    assert groups(copied) == [("german", "club", "fair")]  # of three the fullest
    say(copied, "undo", "copy", "story")  # also of what has gone
    assert groups(copied) == [("german", "club", "fair")]  # the other pair still holds
    say(copied, "undo", "copy", "german")
    rebuild(build, tmp_path)
    assert groups(copied) == [("story", "club", "copy", "fair", "german")]


def test_answers_tables_and_lists_go_by_it(copied: Engine) -> None:
    def listed() -> list[str]:
        result = copied.search(copied.index(), BUS, k=10, offset=0, group="document", filters=EVERYTHING)
        return [hit.document.id for hit in result.hits]

    assert sorted(listed()) == ["club", "fair", "story"]
    say(copied, "part", "copy", "story", "german")
    assert sorted(listed()) == ["club", "copy", "fair", "story"]
    assert [one.id for one in _listed(copied.index(), EVERYTHING)] == ["club", "copy", "fair", "story"]
    say(copied, "confirm", "club", "fair")
    assert sorted(listed()) == ["club", "copy", "story"]
    german = copied.search(
        copied.index(), "Das mobile Büro im Dorf", k=1, offset=0, group="document", filters=Filters(kind="practice")
    )
    assert [(hit.document.id, [other.id for other in hit.also]) for hit in german.hits] == [("german", ["story"])]


def test_records_that_cannot_be_read_leave_what_is_known(copied: Engine, caplog: pytest.LogCaptureFixture) -> None:
    say(copied, "part", "copy", "story", "german")
    assert groups(copied) == [("story", "german")]
    path = copied.settings.database.path
    kept = path.read_bytes()
    for part in path.parent.glob("pes.sqlite3-*"):
        part.unlink()
    path.write_bytes(b"no database" * 100)
    with caplog.at_level(logging.ERROR, "pes_search"):
        assert groups(copied) == groups(copied) == [("story", "german")]
    assert len(caplog.records) == 1  # and it is told once
    path.write_bytes(kept)
    assert groups(copied) == [("story", "german")]
