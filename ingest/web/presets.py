"""Descriptions of sites that come with the product: `presets.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from pes_search.ingest.errors import FetchError
from pes_search.ingest.web.config import WebSource

FILE = Path(__file__).with_name("presets.toml")


@cache
def presets() -> Mapping[str, WebSource]:
    """Return the descriptions by name."""
    described = TypeAdapter(dict[str, WebSource]).validate_python(tomllib.loads(FILE.read_text(encoding="utf-8")))
    return {name: WebSource(name=name).over(source) for name, source in described.items()}


def complete(source: WebSource) -> WebSource:
    """Return a source with what its preset tells.

    Raises:
        FetchError: there is no such preset.
    """
    if not source.preset:
        return source
    if source.preset not in presets():
        raise FetchError(f"no preset {source.preset!r}; there are {', '.join(presets())}")
    return source.over(presets()[source.preset])
