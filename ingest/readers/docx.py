"""Word documents: headings by style, paragraphs, list items, table rows and text boxes, in reading order."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from pes_search.ingest.clean import clean_text, table_rows
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.types import Block, FileContent

# A document of some hundred kilobytes can unpack to gigabytes; a real one of this size is no practice write-up.
LARGEST_UNPACKED_BYTES = 500_000_000
STRICT = b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"
_HEADING = re.compile(r"heading (\d)$", re.IGNORECASE)


def read(data: bytes) -> FileContent:
    """Read an Office Open XML text document.

    Raises:
        UnreadableFileError: the archive is damaged, too large when unpacked, or holds no Word document.
    """
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED_BYTES:
                raise UnreadableFileError("too large: unpacks to more than 500 MB")
            if STRICT in archive.read("_rels/.rels"):
                raise UnreadableFileError("in the “Strict Open XML” variant; save it as an ordinary Word document (.docx)")
        document = docx.Document(io.BytesIO(data))
        blocks = list(_blocks(document))
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no Word document: {type(error).__name__}: {error}") from error
    fields: dict[str, object] = {}
    if title := clean_text(document.core_properties.title or ""):
        fields["title"] = title
    elif first := next((block for block in blocks if block.kind == "heading"), None):
        fields["title"] = first.text
    return FileContent(blocks, fields)


def _blocks(document: Any) -> Iterator[Block]:
    from docx.table import Table

    for part in document.iter_inner_content():
        yield from _table(part) if isinstance(part, Table) else _paragraph(part)


def _paragraph(paragraph: Any) -> Iterator[Block]:
    text = clean_text(paragraph.text)
    style = paragraph.style.name if paragraph.style is not None else ""
    if text:
        if style == "Title":
            yield Block("heading", text, level=1)
        elif match := _HEADING.match(style):
            yield Block("heading", text, level=int(match[1]))
        elif style.startswith("List") or paragraph._p.xpath("./w:pPr/w:numPr"):
            yield Block("item", text)
        else:
            yield Block("paragraph", text)
    # A text box is stored twice, for new and for old Word; the second copy sits in mc:Fallback.
    for inner in paragraph._p.xpath(".//w:txbxContent/w:p[not(ancestor::*[local-name()='Fallback'])]"):
        boxed = clean_text("".join(node.text or "" for node in inner.xpath(".//w:t")))
        if boxed:
            yield Block("paragraph", boxed)


def _table(table: Any) -> Iterator[Block]:
    rows: list[list[str]] = []
    for row in table.rows:
        cells: list[str] = []
        last = None
        for cell in row.cells:
            if cell._tc is not last:  # a merged cell is listed once for every column that it spans
                cells.append(" ".join(_cell_text(cell)))
            last = cell._tc
        rows.append(cells)
    yield from (Block("row", text) for text in table_rows(rows) if text)


def _cell_text(cell: Any) -> Iterator[str]:
    from docx.table import Table

    for part in cell.iter_inner_content():
        if isinstance(part, Table):
            yield from (block.text for block in _table(part))
        else:
            yield part.text
