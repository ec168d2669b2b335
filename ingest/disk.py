"""Writing where there may be no room: what could not be written, where, and what to do; and values that wait on disk."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from pes_search.ingest.errors import NotWrittenError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NEARLY_FULL_BYTES = 1_000_000  # numpy says of a short write only that it was one; where so little is free the disk is full


@contextmanager
def writing(what: str, place: Path, advice: str) -> Iterator[None]:
    """Name what could not be written and where; the system's own errors often name nothing.

    Raises:
        NotWrittenError: something could not be written.
    """
    try:
        yield
    except OSError as error:
        raise NotWrittenError(f"cannot write {what} in {place}: {reason(error, place)}; {advice}") from error


def reason(error: OSError, place: Path) -> str:
    """Return why something could not be written in a place, without a path."""
    free = free_bytes(place)
    if error.errno in FULL or (error.errno is None and free is not None and free < NEARLY_FULL_BYTES):
        room = "" if free is None else f" ({free / 1e6:,.1f} MB free)"
        return f"{os.strerror(error.errno or errno.ENOSPC)}{room}"
    return error.strerror or str(error)


def free_bytes(place: Path) -> int | None:
    """Return how much can still be written in a place, or where it would be made; None where that cannot be told."""
    with suppress(OSError):
        return shutil.disk_usage(existing(place)).free
    return None


def existing(place: Path) -> Path:
    """Return a place, or the nearest folder above it that there is."""
    absolute = place.absolute()
    return next((path for path in (absolute, *absolute.parents) if path.exists()), absolute)


def sync(path: Path) -> None:
    """Make a file's content, or the renames in a folder, last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Spool:
    """Values that wait on disk, so that memory does not grow with their number; in a file without a name, gone with it."""

    def __init__(self, what: str) -> None:
        """`what` they are, for the message where there is no room.

        Raises:
            NotWrittenError: no folder of temporary files can be written.
        """
        self._what = what
        with self._writing():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 – closed with the spool

    def put(self, value: object) -> None:
        """Add a value.

        Raises:
            NotWrittenError: there is no room; the values are gone.
        """
        try:
            with self._writing():
                pickle.dump(value, self._file)
        except NotWrittenError:
            self.close()
            raise

    def values(self) -> Iterator[Any]:
        """Yield the values in their order.

        Raises:
            NotWrittenError: there was no room for the last of them.
        """
        with self._writing():
            end = self._file.seek(0, os.SEEK_END)
            self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)  # noqa: S301 – written by this process, into a file without a name

    def close(self) -> None:
        """Forget the values."""
        with suppress(OSError):  # what was still to be written is not wanted any more
            self._file.close()

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._what, _temporary_folder(), "make room there, or let TMPDIR name another folder, then try again")


def _temporary_folder() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:  # none can be written
        return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 – only named
