"""Files are read by processes of their own, on all cores, each file with a limit of time and of memory.

A file that takes too much, or that brings its reader down, costs itself and is named; the others go on in a new process. No
process outlives who started it. What was read is kept by the file's content, its name and the code that reads, so that a build
reads what is new only.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.metadata
import math
import os
import pickle
import queue
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from pes_search.ingest.config import ReadingConfig
from pes_search.ingest.documents import LARGEST_FILE_BYTES, TOO_MUCH_MEMORY, ReadDocument, read_documents
from pes_search.ingest.errors import ReadingStoppedError, TakesTooMuchError, UnreadableFileError
from pes_search.ingest.sources.base import SourceFile

Read: TypeAlias = list[ReadDocument] | UnreadableFileError
"""What became of a file: its documents, or why there are none."""

FETCHING = "web"  # the room whose code makes files and reads none
HEADER = struct.Struct("<Q")  # the length of the message that follows, on the pipes between the processes
_DAMAGE = (sqlite3.Error, pickle.PickleError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError)
LOCK_TIMEOUT_SECONDS = 60  # another build may be writing what it has read
WATCHING_PAUSE_SECONDS = 0.05
END_SECONDS = 0.5  # that a process has to end what it has started itself
LEAST_BLOCK_CHARACTERS = 20  # that a block counts for where text is limited: it takes memory however short it is
MOST_WARNINGS, WARNING_CHARACTERS = 20, 300  # of a document of which only the beginning is wanted
_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def read_files(files: Sequence[SourceFile], config: ReadingConfig, kept: Path | None = None) -> Iterator[Read]:
    """Yield what became of each file, in their order; `kept` is the folder of what was read before."""
    memory = _opened(kept) if kept else None
    try:
        if config.processes == 0:
            yield from (_remembered(file, memory, _read_here) for file in files)
        else:
            yield from _read_by_processes(files, config, memory)
    finally:
        if memory:
            memory.close()


def _read_by_processes(files: Sequence[SourceFile], config: ReadingConfig, memory: _Kept | None) -> Iterator[Read]:
    count = min(config.processes or os.cpu_count() or 1, len(files))
    free: queue.SimpleQueue[ReadingProcess] = queue.SimpleQueue()
    readers = [ReadingProcess(config) for _ in range(count)]
    for reader in readers:
        free.put(reader)

    def read(file: SourceFile) -> Read:
        reader = free.get()
        try:
            return _remembered(file, memory, reader.read)
        finally:
            free.put(reader)

    try:
        with ThreadPoolExecutor(max(count, 1)) as pool:  # a thread waits for each process
            yield from pool.map(read, files)
    finally:
        for reader in readers:
            reader.close()


def _read_here(file: SourceFile) -> Read:
    try:
        return read_documents(file)
    except UnreadableFileError as error:
        return error


# ── A process ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Task:
    """What a process is asked for."""

    file: SourceFile
    most_characters: int | None  # of the text that is wanted; None: all
    temporary: Path | None  # where files may be put that are gone afterwards


class ReadingProcess:
    """A process that reads one file after the other; started with the first, and anew if one brings it down.

    The system ends it with the thread that started it, so that thread has to stay.
    """

    def __init__(self, config: ReadingConfig) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    def read(
        self,
        file: SourceFile,
        *,
        is_wanted: Callable[[], bool] = lambda: True,
        seconds: float | None = None,
        most_characters: int | None = None,
        temporary: Path | None = None,
    ) -> Read:
        """Read a file within the limits, of which `seconds` may be less than what the configuration allows.

        With `most_characters` only the beginning of the file's first document comes back (`beginning_of`). Files that are
        made on the way go into the folder `temporary`.

        Raises:
            ReadingStoppedError: `is_wanted` said no; it is asked many times a second, by another thread.
        """
        process = self._process = self._process or self._start()
        most_seconds = min(self._config.seconds, seconds or self._config.seconds)
        late_at = time.monotonic() + most_seconds
        is_done = threading.Event()
        ended: list[Literal["late", "unwanted"]] = []

        def watch() -> None:
            while not is_done.wait(WATCHING_PAUSE_SECONDS):
                if time.monotonic() >= late_at or not is_wanted():
                    ended.append("late" if time.monotonic() >= late_at else "unwanted")
                    _end(process)
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        read: Read | None = None
        try:
            send(process.stdin, _Task(file, most_characters, temporary))
            read = receive(process.stdout)
        except (EOFError, OSError):
            pass  # it was ended, by whom is told below
        finally:
            is_done.set()
            watcher.join()
        status = process.wait() if read is None else None
        if read is None or ended or isinstance(read, TakesTooMuchError):
            self.close()  # what needed much memory may leave too little for the next file
        if read is not None:
            return read
        if "unwanted" in ended:
            raise ReadingStoppedError(f"{file.name} was not read to its end, as nobody waits for it")
        if ended or status == -getattr(signal, "SIGXCPU", 0):
            return TakesTooMuchError(f"took longer than {most_seconds:g} s; raise [reading] seconds, or hand in a smaller file")
        return UnreadableFileError(f"brought its reader down (status {status}); it may be damaged on purpose")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process and process.stdin and process.stdout:
            process.kill()
            process.wait()
            process.stdout.close()
            with contextlib.suppress(OSError):  # what was not sent yet
                process.stdin.close()

    def _start(self) -> subprocess.Popen[bytes]:
        limits = [str(self._config.megabytes), str(self._config.seconds)]
        command = [sys.executable, "-m", "pes_search.ingest.reading", *limits]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process: first so that it ends what it has started itself, then whatever it does."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def beginning_of(read: Read, most_characters: int) -> Read:
    """Return a file's first document with no more than the beginning of its text, which its warnings tell."""
    if isinstance(read, UnreadableFileError):
        return read
    first, *others = read
    blocks, left = [], most_characters
    for block in first.blocks:
        if left <= 0:
            break
        blocks.append(replace(block, text=block.text[:left]))
        left -= max(len(block.text), LEAST_BLOCK_CHARACTERS)
    warnings = [warning[:WARNING_CHARACTERS] for warning in first.warnings[:MOST_WARNINGS]]
    if len(first.warnings) > MOST_WARNINGS:
        warnings.append(f"{len(first.warnings) - MOST_WARNINGS} more warnings are left out")
    if others:
        warnings.append(f"it holds {len(others) + 1} documents; the first is shown")
    shown, all_of_it = (sum(len(block.text) for block in several) for several in (blocks, first.blocks))
    if shown < all_of_it:
        warnings.append(f"it has {all_of_it:,} characters of text; the first {shown:,} are shown")
    return [replace(first, blocks=blocks, warnings=tuple(warnings))]


