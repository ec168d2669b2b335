"""File readers, one a format: a file's bytes become blocks of text and what the file says about itself.

To add a format: one module with a `read(data: bytes) -> FileContent`, one row in `READERS`, one sample in its contract test.
"""

from __future__ import annotations

from pathlib import PurePath

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.origin import Layout
from pes_search.ingest.parts import Parts
from pes_search.ingest.readers.base import Format, PageName, Reader
from pes_search.ingest.types import FileContent

ZIP = b"PK\x03\x04"  # also Office documents since 2007
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # also the wrapping of a new one with a password

READERS: Parts[Reader, Format] = Parts(
    "file reader",
    {
        "html": Format(
            "pes_search.ingest.readers.html:read", suffixes=(".html", ".htm"), media_type="text/html", may_have_forms=True
        ),
        "pdf": Format(
            "pes_search.ingest.readers.pdf:read",
            suffixes=(".pdf",),
            media_type="application/pdf",
            signature=b"%PDF-",
            may_have_forms=True,
            advice_if_empty="a scan? install tesseract, or run it through OCR first",
        ),
        "docx": Format(
            "pes_search.ingest.readers.docx:read",
            suffixes=(".docx",),
            media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            signature=ZIP,
        ),
        "pptx": Format(
            "pes_search.ingest.readers.pptx:read",
            suffixes=(".pptx",),
            media_type="application/vnd.openxmlformats-officedocument.presentationml.presentation",
            signature=ZIP,
            pages_are="slide",
        ),
        "xlsx": Format(
            "pes_search.ingest.readers.xlsx:read",
            suffixes=(".xlsx", ".xlsm"),
            is_named_by_file=True,
            media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            signature=ZIP,
        ),
        "odt": Format(
            "pes_search.ingest.readers.odf:read_text",
            suffixes=(".odt",),
            media_type="application/vnd.oasis.opendocument.text",
            signature=ZIP,
        ),
        "odp": Format(
            "pes_search.ingest.readers.odf:read_presentation",
            suffixes=(".odp",),
            media_type="application/vnd.oasis.opendocument.presentation",
            signature=ZIP,
            pages_are="slide",
        ),
        "ods": Format(
            "pes_search.ingest.readers.odf:read_sheets",
            suffixes=(".ods",),
            is_named_by_file=True,
            media_type="application/vnd.oasis.opendocument.spreadsheet",
            signature=ZIP,
        ),
        "doc": Format(
            "pes_search.ingest.readers.old_office:read_doc",
            suffixes=(".doc",),
            media_type="application/msword",
            signature=OLD_OFFICE,
        ),
        "xls": Format(
            "pes_search.ingest.readers.old_office:read_xls",
            suffixes=(".xls",),
            is_named_by_file=True,
            media_type="application/vnd.ms-excel",
            signature=OLD_OFFICE,
        ),
        "ppt": Format(
            "pes_search.ingest.readers.old_office:read_ppt",
            suffixes=(".ppt",),
            media_type="application/vnd.ms-powerpoint",
            signature=OLD_OFFICE,
            pages_are="slide",
        ),
        "rtf": Format(
            "pes_search.ingest.readers.rtf:read", suffixes=(".rtf",), media_type="application/rtf", signature=b"{\\rtf"
        ),
        "epub": Format(
            "pes_search.ingest.readers.epub:read", suffixes=(".epub",), media_type="application/epub+zip", signature=ZIP
        ),
        "csv": Format(
            "pes_search.ingest.readers.csv:read", suffixes=(".csv", ".tsv"), media_type="text/csv", is_named_by_file=True
        ),
        "eml": Format("pes_search.ingest.readers.mail:read_eml", suffixes=(".eml",), media_type="message/rfc822"),
        "msg": Format(
            "pes_search.ingest.readers.mail:read_msg",
            suffixes=(".msg",),
            media_type="application/vnd.ms-outlook",
            signature=OLD_OFFICE,
        ),
        "vtt": Format(
            "pes_search.ingest.readers.transcripts:read_vtt",
            suffixes=(".vtt",),
            media_type="text/vtt",
            pages_are="minute",
            is_named_by_file=True,
        ),
        "srt": Format(
            "pes_search.ingest.readers.transcripts:read_srt",
            suffixes=(".srt",),
            is_named_by_file=True,
            media_type="application/x-subrip",
            pages_are="minute",
        ),
        "png": Format(
            "pes_search.ingest.readers.pictures:read",
            suffixes=(".png",),
            media_type="image/png",
            signature=b"\x89PNG",
            is_named_by_file=True,
        ),
        "jpeg": Format(
            "pes_search.ingest.readers.pictures:read",
            suffixes=(".jpg", ".jpeg"),
            is_named_by_file=True,
            media_type="image/jpeg",
            signature=b"\xff\xd8\xff",
        ),
        "tiff": Format(
            "pes_search.ingest.readers.pictures:read",
            suffixes=(".tif", ".tiff"),
            media_type="image/tiff",
            is_named_by_file=True,
        ),
        "webp": Format(
            "pes_search.ingest.readers.pictures:read", suffixes=(".webp",), media_type="image/webp", is_named_by_file=True
        ),
        "markdown": Format(
            "pes_search.ingest.readers.markdown:read", suffixes=(".md",), media_type="text/markdown", language_is_stated=True
        ),
        "text": Format("pes_search.ingest.readers.text:read", suffixes=(".txt",), media_type="text/plain", may_have_forms=True),
    },
)
SUFFIXES = {suffix: name for name, row in READERS.rows.items() for suffix in row.suffixes}
"""The file reader's name for each suffix."""

