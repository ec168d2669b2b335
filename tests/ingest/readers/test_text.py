"""Plain text."""

import time

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
    assert found.left_out == {"lines above the title": len("Ministry of Labour" + "News 27/04/2023")}


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


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("The mo-\nbile office of the re-\ngion.", "The mobile office of the region."),
        ("A job-\nrelated and long-\nterm offer.", "A job-related and long-term offer."),
        ("It is a short-\ntime and a part-\ntime job.", "It is a short-time and a part-time job."),
        (
            "Das Büro für Arbeits-\nlose in Nordrhein-\nWestfalen hilft.",
            "Das Büro für Arbeitslose in Nordrhein-Westfalen hilft.",
        ),
        ("Die Aus- und Weiterbil-\ndung, die Ein-\nund Ausgaben.", "Die Aus- und Weiterbildung, die Ein- und Ausgaben."),
        ("Le service d’accompagne-\nment des chômeurs âgés.", "Le service d’accompagnement des chômeurs âgés."),
        ("The soft\u00ad\nware of the bus.", "The software of the bus."),
        ("In 2019-\n2020, after Covid-\n19, it grew.", "In 2019-2020, after Covid-19, it grew."),
        ("The bus - a red one -\nstops here.", "The bus - a red one - stops here."),
        ("The bus stops –\nas it should.", "The bus stops – as it should."),
    ],
)
def test_a_word_broken_at_the_end_of_a_line_is_whole_again_and_a_compound_keeps_its_hyphen(lines: str, expected: str) -> None:
    assert texts(content(lines)) == [expected]


@pytest.mark.parametrize(
    ("elsewhere", "expected"), [("An outreach office.", "The outreach bus."), ("An out-reach office.", "The out-reach bus.")]
)
def test_the_documents_other_spellings_go_before_the_dictionary(elsewhere: str, expected: str) -> None:
    assert texts(content(elsewhere, "The out-\nreach bus."))[1] == expected


def test_a_broken_word_in_a_list_item_is_whole_again() -> None:
    assert texts(content(PROSE, "- advice for em-\n  ployers\n- grants"))[1] == "- advice for employers"


@pytest.mark.parametrize("text", ["\n" * 400_000 + "a", " \n" * 200_000 + "a", "a-\n" * 100_000, "- a\n" * 100_000])
def test_time_grows_with_the_length_only(text: str) -> None:
    begin = time.process_time()
    assert read(text.encode()).blocks
    assert time.process_time() - begin < 5
