"""What would be indexed of one file: its metadata, its text, its passages, and what is left out of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pes_search.ingest.config import PassageConfig
from pes_search.ingest.documents import read_document
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.passages import TokenStarts, build_pages, build_passages
from pes_search.ingest.readers import format_of
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import Document, Page, Passage

SHOWN_FIELDS = (
    "title", "native_title", "kind", "language", "date", "year", "end_year", "countries", "organisation", "url",
    "target_groups", "measure_types",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What reading makes of a file, or why it cannot be read."""

    file: str
    reader: str | None  # that its suffix has
    reason: str | None  # why it would not be indexed
    document: Document | None
    pages: Sequence[Page] = ()
    passages: Sequence[Passage] = ()
    warnings: Sequence[str] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)  # what is no content, by kind, with its characters
    seconds: float = field(default=0.0, compare=False)

    def values(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "file": self.file,
            "reader": self.reader,
            "reason": self.reason,
            **{name: getattr(self.document, name, None) for name in SHOWN_FIELDS},
            "warnings": list(self.warnings),
            "left_out": [{"what": what, "characters": characters} for what, characters in self.left_out.items()],
            "pages": [{"number": page.number, "text": page.text} for page in self.pages],
            "passages": [
                {"page": passage.page, "headings": list(passage.headings), "text": passage.text} for passage in self.passages
            ],
            "seconds": round(self.seconds, 3),
        }


def preview(file: SourceFile, token_starts: TokenStarts, config: PassageConfig) -> Preview:
    """Read a file as a build does; what only the other files of its folder could tell is left as it is."""
    started = time.perf_counter()
    reader = format_of(file.name)
    try:
        read = read_document(file)
    except UnreadableFileError as error:
        return Preview(str(file.path), reader, str(error), None, seconds=time.perf_counter() - started)
    pages = build_pages(read.document, read.blocks)
    passages = build_passages(read.document, pages, token_starts, config)
    return Preview(
        file=str(file.path),
        reader=reader,
        reason=None,
        document=read.document,
        pages=[page for page, _ in pages],
        passages=passages,
        warnings=read.warnings,
        left_out=read.left_out,
        seconds=time.perf_counter() - started,
    )
