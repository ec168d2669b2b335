"""A build makes anew only what has changed, and an index is the same whichever way it was made."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pes_search.index import build as building
from pes_search.index.build import BuildReport
from pes_search.index.filters import EVERYTHING
from pes_search.index.kept_documents import kept_path
from pes_search.index.open_index import open_index
from pes_search.index.stores.files import FileStore

Build = Callable[[list[Path], Path], BuildReport]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.md").write_text(f"# Office {number}\n\nCounsellors help people to find work in town {number}.\n")
    return folder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the documents that builds split, in their order."""
    titles: list[str] = []
    split = building.build_passages

    def noted(document: object, *arguments: object) -> object:
        titles.append(document.title)  # type: ignore[attr-defined]
        return split(document, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "build_passages", noted)
    return titles


def content(folder: Path) -> list[object]:
    """Return all of an index that tells one from another."""
    index = open_index(FileStore(folder))
    texts = [index.text(one.id) for one in index.stored.documents(EVERYTHING)]
    files = {name: stated["sha256"] for name, stated in index.manifest.files.items() if not name.startswith("bm25/params")}
    return [index.manifest.index_id, texts, files]


def rows(cache_dir: Path, folder: Path) -> int:
    with closing(sqlite3.connect(kept_path(cache_dir, str(folder)))) as database:
        return int(database.execute("SELECT COUNT(*) FROM documents").fetchone()[0])


def test_only_what_has_changed_is_made_anew(build: Build, sources: Path, tmp_path: Path, made: list[str]) -> None:
    build([sources], tmp_path / "index")
    assert len(made) == 5
    made.clear()
    (sources / "3.md").write_text("# Office three\n\nCounsellors help people to find work in the city.\n")
    build([sources], tmp_path / "index")
    assert made == ["Office three"]


def test_an_index_of_kept_documents_is_the_one_that_would_be_made_anew(build: Build, sources: Path, tmp_path: Path) -> None:
    build([sources], tmp_path / "index")
    (sources / "3.md").write_text("# Office three\n\nCounsellors help people to find work in the city.\n")
    (sources / "1.md").unlink()
    build([sources], tmp_path / "index")
    build([sources], tmp_path / "other")
    assert content(tmp_path / "index") == content(tmp_path / "other")


def test_documents_that_are_gone_are_forgotten(build: Build, sources: Path, tmp_path: Path, cache_dir: Path) -> None:
    index = tmp_path / "index"
    build([sources], index)
    assert rows(cache_dir, index) == 5
    (sources / "1.md").unlink()
    (sources / "2.md").write_text("# Office two\n\nIt has moved to the next town.\n")
    build([sources], index)
    assert rows(cache_dir, index) == 4


def test_other_lists_make_all_anew(build: Build, sources: Path, tmp_path: Path, made: list[str]) -> None:
    build([sources], tmp_path / "index")
    made.clear()
    (sources / "taxonomy").mkdir()
    (sources / "taxonomy" / "target-groups.yaml").write_text("- {id: people, terms: {en: [people]}}\n")
    build([sources], tmp_path / "index")
    assert len(made) == 5


@pytest.mark.parametrize("damage", ["file", "row"])
def test_what_cannot_be_used_is_made_again(
    build: Build, sources: Path, tmp_path: Path, cache_dir: Path, made: list[str], damage: str
) -> None:
    index = tmp_path / "index"
    build([sources], index)
    before = content(index)
    path = kept_path(cache_dir, str(index))
    if damage == "file":
        for other in path.parent.glob(f"{path.name}-*"):
            other.unlink()
        path.write_bytes(b"no database at all, but long enough to be looked at as one" * 100)
    else:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE documents SET document = x'80'")
    made.clear()
    next(index.rglob("vectors.f16")).write_bytes(b"")  # so that the build has something to do
    build([sources], index)
    assert len(made) == 5
    assert content(index) == before


def test_documents_that_cannot_be_kept_fail_no_build(
    build: Build,
    sources: Path,
    tmp_path: Path,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connect = sqlite3.connect

    def of_a_full_disk(path: Path, **named: float) -> sqlite3.Connection:
        connection = connect(path, **named)
        if "documents" in str(path):
            connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr("pes_search.index.kept_documents.sqlite3.connect", of_a_full_disk)
    assert build([sources], tmp_path / "index").documents == 5
    assert "cannot keep what was made of the documents" in caplog.text
    assert len(content(tmp_path / "index")[1]) == 5  # type: ignore[arg-type]
