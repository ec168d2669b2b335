"""Readers, one per file format: a file's bytes become blocks of text and what the file says about itself.

To add a format: one module with a `read(data: bytes) -> FileContent`, one line in `READERS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import PurePath
from typing import cast

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.types import FileContent

Reader = Callable[[bytes], FileContent]

READERS = {
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".md": "markdown",
    ".txt": "text",
}
MEDIA_TYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "markdown": "text/markdown",
    "text": "text/plain",
}
# How files of other formats begin, for files whose suffix lies.
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # also the wrapping of a Word document with a password
SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or Office document",
    OLD_OFFICE: "an old Office document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "an RTF document",
    b"\x7fELF": "a program",
}
EXPECTED = {"pdf": b"%PDF-", "docx": b"PK\x03\x04"}
# The PDF standard lets a reader look for the header in the first 1,024 bytes.
SIGNATURE_WINDOW = 1024


def format_of(path: PurePath | str) -> str | None:
    """Return the name of the reader for a path's suffix, or None where there is none."""
    return READERS.get(PurePath(path).suffix.lower())


def read_content(data: bytes, name: str) -> FileContent:
    """Return what the file holds, by the reader of its suffix.

    Raises:
        UnreadableFileError: the suffix has no reader, or the content is empty, damaged or of another format.
    """
    format_name = format_of(name)
    if format_name is None:
        raise UnreadableFileError(f"no reader for {PurePath(name).suffix or 'a file without suffix'}")
    if not data.strip(b"\x00\t\n\r "):
        raise UnreadableFileError("empty file")
    _check_signature(data, format_name)
    reader = cast(Reader, importlib.import_module(f"pes_search.ingest.readers.{format_name}").read)
    content = reader(data)
    if not any(block.text.strip() for block in content.blocks):
        raise UnreadableFileError("no text found" + (" (a scan? run it through OCR first)" if format_name == "pdf" else ""))
    return content


def _check_signature(data: bytes, format_name: str) -> None:
    if format_name == "docx" and data.startswith(OLD_OFFICE) and "EncryptedPackage".encode("utf-16-le") in data:
        raise UnreadableFileError("encrypted: needs a password")
    expected = EXPECTED.get(format_name)
    if expected and expected in data[:SIGNATURE_WINDOW]:
        return
    for signature, what in SIGNATURES.items():
        if data.startswith(signature):
            raise UnreadableFileError(f"wrong suffix: the content is {what}")
    if expected:
        raise UnreadableFileError(f"wrong suffix or damaged: the content is not a {format_name.upper()} file")
