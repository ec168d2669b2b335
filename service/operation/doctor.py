"""The doctor: every check of an installation, one after the other. Needs no running service, and changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from pes_search.service.operation.checks import Check
from pes_search.service.operation.installation_checks import (
    database_check,
    index_check,
    keys_check,
    language_model_check,
    model_check,
    port_check,
    settings_check,
    sources_check,
    telemetry_check,
    writable_check,
)
from pes_search.service.operation.machine_checks import (
    available_memory,
    clock_check,
    cores_check,
    descriptor_limit,
    descriptors_check,
    library_check,
    lock_file,
    memory_check,
    program_checks,
    python_check,
    room_check,
    time_zone_check,
)
from pes_search.service.operation.readiness import folders
from pes_search.service.settings import Settings, SettingsError, cores

Access = Callable[[Settings], tuple[bool, bool]]
"""Tells whether there are keys, and whether the service is meant to be open without."""


def examine(
    read: Callable[[], Settings], file: Path, access: Access, host: str | None = None, port: int | None = None
) -> Iterator[Check]:
    """Yield what each check finds, as it is found.

    `read` reads the settings, `file` is where they are; `host` and `port` are where the service listens if not where they say.
    """
    yield python_check()
    yield library_check(lock_file())
    yield memory_check(available_memory())
    yield descriptors_check(descriptor_limit())
    yield time_zone_check(os.environ.get("TZ"))
    try:
        settings = read()
    except SettingsError as error:
        yield Check("settings", "failing", str(error), "correct what it names; nothing else can be checked before")
        return
    yield settings_check(file)
    yield cores_check(cores(), settings.encoder.threads)
    yield model_check(settings)
    yield writable_check("cache", settings.cache_dir, "cache_dir")
    index, manifest = index_check(settings)
    yield index
    sources, suffixes = sources_check(settings.all_sources(), manifest)
    yield sources
    yield from program_checks(suffixes)
    database, newest = database_check(settings)
    yield database
    yield writable_check("uploads", settings.desk.uploads, "[desk] uploads")
    index_bytes = sum(int(str(row["bytes"])) for row in manifest.files.values()) if manifest else 0
    yield from room_check(folders(settings), index_bytes)
    built = ("the index", datetime.fromisoformat(manifest.built_at).timestamp()) if manifest else None
    yield clock_check(time.time(), max(filter(None, (newest, built)), key=lambda what: what[1], default=None))
    has_keys, is_open = access(settings)
    yield keys_check(host or settings.serve.host, has_keys=has_keys, is_open=is_open)
    yield port_check(host or settings.serve.host, settings.serve.port if port is None else port)
    yield language_model_check(settings)
    yield telemetry_check(settings)
