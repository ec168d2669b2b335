"""Word documents: headings, paragraphs, list items, table rows, text boxes, notes and links as a reader of them sees them."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from pes_search.ingest.cleaning.links import links_of
from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.docx_package import Package, body_elements
from pes_search.ingest.readers.docx_rows import Cell, Row, column_names, is_bold_cell, is_layout, looks_like_header, named_rows
from pes_search.ingest.readers.docx_signs import Segment, as_shown, joined, math_text, symbol
from pes_search.ingest.readers.docx_styles import (
    BoundValues,
    Numbering,
    Style,
    Styles,
    W,
    formatted,
    heading_level,
    is_on,
    name_of,
    number_of,
    value_of,
)
from pes_search.ingest.types import Block, FileContent, Link

LARGEST_TEXT_BYTES = 200_000_000  # of the part with the text; a thousand pages are some 30 million
LARGEST_CHARACTERS = 100_000_000  # of what is read: a cell that spans rows and a header row are given in each
LARGEST_BOUND = 10_000_000  # characters of all values that content controls show
LARGEST_SPAN = 100  # columns; a hostile file states millions
LARGEST_ROW = 1000  # cells, after which empty ones are left out; Word has 63
LARGEST_NESTING = 100  # fields in fields
REPEATED_CHARACTERS = 300  # a longer cell is told once, however many rows it spans
LARGEST_REPEATED = 1_000_000  # characters of all cells that are told again
HEAD_BLOCKS = 15  # among which a date may stand on a line of its own

_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DRAWN_PARAGRAPH = "{http://schemas.openxmlformats.org/drawingml/2006/main}p"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def read(data: bytes) -> FileContent:
    """Read an Office Open XML text document.

    Raises:
        UnreadableFileError: the archive is damaged, too large when unpacked, or holds no Word document.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _content(Package(archive))
    except UnreadableFileError:
        raise
    except Exception as error:
        # The messages of some name the object in memory.
        detail = re.sub(r"<[^>]* object at 0x[0-9a-f]+>", "it", str(error))
        raise UnreadableFileError(f"damaged or no Word document: {type(error).__name__}: {detail}") from error


def _content(package: Package) -> FileContent:
    reader = _BodyReader(package)
    blocks = reader.read()
    date = date_line(clean_text(block.text) for block in blocks[:HEAD_BLOCKS])
    fields: dict[str, object] = {"date": date} if date else {}
    core = package.root("core-properties", of_file=True)
    title = (core.findtext(_TITLE) or "") if core is not None else ""
    if clean_text(title):
        fields["title"] = title
    elif first := next((block for block in blocks if block.kind == "heading"), None):
        fields["title"] = first.text
    left_out = {what: characters for what, characters in reader.left_out.items() if characters}
    return FileContent(blocks, fields, tuple(dict.fromkeys(package.warnings)), left_out, links=links_of(reader.links))


_UNSHOWN = {
    "pPr",
    "rPr",
    "sdtPr",
    "sdtEndPr",
    "customXmlPr",
    "smartTagPr",
    "instrText",
    "delText",
    "delInstrText",
    "rt",
    "tblPr",
}
_DELETED = {"del", "moveFrom"}
_DRAWN = {"txbxContent", "a:p", "v:textpath", "?:relIds", "?:chart"}  # what holds a drawing's text
_SHOWING = (W + "sym", W + "txbxContent", "{*}t", "{*}textpath", "{*}relIds", "{*}chart")
_LABELLED = re.compile(r"\s*[^\W\d][^:\n]{1,40}:\s.*")
_HYPERLINK = re.compile(r"\s*HYPERLINK\s+\"([^\"]+)\"", re.IGNORECASE)
_FIRST_ROW = 0x20  # in the bits of `w:tblLook`


@dataclass(slots=True)
class _Field:
    """A field that has begun: its instruction is not shown, its result is."""

    has_result: bool = False
    instruction: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    """What a paragraph shows, as far as it is read."""

    style: Style
    segments: list[Segment] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)  # the text boxes and drawings that are anchored in it


