"""The archive that a Word document is, with limits on what it unpacks to, and its parts."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.docx_styles import (
    W,
)

# A document of some hundred kilobytes can unpack to gigabytes; a real one of this size is no practice write-up.
LARGEST_UNPACKED_BYTES = 500_000_000
LARGEST_TAGS = 5_000_000  # in it; a thousand pages have one million. Each costs memory while its table or box is read
LARGEST_PART_BYTES = 50_000_000  # of any other part that is read
# What reading a damaged part raises; lxml's syntax errors are Python's own.
_DAMAGE = (
    UnreadableFileError,
    KeyError,
    ValueError,
    SyntaxError,
    OSError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
_STRICT = b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"

_STORE = "{http://schemas.openxmlformats.org/officeDocument/2006/customXml}"
# The ids by which content controls name the parts of a document's properties.
_PROPERTY_STORES = {
    "core-properties": "{6C3C8BC8-F283-45AE-878A-BAB7291924A1}",
    "extended-properties": "{6668398D-A668-4E3E-A5EB-62B293D839F1}",
}


class Package:
    """The parts of a Word file by what they are to its main part."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED_BYTES:
            raise UnreadableFileError("too large: unpacks to more than 500 MB")
        self._archive = archive
        self._entries = {entry.filename.replace("\\", "/").lstrip("/").casefold(): entry for entry in archive.infolist()}
        self.warnings: list[str] = []
        if _STRICT in self.bytes_of("_rels/.rels"):
            raise UnreadableFileError("in the “Strict Open XML” variant; save it as an ordinary Word document (.docx)")
        self._of_file = self._related("")
        self.main = next(iter(self._of_file.get("officeDocument", {}).values()), "word/document.xml")
        self._check_type()
        self._of_main = self._related(self.main)

    def bytes_of(self, part: str, limit: int = LARGEST_PART_BYTES) -> bytes:
        """Return a part's bytes.

        Raises:
            KeyError: there is no such part.
            UnreadableFileError: it is larger than the limit.
        """
        entry = self._entries.get(part.casefold())
        if entry is None:
            raise KeyError(f"There is no item named {part!r} in the archive")
        if entry.file_size > limit:
            raise UnreadableFileError(f"too large: its part {part} unpacks to more than {limit // 1_000_000} MB")
        with self._archive.open(entry) as part_file:
            return part_file.read(limit + 1)  # never more than the archive states: the rest fails its checksum

    def roots(self, relationship: str, *, of_file: bool = False) -> Iterator[tuple[str, Any]]:
        """Yield the parsed parts that stand in a relationship to the main part or to the file. What is damaged is a warning."""
        for part in (self._of_file if of_file else self._of_main).get(relationship, {}).values():
            if (root := self._readable(part)) is not None:
                yield part, root

    def drawn(self, relationship_id: str) -> Any | None:
        """Return the part of a diagram or chart that a drawing names, the first time that it does; else None."""
        parts = next((parts for parts in self._of_main.values() if relationship_id in parts), {})
        return self._readable(parts.pop(relationship_id)) if parts else None

    def _readable(self, part: str) -> Any | None:
        try:
            return _parsed(self.bytes_of(part))
        except _DAMAGE as error:
            self.warnings.append(f"{posixpath.basename(part)} could not be read: {type(error).__name__}")
            return None

    def root(self, relationship: str, *, of_file: bool = False) -> Any | None:
        """Return the first of such parts, or None."""
        return next((root for _, root in self.roots(relationship, of_file=of_file)), None)

    def stores(self) -> Iterator[tuple[str, Any]]:
        """Yield the XML parts whose values content controls show, by the ids that these name."""
        for part, root in self.roots("customXml"):
            for properties in self._related(part).get("customXmlProps", {}).values():
                if properties.casefold() in self._entries:
                    yield _parsed(self.bytes_of(properties)).get(_STORE + "itemID", "").upper(), root
        for relationship, store in _PROPERTY_STORES.items():
            for _, root in self.roots(relationship, of_file=True):
                yield store, root

    def link_targets(self, relationship: str = "") -> dict[str, str]:
        """Return by their ids where the links of the main part lead, or of the part in a relationship to it."""
        part = next(iter(self._of_main.get(relationship, {}).values()), "") if relationship else self.main
        try:
            return {
                element.get("Id", ""): element.get("Target", "")
                for element in self._relationships(part)
                if element.get("TargetMode") == "External" and element.get("Type", "").endswith("/hyperlink")
            }
        except _DAMAGE as error:
            self.warnings.append(f"the links of {posixpath.basename(part)} could not be read: {type(error).__name__}")
            return {}

    def _relationships(self, part: str) -> list[Any]:
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        return (
            [element for element in _parsed(self.bytes_of(source)) if isinstance(element.tag, str)]
            if source.casefold() in self._entries
            else []
        )

    def _related(self, part: str) -> dict[str, dict[str, str]]:
        """Return a part's relationships: by kind, the parts by the ids of the relationships."""
        folder = posixpath.dirname(part)
        related: dict[str, dict[str, str]] = {}
        for element in self._relationships(part):
            if element.get("TargetMode") != "External":
                path = posixpath.normpath(posixpath.join("/", folder, element.get("Target", "").replace("\\", "/")))
                kind = element.get("Type", "").rpartition("/")[2]
                related.setdefault(kind, {})[element.get("Id", "")] = path.lstrip("/")
        return related

    def _check_type(self) -> None:
        for element in _parsed(self.bytes_of("[Content_Types].xml")):
            if (element.get("PartName") or "").lstrip("/").casefold() == self.main.casefold():
                content_type = element.get("ContentType", "")
                if "wordprocessingml" not in content_type and "ms-word" not in content_type:
                    raise UnreadableFileError(f"no Word document: its main part is {content_type}")


_EMPTY_PARAGRAPH = re.compile(rb"<w:p(?:\s[^<>]*)?(?:/>|></w:p>)")


def _parsed(xml: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    return etree.fromstring(xml, parser)


def body_elements(xml: bytes) -> Iterator[Any]:
    """Yield what stands in the document's body, each taken out of memory before the next.

    Empty paragraphs, of which a file of 30 kB can hold millions, are dropped before they are parsed, or as they are.
    """
    from lxml import etree

    xml = _EMPTY_PARAGRAPH.sub(b"", xml)
    if xml.count(b"<") > LARGEST_TAGS:
        raise UnreadableFileError(f"too large: its text has more than {LARGEST_TAGS // 1_000_000} million XML tags")
    body, paragraph = W + "body", W + "p"
    tags = (*(W + name for name in ("p", "tbl", "sdt", "customXml", "ins", "moveTo", "altChunk")), "{*}AlternateContent")
    parsing = etree.iterparse(
        io.BytesIO(xml), tag=tags, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    for _, element in parsing:
        parent = element.getparent()
        if parent is None:
            continue
        if parent.tag == body:
            yield element
            element.clear()
            previous = element.getprevious()
            while previous is not None:
                parent.remove(previous)
                previous = element.getprevious()
        elif (previous := element.getprevious()) is not None and previous.tag == paragraph and not len(previous):
            parent.remove(previous)
    if parsing.root is None or parsing.root.tag != W + "document":
        raise UnreadableFileError("no Word document: its main part holds no text document")
