"""What the service keeps becomes one file, while it runs: what people left, the index, uploads, and fetched files on demand.

The state is copied by SQLite, which gives what it holds at one time and stops nobody from writing. All files of the index are
opened before the first is read, so a build that ends meanwhile changes nothing about them.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pes_search.index.stores.files import FileStore
from pes_search.ingest.disk import sync
from pes_search.ingest.sources.fetched import RECORD
from pes_search.service.operation.archives import ArchiveError, ArchiveWriter, is_archive
from pes_search.service.records.file import copy_database

if TYPE_CHECKING:
    from pes_search.service.settings import Settings

PARTS = ("state", "index", "uploads", "fetched")
STATE_FILE = "pes.sqlite3"  # in the archive, whatever it is called where it is used
INDEX_MANIFEST = "manifest.json"
ASIDE = ".pes-backup-"  # beside the archive: what is being written
NAME = "pes-backup-{time}.tar"
TRIES = 5  # where builds end and remove older generations between finding one and opening its files


@dataclass(slots=True)
class BackupReport:
    """What was backed up."""

    file: str
    bytes: int
    parts: dict[str, int] = field(default_factory=dict)  # files by part
    index_id: str | None = None
    missing: list[str] = field(default_factory=list)  # parts that there are none of, with the reason
    removed: list[str] = field(default_factory=list)  # older backups


def back_up(settings: Settings, to: Path, *, with_fetched: bool = False, keep: int | None = None) -> BackupReport:
    """Write a backup and return what is in it; with `keep` remove all but so many of the backups in its folder.

    `to` is a folder, in which it gets a name by the time, or a file, which takes the place of an earlier backup.

    Raises:
        PesSearchError: something cannot be read or written; nothing is left of it then, and an earlier backup stays.
    """
    made = datetime.now(UTC)
    target = to / NAME.format(time=made.strftime("%Y%m%dT%H%M%SZ")) if to.is_dir() else to
    if target.exists() and not is_archive(target):
        raise ArchiveError(f"{target} is there and no backup; name another file, or a folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _aside(target.parent) as aside:
            written = aside / target.name
            with open(written, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                report = _write(settings, ArchiveWriter(file), aside, made, with_fetched=with_fetched)
                file.flush()
                os.fsync(file.fileno())
            report.file, report.bytes = str(target), written.stat().st_size
            written.replace(target)
        sync(target.parent)
    except OSError as error:
        raise ArchiveError(
            f"cannot write {target}: {error.strerror or error}; nothing of it was left. Make room, or name another folder"
        ) from error
    if keep is not None:
        report.removed = _remove_older(target, keep)
    return report


def _write(settings: Settings, archive: ArchiveWriter, aside: Path, made: datetime, *, with_fetched: bool) -> BackupReport:
    """Write all parts into an archive."""
    report = BackupReport("", 0)
    values: dict[str, Any] = {
        "made_at": made.isoformat(timespec="seconds"),
        "version": importlib.metadata.version("pes-search"),
    }
    if settings.database.path.exists():
        copy = aside / STATE_FILE
        copy_database(settings.database.path, copy)
        with copy.open("rb") as file:
            archive.add("state", STATE_FILE, file, copy.stat().st_size)
        copy.unlink()
    else:
        report.missing.append(f"state: there is no {settings.database.path}")
    report.index_id = _write_index(settings, archive, report)
    _write_folder(archive, "uploads", settings.desk.uploads, aside)
    if with_fetched:
        _write_folder(archive, "fetched", settings.fetch.folder, aside)
    if not archive.members:
        raise ArchiveError("there is nothing to back up: " + "; ".join(report.missing))
    values["index_id"] = report.index_id
    archive.finish(values)
    for member in archive.members:
        report.parts[member.part] = report.parts.get(member.part, 0) + 1
    return report


def _write_index(settings: Settings, archive: ArchiveWriter, report: BackupReport) -> str | None:
    """Write the generation in use, each file checked against its hash, and return the index's id; None where there is none."""
    store = settings.index_store()
    if not isinstance(store, FileStore):
        report.missing.append(f"index: the store {settings.store!r} keeps no files")
        return None
    for left in reversed(range(TRIES)):
        with contextlib.ExitStack() as files:
            found = store.in_use()
            if found is None:
                report.missing.append(f"index: there is none in {store.place}")
                return None
            folder, manifest = found
            try:
                opened = {name: files.enter_context((folder / name).open("rb")) for name in (INDEX_MANIFEST, *manifest.files)}
            except FileNotFoundError as error:
                if left and store.in_use() != found:
                    continue  # a build removed it
                raise ArchiveError(
                    f"the index in {store.place} cannot be backed up: {error.filename} is missing; `pes verify` says more"
                ) from error
            for name, file in opened.items():
                member = archive.add("index", name, file, os.fstat(file.fileno()).st_size)
                if name in manifest.files and member.sha256 != manifest.files[name]["sha256"]:
                    raise ArchiveError(
                        f"the index in {store.place} cannot be backed up: {name} is altered; build it anew with `pes build`"
                    )
            return manifest.index_id
    return None


def _write_folder(archive: ArchiveWriter, part: str, folder: Path, aside: Path) -> None:
    """Write the files of a folder, but for hidden ones: what waits, and what is being written."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or any(each.startswith(".") for each in inside.parts[:-1]):
            continue
        if path.name == RECORD and part == "fetched":  # a database, which a run may be writing
            copy = aside / RECORD
            copy_database(path, copy)
            content = copy.read_bytes()
            copy.unlink()
        elif path.name.startswith("."):
            continue
        else:
            try:
                content = path.read_bytes()  # whole, as it may be replaced meanwhile; such files have some megabytes at most
            except FileNotFoundError:
                continue  # somebody removed it
        archive.add(part, inside.as_posix(), io.BytesIO(content), len(content))


@contextlib.contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Give a folder for what is being written, held by this process; what dead ones left behind is removed."""
    for left in folder.glob(f"{ASIDE}*"):
        with contextlib.suppress(OSError), _held(left):
            shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder))
    try:
        with _held(aside):
            yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder. The system lets go of it when a process ends, however that ends.

    Raises:
        OSError: another process holds it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove_older(newest: Path, keep: int) -> list[str]:
    """Remove backups of a folder by their names, which have the times; the one that was just made stays in any case."""
    others = sorted((path for path in newest.parent.glob(NAME.format(time="*")) if path != newest), reverse=True)
    removed = others[max(0, keep - 1) :]
    for path in removed:
        path.unlink(missing_ok=True)
    return [str(path) for path in removed]
