"""What becomes of an index whose build is killed, whose disk is full, and whose bytes are flipped.

    python -m pes_search.eval.experiments.index_safety [--moments 100] [--regions 64] [--seed 22] [--json FILE]

A small collection is built with a stand-in for the model, so that a build takes a second. Builds are killed (`SIGKILL`) at
moments of two kinds: as they are about to make, rename or remove a file, evenly over all such moments of a build, and at times
drawn evenly over its length. A small file system in memory, where one may be mounted, has less and less room. Of every file of
an index a byte is flipped in each of its regions. Exits with 1 if anything was lost or opened wrongly.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import logging
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.build import BuildReport, build_index
from pes_search.index.config import IndexConfig
from pes_search.index.errors import IndexDamagedError, IndexNotFoundError
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import open_index
from pes_search.index.stores.files import CHECKED_FILE, LAST_BUILD_FILE, FileStore
from pes_search.ingest.errors import NotWrittenError
from pes_search.service.cli.frame import print_table, write_json

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors

DOCUMENTS = 40
SENTENCES = 12  # of a document
DIMENSIONS = 32
SMALL_DISK_BYTES = 4_000_000
SMALLEST_NEED_BYTES = 200_000  # that is taken for what a build takes, where it is less
DISK_STEPS = 30  # amounts of room that are tried, from none to what a build takes
SERVED = ("old", "new", "none")
SHARE_BY_EVENT = 0.6  # of the moments; the others are drawn over the time
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "sqlite3.connect", "tempfile.mkstemp"}
FULL_STATUS, FAULT_STATUS = 3, 4  # of a child: its build said that there was no room; it failed in another way
WORDS = ("office", "adviser", "jobseeker", "training", "voucher", "employer", "apprentice", "village", "minibus", "mentor")


class StandIn:
    """Gives texts vectors that tell them apart and mean nothing."""

    runtime, model_id, adapter, dimensions = "stand-in", "stand-in", "none", DIMENSIONS

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the queries' vectors."""
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str], on_progress: Callable[[int], object] | None = None) -> Vectors:
        """Return the passages' vectors."""
        rows = [np.random.default_rng(list(hashlib.sha256(text.encode()).digest())).normal(size=DIMENSIONS) for text in texts]
        if on_progress:
            on_progress(len(rows))
        vectors = np.array(rows, np.float32).reshape(-1, DIMENSIONS)
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return unit

    def token_starts(self, text: str) -> list[int]:
        """Return where words start."""
        return [match.start() for match in re.finditer(r"\w+", text)]


@dataclass(slots=True)
class Place:
    """Where a collection, its index and the cache are."""

    folder: Path
    documents: int = DOCUMENTS
    index: Path = field(init=False)
    cache: Path = field(init=False)
    sources: Path = field(init=False)

    def __post_init__(self) -> None:
        self.index, self.cache, self.sources = (self.folder / name for name in ("index", "cache", "sources"))

    def build(self) -> BuildReport:
        """Build the index."""
        return build_index(
            [str(self.sources)], FileStore(self.index), StandIn, model="stand-in", cache_dir=self.cache, config=IndexConfig()
        )

    def write_sources(self, state: int) -> None:
        """Write the collection as it is in a state; from one to the next every other document changes."""
        self.sources.mkdir(parents=True, exist_ok=True)
        for number in range(self.documents):
            draw = random.Random(f"{number} {state if number % 2 else 0}")  # noqa: S311
            text = " ".join(f"{' '.join(draw.choices(WORDS, k=9)).capitalize()}." for _ in range(SENTENCES))
            (self.sources / f"{number:03}.md").write_text(f"# Practice {number}\n\n{text}\n", encoding="utf-8")

    def state(self) -> str | None:
        """Return what tells the state of the index that is served, wholly checked and read; None where there is none."""
        store = FileStore(self.index)
        try:
            store.verify()
        except IndexNotFoundError:
            return None
        index = open_index(store)
        return content_of([one.sha256 for one in index.stored.documents(EVERYTHING)])

    def wanted(self) -> str:
        """Return what tells the state of an index of the collection as it is."""
        return content_of(hashlib.sha256(path.read_bytes()).hexdigest() for path in self.sources.glob("*.md"))

    def left(self) -> list[str]:
        """Return what is left in the index folder that is of no generation."""
        kept = {generation.name for generation in FileStore(self.index).generations() if not generation.fault}
        names = [path.name for path in (self.index / "generations").iterdir() if path.name not in kept]
        return sorted([*names, *(path.name for path in self.index.glob(".*.new"))])


def content_of(hashes: Sequence[str] | Iterator[str]) -> str:
    """Return a hash of the documents' hashes."""
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


