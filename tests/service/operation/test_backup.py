"""A backup is one whole file or none; a restore checks all before it touches anything, and keeps what was there."""

import errno
import io
import json
import os
import shutil
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kept import kept_in
from record_samples import ask, question_counts, save

from pes_search.index.stores.files import FileStore
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.web.config import FetchConfig
from pes_search.service.operation import backup as backup_module
from pes_search.service.operation.archives import MANIFEST, ROOT, Archive, ArchiveError
from pes_search.service.operation.backup import back_up
from pes_search.service.operation.restore import places, restore
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.file import MIGRATIONS, reading
from pes_search.service.records.records import Records, open_records
from pes_search.service.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A service with an upload and a file that was fetched, and no index yet."""
    fetch = FetchConfig(folder=tmp_path / "web")
    settings = Settings(index_dir=tmp_path / "index", fetch=fetch, **kept_in(tmp_path))
    settings.desk.uploads.mkdir()
    (settings.desk.uploads / "Größe – lang.md").write_text("# A", encoding="utf-8")
    (settings.desk.uploads / ".pending").mkdir()
    (settings.desk.uploads / ".pending" / "waits.md").write_text("# B")
    (fetch.folder / "site").mkdir(parents=True)
    (fetch.folder / "site" / "page.html").write_text("<p>C")
    return settings


@pytest.fixture
def indexed(settings: Settings, corpus_folder: Path) -> Settings:
    """The same with an index of its own."""
    shutil.copytree(corpus_folder, settings.index_dir, copy_function=os.link)
    return settings


@pytest.fixture
def records(settings: Settings) -> Records:
    records = open_records(settings.database)
    save(records, "saved before")
    return records


@pytest.fixture
def archive(settings: Settings, records: Records, tmp_path: Path) -> Path:
    return Path(back_up(settings, tmp_path / "backup.tar", with_fetched=True).file)


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder but locks, which say nothing."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def searches(path: Path) -> list[str]:
    return [search.query for search in open_records(DatabaseConfig(path=path)).saved_searches.find("anna")]


# ── Backing up ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_has_state_index_and_uploads(indexed: Settings, records: Records, tmp_path: Path) -> None:
    report = back_up(indexed, tmp_path / "out")
    manifest = FileStore(indexed.index_dir).current()
    assert manifest is not None
    assert report.parts == {"state": 1, "index": len(manifest.files) + 1, "uploads": 1}  # nothing that waits, nothing fetched
    assert report.index_id == manifest.index_id
    assert stat.S_IMODE(Path(report.file).stat().st_mode) == 0o600
    with tarfile.open(report.file) as tar:  # any program opens it
        assert f"{ROOT}/uploads/Größe – lang.md" in tar.getnames()
        assert tar.getnames()[-1] == MANIFEST
    assert len(Archive(Path(report.file)).members) == sum(report.parts.values())


def test_a_folder_gets_files_by_time_and_keeps_so_many(settings: Settings, records: Records, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "notes.txt").touch()
    for day in (1, 2, 3):
        (folder / f"pes-backup-2025030{day}T000000Z.tar").touch()
    (folder / f"{backup_module.ASIDE}of-a-dead-process").mkdir()
    report = back_up(settings, folder, keep=2)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["notes.txt", "pes-backup-20250303T000000Z.tar", Path(report.file).name]
    )
    assert len(report.removed) == 2


def test_what_is_no_backup_is_not_written_over(settings: Settings, records: Records, archive: Path) -> None:
    with pytest.raises(ArchiveError, match=r"pes\.sqlite3 is there and no backup"):
        back_up(settings, settings.database.path)
    assert searches(settings.database.path) == ["saved before"]
    assert Path(back_up(settings, archive).file) == archive  # an earlier backup is


def test_a_disk_that_is_full_leaves_the_earlier_backup_and_nothing_else(
    settings: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(archive.parent)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pes_search.service.operation.backup.ArchiveWriter.finish", full)
    with pytest.raises(ArchiveError, match=r"cannot write .*backup\.tar: No space left on device; nothing of it was left"):
        back_up(settings, archive)
    assert everything(archive.parent) == before


def test_builds_that_end_meanwhile_mix_no_generations(
    indexed: Settings, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileStore.in_use
    seen = []

    def and_a_build_ends(store: FileStore) -> Any:
        found = real(store)
        assert found is not None
        if len(seen) < 4:  # twice as found is asked for twice where its files are gone
            copy = store.folder / "generations" / f".new-{len(seen)}"
            shutil.copytree(found[0], copy)
            store.publish(copy, found[1].index_id)
            if not seen:
                shutil.rmtree(found[0])  # the second build after it removes it
        seen.append(found[0])
        return found

    monkeypatch.setattr(FileStore, "in_use", and_a_build_ends)
    report = back_up(indexed, tmp_path / "backup.tar")
    assert report.parts["index"] == len(Archive(Path(report.file)).of_part("index"))
    assert len(set(seen)) > 1


def test_an_altered_index_is_not_backed_up(indexed: Settings, records: Records, tmp_path: Path) -> None:
    generation, _ = FileStore(indexed.index_dir).in_use() or (Path(), None)
    words = generation / "words.json"
    content = words.read_bytes()
    words.unlink()
    words.write_bytes(b"[" + content[1:])
    with pytest.raises(ArchiveError, match=r"words\.json is altered"):
        back_up(indexed, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


def test_where_there_is_nothing_there_is_no_backup(tmp_path: Path) -> None:
    empty = Settings(index_dir=tmp_path / "none", **kept_in(tmp_path / "none"))
    with pytest.raises(ArchiveError, match=r"nothing to back up: state: there is no .*; index: there is none in"):
        back_up(empty, tmp_path / "backup.tar")
    assert list(tmp_path.iterdir()) == []


# ── Restoring ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_stands_up_the_service_elsewhere(indexed: Settings, archive: Path, tmp_path: Path) -> None:
    new = places(indexed, tmp_path / "new")
    report = restore(archive, new)
    assert report.kept == {}
    assert searches(new["state"]) == ["saved before"]
    assert FileStore(new["index"]).verify().index_id == FileStore(indexed.index_dir).verify().index_id
    assert everything(new["uploads"]) == {"Größe – lang.md": b"# A"}
    assert everything(new["fetched"]) == {"site/page.html": b"<p>C"}


def test_what_was_there_is_kept(indexed: Settings, archive: Path, records: Records) -> None:
    save(records, "saved after")
    ask(records, "asked after")
    upload = indexed.desk.uploads / "Größe – lang.md"
    upload.write_text("# changed")
    (indexed.desk.uploads / "later.md").write_text("# L")
    generation = FileStore(indexed.index_dir).current_name()
    report = restore(archive, places(indexed))
    # The objects of a service that runs go over to it.
    assert [search.query for search in records.saved_searches.find("anna")] == ["saved before"]
    assert question_counts(records) == []
    assert save(records, "goes on")
    assert searches(Path(report.kept["state"])) == ["saved after", "saved before"]
    assert stat.S_IMODE(Path(report.kept["state"]).stat().st_mode) == 0o600
    assert upload.read_text() == "# A"
    assert everything(Path(report.kept["uploads"])) == {"Größe – lang.md": b"# changed", "later.md": b"# L"}
    assert "fetched" not in report.kept  # as it was
    assert Path(report.kept["index"]).name == generation
    assert FileStore(indexed.index_dir).current_name() != generation
    assert not list(indexed.index_dir.parent.rglob(".pes-restore-*"))
    with records.file.transaction() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_sessions_of_a_backup_open_nothing(settings: Settings, records: Records, tmp_path: Path) -> None:
    key, _ = records.keys.add("editor")
    records.sessions.start(token="signed in before", key_id=key.id, role="editor")
    archive = Path(back_up(settings, tmp_path / "backup.tar").file)
    records.sessions.end("signed in before")
    restore(archive, places(settings), ["state"])
    with reading(settings.database.path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sessions").fetchone() == (0,)
        assert connection.execute("SELECT id FROM keys").fetchall() == [(key.id,)]


def test_parts_can_be_restored_alone(settings: Settings, archive: Path, records: Records) -> None:
    save(records, "saved after")
    (settings.desk.uploads / "later.md").write_text("# L")
    assert list(restore(archive, places(settings), ["state"]).parts) == ["state"]
    assert (settings.desk.uploads / "later.md").is_file()
    assert searches(settings.database.path) == ["saved before"]
    with pytest.raises(ArchiveError, match=r"has nothing of index; nothing was changed"):
        restore(archive, places(settings), ["index"])


def test_nothing_that_was_acknowledged_is_lost_by_a_restore(settings: Settings, archive: Path, records: Records) -> None:
    acknowledged: list[str] = []
    is_done = threading.Event()

    def write(writer: int) -> None:
        i = 0
        while not is_done.is_set():
            ask(records, f"question {writer} {i}")
            acknowledged.append(f"question {writer} {i}")
            i += 1

    writers = [threading.Thread(target=write, args=(i,)) for i in range(2)]
    for writer in writers:
        writer.start()
    kept = restore(archive, places(settings), ["state"]).kept["state"]
    is_done.set()
    for writer in writers:
        writer.join()
    found = {question for path in (settings.database.path, Path(kept)) for question in asked(path)}
    assert set(acknowledged) <= found


def asked(path: Path) -> list[str]:
    kept = open_records(DatabaseConfig(path=path)).questions.find(days=1_000, limit=100_000)
    return [question.question for question in kept]


@pytest.mark.parametrize("ruin", [b"no database " * 1_000, None])
def test_a_state_that_is_ruined_or_gone_is_replaced(ruin: bytes | None, settings: Settings, archive: Path) -> None:
    path = settings.database.path
    path.unlink()
    path.with_name(f"{path.name}-wal").write_bytes(b"a log without its database")
    if ruin:
        path.write_bytes(ruin)
    restore(archive, places(settings), ["state"])
    assert searches(path) == ["saved before"]
    if ruin:
        assert [each.read_bytes() for each in path.parent.glob("*.before-restore-*Z")] == [ruin]


def test_a_state_of_a_version_before_is_brought_to_this_one(settings: Settings, tmp_path: Path, records: Records) -> None:
    with records.file.transaction(write=True) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer = Path(back_up(settings, tmp_path / "newer.tar").file)
    before = everything(tmp_path)
    with pytest.raises(ArchiveError, match=r"newer\.tar cannot be restored: .*version.*; nothing was changed"):
        restore(newer, places(settings))
    assert everything(tmp_path) == before


def test_no_build_is_disturbed(indexed: Settings, archive: Path) -> None:
    writer = FileStore(indexed.index_dir).writer()
    before = everything(archive.parent)
    with pytest.raises(ArchiveError, match=r"a build of .* is running; .* Nothing was changed"):
        restore(archive, places(indexed))
    assert everything(archive.parent) == before
    writer.discard()


# ── Archives that are not as they were written ────────────────────────────────────────────────────────────────────────


def refused(archive: Path, settings: Settings, content: bytes) -> str:
    """Return why a faulty archive is refused; nothing may change by it."""
    faulty = archive.with_name("faulty.tar")
    faulty.write_bytes(content)
    before = everything(archive.parent)
    with pytest.raises(ArchiveError) as error:
        restore(faulty, places(settings))
    assert everything(archive.parent) == before
    return str(error.value)


def test_a_flipped_bit_is_found_wherever_it_is(settings: Settings, archive: Path) -> None:
    content = archive.read_bytes()
    end = content.rindex(b"}") + 1  # of the manifest; what follows is padding
    for place in range(0, end, end // 40):
        flipped = bytearray(content)
        flipped[place] ^= 1
        archive.with_name("flipped.tar").write_bytes(flipped)
        try:
            members = Archive(archive.with_name("flipped.tar")).members
        except ArchiveError:
            continue
        assert members == Archive(archive).members, place  # in the padding after a file, or a header's date


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_what_breaks_off_is_refused(share: float, settings: Settings, archive: Path) -> None:
    content = archive.read_bytes()
    end = content.rindex(b"}")
    assert "cannot be restored: it " in refused(archive, settings, content[: int(end * share)])


def made(*entries: tuple[tarfile.TarInfo, bytes], stated: list[list[object]] | None = None) -> bytes:
    """Return an archive as somebody may make it, with a manifest that fits or says what it is told to."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, content in entries:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        manifest = json.dumps({"format": 1, "files": stated or []}).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(manifest)
        tar.addfile(info, io.BytesIO(manifest))
    return out.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../../etc/cron.d/x", tarfile.REGTYPE),
        ("/etc/cron.d/x", tarfile.REGTYPE),
        (f"{ROOT}/uploads/../../x", tarfile.REGTYPE),
        (f"{ROOT}/uploads//x", tarfile.REGTYPE),
        ("elsewhere/x", tarfile.REGTYPE),
        (f"{ROOT}/uploads/" + "x/" * 60 + "../" * 70 + "x", tarfile.REGTYPE),  # a long name has a header of its own
        (f"{ROOT}/uploads/x", tarfile.SYMTYPE),
        (f"{ROOT}/uploads/x", tarfile.LNKTYPE),
        (f"{ROOT}/uploads/x", tarfile.CHRTYPE),
        (f"{ROOT}/uploads/x", tarfile.BLKTYPE),
        (f"{ROOT}/uploads/x", tarfile.FIFOTYPE),
        (f"{ROOT}/uploads/x", tarfile.DIRTYPE),
        (f"{ROOT}/uploads/x", tarfile.GNUTYPE_SPARSE),
    ],
)
def test_what_leads_elsewhere_or_is_no_file_is_refused(name: str, kind: bytes, settings: Settings, archive: Path) -> None:
    told = refused(archive, settings, made((entry(name, kind, "/etc/passwd"), b"")))
    assert "outside of where it belongs" in told or "is no plain file" in told


