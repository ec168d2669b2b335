"""What cannot be written is told with its place, and what to do."""

import errno
import tempfile
from pathlib import Path

import pytest

from pes_search.ingest.disk import Spool, existing, free_bytes, writing
from pes_search.ingest.errors import NotWrittenError


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError("4096 requested and 0 written")])
def test_a_full_disk_is_told_with_its_place(error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.ingest.disk.free_bytes", lambda place: 500_000)
    with pytest.raises(NotWrittenError) as told, writing("the index", tmp_path / "index", "make room"):
        raise error
    assert str(told.value) == f"cannot write the index in {tmp_path}/index: No space left on device (0.5 MB free); make room"


def test_another_fault_of_writing_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(NotWrittenError, match=r"in /.*: Permission denied; mend it$"), writing("it", tmp_path, "mend it"):
        raise PermissionError(errno.EACCES, "Permission denied", "somewhere")


def test_room_is_that_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert existing(tmp_path / "a" / "b") == tmp_path
    assert (free_bytes(tmp_path / "a" / "b") or 0) > 0


def test_a_spool_gives_back_what_was_put() -> None:
    spool = Spool("numbers")
    for value in (1, "two", [3]):
        spool.put(value)
    assert list(spool.values()) == [1, "two", [3]]
    assert list(spool.values()) == [1, "two", [3]]
    spool.close()


def test_a_spool_without_room_names_the_folder_of_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(value: object, file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    spool = Spool("what was read")
    monkeypatch.setattr("pickle.dump", full)
    with pytest.raises(NotWrittenError, match=f"what was read in {tempfile.gettempdir()}: .*TMPDIR"):
        spool.put(1)
