"""Checks of the machine that the service runs on: Python and its libraries, room, memory, clock, other programs."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pes_search.ingest.disk import existing
from pes_search.ingest.readers import SUFFIXES
from pes_search.ingest.readers.old_office import libre_office
from pes_search.service.operation.checks import Check, CheckStatus

DISTRIBUTION = "pes-search"
LOCK_FILE = "requirements.lock"
PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest that pyproject.toml allows
# A service over 10,000 passages takes 369 MB (docs/speed.md); a build, and the first start, which converts the model, more.
LEAST_MEMORY_BYTES, GOOD_MEMORY_BYTES = 400_000_000, 1_000_000_000
LEAST_DESCRIPTORS, GOOD_DESCRIPTORS = 256, 1_024  # one a connection, beside some 30 for files
LEAST_ROOM_BYTES, GOOD_ROOM_BYTES = 50_000_000, 500_000_000
BEFORE_THIS = datetime(2025, 1, 1, tzinfo=UTC)  # no clock that goes right tells a time before this was written
CLOCK_TOLERANCE_SECONDS = 60.0
OLD_OFFICE = {".doc", ".xls", ".ppt"}
PICTURES = {suffix for suffix, name in SUFFIXES.items() if name in {"png", "jpeg", "tiff", "webp"}}


def python_check(version: tuple[int, int] = sys.version_info[:2]) -> Check:
    """Check that Python is of a version that the project is tested with."""
    oldest, newest = PYTHONS
    told = ".".join(map(str, sys.version_info[:3])) if version == sys.version_info[:2] else ".".join(map(str, version))
    if oldest <= version <= newest:
        return Check("python", "ok", told)
    wanted = f"{oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    return Check(
        "python", "failing", f"{told}; pes-search is for {wanted}", f"install Python {newest[0]}.{newest[1]}, then `make setup`"
    )


def library_check(lock: Path | None) -> Check:
    """Check that the libraries are there, in the locked versions where a lock file is at hand."""
    needed = [_normal(_name(each)) for each in importlib.metadata.requires(DISTRIBUTION) or () if "extra ==" not in each]
    there = {_normal(each.name): each.version for each in importlib.metadata.distributions() if each.name}
    if missing := sorted(set(needed) - set(there)):
        return Check("libraries", "failing", f"not installed: {', '.join(missing)}", "make setup, or pip install pes-search")
    if lock is None:
        return Check("libraries", "ok", f"{len(needed)} are there; no {LOCK_FILE} to compare their versions with")
    locked = locked_versions(lock.read_text(encoding="utf-8"))
    others = [
        f"{name} {there[name]} in place of {' or '.join(sorted(versions))}"
        for name, versions in sorted(locked.items())
        if name in there and there[name].partition("+")[0] not in versions  # torch's CPU build is 2.13.0+cpu
    ]
    if others:
        return Check(
            "libraries",
            "warning",
            f"not as locked: {_few(others)}",
            f"pip install -r {lock}, in the environment of the service",
        )
    return Check("libraries", "ok", f"{len(needed)} are there, as {lock} has them")


def lock_file() -> Path | None:
    """Return the lock file of the project that this code is part of, or None where it is not part of one."""
    path = Path(__file__).resolve().parents[2] / LOCK_FILE
    return path if path.is_file() else None


def locked_versions(text: str) -> Mapping[str, set[str]]:
    """Return the versions of a lock file by name; a name can have several, for different machines."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", text):
        found.setdefault(_normal(name), set()).add(version)
    return found


def memory_check(available: int | None) -> Check:
    """Check that there is memory for a service."""
    if available is None:
        return Check("memory", "ok", "this system does not tell how much is free")
    told = f"{megabytes(available)} are free"
    if available < LEAST_MEMORY_BYTES:
        return Check(
            "memory",
            "failing",
            f"{told}; a service takes {megabytes(LEAST_MEMORY_BYTES)}",
            "end other programs, or give the machine more",
        )
    if available < GOOD_MEMORY_BYTES:
        return Check(
            "memory",
            "warning",
            f"{told}; builds, and the first start, may take {megabytes(GOOD_MEMORY_BYTES)}",
            "set [reading] processes = 1 for builds here, or build on another machine",
        )
    return Check("memory", "ok", told)


