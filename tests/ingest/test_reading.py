"""Files are read in processes of their own; what takes too much is named, the rest goes on, and nothing is read twice."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pes_search.ingest import reading
from pes_search.ingest.config import IN_THIS_PROCESS, ReadingConfig
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.reading import Read, read_files
from pes_search.ingest.sources.base import SourceFile

TEXT = "# Bus to work\n\nA minibus takes {} apprentices from the villages to their workplace every morning."


def files(folder: Path, count: int) -> list[SourceFile]:
    for number in range(count):
        (folder / f"{number}.md").write_text(TEXT.format(number), encoding="utf-8")
    return [SourceFile(folder / f"{number}.md", f"{number}.md") for number in range(count)]


def reasons(results: Sequence[Read]) -> list[str | None]:
    return [str(read) if isinstance(read, UnreadableFileError) else None for read in results]


def test_processes_give_what_this_process_gives_in_the_files_order(tmp_path: Path) -> None:
    given = [*files(tmp_path, 5), SourceFile(tmp_path / "gone.md", "gone.md"), SourceFile(tmp_path / "x.xyz", "x.xyz")]
    (tmp_path / "x.xyz").write_bytes(b"?")
    here = list(read_files(given, IN_THIS_PROCESS))
    there = list(read_files(given, ReadingConfig(processes=2)))
    assert there[:5] == here[:5]
    assert reasons(there) == reasons(here) == [None] * 5 + [
        "cannot be opened: No such file or directory", "no reader for .xyz"
    ]  # fmt: skip
    assert list(read_files([], ReadingConfig())) == []


def test_a_file_that_takes_too_long_is_named_and_the_next_is_read(tmp_path: Path) -> None:
    results = list(read_files(files(tmp_path, 3), ReadingConfig(processes=1, seconds=0.001)))
    assert reasons(results) == ["took longer than 0.001 s; raise [reading] seconds, or hand in a smaller file"] * 3


def test_a_file_that_takes_too_much_memory_is_named_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"A long line of words, which is repeated.\n\n" * 3_000_000)
    given = [SourceFile(tmp_path / "large.txt", "large.txt"), *files(tmp_path, 1)]
    large, small = read_files(given, ReadingConfig(processes=1, megabytes=500))
    assert reasons([large, small]) == ["needs more memory than it may take; raise [reading] megabytes", None]


def test_after_a_process_that_died_another_one_goes_on(tmp_path: Path) -> None:
    first, second, third = files(tmp_path, 3)
    reader = reading.ReadingProcess(ReadingConfig())
    try:
        assert isinstance(reader.read(first), list)
        assert reader._process is not None
        reader._process.kill()
        assert "brought its reader down (status -9)" in str(reader.read(second))
        assert isinstance(reader.read(third), list)
    finally:
        reader.close()


def test_what_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, kept = files(tmp_path, 2), tmp_path / "kept"
    (tmp_path / "empty.md").write_bytes(b"")
    given.append(SourceFile(tmp_path / "empty.md", "empty.md"))
    read: list[str] = []

    def counted(file: SourceFile) -> Read:
        read.append(file.name)
        return original(file)

    original = reading._read_here
    monkeypatch.setattr(reading, "_read_here", counted)
    before = list(read_files(given, IN_THIS_PROCESS, kept))
    assert read == ["0.md", "1.md", "empty.md"]
    read.clear()
    (tmp_path / "1.md").write_text(TEXT.format("many"), encoding="utf-8")
    after = list(read_files([*given, SourceFile(tmp_path / "0.md", "other/0.md")], IN_THIS_PROCESS, kept))
    # What changed, what could not be read, and what has another name.
    assert read == ["1.md", "empty.md", "other/0.md"]
    assert after[0] == before[0]
    monkeypatch.setattr(reading, "reading_code", lambda: b"another version")
    read.clear()
    list(read_files(given, IN_THIS_PROCESS, kept))
    assert read == ["0.md", "1.md", "empty.md"]


@pytest.mark.parametrize("values", [{"processes": -1}, {"seconds": 0}, {"megabytes": 100}])
def test_impossible_limits_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="needs processes"):
        ReadingConfig(**values)


@pytest.mark.parametrize("damage", ["no database", "cut", "no folder"])
def test_what_cannot_be_used_of_what_was_read_is_read_again(tmp_path: Path, damage: str) -> None:
    given, kept = files(tmp_path, 2), tmp_path / "kept"
    before = list(read_files(given, IN_THIS_PROCESS, kept))
    path = kept / "files.sqlite"
    if damage == "no database":
        path.write_bytes(b"words " * 1_000)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5_000])
    else:
        kept = tmp_path / "0.md"
    assert list(read_files(given, IN_THIS_PROCESS, kept)) == before
