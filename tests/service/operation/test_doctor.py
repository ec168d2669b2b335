"""The doctor: a good installation has nothing failing, and each broken one is named with what to do."""

import http.server
import json
import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kept import kept_in
from pydantic import SecretStr

from pes_search.index.encoders.base import EncoderConfig
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.cli.doctor import access
from pes_search.service.operation import installation_checks as installation
from pes_search.service.operation import machine_checks as machine
from pes_search.service.operation.checks import Check, worst
from pes_search.service.operation.doctor import examine
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.file import MIGRATIONS
from pes_search.service.records.records import open_records
from pes_search.service.settings import Settings, TelemetryConfig, cores

DAY = 86_400


@pytest.fixture
def settings(corpus_folder: Path, tmp_path: Path) -> Settings:
    """An installation in order: the corpus and its index, a database of its own, a port that is free."""
    return Settings(index_dir=corpus_folder, cache_dir=tmp_path / "cache", **kept_in(tmp_path))


def told(check: Check) -> tuple[str, bool]:
    """Return a check's status and whether it says what to do, which it must where something is wrong."""
    return check.status, bool(check.remedy)


# ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_installation_in_order_is_told_so(settings: Settings, tmp_path: Path) -> None:
    open_records(settings.database)
    checks = list(examine(lambda: settings, tmp_path / "pes.toml", lambda _: (False, False), port=free_port()))
    assert {check.name: check for check in checks if check.status == "failing"} == {}
    assert {check.name for check in checks} == {
        "python", "libraries", "memory", "open files", "time zone", "settings", "cores", "model", "cache", "index", "sources",
        "tesseract", "libreoffice", "database", "uploads", "disk", "clock", "access", "port", "language model", "telemetry",
    }  # fmt: skip
    assert [check for check in checks if check.status != "ok" and not check.remedy] == []


