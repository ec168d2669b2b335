"""OpenDocument files: texts, sheets and presentations as LibreOffice shows them, from the document's own markup."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.sheets import LARGEST_CELLS, Sheet, content_of
from pes_search.ingest.types import Block, FileContent

LARGEST_PART_BYTES = 200_000_000  # unpacked
MOST_REPEATS = 1_000  # of a cell or row; empty ones to a sheet's end are given as one that repeats
DEEPEST = 60  # frames, lists and tables in each other
_NAMESPACES = {
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0": "draw",
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0": "presentation",
    "urn:oasis:names:tc:opendocument:xmlns:style:1.0": "style",
    "http://purl.org/dc/elements/1.1/": "dc",
}
_URIS = {prefix: uri for uri, prefix in _NAMESPACES.items()}
_UNSHOWN = {"text:tracked-changes", "text:sequence-decls", "office:forms", "text:bibliography-mark", "office:annotation-end"}
_FURNITURE = {"footer", "date-time", "page-number", "header"}


def read_text(data: bytes) -> FileContent:
    """Read an OpenDocument text."""
    return _read(data, "text", _Body.text)


def read_presentation(data: bytes) -> FileContent:
    """Read an OpenDocument presentation; a slide is a page."""
    return _read(data, "presentation", _Body.slides)


def read_sheets(data: bytes) -> FileContent:
    """Read an OpenDocument spreadsheet."""
    return _read(data, "spreadsheet", _Body.sheets)


def _read(data: bytes, kind: str, read: Any) -> FileContent:
    """Read a file of one kind.

    Raises:
        UnreadableFileError: the archive is damaged, has a password, is too large when unpacked or of another kind.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content, styles, meta = (_part(archive, name) for name in ("content.xml", "styles.xml", "meta.xml"))
            manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.namelist() else b""
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no OpenDocument file: {type(error).__name__}: {error}") from error
    if b"encryption-data" in manifest:
        raise UnreadableFileError("encrypted: needs a password")
    try:
        root = _parsed(content)
        body = root.find(f".//{{{_URIS['office']}}}{kind}")
        levels = _heading_levels([root, *([_parsed(styles)] if styles.strip() else [])])
        found: FileContent | None = read(_Body(levels, _hidden_styles(root)), body) if body is not None else None
        title = _parsed(meta).findtext(f".//{{{_URIS['dc']}}}title") if meta.strip() else None
    except (UnreadableFileError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged: {type(error).__name__}: {error}") from error
    if found is None:
        raise UnreadableFileError(f"wrong suffix: it holds no {kind}")
    first = next((block.text for block in found.blocks if block.kind == "heading"), None)
    stated = clean_text(title or "") or (None if kind == "spreadsheet" else first)
    return FileContent(found.blocks, {"title": stated} if stated else {}, found.warnings, found.left_out, found.inside)


def _heading_levels(roots: Sequence[Any]) -> dict[str, int]:
    """Return the level of each paragraph style that makes a heading without being marked as one, such as `Title`."""
    parents: dict[str, str] = {}
    levels = {"Title": 1, "Subtitle": 2}
    for root in roots:
        for style in root.iter(f"{{{_URIS['style']}}}style"):
            name, level = _get(style, "style:name"), _get(style, "style:default-outline-level")
            parents[name] = _get(style, "style:parent-style-name")
            if level.isdigit() and 1 <= int(level) <= 10:
                levels.setdefault(name, min(int(level), 6))
    for name in parents:
        above, steps = name, 0
        while above and above not in levels and steps < DEEPEST:
            above, steps = parents.get(above, ""), steps + 1
        if above in levels:
            levels[name] = levels[above]
    return levels


def _hidden_styles(root: Any) -> frozenset[str]:
    """Return the names of the styles that hide a sheet or a slide."""
    hidden = root.xpath(
        ".//style:style[style:table-properties/@table:display='false' "
        "or style:drawing-page-properties/@presentation:visibility='hidden']/@style:name",
        namespaces=_URIS,
    )
    return frozenset(map(str, hidden))


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b""
    if archive.getinfo(name).file_size > LARGEST_PART_BYTES:
        raise UnreadableFileError(f"too large: more than {LARGEST_PART_BYTES // 1_000_000} MB of text when unpacked")
    with archive.open(name) as part:
        content = part.read(LARGEST_PART_BYTES + 1)
    if len(content) > LARGEST_PART_BYTES:
        raise UnreadableFileError(f"too large: more than {LARGEST_PART_BYTES // 1_000_000} MB of text when unpacked")
    return content


def _parsed(content: bytes) -> Any:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


class _Body:
    """Walks a body, and counts what it leaves out."""

    def __init__(self, heading_levels: Mapping[str, int], hidden_styles: frozenset[str]) -> None:
        self._heading_levels = heading_levels  # by the name of a paragraph's style
        self._hidden_styles = hidden_styles  # of sheets and slides
        self._left_out: Counter[str] = Counter()
        self._notes: list[tuple[str, str]] = []  # of the paragraph that is being read: their marks and texts

    def text(self, body: Any) -> FileContent:
        """Return a text's content."""
        return FileContent([*self._blocks(body, None, 0)], left_out=dict(self._left_out))

    def slides(self, body: Any) -> FileContent:
        """Return a presentation's content."""
        blocks: list[Block] = []
        for number, page in enumerate(page for page in body if _name(page) == "draw:page"):
            if _get(page, "draw:style-name") in self._hidden_styles:
                self._left_out["hidden slides"] += len("".join(page.itertext()))
            else:
                blocks += self._slide(page, number + 1)
        return FileContent(blocks, left_out=dict(self._left_out))

    def sheets(self, body: Any) -> FileContent:
        """Return a spreadsheet's content."""
        tables = [table for table in body if _name(table) == "table:table"]
        shown = [table for table in tables if _get(table, "table:style-name") not in self._hidden_styles]
        self._left_out["hidden sheets"] += sum(len("".join(table.itertext())) for table in tables if table not in shown)
        sheets = [Sheet(_get(table, "table:name"), self._cells(table)) for table in shown]
        return content_of(sheets, self._left_out)

    # ── Texts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _blocks(self, parent: Any, page: int | None, depth: int, *, in_list: bool = False) -> Iterator[Block]:
        if depth > DEEPEST:
            return
        for element in parent:
            name = _name(element)
            if name == "text:h":
                level = min(max(_count(element, "text:outline-level"), 1), 6)
                yield from self._paragraph(element, "heading", page, depth, level)
            elif name == "text:p":
                level = 0 if in_list else self._heading_levels.get(_get(element, "text:style-name"), 0)
                kind = "heading" if level else "item" if in_list else "paragraph"
                yield from self._paragraph(element, kind, page, depth, level)
            elif name in ("text:list", "text:list-item", "text:list-header"):
                yield from self._blocks(element, page, depth + 1, in_list=True)
            elif name == "table:table":
                yield from self._table(element, page, depth)
            elif name == "office:annotation":
                self._left_out["comments"] += len("".join(element.itertext()))
            elif name == "text:tracked-changes":
                self._left_out["deleted text"] += len("".join(element.itertext()))
            elif name == "text:section" and _get(element, "text:display") == "none":
                self._left_out["hidden text"] += len("".join(element.itertext()))
            elif name and name not in _UNSHOWN and not name.startswith("text:table-of-content"):
                yield from self._blocks(element, page, depth + 1, in_list=in_list)

    def _paragraph(self, element: Any, kind: Any, page: int | None, depth: int, level: int = 0) -> Iterator[Block]:
        boxes: list[Any] = []
        text = clean_text("".join(self._inline(element, boxes)))
        if text:
            yield Block(kind, text, page, level)
        notes, self._notes = self._notes, []
        for mark, note in notes:
            yield Block("paragraph", f"Note {mark}: {note}" if mark else f"Note: {note}", page)
        for box in boxes:
            yield from self._blocks(box, page, depth + 1)

    def _inline(self, element: Any, boxes: list[Any]) -> Iterator[str]:
        """Yield a paragraph's characters; text boxes that are anchored in it are put aside."""
        yield element.text or ""
        for child in element:
            name = _name(child)
            if name in ("text:s", "text:tab", "text:line-break"):
                yield " "
            elif name == "text:note":
                mark = "".join(child.xpath("./text:note-citation//text()", namespaces=_URIS)).strip()
                body = child.find(f"{{{_URIS['text']}}}note-body")
                if body is not None:
                    self._notes.append((mark, clean_text(" ".join(body.itertext()))))
                yield f" [{mark}] " if mark else ""
            elif name == "draw:frame" or name.startswith("draw:"):
                boxes.append(child)
            elif name == "office:annotation":
                self._left_out["comments"] += len("".join(child.itertext()))
            elif name == "text:ruby":
                base = child.find(f"{{{_URIS['text']}}}ruby-base")
                yield from self._inline(base, boxes) if base is not None else ()
            elif name in ("text:hidden-text", "text:hidden-paragraph"):
                self._left_out["hidden text"] += len("".join(child.itertext()))
            elif name and name not in _UNSHOWN:
                yield from self._inline(child, boxes)
            yield child.tail or ""

    def _table(self, table: Any, page: int | None, depth: int) -> Iterator[Block]:
        """Yield a table's rows; where its cells hold sections of a document, these one after the other."""
        is_header = table.find(f"{{{_URIS['table']}}}table-header-rows") is not None
        nested = table.xpath(".//table:table-cell//table:table | .//table:table-cell//text:h", namespaces=_URIS)
        if nested:
            for cell in table.iter(f"{{{_URIS['table']}}}table-cell"):
                yield from self._blocks(cell, page, depth + 1)
            return
        rows = [row for row in self._cells(table) if any(row)]
        # A first row of names only, above rows of the same width, is the header that nobody marked.
        looks_so = (
            len(rows) > 2 and len(rows[0]) > 2 and all(rows[0]) and not any(any(map(str.isdigit, cell)) for cell in rows[0])
        )
        for text in table_rows(rows, header=is_header or looks_so):
            if text:
                yield Block("row", text, page)

    # ── Cells ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _cells(self, table: Any) -> list[list[str]]:
        """Return the texts that a table's visible cells show; a cell that spans rows is told in each."""
        rows: list[list[str]] = []
        spans: dict[int, tuple[int, str]] = {}  # by column: for how many more rows, and what stands there
        cells = 0
        hidden = _hidden_columns(table)
        for row in table.iter(f"{{{_URIS['table']}}}table-row"):
            texts: list[str] = []
            for cell in row:
                name = _name(cell)
                if name not in ("table:table-cell", "table:covered-table-cell"):
                    continue
                lines = cell.xpath(".//text:p[not(ancestor::office:annotation)]", namespaces=_URIS)
                text = clean_text(" ".join("".join(self._inline(line, [])) for line in lines))
                for note in cell.iter(f"{{{_URIS['office']}}}annotation"):
                    self._left_out["comments"] += len("".join(note.itertext()))
                for _ in range(min(_count(cell, "table:number-columns-repeated"), MOST_REPEATS)):
                    column = len(texts)
                    left, above = spans.get(column, (0, ""))
                    if name == "table:covered-table-cell" and left:
                        spans[column] = (left - 1, above)
                        texts.append(above)
                    else:
                        texts.append(text)
                        if (more := _count(cell, "table:number-rows-spanned") - 1) > 0:
                            spans[column] = (min(more, MOST_REPEATS), text)
            self._left_out["hidden cells"] += sum(len(text) for column, text in enumerate(texts) if column in hidden)
            texts = [text for column, text in enumerate(texts) if column not in hidden]
            while texts and not texts[-1]:
                texts.pop()
            self._notes = []
            if _get(row, "table:visibility") in ("collapse", "filter"):
                self._left_out["hidden cells"] += sum(map(len, texts))
                continue
            for _ in range(min(_count(row, "table:number-rows-repeated"), MOST_REPEATS) if texts else 1):
                rows.append(texts)
                cells += len(texts)
                if cells > LARGEST_CELLS:
                    raise UnreadableFileError(f"too large: more than {LARGEST_CELLS:,} cells; hand in parts of it")
        return rows

    # ── Slides ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _slide(self, page: Any, number: int) -> list[Block]:
        title: list[Block] = []
        others: list[tuple[float, float, list[Block]]] = []
        notes: list[Block] = []
        for shape in page:
            kind = _get(shape, "presentation:class")
            if _name(shape) == "presentation:notes":
                frames = (frame for frame in shape if _get(frame, "presentation:class") == "notes")
                notes = [block for frame in frames for block in self._blocks(frame, number, 0)]
            elif kind in _FURNITURE:
                self._left_out["footers and slide numbers"] += len("".join(shape.itertext()))
            elif kind == "title":
                text = clean_text(" ".join(shape.itertext()))
                title = [Block("heading", text, number, 1 if number == 1 else 2)] if text else []
            elif _name(shape):
                place = (_centimetres(shape.get(_SVG + "y")), _centimetres(shape.get(_SVG + "x")))
                others.append((*place, [*self._blocks([shape], number, 0)]))
        others.sort(key=lambda one: (round(one[0]), one[1]))
        blocks = [*title, *(block for _, _, several in others for block in several)]
        if notes:
            blocks += [Block("heading", "Notes", number, 3), *notes]
        return blocks


_SVG = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}"


