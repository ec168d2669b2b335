"""Which places on the web a command means, and where their files go."""

from __future__ import annotations

import hashlib
import re
from argparse import Namespace
from pathlib import Path
from urllib.parse import urlsplit

from pes_search.ingest.web.config import WebSource
from pes_search.ingest.web.presets import complete
from pes_search.service.settings import Settings, SettingsError

OPTIONS = ("depth", "only", "skip", "lists", "most")  # of the command line, for what it names itself


def places(parsed: Namespace, settings: Settings) -> list[tuple[WebSource, Path]]:
    """Return the sources of `pes fetch`, each with its folder: what the command line tells, else those of the settings.

    Raises:
        SettingsError: there is none, or what is told does not fit.
        FetchError: there is no such preset.
    """
    folder = Path(parsed.into or settings.fetch.folder)
    if parsed.urls or parsed.preset:
        source = _told(parsed)
        return [(source, folder / source.name)]
    if given := [name for name in OPTIONS if getattr(parsed, name) is not None]:
        raise SettingsError(f"--{given[0]} needs addresses or --preset; a [[source]] of pes.toml says it itself")
    chosen = [source for source in settings.source if parsed.source in (None, source.name)]
    if not chosen:
        known = ", ".join(source.name for source in settings.source)
        raise SettingsError(
            f"no [[source]] {parsed.source!r}; there are {known}"
            if parsed.source and known
            else "nothing to fetch; give addresses, `--preset NAME`, or [[source]] entries in pes.toml (docs/sources.md)"
        )
    return [(source, folder / source.name) for source in chosen]


def _told(parsed: Namespace) -> WebSource:
    """Return the source that the command line describes, under a name that no other description has."""
    told = {
        "preset": parsed.preset,
        "urls": tuple(parsed.urls),
        "depth": parsed.depth,
        "only": tuple(parsed.only or ()),
        "skip": tuple(parsed.skip or ()),
        "lists": tuple(parsed.lists or ()),
        "most_pages": parsed.most,
    }
    given = {name: value for name, value in told.items() if value not in (None, ())}
    described = {name: value for name, value in given.items() if name != "most_pages"}
    digest = hashlib.sha256(repr(sorted(described.items())).encode()).hexdigest()[:6]
    name = parsed.preset if described.keys() == {"preset"} else f"{parsed.preset or _name(parsed.urls[0])}-{digest}"
    try:
        return complete(WebSource(name=name, **given))
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _name(url: str) -> str:
    """Return what tells a source by its address or its list of them: the host, or the list's own name."""
    place = urlsplit(url).netloc if "://" in url else Path(url).stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", place).strip("-._") or "web"