# ── Killed ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_child(work: Callable[[], object]) -> int:
    """Start a process that does some work and nothing else; return its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = FAULT_STATUS
    try:
        with redirect_stderr(io.StringIO()):
            work()
        status = 0
    except NotWrittenError:
        status = FULL_STATUS
    except BaseException as error:  # noqa: BLE001 – told, and counted by the parent
        print(f"a build failed: {type(error).__name__}: {error}", file=sys.stderr)
    os._exit(status)


def kill_at_event(number: int) -> Callable[[str, object], None]:
    """Return an audit hook that kills its process before it touches files the so many-th time; 0 only counts, in the list."""
    seen = 0

    def hook(event: str, arguments: object) -> None:
        nonlocal seen
        if event in EVENTS and not (event == "open" and _only_reads(arguments)):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _only_reads(arguments: object) -> bool:
    _, _, flags = arguments if isinstance(arguments, tuple) else (None, None, 0)
    return isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR)


def count_events(place: Place) -> int:
    """Return how often a build touches files."""
    read, write = os.pipe()

    def work() -> None:
        counts: Counter[str] = Counter()

        def hook(event: str, arguments: object) -> None:
            if event in EVENTS and not (event == "open" and _only_reads(arguments)):
                counts["events"] += 1

        sys.addaudithook(hook)
        place.build()
        os.write(write, str(counts["events"]).encode())

    child = in_child(work)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as answer:
        return int(answer.read() or 0)


@dataclass(slots=True)
class KillReport:
    """What became of killed builds."""

    moments: int = 0
    killed: int = 0  # the others had ended
    served: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVED, 0))  # which index is served after it
    repaired: int = 0  # the next build makes the index of the sources
    left_behind: int = 0  # after which the killed build had left something
    left_at_the_end: int = 0  # … that the next build did not remove

    @property
    def is_good(self) -> bool:
        """Tell whether nothing was lost."""
        return not self.served["none"] and self.repaired == self.moments and not self.left_at_the_end


def kill_builds(place: Place, moments: int, draw: random.Random) -> KillReport:
    """Kill builds at moments of them, one after the other on one index."""
    report = KillReport()
    place.write_sources(0)
    place.build()
    place.write_sources(1)
    events = count_events(place)
    place.write_sources(2)
    started = time.monotonic()
    os.waitpid(in_child(place.build), 0)
    seconds = time.monotonic() - started
    by_event = round(moments * SHARE_BY_EVENT)
    for number in range(moments):
        place.write_sources(3 + number)
        before, after = place.state(), place.wanted()
        if number < by_event:
            at = 1 + number * events // by_event

            def work(at: int = at) -> None:
                sys.addaudithook(kill_at_event(at))
                place.build()

            child = in_child(work)
        else:
            child = in_child(place.build)
            time.sleep(draw.uniform(0, seconds))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        report.moments += 1
        report.killed += os.WIFSIGNALED(status)
        found = place.state()
        report.served["old" if found == before else "new" if found == after else "none"] += 1
        report.left_behind += bool(place.left())
        place.build()
        report.repaired += place.state() == after
        report.left_at_the_end += bool(place.left())
    return report


# ── A full disk ─────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a small file system; None where that may not be done."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        done = False
    try:
        yield folder if done else None
    finally:
        if done:
            subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607


@dataclass(slots=True)
class FullReport:
    """What became of builds on a full disk."""

    what: str
    amounts: int = 0
    said_so: int = 0  # builds that failed with the path and what to do
    went_on: int = 0  # that made the index all the same
    other: int = 0  # that failed in another way, or left something, or lost the index
    served: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVED, 0))


def fill_disks(folder: Path) -> list[FullReport]:
    """Build with less and less room for the index, the cache, and temporary files; none where no disk can be mounted."""
    reports = []
    for what in ("index", "cache", "temporary files"):
        with small_disk(folder / what.split()[0]) as disk:
            if disk is None:
                return []
            place = Place(folder / f"of-{what.split()[0]}")
            if what == "index":
                place.index = disk / "index"
            if what == "cache":
                place.cache = disk / "cache"
            reports.append(_builds_on(disk, place, what))
    return reports


def _builds_on(disk: Path, place: Place, what: str) -> FullReport:
    report = FullReport(what)
    place.write_sources(0)
    place.build()
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    needed = max(SMALLEST_NEED_BYTES, SMALL_DISK_BYTES - free) * (1 if what == "temporary files" else 2)
    for step in range(DISK_STEPS):
        place.write_sources(1 + step)
        before, after = place.state(), place.wanted()
        room = step * min(needed, free) // DISK_STEPS
        ballast = disk / "ballast"
        free_now = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
        ballast.write_bytes(b"\0" * max(0, free_now - room))

        def work() -> None:
            if what == "temporary files":
                tempfile.tempdir = str(disk)
            logging.disable()
            place.build()

        _, status = os.waitpid(in_child(work), 0)
        code = os.waitstatus_to_exitcode(status)
        found = place.state()
        left = place.left()
        ballast.unlink()
        report.amounts += 1
        is_whole = found == (after if code == 0 else before) and not left
        report.said_so += code == FULL_STATUS and is_whole
        report.went_on += code == 0 and is_whole
        report.other += not is_whole or code not in (0, FULL_STATUS)
        report.served["old" if found == before else "new" if found == after else "none"] += 1
    return report


# ── Flipped bytes ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class FlipReport:
    """What became of flipped bytes of one file."""

    file: str
    flips: int = 0
    refused_by_open: int = 0  # the file's time has changed, as when something writes it
    refused_by_verify: int = 0  # size and time stay, as when a disk fails
    named: int = 0  # of those that `verify` refused: the message names the file
    harmless: int = 0  # nothing that is served depends on it
    wrong: int = 0  # neither refused nor harmless


def flip_bytes(place: Place, regions: int, draw: random.Random) -> list[FlipReport]:
    """Flip a byte in each region of every file of an index, one at a time."""
    for number in range(2):  # so that HISTORY has a generation that is not in use
        place.write_sources(number)
        place.build()
    store = FileStore(place.index)
    right = place.state()
    store.open()
    generation = place.index / "generations" / (store.current_name() or "")
    files = sorted(path for path in generation.rglob("*") if path.is_file())
    reports = []
    for path in [*(path for path in sorted(place.index.iterdir()) if path.is_file() and path.name != ".lock"), *files]:
        report = FlipReport(path.name if path.parent == place.index else path.relative_to(generation).as_posix())
        content, state = path.read_bytes(), path.stat()
        for region in range(min(regions, len(content))):
            length = len(content) / min(regions, len(content))
            _flip(path, content, int(length * (region + draw.random())), draw, report, place, right)
            path.write_bytes(content)
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        reports.append(report)
    return reports


def _flip(
    path: Path, content: bytes, at: int, draw: random.Random, report: FlipReport, place: Place, right: str | None
) -> None:
    state = path.stat()
    path.write_bytes(content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :])
    report.flips += 1
    by_open = _refusal(lambda: FileStore(place.index).open())
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    by_verify = _refusal(lambda: [FileStore(place.index).verify(name) for name in _all(place)])
    report.refused_by_open += by_open is not None
    report.refused_by_verify += by_verify is not None
    report.named += by_verify is not None and (path.name in by_verify)
    if by_verify is None:
        is_right = _served(place) == right
        report.harmless += is_right
        report.wrong += not is_right


def _all(place: Place) -> list[str | None]:
    return [None, *(generation.name for generation in FileStore(place.index).generations())]


def _served(place: Place) -> str | None:
    index = open_index(FileStore(place.index))
    return content_of([one.sha256 for one in index.stored.documents(EVERYTHING)])


def _refusal(call: Callable[[], object]) -> str | None:
    """Return what a call says that refuses, or None."""
    try:
        call()
    except (IndexDamagedError, IndexNotFoundError) as error:
        return str(error)
    return None


# ── The report ──────────────────────────────────────────────────────────────────────────────────────────────────────


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became of all of them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--moments", type=int, default=100, help="of a build, to kill it at (default: 100)")
    parser.add_argument("--regions", type=int, default=64, help="of each file, to flip a byte in (default: 64)")
    parser.add_argument("--seed", type=int, default=22)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parsed = parser.parse_args(arguments)
    draw = random.Random(parsed.seed)  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="index-safety-") as name:
        folder = Path(name)
        killed = kill_builds(Place(folder / "killed"), parsed.moments, draw)
        _print_killed(killed)
        full = fill_disks(folder)
        _print_full(full)
        flipped = flip_bytes(Place(folder / "flipped"), parsed.regions, draw)
        _print_flipped(flipped)
    write_json(parsed.json, {"killed": killed, "full": full, "flipped": flipped})
    is_good = killed.is_good and not any(report.other for report in full) and not any(report.wrong for report in flipped)
    return 0 if is_good else 1


def _print_killed(report: KillReport) -> None:
    head = ("builds killed at", "moments", "killed", "old index served", "new index served", "lost")
    row = ("files touched, or a time", report.moments, report.killed, *(report.served[key] for key in ("old", "new", "none")))
    further = ("next build right", "left something", "still there after the next build")
    print_table((*head, *further), [(*row, report.repaired, report.left_behind, report.left_at_the_end)])
    print(flush=True)


def _print_full(reports: Sequence[FullReport]) -> None:
    if not reports:
        print("full disks: not tried, since no file system may be mounted here\n", flush=True)
        return
    head = ("disk full for", "amounts of room", "said so, nothing left", "built all the same", "otherwise", "lost")
    print_table(head, [(one.what, one.amounts, one.said_so, one.went_on, one.other, one.served["none"]) for one in reports])
    print(flush=True)


def _print_flipped(reports: Sequence[FlipReport]) -> None:
    head = ("file", "flips", "refused by open", "time and size kept: refused by verify", "file named", "harmless", "wrong")
    rows = [
        (one.file, one.flips, one.refused_by_open, one.refused_by_verify, one.named, one.harmless, one.wrong) for one in reports
    ]
    sums = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    print_table(head, [*rows, ("all", *sums)])
    print(f"\nharmless: {CHECKED_FILE} only saves work, {LAST_BUILD_FILE} only tells, CURRENT stands above HISTORY", flush=True)


if __name__ == "__main__":
    sys.exit(main())
