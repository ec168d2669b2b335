"""Files are read in processes of their own; what takes too much is named, the rest goes on, and nothing is read twice."""

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from pes_search.ingest import reading
from pes_search.ingest.config import IN_THIS_PROCESS, ReadingConfig
from pes_search.ingest.errors import ReadingStoppedError, TakesTooMuchError, UnreadableFileError
from pes_search.ingest.reading import Read, ReadingProcess, beginning_of, read_files
from pes_search.ingest.sources.base import SourceFile

TEXT = "# Bus to work\n\nA minibus takes {} apprentices from the villages to their workplace every morning."


# A letter with a million marks: composing it takes the square of their number, in one call that nothing in Python interrupts.
ENDLESS = "a" + "\u0315\u0300" * 500_000


def endless(folder: Path) -> SourceFile:
    """A file that takes many minutes to read."""
    (folder / "endless.txt").write_text(ENDLESS, encoding="utf-8")
    return SourceFile(folder / "endless.txt", "endless.txt")


def eventually(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)
    return is_so()


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


def test_a_file_that_nobody_waits_for_is_not_read_to_its_end(tmp_path: Path) -> None:
    reader = ReadingProcess(ReadingConfig())
    asked: list[None] = []
    try:
        with pytest.raises(ReadingStoppedError, match=r"endless\.txt was not read to its end"):
            reader.read(endless(tmp_path), is_wanted=lambda: asked.append(None) or len(asked) < 3)  # type: ignore[func-returns-value]
        assert isinstance(reader.read(files(tmp_path, 1)[0]), list)
    finally:
        reader.close()


def test_less_time_than_the_limit_may_be_given(tmp_path: Path) -> None:
    reader = ReadingProcess(ReadingConfig(seconds=600))
    try:
        read = reader.read(endless(tmp_path), seconds=0.5)
    finally:
        reader.close()
    assert isinstance(read, TakesTooMuchError)
    assert "longer than 0.5 s" in str(read)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process ends once its file is read, or at its limit of time")
def test_no_process_outlives_who_started_it_even_if_that_is_killed(tmp_path: Path) -> None:
    file = endless(tmp_path)
    code = (
        "from pathlib import Path\nfrom pes_search.ingest.config import ReadingConfig\n"
        "from pes_search.ingest.reading import read_files\nfrom pes_search.ingest.sources.base import SourceFile\n"
        f"list(read_files([SourceFile(Path({str(file.path)!r}), 'endless.txt')], ReadingConfig(processes=1)))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        readers: list[psutil.Process] = []

        def is_reading() -> bool:
            readers[:] = psutil.Process(parent.pid).children()
            return bool(readers) and readers[0].cpu_times().user > 1

        assert eventually(is_reading)
        parent.kill()
    assert eventually(lambda: not readers[0].is_running() or readers[0].status() == psutil.STATUS_ZOMBIE)


def test_the_beginning_of_a_file_says_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Bus\n\nOne sentence.\n\nAnother one.", encoding="utf-8")
    read = reading._read_here(SourceFile(tmp_path / "a.md", "a.md"))
    assert isinstance(read, list)
    assert beginning_of(read, 1_000) == read
    # A block counts for 20 characters at least, so the third has 5 of 45 left: the heading's and the first sentence's are gone.
    (cut,) = beginning_of([*read, *read], 45)
    assert [block.text for block in cut.blocks] == ["Bus", "One sentence.", "Anoth"]
    assert cut.warnings == (
        "it holds 2 documents; the first is shown",
        f"it has {3 + 13 + 12} characters of text; the first {3 + 13 + 5} are shown",
    )
    warned = [dataclasses.replace(read[0], warnings=("x" * 1_000,) * 25)]
    assert beginning_of(warned, 1_000)[0].warnings == (*("x" * 300,) * 20, "5 more warnings are left out")
    unreadable = UnreadableFileError("empty file")
    assert beginning_of(unreadable, 10) is unreadable


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