def _hidden_columns(table: Any) -> set[int]:
    """Return the columns of a table that are not shown."""
    hidden: set[int] = set()
    place = 0
    for column in table.iter(f"{{{_URIS['table']}}}table-column"):
        count = min(_count(column, "table:number-columns-repeated"), MOST_REPEATS)
        if _get(column, "table:visibility") in ("collapse", "filter"):
            hidden.update(range(place, place + count))
        place += count
    return hidden


def _name(element: Any) -> str:
    """Return an element's name with the usual prefix; empty for a comment."""
    if not isinstance(element.tag, str):
        return ""
    uri, _, local = element.tag[1:].partition("}")
    return f"{_NAMESPACES.get(uri, '?')}:{local}"


def _get(element: Any, name: str) -> str:
    prefix, _, local = name.partition(":")
    return str(element.get(f"{{{_URIS[prefix]}}}{local}") or "")


def _count(element: Any, name: str) -> int:
    value = _get(element, name)
    return int(value) if value.isdigit() and len(value) < 8 else 1


def _centimetres(length: Sequence[str] | str | None) -> float:
    """Return a length in centimetres, 0 where there is none."""
    text = str(length or "")
    for unit, factor in (("cm", 1.0), ("mm", 0.1), ("in", 2.54), ("pt", 2.54 / 72)):
        number = text.removesuffix(unit)
        if number != text:
            try:
                return float(number) * factor
            except ValueError:
                return 0.0
    return 0.0
