"""What every file reader keeps to: a new format is one more sample here."""

import dataclasses
import io
import random
from collections.abc import Callable
from itertools import pairwise

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import READERS, SUFFIXES, format_of, read_content
from pes_search.ingest.types import Document, FileContent

TITLE, TEXT = "Mobile office", "The bus of the employment service visits forty villages in a year."


def a_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for text in (TEXT, "It stops at the market place once a week."):
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(72, 770, TITLE)
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 720, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def a_word_document() -> bytes:
    document = docx.Document()
    document.add_heading(TITLE, 1)
    document.add_paragraph(TEXT)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


SAMPLES: dict[str, Callable[[], bytes]] = {
    "html": lambda: f"<html><body><h1>{TITLE}</h1><p>{TEXT}</p></body></html>".encode(),
    "pdf": a_pdf,
    "docx": a_word_document,
    "markdown": lambda: f"# {TITLE}\n\n{TEXT}\n".encode(),
    "text": lambda: f"{TITLE}\n\n{TEXT}\n".encode(),
}
"""A file with a title and a paragraph, by the file reader's name."""


def test_every_reader_has_a_sample_here() -> None:
    assert set(SAMPLES) == set(READERS.rows)


def test_no_two_readers_share_a_suffix_or_a_media_type() -> None:
    rows = READERS.rows.values()
    assert len(SUFFIXES) == sum(len(row.suffixes) for row in rows)
    assert len({row.media_type for row in rows}) == len(rows)


@pytest.fixture(params=READERS.rows)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def content(name: str) -> FileContent:
    return READERS.load(name)(SAMPLES[name]())


def test_a_row_tells_how_files_of_the_format_are_known(name: str) -> None:
    row = READERS.row(name)
    assert row.suffixes
    assert all(
        suffix.startswith(".") and suffix == suffix.lower() and format_of(f"a{suffix}") == name for suffix in row.suffixes
    )
    assert row.media_type.count("/") == 1
    assert row.signature is None or SAMPLES[name]().startswith(row.signature)


def test_the_sample_is_read_by_its_suffix(name: str, content: FileContent) -> None:
    for suffix in READERS.row(name).suffixes:
        assert read_content(SAMPLES[name](), f"a{suffix}") == content


def test_title_and_text_are_blocks_in_reading_order(content: FileContent) -> None:
    texts = [block.text.strip() for block in content.blocks]
    assert texts[:2] == [TITLE, TEXT]
    assert content.blocks[0].kind == "heading"
    assert content.warnings == ()


def test_headings_have_a_level_and_other_blocks_have_none(content: FileContent) -> None:
    for block in content.blocks:
        assert block.kind in {"heading", "paragraph", "item", "row"}
        assert 1 <= block.level <= 6 if block.kind == "heading" else block.level == 0


def test_pages_are_counted_from_one_or_not_at_all(content: FileContent) -> None:
    pages = [block.page for block in content.blocks]
    numbers = [page for page in pages if page is not None]
    assert numbers in ([], pages)
    assert all(1 <= first <= second for first, second in pairwise([1, *numbers]))


def test_fields_are_those_of_a_document(content: FileContent) -> None:
    assert set(content.fields) <= {field.name for field in dataclasses.fields(Document)}
    assert content.fields.get("title") == TITLE


def test_reading_twice_gives_the_same(name: str, content: FileContent) -> None:
    assert READERS.load(name)(SAMPLES[name]()) == content


def test_a_damaged_file_gives_blocks_or_a_reason(name: str) -> None:
    """Nothing but `UnreadableFileError` may come out of a reader: it would be told as a fault of the program."""
    data = SAMPLES[name]()
    chance = random.Random(name)
    for _ in range(20):
        damaged = bytearray(data)
        for _ in range(8):
            place = chance.randrange(len(damaged))
            damaged[place : place + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        try:
            assert isinstance(READERS.load(name)(bytes(damaged)), FileContent)
        except UnreadableFileError as error:
            assert str(error)  # noqa: PT017 – either outcome is right
