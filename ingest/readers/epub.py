"""Books: the chapters of an EPUB in reading order, each a web page without a frame."""

from __future__ import annotations

import io
import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from lxml import etree

from pes_search.ingest.cleaning.links import links_of
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import find_date
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import html
from pes_search.ingest.types import Block, FileContent, Link

LARGEST_CHAPTER_BYTES = 20_000_000  # unpacked
LARGEST_BOOK_BYTES = 200_000_000
MOST_CHAPTERS = 5_000
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


def read(data: bytes) -> FileContent:
    """Read a book.

    Raises:
        UnreadableFileError: the archive is damaged, protected, too large when unpacked, or holds no book.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _book(archive)
    except (UnreadableFileError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no book: {type(error).__name__}: {error}") from error


def _book(archive: zipfile.ZipFile) -> FileContent:
    names = set(archive.namelist())
    if "META-INF/rights.xml" in names:
        raise UnreadableFileError("protected against copying: it cannot be read")
    container = _parsed(_part(archive, "META-INF/container.xml"))
    place = next(element.get("full-path") for element in container.iter("{*}rootfile"))
    package = _parsed(_part(archive, place))
    folder = posixpath.dirname(place)
    manifest = {item.get("id"): item for item in package.iter("{*}item")}
    blocks: list[Block] = []
    warnings: list[str] = []
    links: list[Link] = []
    total = 0
    for reference in [*package.iter("{*}itemref")][:MOST_CHAPTERS]:
        item = manifest.get(reference.get("idref"))
        if item is None or "nav" in (item.get("properties") or "").split():
            continue  # the contents, which every chapter's heading repeats
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
        try:
            chapter = _part(archive, name)
            total += len(chapter)
            if total > LARGEST_BOOK_BYTES:
                raise UnreadableFileError(f"too large: more than {LARGEST_BOOK_BYTES // 1_000_000} MB when unpacked")
            content = html.read_all_text(chapter)
        except KeyError:
            warnings.append(f"{name} is missing")
            continue
        except UnreadableFileError as error:
            if total > LARGEST_BOOK_BYTES:
                raise
            if b"<p" in chapter:  # a cover or a picture has no text to miss
                warnings.append(f"{name}: {error}")
            continue
        blocks += content.blocks
        warnings += content.warnings
        links += (link for link in content.links if link.target.startswith("http"))  # the others lead to chapters
    stated = {
        "title": package.findtext(f".//{_DUBLIN_CORE}title"),
        "language": (package.findtext(f".//{_DUBLIN_CORE}language") or "")[:2].lower(),
        "date": find_date(package.findtext(f".//{_DUBLIN_CORE}date") or ""),
    }
    fields = {key: clean_text(value) for key, value in stated.items() if value}
    return FileContent(blocks, fields, tuple(warnings), links=links_of(links))


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        content = part.read(LARGEST_CHAPTER_BYTES + 1)
    if len(content) > LARGEST_CHAPTER_BYTES:
        raise UnreadableFileError(f"too large: {name} has more than {LARGEST_CHAPTER_BYTES // 1_000_000} MB when unpacked")
    return content


def _parsed(content: bytes) -> Any:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