class _BodyReader:
    """Reads a document's body in one go, with what the other parts tell about it."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._styles = Styles(package.root("styles"))
        self._numbering = Numbering(package.root("numbering"))
        self._stores: dict[str, BoundValues] | None = None  # read when the first control asks
        self._notes: dict[str, dict[str, Any]] = {}
        self._note_counts: Counter[str] = Counter()
        self._waiting_notes: list[tuple[str, Any]] = []  # their labels and texts, for the end of the paragraph or table
        self._depth = 0  # tables and notes around the current place
        self._fields: list[_Field] = []
        self._carried: list[Segment] = []  # of paragraphs whose end is deleted or hidden: the next one goes on with it
        self._characters = self._repeated = self._bound = 0
        self._targets = {kind: package.link_targets(kind) for kind in ("", "footnotes", "endnotes")}  # of links, by their parts
        self.left_out: Counter[str] = Counter()
        self.links: list[Link] = []

    def read(self) -> list[Block]:
        """Return the blocks of the whole document."""
        package = self._package
        settings = package.root("settings")
        for kind, default in (("footnote", "decimal"), ("endnote", "lowerRoman")):
            stated = settings.find(f"{W}{kind}Pr") if settings is not None else None
            notes = package.root(f"{kind}s")
            self._notes[kind] = {note.get(W + "id", ""): note for note in notes.iterfind(W + kind)} if notes is not None else {}
            self._notes[kind]["format"] = value_of(stated, "numFmt") or default
        blocks: list[Block] = []
        for element in body_elements(package.bytes_of(package.main, LARGEST_TEXT_BYTES)):
            if name_of(element) != "p" or not _is_bare(element):
                self._fill_controls(element)
                self._add(element, blocks)
        self._flush(blocks)
        for relationship, what in (
            ("header", "headers and footers"),
            ("footer", "headers and footers"),
            ("comments", "comments"),
        ):
            self.left_out[what] += sum(_length(root) for _, root in package.roots(relationship))
        return blocks

    def _blocks_in(self, element: Any) -> list[Block]:
        """Return the blocks of a cell, a note or a text box."""
        carried, self._carried = self._carried, []
        blocks: list[Block] = []
        for child in element:
            self._add(child, blocks)
        self._flush(blocks)
        self._carried = carried
        return blocks

    def _add(self, element: Any, blocks: list[Block]) -> None:
        name = name_of(element)
        if name == "p":
            self._add_paragraph(element, blocks)
        elif name == "tbl":
            self._flush(blocks)
            self._add_table(element, blocks)
        elif name == "a:p":
            self._add_block(blocks, Block("paragraph", "".join(element.itertext("{*}t", with_tail=False))))
        elif name == "v:textpath":
            self._add_block(blocks, Block("paragraph", element.get("string") or ""))
        elif name in ("?:relIds", "?:chart"):
            drawn = self._package.drawn(element.get(_RELATED + ("dm" if name == "?:relIds" else "id")) or "")
            for child in drawn.iter(_DRAWN_PARAGRAPH) if drawn is not None else ():
                self._add(child, blocks)
        elif name in ("m:oMath", "m:oMathPara"):
            self._add_block(blocks, Block("paragraph", math_text(element)))
        elif name in _DELETED:
            self.left_out["deleted text"] += _length(element)
        elif name == "altChunk":
            self._package.warnings.append("an embedded file that Word would show in the text was not read")
        elif name == "mc:AlternateContent":
            for child in _chosen(element):
                self._add(child, blocks)
        elif name and name not in _UNSHOWN:
            for child in element:
                self._add(child, blocks)

    def _add_block(self, blocks: list[Block], block: Block) -> None:
        self._characters += len(block.text)
        if self._characters > LARGEST_CHARACTERS:
            raise UnreadableFileError(f"too large: more than {LARGEST_CHARACTERS // 1_000_000} million characters of text")
        if block.text.strip():
            blocks.append(block)

    def _flush(self, blocks: list[Block]) -> None:
        """End a paragraph that waits for the next one, where there is none."""
        text = joined(self._carried)
        self._carried = []
        self._add_block(blocks, Block("paragraph", text))

    def _fill_controls(self, element: Any) -> None:
        """Write the bound values into the content controls that show them, and take the prompts out of the empty ones."""
        for control in element.iter(W + "sdt"):
            properties, content = control.find(W + "sdtPr"), control.find(W + "sdtContent")
            if properties is None or content is None:
                continue
            is_prompt = is_on(properties, "showingPlcHdr") or False
            value = self._bound_value(properties, is_prompt=is_prompt)
            if value is not None and clean_text(value) != clean_text("".join(content.itertext(W + "t", with_tail=False))):
                _write(content, value)
            elif is_prompt and value is None:
                self.left_out["prompts of empty form fields"] += _length(content)
                _write(content, "")

    def _bound_value(self, properties: Any, *, is_prompt: bool) -> str | None:
        binding = properties.find(W + "dataBinding")
        kinds = {name_of(child) for child in properties}
        # A date is stored in another form than shown, a picture as its bytes, a text with its markup.
        if binding is None or kinds & {"picture", "richText", "?:checkbox"} or ("date" in kinds and not is_prompt):
            return None
        if self._stores is None:
            self._stores = {store: BoundValues.of(root) for store, root in self._package.stores()}
        store = self._stores.get((binding.get(W + "storeItemID") or "").upper())
        prefixes = binding.get(W + "prefixMappings") or ""
        value = store.get(binding.get(W + "xpath") or "", prefixes) if store is not None else None
        self._bound += len(value or "")
        if self._bound > LARGEST_BOUND:
            return None
        for choices in (properties.find(W + "dropDownList"), properties.find(W + "comboBox")):
            for choice in choices if choices is not None and value else ():
                if choice.get(W + "value") == value:
                    return choice.get(W + "displayText") or value
        return (value.partition("T")[0] if "date" in kinds else value) if value and value.strip() else None

    # ── Paragraphs ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _add_paragraph(self, paragraph: Any, blocks: list[Block]) -> None:
        properties = paragraph.find(W + "pPr")
        line = _Line(self._styles.of_paragraph(properties))
        self._walk(paragraph, line)
        self._end_fields()
        outline = value_of(properties, "outlineLvl")
        level = heading_level(outline) if outline is not None else line.style.level or 0
        mark = properties.find(W + "rPr") if properties is not None else None
        is_joined = mark is not None and (is_on(mark, "vanish") or any(mark.find(W + name) is not None for name in _DELETED))
        if is_joined and not level:
            self._carried += line.segments
        else:
            if level:
                self._flush(blocks)
            segments, self._carried = self._carried + line.segments, []
            self._add_line(properties, line.style, level, joined(segments, has_marks=not level), blocks)
        for box in line.boxes:
            blocks.extend(self._blocks_in(box if name_of(box) == "txbxContent" else [box]))
        if not self._depth:
            self._add_notes(blocks)

    def _add_line(self, properties: Any | None, style: Style, level: int, text: str, blocks: list[Block]) -> None:
        """Add a paragraph's block by its style and text; a list's number stands before the text of its item."""
        list_id, list_level = self._list_of(properties, style)
        number = self._numbering.next(list_id, list_level) if list_id != "0" else ""
        if not text.strip():
            return
        if level:
            self._add_block(blocks, Block("heading", text.replace("\n", " "), level=level))
        elif list_id != "0" or (style.is_list and not (properties is not None and properties.find(W + "numPr") is not None)):
            self._add_block(blocks, Block("item", f"{number} {text}".strip().replace("\n", " ")))
        else:
            lines = [part for part in text.split("\n") if part.strip()]
            # Labels with their values, one a line, are as many statements.
            is_labelled = len(lines) > 1 and all(map(_LABELLED.fullmatch, lines))
            for part in lines if is_labelled else [" ".join(lines)]:
                self._add_block(blocks, Block("paragraph", part))

    @staticmethod
    def _list_of(properties: Any | None, style: Style) -> tuple[str, int]:
        """Return the id and level of the list that a paragraph is an item of; the id is "0" where it is none."""
        list_id, level = style.number or ("", 0)
        own = properties.find(W + "numPr") if properties is not None else None
        if own is not None:
            list_id = value_of(own, "numId") or list_id
            level = number_of(value_of(own, "ilvl"), level)
        return list_id or "0", min(max(level, 0), 8)

    def _walk(self, node: Any, line: _Line) -> None:
        """Read what a paragraph, link, control, insertion or the like holds."""
        for child in node:
            name = name_of(child)
            if name == "r":
                self._add_run(child, line)
            elif name in ("m:oMath", "m:oMathPara"):
                self._say(line, math_text(child), "formula")
            elif name in _DELETED:
                self.left_out["deleted text"] += _length(child)
            elif name == "mc:AlternateContent":
                self._walk(_chosen(child), line)
            elif name and name not in _UNSHOWN:
                if name == "hyperlink":
                    self._add_link(child)
                self._walk(child, line)

    def _add_link(self, element: Any) -> None:
        note = next(element.iterancestors(W + "footnotes", W + "endnotes"), None)
        targets = self._targets["" if note is None else name_of(note)]
        if target := targets.get(element.get(_RELATED + "id") or ""):
            self.links.append(Link(target, "".join(element.itertext(W + "t", with_tail=False))))

    def _add_run(self, run: Any, line: _Line) -> None:
        look = self._styles.look(run.find(W + "rPr"), line.style)
        self._walk_run(run, line, is_hidden=look.is_hidden, align=look.align, font=look.font)

    def _walk_run(self, run: Any, line: _Line, *, is_hidden: bool, align: str, font: str) -> None:
        for child in run:
            name = name_of(child)
            text = _run_text(name, child, font)
            if text:
                if is_hidden:
                    self.left_out["hidden text"] += len(text)
                else:
                    self._say(line, text, align)
            elif name == "fldChar":
                self._add_field_sign(child, line, align=align, is_hidden=is_hidden)
            elif name == "instrText" and self._fields and not self._fields[-1].has_result:
                self._fields[-1].instruction.append(child.text or "")
            elif name in ("footnoteReference", "endnoteReference"):
                mark = "".join(following.text or "" for following in child.itersiblings(W + "t"))
                is_own = _is_set(child, "customMarkFollows")
                if not is_hidden:
                    self._refer(name.removesuffix("Reference"), child.get(W + "id") or "", mark if is_own else "")
                if is_own:
                    return  # what follows is the mark itself
            elif name in ("drawing", "pict", "object") and not is_hidden:
                line.boxes.extend(_boxes(child))
            elif name == "mc:AlternateContent":
                self._walk_run(_chosen(child), line, is_hidden=is_hidden, align=align, font=font)
            elif name in ("r", "ruby", "rubyBase") or (name.startswith("?") and not is_hidden):
                self._walk(child, line)

    def _say(self, line: _Line, text: str, align: str) -> None:
        if text and all(begun.has_result for begun in self._fields):
            line.segments.append((text, align))

    # ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _add_field_sign(self, sign: Any, line: _Line, *, align: str, is_hidden: bool) -> None:
        kind = sign.get(W + "fldCharType")
        if kind == "begin" and len(self._fields) < LARGEST_NESTING:
            self._say(line, _form_value(sign), align)
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            self._fields[-1].has_result = True
            if match := _HYPERLINK.match("".join(self._fields[-1].instruction)):
                self.links.append(Link(match[1]))
        elif kind == "end" and self._fields:
            ended = self._fields.pop()
            if not ended.has_result and not is_hidden:
                self._say(line, _field_value("".join(ended.instruction)), align)

    def _end_fields(self) -> None:
        """Forget the fields whose instruction has no end in its paragraph: they would hide the rest of a damaged document."""
        self._fields = [begun for begun in self._fields if begun.has_result]

    # ── Notes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _refer(self, kind: str, note_id: str, mark: str) -> None:
        """Queue the note that the text refers to; its mark in the text is left out, so that it joins no figure."""
        note = self._notes[kind].pop(note_id, None)
        if note is None or isinstance(note, str) or not all(begun.has_result for begun in self._fields):
            return
        if not mark.strip():
            self._note_counts[kind] += 1
            mark = formatted(self._note_counts[kind], self._notes[kind]["format"])
        self._fill_controls(note)
        self._waiting_notes.append((mark.strip(), note))

    def _add_notes(self, blocks: list[Block]) -> None:
        self._depth += 1
        while self._waiting_notes:
            waiting, self._waiting_notes = self._waiting_notes, []
            for mark, note in waiting:
                text = _flat(self._blocks_in(note))
                if text.strip():
                    self._add_block(blocks, Block("paragraph", f"Note {mark}: {text}"))
        self._depth -= 1

    # ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _add_table(self, table: Any, blocks: list[Block]) -> None:
        self._depth += 1
        rows = self._rows(table)
        self._depth -= 1
        together: list[Row] = []
        for row in rows:
            if is_layout(row):
                self._add_rows(table, together, blocks)
                together = []
                blocks.extend(block for cell in row.cells for block in cell.blocks)
            else:
                together.append(row)
        self._add_rows(table, together, blocks)
        if not self._depth:
            self._add_notes(blocks)

    def _rows(self, table: Any) -> list[Row]:
        rows = []
        above: dict[int, str] = {}  # by grid column: the text of the cell that spans down to here
        for row in self._members(table, "tr"):
            properties = row.find(W + "trPr")
            if properties is not None and (properties.find(W + "del") is not None or is_on(properties, "hidden")):
                self.left_out["deleted text" if properties.find(W + "del") is not None else "hidden text"] += _length(row)
                continue
            if cells := self._cells(row, properties, above):
                rows.append(Row(cells, bool(is_on(properties, "tblHeader"))))
        return rows

    def _cells(self, row: Any, row_properties: Any | None, above: dict[int, str]) -> list[Cell]:
        cells: list[Cell] = []
        column = min(number_of(value_of(row_properties, "gridBefore")), LARGEST_SPAN)
        for element in self._members(row, "tc"):
            if len(cells) >= LARGEST_ROW and not len(element):
                continue
            properties = element.find(W + "tcPr")
            span = min(max(number_of(value_of(properties, "gridSpan"), 1), 1), LARGEST_SPAN)
            merged, beside = (properties.find(W + name) if properties is not None else None for name in ("vMerge", "hMerge"))
            if properties is not None and properties.find(W + "cellDel") is not None:
                self.left_out["deleted text"] += _length(element)
                continue
            if beside is not None and beside.get(W + "val") != "restart" and cells:
                cells[-1].span += span
            elif merged is not None and merged.get(W + "val") != "restart" and column in above:
                text = above[column]
                self._repeated += len(text)
                if len(text) > REPEATED_CHARACTERS or self._repeated > LARGEST_REPEATED:
                    text = ""
                cells.append(Cell(column, span, [Block("row", text)] if text else [], text, is_bold=False))
            else:
                content = self._blocks_in(element) if len(element) else []
                cells.append(Cell(column, span, content, _flat(content), is_bold=is_bold_cell(element)))
                above.pop(column, None)
                if merged is not None:
                    above[column] = cells[-1].text
            column += span
        return cells

    def _members(self, element: Any, wanted: str) -> Iterator[Any]:
        """Yield a table's rows or a row's cells, those in content controls, custom XML and insertions too."""
        for child in element:
            name = name_of(child)
            if name == wanted:
                yield child
            elif name in _DELETED:
                self.left_out["deleted text"] += _length(child)
            elif name == "mc:AlternateContent":
                yield from self._members(_chosen(child), wanted)
            elif name and name not in ("trPr", "tblGrid", "tblPrEx", *_UNSHOWN):
                yield from self._members(child, wanted)

    def _add_rows(self, table: Any, rows: list[Row], blocks: list[Block]) -> None:
        """Add rows as texts, those below a header row with the names of their columns."""
        titles = list(takewhile(lambda row: len(row.cells) == 1, rows))
        body = rows[len(titles) :]
        headers = list(takewhile(lambda row: row.is_header, body))
        if not headers and looks_like_header(body, is_styled=self._has_header_style(table)):
            headers = body[:1]
        names = column_names(headers, body)
        texts = table_rows([row.texts for row in titles])
        if names and len(headers) < len(body):
            texts += named_rows(names, body[len(headers) :])
        else:
            texts += table_rows([row.texts for row in body])
        for text in texts:
            self._add_block(blocks, Block("row", text))

    def _has_header_style(self, table: Any) -> bool:
        properties = table.find(W + "tblPr")
        look = properties.find(W + "tblLook") if properties is not None else None
        if look is None or not self._styles.style(value_of(properties, "tblStyle")).has_header_row:
            return False
        bits = look.get(W + "val") or ""
        stated = look.get(W + "firstRow")
        return stated == "1" if stated else bool(re.fullmatch("[0-9A-Fa-f]{1,4}", bits) and int(bits, 16) & _FIRST_ROW)


def _is_bare(paragraph: Any) -> bool:
    """Tell whether a paragraph has no more than properties, and no number of a list."""
    has_properties = len(paragraph) == 1 and paragraph[0].tag == W + "pPr"
    return not len(paragraph) or (has_properties and paragraph[0].find(W + "numPr") is None)


def _is_set(element: Any, name: str) -> bool:
    """Tell whether an attribute such as `w:customMarkFollows` is set."""
    return (element.get(W + name) or "0") not in ("0", "false", "off")


def _length(element: Any) -> int:
    """Return the characters of the text below an element, shown or not."""
    return sum(len(text.text or "") for text in element.iter(W + "t", W + "delText"))


def _run_text(name: str, child: Any, font: str) -> str:
    """Return what an element of a run shows by itself."""
    if name == "t":
        return as_shown(child.text or "", font)
    if name == "sym":
        code = child.get(W + "char") or ""
        return symbol(int(code, 16), child.get(W + "font") or font) if re.fullmatch("[0-9A-Fa-f]{1,6}", code) else ""
    return {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "\u00ad"}.get(name, "")


def _write(content: Any, value: str) -> None:
    """Put a value in the place of a content control's text."""
    from lxml import etree

    first, *others = list(content.iter(W + "t")) or [None]
    for text in others:
        text.text = ""
    if first is None and value:
        runs = content.find(f".//{W}r")
        paragraph = next(
            (found for found in (content.find(f".//{W}p"), content.find(f".//{W}tc")) if found is not None), content
        )
        run = runs if runs is not None else etree.SubElement(paragraph, W + "r")
        first = etree.SubElement(run, W + "t")
    if first is not None:
        first.text = value


