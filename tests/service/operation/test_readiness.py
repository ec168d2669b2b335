"""What is wrong with an installation is found at a glance, told with what to do, and holds nobody up."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from kept import kept_in

from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.errors import IndexDamagedError
from pes_search.index.filters import EVERYTHING
from pes_search.index.stores.files import FileStore
from pes_search.index.types import LastBuild
from pes_search.service.engine import Engine
from pes_search.service.operation import readiness
from pes_search.service.operation.checks import Check
from pes_search.service.operation.readiness import Readiness, checks, serves
from pes_search.service.settings import HealthConfig, KeepConfig, Settings

Build = Callable[..., object]


class Place(NamedTuple):
    """An index with two generations, and settings of a service over it."""

    settings: Settings
    names: list[str]


@pytest.fixture
def place(tmp_path: Path, build: Build) -> Place:
    names = []
    (tmp_path / "sources").mkdir()
    for name in ("one", "two"):
        (tmp_path / "sources" / f"{name}.md").write_text(f"---\nid: {name}\n---\n# The {name}\n\nCounsellors help women.")
        build([tmp_path / "sources"], tmp_path / "index")
        names.append(FileStore(tmp_path / "index").current_name() or "")
    return Place(Settings(index_dir=tmp_path / "index", cache_dir=tmp_path / "cache", **kept_in(tmp_path)), names)


def found(settings: Settings, engine: Engine | None = None) -> dict[str, Check]:
    """Return the checks that are not well, by name."""
    return {check.name: check for check in checks(settings, engine) if check.status != "ok"}


def without_model(settings: Settings) -> dict[str, Check]:
    """The same of a cache without the converted model, which is told and no concern here."""
    return {name: check for name, check in found(settings).items() if name != "model"}


def engine_of(place: Place, encoder: Encoder) -> Engine:
    return Engine(place.settings, place.settings.index_store(), encoder)


def test_all_is_well(place: Place, engine: Engine) -> None:
    assert without_model(place.settings) == {}
    assert found(engine.settings, engine) == {}
    names = [check.name for check in checks(place.settings)]
    assert names == [
        "index", "newest_index", "index_model", "index_age", "model", "disk_index", "disk_state", "disk_cache", "disk_uploads",
        "state_database", "last_build",
    ]  # fmt: skip


def test_no_index_cannot_serve(tmp_path: Path) -> None:
    settings = Settings(index_dir=tmp_path / "none", **kept_in(tmp_path))
    found = without_model(settings)
    assert found["index"].status == "failing"
    assert "pes build --index" in found["index"].remedy
    assert not serves(list(found.values()))


def _cut(place: Place) -> None:
    vectors = place.settings.index_dir / "generations" / place.names[1] / "vectors.f16"
    vectors.write_bytes(vectors.read_bytes()[:-2])


def _lose(place: Place) -> None:
    place.settings.index_dir.rename(place.settings.index_dir.with_name("elsewhere"))


def _scribble(place: Place) -> None:
    (place.settings.index_dir / "CURRENT").write_text("garbage")


def _lose_the_generation(place: Place) -> None:
    folder = place.settings.index_dir / "generations" / place.names[1]
    folder.rename(folder.with_name(".gone"))


@pytest.mark.parametrize("damage", [_cut, _lose, _scribble, _lose_the_generation])
def test_a_damaged_index_fails_a_start_and_is_told_of_a_service_that_goes_on(
    damage: Callable[[Place], None], place: Place, encoder: Encoder
) -> None:
    engine = engine_of(place, encoder)
    damage(place)
    assert found(place.settings)["index"].status == "failing"
    of_service = found(place.settings, engine)["index"]
    assert of_service.status == "warning"
    assert "what was opened before is served" in of_service.detail
    assert len(engine.index().stored.documents(EVERYTHING)) == 2


def test_a_newer_index_that_cannot_be_opened_is_told_without_a_path(place: Place, encoder: Encoder) -> None:
    FileStore(place.settings.index_dir).switch_to(place.names[0])
    engine = engine_of(place, encoder)
    FileStore(place.settings.index_dir).switch_to(place.names[1])
    texts = place.settings.index_dir / "generations" / place.names[1] / "texts.txt"
    texts.write_bytes(texts.read_bytes().swapcase())
    assert "newest_index" not in found(place.settings, engine)  # nobody has tried yet
    assert len(engine.index().stored.documents(EVERYTHING)) == 1
    told = found(place.settings, engine)["newest_index"]
    assert told.detail == "a newer index could not be opened, an older one is served: texts.txt is missing or altered"


def test_an_index_that_was_gone_back_to_is_told(place: Place, encoder: Encoder) -> None:
    engine = engine_of(place, encoder)
    FileStore(place.settings.index_dir).switch_to(place.names[0])
    told = found(place.settings, engine)["newest_index"]
    assert "it was gone back to" in told.detail
    assert f"pes rollback {place.names[1]}" in told.remedy


def test_an_index_of_another_model_fails_a_start(place: Place) -> None:
    settings = place.settings.model_copy(update={"encoder": EncoderConfig(query_prompt="another: ")})
    assert found(settings)["index_model"].status == "failing"


def test_an_old_index_is_told_where_the_settings_say_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(readiness.datetime):
        @classmethod
        def now(cls, tz: object = None) -> "readiness.datetime":
            return super().now(readiness.UTC) + 3 * (readiness.datetime(2000, 1, 2) - readiness.datetime(2000, 1, 1))

    monkeypatch.setattr(readiness, "datetime", Later)
    assert "index_age" not in found(place.settings)
    settings = place.settings.model_copy(update={"index": KeepConfig(oldest_days=2)})
    assert found(settings)["index_age"].detail == "the index is 3.0 days old, 2 at most"


@pytest.mark.parametrize(("free", "word"), [(499_000_000, "nearly full, 499.0 MB free"), (0, "full, 0.0 MB free")])
def test_a_full_disk_is_told_of_every_place(free: int, word: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "free_bytes", lambda folder: free)
    told = without_model(place.settings)
    assert set(told) == {"disk_index", "disk_state", "disk_cache", "disk_uploads"}
    assert told["disk_index"].detail == f"{place.settings.index_dir}: {word}"
    settings = place.settings.model_copy(update={"health": HealthConfig(least_free_megabytes=0)})
    assert bool(without_model(settings)) == (free == 0)


def test_a_state_database_that_cannot_be_written_is_told(place: Place) -> None:
    path = place.settings.database.path
    path.write_bytes(b"no database" * 100)
    assert "cannot be written" in found(place.settings)["state_database"].detail
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (x)")
    assert "state_database" not in found(place.settings)
    database.execute("BEGIN EXCLUSIVE")  # somebody writes, which is as it should be
    assert "state_database" not in found(place.settings)
    database.close()


@pytest.mark.parametrize("state", ["failed", "died"])
def test_a_build_that_failed_is_told_with_its_message(state: str, place: Place) -> None:
    store = place.settings.index_store()
    noted = "running" if state == "died" else state
    store.note_build(LastBuild(noted, "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", "1", "no room"))  # type: ignore[arg-type]
    told = found(place.settings)["last_build"]
    assert told.status == "warning"
    assert f"the last build {state} (2026-01-01T00:0{int(state == 'failed')}" in told.detail


def test_the_model_is_told_where_a_start_would_not_find_it(
    place: Place, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "find_spec", lambda name: None)
    assert found(place.settings)["model"].status == "failing"
    assert (
        found(place.settings.model_copy(update={"cache_dir": engine.settings.cache_dir}), engine)["model"].status == "warning"
    )


# ── Waiting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_found_counts_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    kept = Readiness(lambda: [Check("a", "ok", str(asked.append(1) or len(asked)))])  # type: ignore[func-returns-value]
    assert [asyncio.run(kept.now())[0].detail for _ in range(3)] == ["1", "1", "1"]
    monkeypatch.setattr(readiness, "FRESH_SECONDS", -1.0)
    assert asyncio.run(kept.now())[0].detail == "2"


def test_checks_that_hang_hold_nobody_and_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LONGEST_SECONDS", 0.05)
    go_on, asked = threading.Event(), []

    def hang() -> list[Check]:
        asked.append(1)
        go_on.wait(30)
        return [Check("a", "ok")]

    kept = Readiness(hang)
    for _ in range(3):
        assert [(check.name, check.status) for check in asyncio.run(kept.now())] == [("checks", "failing")]
    assert len(asked) == 1  # one thread waits, whoever asks
    go_on.set()
    while (now := asyncio.run(kept.now()))[0].name != "a":
        time.sleep(0.01)
    assert now == [Check("a", "ok")]


def test_checks_that_fail_are_told() -> None:
    def fail() -> list[Check]:
        raise IndexDamagedError("broken")

    (check,) = asyncio.run(Readiness(fail).now())
    assert (check.name, check.status, check.detail) == ("checks", "failing", "they failed: IndexDamagedError: broken")
