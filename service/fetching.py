"""Which places on the web a command means, and where their files go."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path
from urllib.parse import urlsplit

from pes_search.ingest.web.config import WebSource
from pes_search.ingest.web.presets import complete
from pes_search.service.settings import Settings, SettingsError


def places(parsed: Namespace, settings: Settings) -> list[tuple[WebSource, Path]]:
    """Return the sources of `pes fetch`, each with its folder: what the command line tells, else those of the settings.

    Raises:
        SettingsError: there is none, or what is told does not fit.
        FetchError: there is no such preset.
    """
    if parsed.urls or parsed.preset:
        source = _told(parsed)
        return [(source, Path(parsed.into) if parsed.into else settings.fetch.folder / source.name)]
    chosen = [source for source in settings.source if parsed.source in (None, source.name)]
    if not chosen:
        known = ", ".join(source.name for source in settings.source)
        raise SettingsError(
            f"no [[source]] {parsed.source!r}; there are {known}"
            if parsed.source and known
            else "nothing to fetch; give addresses, `--preset NAME`, or [[source]] entries in pes.toml (docs/sources.md)"
        )
    return [(source, Path(parsed.into or settings.fetch.folder) / source.name) for source in chosen]


def _told(parsed: Namespace) -> WebSource:
    told = {
        "preset": parsed.preset,
        "urls": tuple(parsed.urls),
        "depth": parsed.depth,
        "only": tuple(parsed.only or ()),
        "skip": tuple(parsed.skip or ()),
        "lists": tuple(parsed.lists or ()),
        "most_pages": parsed.most,
    }
    name = parsed.preset or _name(parsed.urls[0])
    try:
        return complete(WebSource(name=name, **{key: value for key, value in told.items() if value}))
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _name(url: str) -> str:
    """Return a name for the source of an address or a list of them: its host, or the list's own name."""
    place = urlsplit(url).netloc if "://" in url else Path(url).stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", place).strip("-._") or "web"