def test_the_command_prints_a_line_a_check_and_fails_where_one_does(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pes_search.service.cli.commands import main

    monkeypatch.chdir(tmp_path)
    arguments = ["doctor", "--index", str(tmp_path / "none"), "--port", "0"]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert f"FAILING index: there is none in {tmp_path / 'none'} → pes build --index {tmp_path / 'none'}" in printed.out
    assert "failing" in printed.err
    assert main([*arguments, "--json"]) == 1
    values = json.loads(capsys.readouterr().out)
    assert values["status"] == "failing"
    assert {"name": "port", "status": "ok", "detail": "any that is free", "remedy": ""} in values["checks"]


def test_keys_that_were_made_are_known(settings: Settings) -> None:
    assert access(settings) == (False, False)
    open_records(settings.database).keys.add("reader")
    assert access(settings) == (True, False)
    settings.database.path.write_bytes(b"no database" * 100)
    assert access(settings) == (False, False)  # another check tells of the file


def test_settings_that_cannot_be_read_end_the_examination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pes_search.service.cli.commands import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "pes.toml").write_text("[serve]\nprot = 8000\n", encoding="utf-8")
    assert main(["doctor"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAILING settings: ")
    assert "serve.prot" in last


def test_the_worst_of_checks_counts() -> None:
    checks = [Check("a", "ok", ""), Check("b", "failing", ""), Check("c", "warning", "")]
    assert (worst(checks), worst(checks[::2]), worst([])) == ("failing", "warning", "ok")


# ── Settings and model ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "mode", "status"),
    [
        ('[desk]\nkey = "a long enough key"', 0o644, "warning"),
        ('[desk]\nkey = "a long enough key"', 0o640, "warning"),
        ('[desk]\nkey = "a long enough key"', 0o600, "ok"),
        ("[serve]\nport = 8001", 0o644, "ok"),
    ],
)
def test_secrets_are_not_for_others(text: str, mode: int, status: str, tmp_path: Path) -> None:
    file = tmp_path / "pes.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    check = installation.settings_check(file)
    assert check.status == status
    assert "long enough" not in check.detail
    if status == "warning":
        assert "desk.key" in check.detail
        assert check.remedy == f"chmod 600 {file}"


def test_a_damaged_model_is_told_from_a_whole_one(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(installation.model_check(settings)) == ("warning", True)  # nothing is converted in this cache
    damaged = tmp_path / "weights.bin"
    damaged.write_bytes(b"0")
    monkeypatch.setattr(installation, "packed_file", lambda: damaged)
    check = installation.model_check(settings)
    assert told(check) == ("failing", True)
    assert "sha256 5feceb66ffc8…" in check.detail  # sha256 of "0"
    damaged.unlink()
    assert told(installation.model_check(settings)) == ("failing", True)


def test_another_model_has_to_be_there() -> None:
    missing = Settings(encoder=EncoderConfig(model="/no/such/model", adapter="none"))
    assert told(installation.model_check(missing)) == ("failing", True)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    assert told(installation.writable_check("cache", tmp_path / "a" / "b", "cache_dir")) == ("ok", False)
    (tmp_path / "file").write_text("")
    check = installation.writable_check("cache", tmp_path / "file" / "b", "cache_dir")
    assert told(check) == ("failing", True)
    assert "cache_dir" in check.remedy
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


# ── Index and sources ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_index_of_another_model_is_named(settings: Settings) -> None:
    other = settings.model_copy(update={"encoder": EncoderConfig(adapter="none")})
    check, manifest = installation.index_check(other)
    assert told(check) == ("failing", True)
    assert manifest is not None
    assert manifest.model_id in check.detail


def test_a_damaged_index_is_named(settings: Settings, corpus_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(corpus_folder, folder)
    for vectors in folder.glob("generations/*/vectors.f16"):
        vectors.write_bytes(b"x" * vectors.stat().st_size)
    check, _ = installation.index_check(settings.model_copy(update={"index_dir": folder}))
    assert told(check) == ("failing", True)
    assert "vectors.f16" in check.detail


def test_the_age_of_an_index_counts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installation.index_check(settings)[0].status == "ok"
    later = time.time() + (installation.OLD_DAYS + 1) * DAY
    monkeypatch.setattr(time, "time", lambda: later)
    assert told(installation.index_check(settings)[0]) == ("warning", True)


def test_sources_that_changed_or_went_are_named(settings: Settings, tmp_path: Path) -> None:
    manifest = installation.index_check(settings)[1]
    source = tmp_path / "notes"
    source.mkdir()
    (source / "a.md").write_text("A", encoding="utf-8")
    (source / "b.DOC").write_text("B", encoding="utf-8")
    for path in (*source.iterdir(), source):
        os.utime(path, (0, 0))
    check, suffixes = installation.sources_check([str(source)], manifest)
    assert (told(check), suffixes) == (("ok", False), {".md", ".doc"})
    (source / "a.md").touch()
    check, _ = installation.sources_check([str(source)], manifest)
    assert (check.status, check.remedy) == ("warning", "pes build")
    assert str(source / "a.md") in check.detail
    assert told(installation.sources_check([str(tmp_path / "none")], manifest)[0]) == ("failing", True)


# ── The database ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_database_is_known_by_its_version_and_newest_record(tmp_path: Path) -> None:
    settings = Settings(**kept_in(tmp_path))
    assert told(installation.database_check(settings)[0]) == ("ok", False)  # made when it is needed
    records = open_records(settings.database)
    records.questions.log(question="Who pays?", language="en", reason="", confidence=1.0, documents=1)
    check, newest = installation.database_check(settings)
    assert told(check) == ("ok", False)
    assert newest is not None
    assert abs(newest[1] - time.time()) < DAY
    with closing(sqlite3.connect(settings.database.path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert told(installation.database_check(settings)[0]) == ("failing", True)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pes.sqlite3"
    path.write_bytes(b"this is not SQLite at all" * 100)
    check, newest = installation.database_check(Settings(database=DatabaseConfig(path=path)))
    assert (told(check), newest) == (("failing", True), None)


# ── The network ─────────────────────────────────────────────────────────────────────────────────────────────────────


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def answering(replies: dict[str, tuple[int, bytes]]) -> Iterator[int]:
    """Serve fixed replies, by path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = replies.get(self.path, (404, b"{}"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


LIVES = (200, b'{"status": "ok"}')


@pytest.mark.parametrize(
    ("replies", "status", "words"),
    [
        ({"/healthz": LIVES, "/readyz": (200, b'{"index_id": "abc"}')}, "ok", "is ready, with the index abc"),
        ({"/healthz": LIVES, "/readyz": (503, b'{"detail": "the disk is full"}')}, "failing", "not ready: the disk is full"),
        ({"/healthz": (200, b"<html>")}, "failing", "another program"),
        ({}, "failing", "another program"),
    ],
)
def test_who_answers_at_the_port_is_told(replies: dict[str, tuple[int, bytes]], status: str, words: str) -> None:
    with answering(replies) as port:
        check = installation.port_check("127.0.0.1", port)
        assert installation.port_check("0.0.0.0", port) == check
    assert check.status == status
    assert words in check.detail


def test_a_port_that_is_free_or_mute_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(installation.port_check("127.0.0.1", free_port())) == ("ok", False)
    monkeypatch.setattr(installation, "ANSWER_SECONDS", 0.05)
    with closing(socket.socket()) as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        assert told(installation.port_check("127.0.0.1", mute.getsockname()[1])) == ("failing", True)


@pytest.mark.parametrize(
    ("host", "has_keys", "is_open", "status"),
    [
        ("127.0.0.1", False, False, "ok"),
        ("0.0.0.0", True, False, "ok"),
        ("0.0.0.0", False, True, "warning"),
        ("10.0.0.7", False, False, "failing"),
    ],
)
def test_who_can_be_reached_needs_keys(host: str, has_keys: bool, is_open: bool, status: str) -> None:
    check = installation.keys_check(host, has_keys=has_keys, is_open=is_open)
    assert told(check) == (status, status != "ok")


def test_a_language_model_is_asked_whether_it_is_there() -> None:
    def check(**answer: object) -> Check:
        return installation.language_model_check(Settings(answer=AnswerConfig(**answer)))  # type: ignore[arg-type]

    assert told(check()) == ("ok", False)
    assert told(check(writer="llm")) == ("failing", True)
    assert told(check(base_url=f"http://127.0.0.1:{free_port()}/v1", model="m")) == ("warning", True)
    with answering({"/v1/models": (200, b"{}")}) as port:
        assert told(check(base_url=f"http://127.0.0.1:{port}/v1", model="m")) == ("ok", False)
    with answering({"/v1/models": (401, b"{}")}) as port:
        refused = check(base_url=f"http://127.0.0.1:{port}/v1", model="m", api_key=SecretStr("a secret"))
    assert told(refused) == ("warning", True)
    assert "a secret" not in f"{refused}"


def test_telemetry_needs_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(telemetry=TelemetryConfig(endpoint="http://127.0.0.1:4318/v1/traces"))
    assert installation.telemetry_check(Settings()).status == "ok"
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert told(installation.telemetry_check(settings)) == ("failing", True)


# ── The machine ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("version", "status"), [((3, 10), "failing"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "failing")])
def test_pythons_that_are_not_meant_are_named(version: tuple[int, int], status: str) -> None:
    assert machine.python_check(version).status == status


def test_libraries_are_compared_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# numpy==1\nnumpy==0.1 ; python_version < '4'\n    # via\nnot-installed==1.0\n", encoding="utf-8")
    check = machine.library_check(lock)
    assert told(check) == ("warning", True)
    assert "in place of 0.1" in check.detail
    assert "not-installed" not in check.detail
    assert machine.library_check(None).status == "ok"


@pytest.mark.parametrize(
    ("check", "status"),
    [
        (machine.memory_check(None), "ok"),
        (machine.memory_check(300_000_000), "failing"),
        (machine.memory_check(800_000_000), "warning"),
        (machine.memory_check(2_000_000_000), "ok"),
        (machine.cores_check(2, 2), "ok"),
        (machine.cores_check(1, 2), "warning"),
        (machine.descriptors_check(64), "failing"),
        (machine.descriptors_check(512), "warning"),
        (machine.descriptors_check(1_024), "ok"),
        (machine.descriptors_check(None), "ok"),
        (machine.time_zone_check("Europe/Berlin"), "ok"),
        (machine.time_zone_check("Europe/Nowhere"), "warning"),
        (machine.time_zone_check(None), "ok"),
        (machine.clock_check(1_900_000_000, None), "ok"),
        (machine.clock_check(1_900_000_000, ("the index", 1_900_000_001)), "ok"),
        (machine.clock_check(1_900_000_000, ("the index", 1_900_000_000 + DAY)), "failing"),
        (machine.clock_check(0, None), "failing"),
    ],
)
def test_what_a_machine_lacks_is_named(check: Check, status: str) -> None:
    assert told(check) == (status, status != "ok")


@pytest.mark.parametrize(("free", "status"), [(1_000_000, "failing"), (400_000_000, "warning"), (10_000_000_000, "ok")])
def test_each_disk_is_looked_at_once(free: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, free))  # type: ignore[attr-defined]
    (check,) = machine.room_check({"index": tmp_path / "none" / "index", "database": tmp_path})
    assert told(check) == (status, status != "ok")
    assert "index, database" in check.detail


def test_programs_are_missed_only_where_files_need_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    tesseract, libre_office = machine.program_checks({".md", ".JPG"})
    assert told(tesseract) == ("warning", True)
    assert libre_office.status == "ok"
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert [check.detail for check in machine.program_checks(set())] == ["installed", "installed"]


def test_memory_is_what_a_container_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:  2000000 kB\n",
        "/sys/fs/cgroup/memory.max": "600000000\n",
        "/sys/fs/cgroup/memory.current": "100000000\n",
        "/sys/fs/cgroup/cpu.max": "100000 100000\n",
    }
    monkeypatch.setattr(Path, "read_text", lambda path, **_: files[str(path)])
    assert machine.available_memory() == 600_000_000 - 100_000_000
    assert cores() == 1
    files["/sys/fs/cgroup/memory.max"] = files["/sys/fs/cgroup/cpu.max"] = "max 100000\n"
    assert machine.available_memory() == 2_000_000 * 1024
