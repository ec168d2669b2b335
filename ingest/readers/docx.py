"""Word documents: headings by style, paragraphs, list items, table rows and text boxes, in reading order."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.types import Block, FileContent

# A document of some hundred kilobytes can unpack to gigabytes; a real one of this size is no practice write-up.
LARGEST_UNPACKED_BYTES = 500_000_000
LARGEST_SPAN = 100  # columns; a hostile file states millions
HEAD_BLOCKS = 15  # among which a date may stand on a line of its own
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
        # The messages of some name the object in memory.
        detail = re.sub(r"<[^>]* object at 0x[0-9a-f]+>", "it", str(error))
        raise UnreadableFileError(f"damaged or no Word document: {type(error).__name__}: {detail}") from error
    date = date_line(clean_text(block.text) for block in blocks[:HEAD_BLOCKS])
    fields: dict[str, object] = {"date": date} if date else {}
    title = document.core_properties.title or ""
    if clean_text(title):
        fields["title"] = title
    elif first := next((block for block in blocks if block.kind == "heading"), None):
        fields["title"] = first.text
    return FileContent(blocks, fields)


def _blocks(document: Any) -> Iterator[Block]:
    yield from _parts(document.element.body, document)


def _parts(element: Any, document: Any) -> Iterator[Block]:
    """Yield the blocks of the paragraphs and tables below an element, those in content controls too."""
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    for child in element:
        name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if name == "p":
            yield from _paragraph(Paragraph(child, document))
        elif name == "tbl":
            yield from _table(Table(child, document))
        elif name in ("sdt", "sdtContent"):
            yield from _parts(child, document)


def _paragraph(paragraph: Any) -> Iterator[Block]:
    text = _text(paragraph._p)
    if clean_text(text):
        style = paragraph.style.name if paragraph.style is not None else ""
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
        boxed = _text(inner)
        if clean_text(boxed):
            yield Block("paragraph", boxed)


def _text(element: Any) -> str:
    """Return a paragraph's words, those in links, fields, controls and tracked insertions too, without its text boxes."""
    parts: list[str] = []

    def visit(node: Any) -> None:
        for child in node:
            name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
            if name == "t":
                parts.append(child.text or "")
            elif name in ("tab", "br", "cr"):
                parts.append(" ")
            elif name == "noBreakHyphen":
                parts.append("-")
            elif name not in ("txbxContent", "pPr", "rPr", "del", "moveFrom", "Fallback"):
                visit(child)

    visit(element)
    return "".join(parts)


def _table(table: Any) -> Iterator[Block]:
    """Yield a table's rows; a cell that spans rows is given in each. python-docx's own cells take quadratic time here."""
    rows: list[list[str]] = []
    above: dict[int, str] = {}  # by grid column: the text of the cell that spans down to here
    for row in table._tbl.tr_lst:
        cells: list[str] = []
        column = 0
        for cell in row.tc_lst:
            merged = cell.xpath("./w:tcPr/w:vMerge")
            is_continued = bool(merged) and merged[0].val != "restart"
            text = above.get(column, "") if is_continued else " ".join(_cell_text(cell))
            above[column] = text
            cells.append(text)
            column += min(cell.grid_span, LARGEST_SPAN)
        rows.append(cells)
    yield from (Block("row", text) for text in table_rows(rows) if text)


def _cell_text(element: Any) -> Iterator[str]:
    from docx.table import Table

    for child in element:
        name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if name == "p":
            yield _text(child)
        elif name == "tbl":
            yield from (block.text for block in _table(Table(child, None)))
        elif name in ("sdt", "sdtContent"):
            yield from _cell_text(child)
