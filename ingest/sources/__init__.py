"""Where documents come from: each kind of source is told by how it is written, and yields files.

To add a kind: one module with a function that yields `SourceFile`s, one row in `SOURCES`, one source in its contract test.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from pes_search.ingest.parts import Parts
from pes_search.ingest.sources.base import Source, SourceFile, SourceRow

FILES = "files"
SOURCES: Parts[Source, SourceRow] = Parts("source", {FILES: SourceRow("pes_search.ingest.sources.files:files_of")})


def kind_of(source: str) -> str:
    """Return the name of the row that a source belongs to: the one with its prefix, else that of this machine's files."""
    written = source.strip().lower()
    return next((name for name, row in SOURCES.rows.items() if written.startswith(row.prefixes)), FILES)


def find_files(sources: Iterable[str]) -> list[SourceFile]:
    """Return every file of the sources once, in the order of the sources.

    Raises:
        SourceNotFoundError: a source names no file.
        MissingPartError: a source needs a library that is not installed.
    """
    files: dict[str, SourceFile] = {}
    for source in sources:
        for file in SOURCES.load(kind_of(source))(source):
            files.setdefault(os.path.realpath(file.path), file)  # unlike Path.resolve, it bears a link to itself
    return list(files.values())