def _chosen(alternate: Any) -> Any:
    """Return the first of a drawing's or sign's forms that shows text; what newer and older Word show is the same."""
    options = [*alternate.iterfind("{*}Choice"), *alternate.iterfind("{*}Fallback")]
    return next((option for option in options if next(option.iter(*_SHOWING), None) is not None), ())


def _boxes(drawing: Any) -> Iterator[Any]:
    """Yield what holds text in a drawing of new or old Word: text boxes, paragraphs of shapes, diagrams, charts."""
    for child in drawing:
        name = name_of(child)
        if name in _DRAWN:
            yield child
        elif name == "mc:AlternateContent":
            yield from _boxes(_chosen(child))
        elif name == "wp:docPr" and (child.get("hidden") or "0") not in ("0", "false"):
            return
        elif "visibility:hidden" not in (child.get("style") or "").replace(" ", ""):
            yield from _boxes(child)


def _form_value(sign: Any) -> str:
    """Return what an old form's list or box shows, which no text repeats."""
    choice = sign.find(f"{W}ffData/{W}ddList")
    if choice is not None:
        entries = [entry.get(W + "val") or "" for entry in choice.iterfind(W + "listEntry")]
        chosen = number_of(value_of(choice, "result") or value_of(choice, "default"))
        return entries[chosen] if 0 <= chosen < len(entries) else ""
    box = sign.find(f"{W}ffData/{W}checkBox")
    if box is None:
        return ""
    checked = is_on(box, "checked")
    return "☒" if (is_on(box, "default") if checked is None else checked) else "☐"


def _field_value(instruction: str) -> str:
    """Return what a field shows that stores no result: a sign by its code, or a fraction."""
    if match := re.match(
        r"\s*SYMBOL\s+(0x[0-9A-Fa-f]{1,5}|[0-9]{1,6})\b(?:.*?\\f\s*\"?([^\"\\]+))?", instruction, re.IGNORECASE
    ):
        return symbol(int(match[1], 0 if match[1][:2].lower() == "0x" else 10), (match[2] or "").strip())
    if match := re.match(r"\s*EQ\s+\\f\s*\(([^()\\]{0,100})[,;]([^()\\]{0,100})\)", instruction, re.IGNORECASE):
        return f" {match[1].strip()}/{match[2].strip()} "
    return ""


def _flat(blocks: Sequence[Block]) -> str:
    """Return the blocks of a cell or note as one text; the rows of a table in it stay apart."""
    parts = []
    for place, block in enumerate(blocks):
        is_row_above = place > 0 and block.kind == "row" and blocks[place - 1].kind == "row"
        parts.append(f"{'; ' if is_row_above else ' '}{block.text.strip()}")
    return "".join(parts).strip()
