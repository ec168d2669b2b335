"""Presentations: a slide is a page; its texts in reading order, tables, charts, drawings, and the speaker's notes."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.util import Emu

from pes_search.ingest.cleaning.tables import table_rows
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.types import Block, BlockKind, FileContent

ROW_HEIGHT = Emu(360_000)  # a centimetre: shapes whose tops are that near stand side by side
DEEPEST_GROUP = 20
LARGEST_CHARACTERS = 50_000_000
LARGEST_MARKUP_BYTES = 200_000_000  # unpacked; a thousand slides have some ten million
_FURNITURE = {PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.HEADER}
_TITLES = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE}
_DRAWN = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MODEL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"


def read(data: bytes) -> FileContent:
    """Read an Office Open XML presentation.

    Raises:
        UnreadableFileError: the archive is damaged or holds no presentation.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            markup = sum(file.file_size for file in archive.infolist() if file.filename.endswith((".xml", ".rels")))
        if markup > LARGEST_MARKUP_BYTES:
            raise UnreadableFileError(f"too large: more than {LARGEST_MARKUP_BYTES // 1_000_000} MB of text when unpacked")
        return _Slides().read(Presentation(io.BytesIO(data)))
    except (UnreadableFileError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no presentation: {type(error).__name__}: {error}") from error


class _Slides:
    """Reads slides, and counts what it leaves out."""

    def __init__(self) -> None:
        self._left_out: Counter[str] = Counter()
        self._characters = 0

    def read(self, presentation: Any) -> FileContent:
        blocks: list[Block] = []
        warnings = []
        for number, slide in enumerate(presentation.slides, start=1):
            try:
                on_slide = [*self._on_slide(slide, number)]
            except (AttributeError, KeyError, ValueError, TypeError, PythonPptxError) as error:
                warnings.append(f"slide {number} could not be read: {type(error).__name__}: {error}")
                continue
            if slide.element.get("show") == "0":
                self._left_out["hidden slides"] += sum(len(block.text) for block in on_slide)
            else:
                blocks += on_slide
        title = clean_text(presentation.core_properties.title or "")
        first = next((block.text for block in blocks if block.kind == "heading"), "")
        # What PowerPoint calls a presentation until its author does.
        stated = title if title and title.casefold() not in {"powerpoint presentation", "presentation", "slide 1"} else first
        return FileContent(blocks, {"title": stated} if stated else {}, tuple(warnings), dict(self._left_out))

    def _on_slide(self, slide: Any, number: int) -> Iterator[Block]:
        title = slide.shapes.title
        heading = clean_text(title.text_frame.text) if title is not None and title.has_text_frame else ""
        if heading:
            yield Block("heading", heading, number, 1 if number == 1 else 2)
        yield from self._shapes(slide.shapes, number, 0)
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
            notes = [*self._paragraphs(frame, number)]
            if notes:
                yield Block("heading", "Notes", number, 3)
                yield from notes

    def _shapes(self, shapes: Iterable[Any], number: int, depth: int) -> Iterator[Block]:
        for shape in _in_reading_order(shapes):
            placeholder = shape.placeholder_format.type if shape.is_placeholder else None
            if placeholder in _TITLES:
                continue
            if placeholder in _FURNITURE:
                self._left_out["footers and slide numbers"] += len(shape.text_frame.text) if shape.has_text_frame else 0
            elif shape.shape_type == MSO_SHAPE_TYPE.GROUP and depth < DEEPEST_GROUP:
                yield from self._shapes(shape.shapes, number, depth + 1)
            elif getattr(shape, "has_table", False):
                yield from self._table(shape.table, number)
            elif getattr(shape, "has_chart", False):
                yield from self._chart(shape.chart, number)
            elif shape.has_text_frame:
                yield from self._paragraphs(shape.text_frame, number)
            else:
                yield from self._drawing(shape, number)

    def _paragraphs(self, frame: Any, number: int) -> Iterator[Block]:
        """Yield a text box's paragraphs; several short ones are the points of a list, as slides show them."""
        texts = [clean_text(paragraph.text) for paragraph in frame.paragraphs]
        texts = [text for text in texts if text]
        kind: BlockKind = "item" if len(texts) > 1 else "paragraph"
        for text in texts:
            self._characters += len(text)
            if self._characters > LARGEST_CHARACTERS:
                raise UnreadableFileError(f"too large: more than {LARGEST_CHARACTERS // 1_000_000} million characters of text")
            yield Block(kind, text, number)

    def _table(self, table: Any, number: int) -> Iterator[Block]:
        # A cell that others are merged into stands for all of them.
        rows = [["" if cell.is_spanned else cell.text_frame.text for cell in row.cells] for row in table.rows]
        for text in table_rows(rows, header=bool(table.first_row)):
            if text:
                yield Block("row", text, number)

    def _chart(self, chart: Any, number: int) -> Iterator[Block]:
        if chart.has_title and chart.chart_title.has_text_frame and (title := clean_text(chart.chart_title.text_frame.text)):
            yield Block("paragraph", title, number)
        for plot in chart.plots:
            categories = [clean_text(str(category)) for category in plot.categories]
            series = [*plot.series]
            names = ["", *(clean_text(one.name or "") for one in series)]
            rows = [
                [category, *(_figure(one.values[place]) if place < len(one.values) else "" for one in series)]
                for place, category in enumerate(categories)
            ]
            for text in table_rows([names, *rows], header=len(series) > 1 or bool(names[-1])):
                yield Block("row", text, number)

    def _drawing(self, shape: Any, number: int) -> Iterator[Block]:
        """Yield the texts of a drawing of boxes and arrows, which stand in a part of their own."""
        for related in shape.element.iter(f"{{{_DRAWN}}}relIds"):
            part = shape.part.related_part(related.get(_MODEL))
            from lxml import etree

            root = etree.fromstring(part.blob, etree.XMLParser(resolve_entities=False, no_network=True))
            for paragraph in root.iter(f"{_TEXT}p"):
                if text := clean_text("".join(run.text or "" for run in paragraph.iter(f"{_TEXT}t"))):
                    yield Block("item", text, number)


def _figure(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _in_reading_order(shapes: Iterable[Any]) -> list[Any]:
    """Return shapes from top to bottom, those side by side from left to right; one without a place keeps to its neighbour."""
    placed = []
    top, left = 0, 0
    for shape in shapes:
        top, left = (shape.top, shape.left) if shape.top is not None and shape.left is not None else (top, left)
        placed.append((top, left, shape))
    placed.sort(key=lambda one: one[0])
    rows: list[list[tuple[int, int, Any]]] = []
    for one in placed:
        if rows and one[0] - rows[-1][0][0] < ROW_HEIGHT:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [shape for row in rows for _, _, shape in sorted(row, key=lambda one: one[1])]
