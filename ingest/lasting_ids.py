"""Ids that stay when a file is renamed, moved or edited: what links to a document, or was left at it, still finds it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pes_search.ingest.documents import document_id, file_of
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import Document

SECOND = 2  # the number of a file under a name that another had before


@dataclass(frozen=True, slots=True)
class EarlierDocument:
    """A document of the build before, and the file that it was."""

    id: str
    path: str
    sha256: str  # of the file


class LastingIds:
    """The ids of the build before, for the documents of this one."""

    def __init__(self, earlier: Iterable[EarlierDocument], files: Sequence[SourceFile]) -> None:
        """`files` are those that there are now."""
        self._files = {file.name: file for file in files}
        self._by_path: dict[str, EarlierDocument] = {}  # of files that are still there
        self._gone: dict[str, str] = {}  # ids of those that are not, by content
        for one in earlier:
            if file_of(one.path) in self._files:
                self._by_path[one.path] = one
            else:
                self._gone[one.sha256] = one.id
        self._held = {one.id: path for path, one in self._by_path.items()}
        self._by_content = {one.sha256: path for path, one in self._by_path.items()}

    def of(self, document: Document) -> Document:
        """Return the document with its earlier id, where it has none but that of its name."""
        own = document_id(document.path)
        if document.id != own:
            return document
        known = self._by_path.get(document.path)
        lasting = known.id if known else self._gone.get(document.sha256)
        if lasting is None and self._held.get(own, document.path) != document.path:
            lasting = document_id(document.path, SECOND)  # another file has the id since it had the name
        return replace(document, id=lasting) if lasting else document

    def original_of(self, document: Document) -> str | None:
        """Return the name of the file that a new one is a copy of: one that was there before, and is as it was."""
        path = self._by_content.get(document.sha256)
        if path is None or document.path in self._by_path or path not in self._files:
            return None
        try:
            is_as_before = hashlib.sha256(self._files[path].path.read_bytes()).hexdigest() == document.sha256
        except OSError:
            return None
        return path if is_as_before else None
