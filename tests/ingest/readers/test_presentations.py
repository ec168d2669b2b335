"""Presentations: slides in reading order with their notes, tables and charts; hidden slides are not shown."""

import io
from typing import Any

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

from pes_search.ingest.readers.pptx import read


def saved(presentation: Any) -> bytes:
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def a_slide(presentation: Any, title: str) -> Any:
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = title
    return slide


def a_box(slide: Any, left: float, top: float, *texts: str) -> None:
    frame = slide.shapes.add_textbox(Cm(left), Cm(top), Cm(5), Cm(1)).text_frame
    frame.text = texts[0]
    for text in texts[1:]:
        frame.add_paragraph().text = text


def test_boxes_are_read_from_top_to_bottom_and_left_to_right() -> None:
    presentation = pptx.Presentation()
    slide = a_slide(presentation, "Mobile office")
    a_box(slide, 12, 10, "third")
    a_box(slide, 12, 5.2, "second")
    a_box(slide, 1, 5, "first")
    assert [(block.text, block.page) for block in read(saved(presentation)).blocks] == [
        ("Mobile office", 1), ("first", 1), ("second", 1), ("third", 1),
    ]  # fmt: skip


def test_points_are_items_and_notes_come_last() -> None:
    presentation = pptx.Presentation()
    slide = a_slide(presentation, "Outreach")
    a_box(slide, 1, 5, "by bus", "by phone")
    slide.notes_slide.notes_text_frame.text = "Say that the bus runs weekly."
    assert [(block.kind, block.text) for block in read(saved(presentation)).blocks] == [
        ("heading", "Outreach"), ("item", "by bus"), ("item", "by phone"), ("heading", "Notes"),
        ("paragraph", "Say that the bus runs weekly."),
    ]  # fmt: skip


def test_tables_and_charts_keep_the_names_of_their_figures() -> None:
    presentation = pptx.Presentation()
    slide = a_slide(presentation, "Results")
    table = slide.shapes.add_table(2, 3, Cm(1), Cm(5), Cm(10), Cm(2)).table
    for row, cells in enumerate([("Office", "Clients", "Placed"), ("Ghent", "412", "91")]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    data = CategoryChartData()
    data.categories = ["2019", "2020"]
    data.add_series("Participants", (412, 91.5))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(10), Cm(8), Cm(5), data)
    rows = [block.text for block in read(saved(presentation)).blocks if block.kind == "row"]
    assert rows[0] == "Office: Ghent | Clients: 412 | Placed: 91"
    assert [row.split(" | ")[-1] for row in rows[1:]] == ["Participants: 412", "Participants: 91.5"]


def test_hidden_slides_are_counted_and_left_out() -> None:
    presentation = pptx.Presentation()
    a_slide(presentation, "Shown")
    a_slide(presentation, "Secret").element.set("show", "0")
    content = read(saved(presentation))
    assert [block.text for block in content.blocks] == ["Shown"]
    assert content.left_out == {"hidden slides": len("Secret")}
