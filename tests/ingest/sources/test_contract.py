"""What every kind of source keeps to: a new one is one more row of `PLACES` here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pes_search.ingest.errors import PesSearchError, SourceNotFoundError
from pes_search.ingest.sources import SOURCES, find_files, kind_of


def a_folder(folder: Path) -> str:
    (folder / "docs" / "more").mkdir(parents=True)
    (folder / "docs" / "b.md").write_text("two")
    (folder / "docs" / "more" / "a.md").write_text("one")
    return str(folder / "docs")


PLACES: dict[str, tuple[Callable[[Path], str], str]] = {"files": (a_folder, "nowhere/at-all")}
"""By kind: what makes a source of two texts, "one" and "two", and a source of that kind that has nothing."""


def test_every_kind_of_source_has_a_place_here() -> None:
    assert set(PLACES) == set(SOURCES.rows)


@pytest.fixture(params=PLACES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(kind: str, tmp_path: Path) -> str:
    return PLACES[kind][0](tmp_path)


def test_a_source_is_told_by_how_it_is_written(kind: str, source: str) -> None:
    assert kind_of(source) == kind
    assert kind_of(PLACES[kind][1]) == kind
    assert all(prefix == prefix.lower() for prefix in SOURCES.row(kind).prefixes)


def test_its_files_can_be_read_from_this_machine(kind: str, source: str) -> None:
    assert sorted(file.path.read_text() for file in SOURCES.load(kind)(source)) == ["one", "two"]


def test_names_are_different_and_the_same_in_every_build(kind: str, source: str) -> None:
    names = [file.name for file in SOURCES.load(kind)(source)]
    assert len(set(names)) == 2
    assert [file.name for file in SOURCES.load(kind)(source)] == names
    assert not any("\\" in name or name.startswith("/") for name in names)


def test_a_source_is_found_among_others_and_its_files_once(source: str) -> None:
    assert len(find_files([source, source])) == 2


def test_a_source_that_has_nothing_says_so(kind: str) -> None:
    with pytest.raises(SourceNotFoundError) as caught:
        list(SOURCES.load(kind)(PLACES[kind][1]))
    assert isinstance(caught.value, PesSearchError)
    assert PLACES[kind][1] in str(caught.value)