def available_memory() -> int | None:
    """Return the memory that could be taken: what the system has free, or less where a container's limit is below."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"MemAvailable:\s+(\d+) kB", lines)
    free = int(found[1]) * 1024 if found else None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free
    if free is None or not limit.isdecimal():
        return free
    return min(free, int(limit) - used)


def cores_check(cores: int, threads: int) -> Check:
    """Check that the model runs in no more threads than there are cores, which would slow it down badly."""
    if threads > cores:
        return Check(
            "cores",
            "warning",
            f"{cores}, and the model runs in {threads} threads",
            f"set [encoder] threads = {cores} in pes.toml",
        )
    return Check("cores", "ok", f"{cores}, and the model runs in {threads} threads")


def descriptors_check(limit: int | None) -> Check:
    """Check that the process may open enough files and connections; None: it may open as many as it likes."""
    name = "open files"
    if limit is None or limit >= GOOD_DESCRIPTORS:
        return Check(name, "ok", f"{limit or 'any number'} allowed (ulimit -n)")
    status: CheckStatus = "failing" if limit < LEAST_DESCRIPTORS else "warning"
    remedy = f"ulimit -n {GOOD_DESCRIPTORS * 4} before `pes serve`, or LimitNOFILE={GOOD_DESCRIPTORS * 4} in the systemd unit"
    return Check(name, status, f"only {limit} allowed (ulimit -n); each connection takes one", remedy)


def descriptor_limit() -> int | None:
    """Return how many files and connections this process may have open; None: any number."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def room_check(folders: Mapping[str, Path], index_bytes: int = 0) -> list[Check]:
    """Check for each disk that it has room: a build writes a whole index beside the one in use."""
    needed = GOOD_ROOM_BYTES + 2 * index_bytes
    by_disk: dict[int, list[str]] = {}
    places: dict[int, Path] = {}
    for name, folder in folders.items():
        place = existing(folder)
        try:
            disk = place.stat().st_dev
        except OSError:
            continue  # who uses the folder tells that it cannot be read
        by_disk.setdefault(disk, []).append(name)
        places.setdefault(disk, place)
    checks = []
    for disk, names in by_disk.items():
        free = shutil.disk_usage(places[disk]).free
        told = f"{megabytes(free)} are free for {', '.join(names)} ({places[disk]})"
        remedy = "make room there, or let [database] path, index_dir, cache_dir or [desk] uploads name folders elsewhere"
        if free < LEAST_ROOM_BYTES:
            checks.append(Check("disk", "failing", f"{told}: nothing more can be kept", remedy))
        elif free < needed:
            checks.append(Check("disk", "warning", f"{told}; a build may need {megabytes(needed)}", remedy))
        else:
            checks.append(Check("disk", "ok", told))
    return checks


def clock_check(now: float, newest: tuple[str, float] | None) -> Check:
    """Check that the clock is not before what has happened: `newest` is what, and when, in seconds since 1970."""
    at = datetime.fromtimestamp(now, UTC)
    told = f"{at.isoformat(timespec='seconds')}"
    remedy = "timedatectl, then `timedatectl set-ntp true`; see that the machine has a time server"
    if at < BEFORE_THIS:
        return Check("clock", "failing", f"it says {told}, which is past", remedy)
    if newest is not None and newest[1] > now + CLOCK_TOLERANCE_SECONDS:
        then = datetime.fromtimestamp(newest[1], UTC).isoformat(timespec="seconds")
        return Check("clock", "failing", f"it says {told}, but {newest[0]} is of {then}", remedy)
    return Check("clock", "ok", told)


def time_zone_check(zone: str | None) -> Check:
    """Check the zone that `TZ` names; dates are kept in UTC whatever it is."""
    name = "time zone"
    if zone and not zone.startswith("/"):
        try:
            ZoneInfo(zone.removeprefix(":"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return Check(
                name,
                "warning",
                f"TZ={zone} is no zone that this system knows; times are told in UTC",
                "unset TZ, or set it to UTC",
            )
    offset = time.strftime("%z")
    return Check(name, "ok", f"{zone or time.tzname[0]} (UTC{offset[:3]}:{offset[3:]}); what is kept has UTC")


def program_checks(suffixes: Iterable[str]) -> list[Check]:
    """Check for the programs that reading some formats needs; `suffixes` are those of the sources' files."""
    from pes_search.ingest.readers.pictures import is_installed

    wanted = {suffix.lower() for suffix in suffixes}
    checks = []
    for name, is_there, formats, remedy in (
        ("tesseract", is_installed(), PICTURES, "apt install tesseract-ocr tesseract-ocr-all"),
        (
            "libreoffice",
            libre_office() is not None,
            OLD_OFFICE,
            "apt install libreoffice-core libreoffice-writer libreoffice-calc libreoffice-impress",
        ),
    ):
        if is_there:
            checks.append(Check(name, "ok", "installed"))
        elif found := sorted(wanted & formats):
            checks.append(Check(name, "warning", f"not installed; files of the sources need it: {', '.join(found)}", remedy))
        else:
            what = "scanned pages and pictures" if formats is PICTURES else "Office files before 2007"
            checks.append(Check(name, "ok", f"not installed; only {what} need it, `{remedy}`"))
    return checks


def megabytes(count: int) -> str:
    """Return bytes as people say them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count, 0) / 1e6:.0f} MB"


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _few(texts: list[str], most: int = 3) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
