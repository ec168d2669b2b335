"""What a source is: a place that yields files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pes_search.ingest.origin import Origin
from pes_search.ingest.parts import Part


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read; `name` is how the source calls it, with forward slashes.

    Document ids are made from names, so a name is the same in every build: that of a local file is its path from the folder
    above the source that named it, whatever the working directory.
    """

    path: Path  # where its bytes are on this machine
    name: str
    origin: Origin | None = None  # of a file that was fetched
    visibility: str = ""  # of what lies where it lies; what the file says of itself comes to it


class Source(Protocol):
    """Yields the files that a source names, in an order that does not change from build to build."""

    def __call__(self, source: str, /) -> Iterator[SourceFile]:
        """Yield the files of one source, as people write it.

        Raises:
            SourceNotFoundError: there is nothing to read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow(Part):
    """A kind of source, and how it is told from others."""

    prefixes: tuple[str, ...] = ()  # with one of which such a source begins, in lower case