def send(pipe: IO[bytes] | None, value: object) -> None:
    """Write a value."""
    if pipe is None:
        raise EOFError
    data = pickle.dumps(value)
    pipe.write(HEADER.pack(len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes] | None) -> Any:
    """Read a value that `send` wrote.

    Raises:
        EOFError: there is none.
    """
    header = pipe.read(HEADER.size) if pipe else b""
    if pipe is None or len(header) < HEADER.size:
        raise EOFError
    (length,) = HEADER.unpack(header)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 – between this process and its own


def serve(megabytes: int, seconds: float) -> None:
    """Read the files that come on stdin, until it ends; what they become goes to stdout."""
    _limit_memory(megabytes)
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who stops a build stops it there
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by an exception, so that what was started here is ended too
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not stand among the answers
    while True:
        try:
            task = receive(sys.stdin.buffer)
        except EOFError:
            return
        _limit_processor(seconds)
        try:
            send(answers, _done(task))
        except MemoryError:
            send(answers, TakesTooMuchError(TOO_MUCH_MEMORY))


def _done(task: _Task) -> Read:
    tempfile.tempdir = str(task.temporary) if task.temporary else None
    read = _read_here(task.file)
    return read if task.most_characters is None else beginning_of(read, task.most_characters)


def _limit_memory(megabytes: int) -> None:
    """Limit what this process takes of memory, and what it writes to disk."""
    limit = megabytes * 1_000_000
    try:
        import resource

        for kind, most in ((resource.RLIMIT_AS, limit), (resource.RLIMIT_FSIZE, limit), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    except (ImportError, ValueError, OSError):
        pass  # a system without such limits: the time's is left


def _limit_processor(seconds: float) -> None:
    """Limit the processor's time until the next file, here and in what is started here: also where nobody ends it any more."""
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds) + 1, hard))
    except (ImportError, ValueError, OSError):
        pass


