"""Plain text."""

import pytest

from pes_search.ingest.readers.text import read
from pes_search.ingest.types import Block, FileContent

PROSE = (
    "The bus of the employment service visits forty villages. Two advisers drive it and help people to find work. "
    "It stops at the market place."
)


def content(*paragraphs: str) -> FileContent:
    return read("\n\n".join(paragraphs).encode())


def texts(content: FileContent) -> list[str]:
    return [block.text for block in content.blocks]


def test_paragraphs_stand_between_blank_lines_and_their_lines_are_joined() -> None:
    assert content("The bus stops\nevery week.", "It is red.\n  It is new.").blocks == [
        Block("paragraph", "The bus stops every week."),
        Block("paragraph", "It is red. It is new."),
    ]


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_known(line_end: str) -> None:
    text = line_end.join(["The bus stops", "every week.", "", "It is red."])
    assert texts(read(text.encode())) == ["The bus stops every week.", "It is red."]


def test_list_items_are_blocks_of_their_own_with_the_lines_that_belong_to_them() -> None:
    found = content(PROSE, "Offers:\n- advice\n  for all\n* courses\n1. forms\n2) tests\n• grants").blocks
    assert [block.kind for block in found] == ["paragraph", "paragraph", "item", "item", "item", "item", "item"]
    assert found[2].text.endswith("advice for all")


def test_the_longest_short_line_above_the_prose_is_the_title_and_what_stands_above_it_goes() -> None:
    found = content("Ministry of Labour", "News 27/04/2023", "How does a bus reach people in villages?", PROSE)
    assert found.fields == {"title": "How does a bus reach people in villages?", "date": "2023-04-27", "kind": "news"}
    assert found.blocks == [Block("heading", "How does a bus reach people in villages?", level=1), Block("paragraph", PROSE)]


def test_prose_alone_has_no_title_and_no_date() -> None:
    found = content(PROSE, f"It began on 1 May 2020. {PROSE}")
    assert not found.fields.get("title")
    assert not found.fields.get("date")
    assert [block.kind for block in found.blocks] == ["paragraph", "paragraph"]


def test_a_date_far_down_is_not_the_documents() -> None:
    assert not content(*[PROSE] * 6, "News 27/04/2023").fields.get("date")


def test_notes_without_prose_lose_nothing() -> None:
    notes = ["call the employer", "write to Anna about the bus on Tuesday", "book a room"]
    assert texts(content(*notes)) == notes


def test_a_list_without_prose_loses_nothing() -> None:
    kept = texts(content("- advice\n- courses for beginners\n- forms"))
    assert [text.removeprefix("- ") for text in kept] == ["advice", "courses for beginners", "forms"]


@pytest.mark.parametrize(
    "paragraph",
    [
        "Das Programm der Stadt begann am\n27. April 2023 in Graz und läuft noch.",
        "Program města byl otevřen\n1. května 2020 v Brně a trvá dodnes.",
    ],
)
def test_a_wrapped_line_that_begins_with_the_day_of_a_date_does_not_end_its_paragraph(paragraph: str) -> None:
    assert texts(content(PROSE, paragraph)) == [PROSE, paragraph.replace("\n", " ")]
