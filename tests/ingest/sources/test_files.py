"""Files, folders and globs become one list with names that last."""

import os
from pathlib import Path

import pytest

from pes_search.ingest.errors import SourceNotFoundError
from pes_search.ingest.sources import find_files
from pes_search.ingest.sources.files import glob_start


def names(*sources: str | Path) -> list[str]:
    return [file.name for file in find_files([str(source) for source in sources])]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """`docs/` with two files of its own and one in each of two folders."""
    folder = tmp_path / "docs"
    for name in ("b.md", "z.txt", "a/index.md", "c/index.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_folder_gives_all_files_below_it_named_from_the_folder_above(docs: Path) -> None:
    assert set(names(docs)) == {"docs/b.md", "docs/z.txt", "docs/a/index.md", "docs/c/index.md"}


def test_files_of_a_folder_are_sorted_by_name(docs: Path) -> None:
    assert names(docs) == ["docs/a/index.md", "docs/b.md", "docs/c/index.md", "docs/z.txt"]


def test_a_file_is_named_without_its_folder(docs: Path) -> None:
    [file] = find_files([str(docs / "a" / "index.md")])
    assert (file.name, file.path.read_text()) == ("index.md", "a/index.md")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("docs/*.md", ["docs/b.md"]),
        ("docs/**/*.md", ["docs/a/index.md", "docs/b.md", "docs/c/index.md"]),
        ("docs/[ac]/*", ["docs/a/index.md", "docs/c/index.md"]),
        ("docs/?.txt", ["docs/z.txt"]),
    ],
)
def test_a_glob_gives_the_files_that_match_under_the_names_that_a_folder_gives_them(
    docs: Path, pattern: str, expected: list[str]
) -> None:
    assert names(docs.parent / pattern) == expected


def test_names_do_not_change_with_the_working_directory(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_outside = names(docs)
    monkeypatch.chdir(docs)
    assert names(".") == from_outside
    assert names("../docs") == from_outside
    assert sorted(names("**/*")) == sorted(from_outside)


def test_a_file_that_two_sources_name_is_listed_once_under_its_first_name(docs: Path) -> None:
    found = names(docs / "b.md", docs, docs / "*.md")
    assert found[0] == "b.md"
    assert len(found) == 4
    assert "docs/b.md" not in found


def test_a_link_to_a_listed_file_is_not_listed_again(docs: Path) -> None:
    (docs / "zz-link.md").symlink_to(docs / "b.md")
    assert len(names(docs)) == 4


def test_sources_keep_their_order(docs: Path) -> None:
    assert names(docs / "z.txt", docs / "b.md") == ["z.txt", "b.md"]


def test_hidden_files_and_tool_folders_are_left_out(tmp_path: Path) -> None:
    for name in (".hidden.md", ".git/config.md", "__pycache__/x.md", "node_modules/readme.md", "kept.md"):
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text("x")
    assert names(tmp_path / "site") == ["site/kept.md"]


def test_glob_characters_in_a_real_name_are_no_glob(tmp_path: Path) -> None:
    (tmp_path / "report [1].md").write_text("x")
    (tmp_path / "set [2]").mkdir()
    (tmp_path / "set [2]" / "a.md").write_text("x")
    assert names(tmp_path / "report [1].md", tmp_path / "set [2]") == ["report [1].md", "set [2]/a.md"]


@pytest.mark.parametrize("source", ["nowhere", "nowhere/*.pdf", "docs/*.pdf"])
def test_a_source_that_names_nothing_is_an_error_with_an_example(docs: Path, source: str) -> None:
    with pytest.raises(SourceNotFoundError, match=r"no file matches .*; give a file, a folder or a quoted glob"):
        find_files([str(docs.parent / source)])


def test_an_empty_source_is_not_the_working_directory(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(docs)
    with pytest.raises(SourceNotFoundError):
        find_files([""])


def test_a_name_in_another_encoding_becomes_valid_unicode(tmp_path: Path) -> None:
    file = tmp_path / "docs" / os.fsdecode(b"caf\xe9.md")
    file.parent.mkdir()
    file.write_text("x")
    [found] = find_files([str(file.parent)])
    assert found.name == "docs/caf\ufffd.md"
    assert found.path.read_text() == "x"


@pytest.mark.parametrize("source", ["link", "link/**/*.md", "parent/docs", "parent/docs/**/*.md"])
def test_files_behind_a_linked_folder_keep_their_folders_in_their_names(
    docs: Path, tmp_path_factory: pytest.TempPathFactory, source: str
) -> None:
    """Two files of one name would get one id, and the second would be lost as a duplicate."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "link").symlink_to(docs)
    (elsewhere / "parent").symlink_to(docs.parent)
    found = [name for name in names(elsewhere / source) if name.endswith("index.md")]
    assert [name.split("/")[-2:] for name in sorted(found)] == [["a", "index.md"], ["c", "index.md"]]


def test_a_link_to_itself_does_not_stop_the_rest(docs: Path) -> None:
    (docs / "loop.md").symlink_to(docs / "loop.md")
    assert {"docs/b.md", "docs/z.txt"} <= set(names(docs))


@pytest.mark.parametrize(("pattern", "start"), [("docs/*.pdf", 5), ("a?[b]*", 1), ("[ab].md", 0), ("plain.md", 8), ("", 0)])
def test_the_fixed_part_of_a_glob_ends_at_its_first_wildcard(pattern: str, start: int) -> None:
    assert glob_start(pattern) == start
