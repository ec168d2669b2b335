"""A backup takes the place of what is there, in a service that runs or for one that is still to be set up.

All of it is checked before anything is touched, and opened aside before anything is switched. Each part is switched as a whole,
and what was there is kept:

    state      replaced in one transaction of the live file, since a file that others have open must not be put over; what was
               in it is in FILE.before-restore-TIME, to the last thing that anybody was told is kept
    index      a new generation, as after a build; the one in use before stays beside it
    uploads,   file by file; what was there goes to FOLDER/.before-restore-TIME, which builds do not read
    fetched
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pes_search.index.errors import IndexDamagedError
from pes_search.index.stores.files import FileStore
from pes_search.ingest.disk import sync
from pes_search.ingest.sources.fetched import RECORD
from pes_search.service.operation.archives import Archive, ArchiveError
from pes_search.service.operation.backup import INDEX_MANIFEST, PARTS, STATE_FILE
from pes_search.service.records.file import LOCK_WAIT_SECONDS, DatabaseError, RecordFile, copy_database
from pes_search.service.records.sessions import SessionRecords

if TYPE_CHECKING:
    from pes_search.service.settings import Settings

ASIDE = ".pes-restore-"
# What was made of a kind, without what SQLite makes for itself.
_SCHEMA = (
    r"SELECT name, sql FROM {schema}.sqlite_schema WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
)
SIDE_FILES = ("", "-wal", "-shm", "-journal")  # of a database


@dataclass(slots=True)
class RestoreReport:
    """What was restored, and where what was there before is kept."""

    file: str
    made_at: str
    parts: dict[str, str] = field(default_factory=dict)  # where each is now
    kept: dict[str, str] = field(default_factory=dict)  # where what was there before is
    index_id: str | None = None


def places(settings: Settings, into: Path | None = None) -> dict[str, Path]:
    """Return where each part belongs: by the settings, or all in one folder."""
    if into is not None:
        return {"state": into / STATE_FILE, "index": into / "index", "uploads": into / "uploads", "fetched": into / "web"}
    return {
        "state": settings.database.path,
        "index": settings.index_dir,
        "uploads": settings.desk.uploads,
        "fetched": settings.fetch.folder,
    }


def restore(file: Path, targets: dict[str, Path], only: Collection[str] = PARTS) -> RestoreReport:
    """Put the parts of a backup in their places, and return where everything is.

    Raises:
        PesSearchError: the backup is damaged or of another version, or there is no room; nothing was changed then, unless the
            message says so.
    """
    archive = Archive(file)
    parts = [part for part in PARTS if part in only and archive.of_part(part)]
    if not parts:
        raise ArchiveError(f"{file} has nothing of {', '.join(only)}; nothing was changed")
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    report = RestoreReport(str(file), str(archive.values.get("made_at", "")))
    switches: dict[str, Callable[[], str | None]] = {}  # each returns where what was there is kept
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_alone(targets["state"]))
            for part in parts:
                prepare = {"state": _prepared_state, "index": _prepared_index}.get(part, _prepared_folder)
                switches[part] = prepare(archive, part, targets[part], time, held)
            if "index" in parts:
                report.index_id = str(archive.values.get("index_id"))
        except OSError as error:
            raise ArchiveError(
                f"cannot restore {file}: {error.strerror or error} ({error.filename or 'disk'}); nothing was changed"
            ) from error
        for part, switch in switches.items():
            try:
                before = switch()
            except (OSError, sqlite3.Error) as error:
                done = ", ".join(report.parts) or "nothing"
                raise ArchiveError(
                    f"cannot put {part} in its place: {error}; of the backup was restored: {done}. Mend that and restore again"
                ) from error
            report.parts[part] = str(targets[part])
            if before:
                report.kept[part] = before
    return report


# ── The parts, each made ready aside; what is returned switches to it ────────────────────────────────────────────────


def _prepared_state(archive: Archive, part: str, live: Path, time: str, held: contextlib.ExitStack) -> Callable[[], str | None]:
    """Bring a copy of the state to this version, aside."""
    if [member.path for member in archive.of_part(part)] != [STATE_FILE]:
        raise ArchiveError(f"{archive.path} cannot be restored: its state is not one database; nothing was changed")
    aside = held.enter_context(_aside(live.parent))
    archive.write(part, aside)
    ready = aside / STATE_FILE
    try:
        SessionRecords(RecordFile(ready)).end_all()  # some were ended since
        with closing(sqlite3.connect(ready, isolation_level=None)) as connection:
            fault = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if fault != "ok":
                raise ArchiveError(f"{archive.path} cannot be restored: its state is damaged ({fault}); nothing was changed")
    except (DatabaseError, sqlite3.Error) as error:
        told = str(error).replace(str(ready), "its state")
        raise ArchiveError(f"{archive.path} cannot be restored: {told}; nothing was changed") from error
    return lambda: _switch_state(ready, live, live.with_name(f"{live.name}.before-restore-{time}"))


def _prepared_index(archive: Archive, part: str, folder: Path, _: str, held: contextlib.ExitStack) -> Callable[[], str | None]:
    """Open the generation of a backup, in a store of its own inside the folder's, with building locked out."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held.enter_context(FileLock(folder / ".lock", timeout=0))
    except Timeout as error:
        raise ArchiveError(f"a build of {folder} is running; wait for it and restore again. Nothing was changed") from error
    (folder / "generations").mkdir(exist_ok=True)
    aside = held.enter_context(_aside(folder / "generations"))
    generation = aside / "generations" / "restored"
    archive.write(part, generation)
    digest = next(member.sha256 for member in archive.of_part(part) if member.path == INDEX_MANIFEST)
    (aside / "CURRENT").write_text(f"{generation.name} {digest}\n", encoding="ascii")
    try:
        manifest = FileStore(aside).open().manifest
        stated = {INDEX_MANIFEST, *json.loads((generation / INDEX_MANIFEST).read_text(encoding="utf-8"))["files"]}
    except (IndexDamagedError, StopIteration) as error:
        told = str(error).replace(str(aside), "the backup")
        raise ArchiveError(
            f"{archive.path} cannot be restored: {told}. Nothing was changed; --only state uploads leaves the index out"
        ) from error
    if more := sorted({member.path for member in archive.of_part(part)} - stated):
        raise ArchiveError(f"{archive.path} cannot be restored: {more[0]} is no file of its index; nothing was changed")
    _sync_all(generation)
    store = FileStore(folder)

    def switch() -> str | None:
        try:
            before = store.current_name()
        except IndexDamagedError:
            before = None
        generation.chmod(0o755)
        store.publish(generation, manifest.index_id)
        return str(folder / "generations" / before) if before else None

    return switch


