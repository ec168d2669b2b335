"""What would be indexed of one file: its metadata, its text, its passages, and what is left out of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pes_search.ingest.config import PassageConfig, ReadingConfig
from pes_search.ingest.documents import DESCRIBING_FIELDS, ReadDocument
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.passages import TokenStarts, build_pages, build_passages
from pes_search.ingest.readers import format_of
from pes_search.ingest.reading import read_files
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.stated_terms import StatedTerms
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Page, Passage


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
    inferred: Sequence[str] = ()  # the fields that nothing states
    left_out: Mapping[str, int] = field(default_factory=dict)  # what is no content, by kind, with its characters
    seconds: float = field(default=0.0, compare=False)  # since the file before: several are read at once

    def headings_of(self, passage: Passage) -> list[str]:
        """Return the headings above a passage, then those in its text: short sections share one."""
        (page,) = [page for page in self.pages if page.number == passage.page]
        inside = [page.text[start:end] for start, end, _ in page.headings if passage.start <= start < passage.end]
        return list(dict.fromkeys([*passage.headings, *inside]))

    def values(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "file": self.file,
            "reader": self.reader,
            "reason": self.reason,
            "visibility": self.document.visibility if self.document else None,
            **{name: getattr(self.document, name, None) for name in DESCRIBING_FIELDS},
            "inferred": list(self.inferred),
            "warnings": list(self.warnings),
            "left_out": [{"what": what, "characters": characters} for what, characters in self.left_out.items()],
            "pages": [{"number": page.number, "text": page.text} for page in self.pages],
            "passages": [
                {"page": passage.page, "headings": self.headings_of(passage), "text": passage.text} for passage in self.passages
            ],
            "seconds": round(self.seconds, 3),
        }


def previews(
    files: Sequence[SourceFile], token_starts: TokenStarts, config: PassageConfig, reading: ReadingConfig, taxonomy: Taxonomy
) -> Iterator[Preview]:
    """Yield what a build would make of files; what only the other files of a folder could tell is left as it is."""
    started = time.perf_counter()
    for file, read in zip(files, read_files(files, reading), strict=True):
        if isinstance(read, UnreadableFileError):
            several = [Preview(str(file.path), format_of(file.name), str(read), None)]
        else:
            several = [_preview(file, one, token_starts, config, taxonomy) for one in read]
        for preview in several:
            yield replace(preview, seconds=time.perf_counter() - started)
            started = time.perf_counter()


def _preview(
    file: SourceFile, read: ReadDocument, token_starts: TokenStarts, config: PassageConfig, taxonomy: Taxonomy
) -> Preview:
    read = read.closed(file.visibility)
    within = read.document.path.removeprefix(file.name)  # of a document that the file holds
    pages = build_pages(read.document, read.blocks)
    document = StatedTerms(taxonomy).added_to(read.document, read.terms)
    mapped = [name for name in read.terms if getattr(document, name) != getattr(read.document, name)]
    passages = build_passages(read.document, pages, token_starts, config)
    return Preview(
        file=f"{file.path}{within}",
        reader=format_of(read.document.path) or format_of(file.name),
        reason=None,
        document=document,
        inferred=[*read.inferred, *mapped],
        pages=[page for page, _ in pages],
        passages=passages,
        warnings=read.warnings,
        left_out=read.left_out,
    )