def test_a_header_that_would_fill_the_memory_is_refused(settings: Settings, archive: Path) -> None:
    long = entry("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    assert "is no plain file" in refused(archive, settings, made((long, b"x" * 10_000)))


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ([], "not in its manifest"),
        ([["uploads", "x", 2, "0" * 64]], "altered"),
        ([["uploads", "y", 1, "0" * 64]], "missing"),
        ([["uploads", "../x", 1, "0" * 64]], "outside of where it belongs"),
        ([["..", "x", 1, "0" * 64]], "outside of where it belongs"),
        ([["uploads", "x"]], "it is damaged"),
    ],
)
def test_what_the_manifest_does_not_say_is_refused(
    stated: list[list[object]], told: str, settings: Settings, archive: Path
) -> None:
    assert told in refused(archive, settings, made((entry(f"{ROOT}/uploads/x"), b"a"), stated=stated))


def test_a_file_that_is_no_archive_is_refused(settings: Settings, archive: Path) -> None:
    assert "cannot be restored" in refused(archive, settings, b"notes" * 1_000)
    with pytest.raises(ArchiveError, match=r"cannot read .*No such file"):
        Archive(archive.with_name("none.tar"))


# ── The commands ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_commands(
    pes: Callable[..., Any], indexed: Settings, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PES_DATABASE__PATH", str(indexed.database.path))
    monkeypatch.setenv("PES_DESK__UPLOADS", str(indexed.desk.uploads))
    done = pes("backup", "out/", "--index", indexed.index_dir, "--json")
    file = json.loads(done.out)["file"]
    assert (done.status, Path(file).parent.name) == (0, "out")
    assert "is whole; files: state 1, index " in pes("restore", file, "--check").out
    save(records, "saved after")
    done = pes("restore", file, "--only", "state")
    assert (done.status, searches(indexed.database.path)) == (0, ["saved before"])
    assert "what was there is in" in done.out
    assert json.loads(pes("restore", file, "--into", "new", "--json").out)["parts"].keys() == {"state", "index", "uploads"}
    assert (tmp_path / "new" / "index" / "CURRENT").is_file()
    assert "--keep must be 1 or more" in pes("backup", "out/", "--keep", "0").err
    assert pes("restore", "out/none.tar").status == 1


def test_all_faults_are_the_programs_own() -> None:
    assert issubclass(ArchiveError, PesSearchError)