# How files of other formats begin, for files whose suffix lies.
SIGNATURES = {
    b"%PDF-": "a PDF",
    ZIP: "a ZIP archive or Office document",
    OLD_OFFICE: "an old Office document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "an RTF document",
    b"\x7fELF": "a program",
}
SIGNATURE_WINDOW = 1024  # bytes among which the PDF standard lets a file's header stand


PAGES: dict[str, PageName] = {row.media_type: row.pages_are for row in READERS.rows.values()}
"""What the pages of each kind of file are, by its media type."""


def format_of(path: PurePath | str) -> str | None:
    """Return the name of the file reader for a path's suffix, or None where there is none."""
    return SUFFIXES.get(PurePath(path).suffix.lower())


def read_content(data: bytes, name: str, layout: Layout | None = None) -> FileContent:
    """Return what the file holds, by the reader of its suffix; `layout` is that of the pages of its site.

    Raises:
        UnreadableFileError: the suffix has no reader, or the content is empty, damaged or of another format.
        MissingPartError: the reader needs a library that is not installed.
    """
    format_name = format_of(name)
    if format_name is None:
        raise UnreadableFileError(f"no reader for {PurePath(name).suffix or 'a file without suffix'}")
    if not data.strip(b"\x00\t\n\r "):
        raise UnreadableFileError("empty file")
    row = READERS.row(format_name)
    _check_signature(data, format_name, row.signature)
    if format_name == "html" and layout is not None:
        from pes_search.ingest.readers.html import read_laid_out

        content = read_laid_out(data, layout)
    else:
        content = READERS.load(format_name)(data)
    if not content.inside and not any(block.text.strip() for block in content.blocks):
        # A warning of pages that are pictures says more: what was tried with them.
        why = next((warning for warning in content.warnings if "OCR" in warning), row.advice_if_empty)
        raise UnreadableFileError("no text found" + (f" ({why})" if why else ""))
    return content


def _check_signature(data: bytes, format_name: str, expected: bytes | None) -> None:
    if expected == ZIP and data.startswith(OLD_OFFICE) and "EncryptedPackage".encode("utf-16-le") in data:
        raise UnreadableFileError("encrypted: needs a password")
    if expected and expected in data[:SIGNATURE_WINDOW]:
        return
    for signature, content in SIGNATURES.items():
        if data.startswith(signature):
            raise UnreadableFileError(f"wrong suffix: the content is {content}")
    if expected:
        raise UnreadableFileError(f"wrong suffix or damaged: the content is not a {format_name.upper()} file")