def _prepared_folder(
    archive: Archive, part: str, folder: Path, time: str, held: contextlib.ExitStack
) -> Callable[[], str | None]:
    """Write the files of a folder aside, in it: so it may be a place where a disk is mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = held.enter_context(_aside(folder))
    archive.write(part, aside)
    _sync_all(aside)
    wanted = [member.path for member in archive.of_part(part)]

    def switch() -> str | None:
        before = folder / f".before-restore-{time}"
        for path in _visible(folder):
            inside = path.relative_to(folder)
            if inside.as_posix() in wanted and _is_same(path, aside / inside):
                continue
            (before / inside).parent.mkdir(parents=True, exist_ok=True)
            path.replace(before / inside)
        for name in wanted:
            if not (folder / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).replace(folder / name)
        return str(before) if before.exists() else None

    return switch


def _switch_state(ready: Path, live: Path, before: Path) -> str | None:
    """Put all that one database holds in place of what another holds, and keep that.

    While nobody else can write it is copied, and before anybody can all is replaced: in one transaction, so who has the file
    open goes over to it, and who kills this process leaves the one or the other.
    """
    if not live.exists():
        _move(live, before)  # a log that was left without its database would be taken for the new one's
        ready.replace(live)
        return None
    try:
        with closing(sqlite3.connect(live, timeout=LOCK_WAIT_SECONDS, isolation_level=None)) as connection:
            connection.execute("ATTACH ? AS restored", (str(ready),))
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            copy_database(live, before)
            _replace_all(connection)
            connection.execute("COMMIT")
    except (sqlite3.DatabaseError, DatabaseError) as error:
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        if not getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise
        _move(live, before)  # no database any more: there is nothing that somebody could be writing
        ready.replace(live)
    return str(before)


def _replace_all(connection: sqlite3.Connection) -> None:
    """Replace what the main database holds by what the attached one holds, in a transaction."""
    for name, _ in connection.execute(_SCHEMA.format(schema="main"), ("table",)).fetchall():
        connection.execute(f'DROP TABLE main."{name}"')  # with its indexes
    for kind in ("table", "index"):
        for name, sql in connection.execute(_SCHEMA.format(schema="restored"), (kind,)).fetchall():
            connection.execute(sql)
            if kind == "table":
                connection.execute(f'INSERT INTO main."{name}" SELECT * FROM restored."{name}"')  # noqa: S608
    if connection.execute("SELECT 1 FROM restored.sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
        connection.execute("DELETE FROM main.sqlite_sequence")
        connection.execute("INSERT INTO main.sqlite_sequence SELECT * FROM restored.sqlite_sequence")
    version = connection.execute("PRAGMA restored.user_version").fetchone()[0]
    connection.execute(f"PRAGMA main.user_version = {version}")


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Let no other restore run meanwhile."""
    state.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{state}.restore.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ArchiveError("another restore is running; wait for it. Nothing was changed") from error
    try:
        yield
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()


@contextlib.contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Give an empty folder inside one, that goes at the end, with what killed restores left behind; no other one is running."""
    for left in folder.glob(f"{ASIDE}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder))
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _visible(folder: Path) -> list[Path]:
    """Return the files that a backup would have, and the record of what was fetched."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(each.startswith(".") for each in path.relative_to(folder).parts[:-1])
        and (not path.name.startswith(".") or path.name == RECORD)
    ]


def _is_same(path: Path, other: Path) -> bool:
    return path.stat().st_size == other.stat().st_size and path.read_bytes() == other.read_bytes()


def _move(live: Path, before: Path) -> None:
    for end in SIDE_FILES:
        if os.path.lexists(path := live.with_name(live.name + end)):
            path.replace(before.with_name(before.name + end))


def _sync_all(folder: Path) -> None:
    """Make files and folders last through a power cut."""
    for path in (*folder.rglob("*"), folder):
        sync(path)