def _end_with_parent() -> None:
    """Have the system end this process with the one that started it, even where that is killed while a file is read."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


# ── What was read before ────────────────────────────────────────────────────────────────────────────────────────────


class _Kept:
    """What was read of files, by their content and name and the code that read them, in one SQLite file.

    It can be made again, so one that cannot be used is left alone, and everything is read.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()  # for the threads that share the connection
        self._database = sqlite3.connect(folder / "files.sqlite", timeout=LOCK_TIMEOUT_SECONDS, check_same_thread=False)
        try:
            with self._database:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute(
                    "CREATE TABLE IF NOT EXISTS files (key BLOB PRIMARY KEY, code BLOB, read BLOB) WITHOUT ROWID"
                )
                self._database.execute("DELETE FROM files WHERE code != ?", (reading_code(),))  # no build asks for it again
        except sqlite3.Error:
            self._database.close()
            raise

    def get(self, key: bytes) -> Read | None:
        """Return what is known of a file."""
        find = "SELECT read FROM files WHERE key = ? AND code = ?"
        try:
            with self._lock:
                row = self._database.execute(find, (key, reading_code())).fetchone()
            read: Read | None = pickle.loads(row[0]) if row else None  # noqa: S301 – from the user's own cache
        except _DAMAGE:
            return None
        return read

    def put(self, key: bytes, read: Read) -> None:
        """Remember what a file became."""
        row = key, reading_code(), pickle.dumps(read)
        with contextlib.suppress(*_DAMAGE), self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _opened(folder: Path) -> _Kept | None:
    try:
        return _Kept(folder)
    except (OSError, sqlite3.Error):
        return None


def _remembered(file: SourceFile, kept: _Kept | None, read: Callable[[SourceFile], Read]) -> Read:
    """Return what is known of a file, or read it; a file that cannot be read is tried again each time."""
    key = _key(file) if kept else None
    if kept is None or key is None:
        return read(file)
    known = kept.get(key)
    if known is None:
        known = read(file)
        if isinstance(known, list):
            kept.put(key, known)
    return known


def _key(file: SourceFile) -> bytes | None:
    """Return what a file is known by, or None where it cannot be opened."""
    try:
        if not file.path.is_file() or file.path.stat().st_size > LARGEST_FILE_BYTES:
            return None
        with file.path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256")
    except OSError:
        return None
    digest.update(f"\0{file.name}\0{file.origin!r}".encode("utf-8", "replace"))
    return digest.digest()


def reading_files() -> list[Path]:
    """Return the files of the code that reads, and those of the languages; what fetches from the web is not among them."""
    folder = Path(__file__).parent
    files = (path for path in folder.rglob("*") if path.suffix in {".py", ".yaml"})
    return sorted(path for path in files if path.relative_to(folder).parts[0] != FETCHING)


@cache
def reading_code() -> bytes:
    """Return a hash of the code that reads, the languages' files, and the versions of what is installed."""
    code = [path.read_bytes() for path in reading_files()]
    digest = hashlib.sha256(repr(library_versions(code)).encode())
    for content in code:
        digest.update(content)
    return digest.digest()


def library_versions(code: Iterable[bytes]) -> list[tuple[str, str]]:
    """Return the libraries that code imports, with their versions: another one may read or split the same files differently."""
    names = {match[1].decode() for content in code for match in re.finditer(rb"(?m)^\s*(?:from|import)\s+(\w+)", content)}
    distributions = importlib.metadata.packages_distributions()
    libraries = {library for name in names for library in distributions.get(name, ()) if name != "pes_search"}
    return sorted((library, importlib.metadata.version(library)) for library in libraries)


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
