"""What every file reader keeps to: a new format is one more sample here."""

import dataclasses
import datetime
import io
import random
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from functools import cache
from itertools import pairwise

import docx
import openpyxl
import pptx
import pytest
from outlook import outlook_mail
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import READERS, SUFFIXES, format_of, pictures, read_content
from pes_search.ingest.readers.old_office import converted, libre_office
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


def a_presentation() -> bytes:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = TITLE, TEXT
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def a_workbook() -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active.title, workbook.active["A1"] = TITLE, TEXT
    workbook.properties.title = TITLE
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def an_open_document(kind: str, body: str) -> bytes:
    names = {"office": "office", "text": "text", "table": "table", "draw": "drawing", "presentation": "presentation"}
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"' for name, uri in names.items())
    inner = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    root = f"<office:document-content {spaces}>{inner}</office:document-content>"
    meta = f'<meta xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{TITLE}</dc:title></meta>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in (("content.xml", root), ("meta.xml", meta)):
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def a_book() -> bytes:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f'<dc:title>{TITLE}</dc:title></metadata><manifest><item id="a" href="a.xhtml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    parts = {"META-INF/container.xml": container, "OEBPS/book.opf": package, "OEBPS/a.xhtml": SAMPLES["html"]()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def a_mail() -> bytes:
    message = EmailMessage()
    message["Subject"] = TITLE
    message.set_content(TEXT)
    return message.as_bytes()


def an_outlook_mail() -> bytes:
    return outlook_mail(TITLE, "", TEXT, datetime.datetime(2023, 4, 27, tzinfo=datetime.UTC))


def a_picture(kind: str) -> bytes:
    image = Image.new("L", (1400, 260), 255)
    draw = ImageDraw.Draw(image)
    draw.text((40, 30), TITLE, 0, ImageFont.load_default(60))
    draw.text((40, 150), TEXT, 0, ImageFont.load_default(36))
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"lossless": True} if kind == "webp" else {}))
    return buffer.getvalue()


@cache
def an_old_file(new: Callable[[], bytes], suffix: str, old: str) -> bytes:
    return converted(new(), suffix, old)


SAMPLES: dict[str, Callable[[], bytes]] = {
    "html": lambda: f"<html><body><h1>{TITLE}</h1><p>{TEXT}</p></body></html>".encode(),
    "pdf": a_pdf,
    "docx": a_word_document,
    "markdown": lambda: f"# {TITLE}\n\n{TEXT}\n".encode(),
    "text": lambda: f"{TITLE}\n\n{TEXT}\n".encode(),
    "pptx": a_presentation,
    "xlsx": a_workbook,
    "odt": lambda: an_open_document("text", f'<text:h text:outline-level="1">{TITLE}</text:h><text:p>{TEXT}</text:p>'),
    "odp": lambda: an_open_document(
        "presentation",
        '<draw:page><draw:frame presentation:class="title">'
        f"<draw:text-box><text:p>{TITLE}</text:p></draw:text-box></draw:frame>"
        f"<draw:frame><draw:text-box><text:p>{TEXT}</text:p></draw:text-box></draw:frame></draw:page>",
    ),
    "ods": lambda: an_open_document(
        "spreadsheet",
        f'<table:table table:name="{TITLE}"><table:table-row><table:table-cell><text:p>{TEXT}</text:p></table:table-cell>'
        "</table:table-row></table:table>",
    ),
    "doc": lambda: an_old_file(a_word_document, "docx", "doc"),
    "xls": lambda: an_old_file(a_workbook, "xlsx", "xls"),
    "ppt": lambda: an_old_file(a_presentation, "pptx", "ppt"),
    "rtf": lambda: rf"{{\rtf1\ansi {TITLE}\par {TEXT}\par}}".encode(),
    "epub": a_book,
    "csv": lambda: f"{TITLE}\n{TEXT}\n".encode(),
    "eml": a_mail,
    "msg": an_outlook_mail,
    "vtt": lambda: f"WEBVTT\n\n00:00.000 --> 00:04.000\n{TITLE}\n\n00:20.000 --> 00:24.000\n{TEXT}\n".encode(),
    "srt": lambda: f"1\n00:00:00,000 --> 00:00:04,000\n{TITLE}\n\n2\n00:00:20,000 --> 00:00:24,000\n{TEXT}\n".encode(),
    "png": lambda: a_picture("png"),
    "jpeg": lambda: a_picture("jpeg"),
    "tiff": lambda: a_picture("tiff"),
    "webp": lambda: a_picture("webp"),
}
WITHOUT_HEADINGS = {"csv", "vtt", "srt", "png", "jpeg", "tiff", "webp"}  # what stands first in them is text like the rest
OLD, SEEN = {"doc", "xls", "ppt"}, {"png", "jpeg", "tiff", "webp"}
"""A file with a title and a paragraph, by the file reader's name."""


def test_every_reader_has_a_sample_here() -> None:
    assert set(SAMPLES) == set(READERS.rows)


def test_no_two_readers_share_a_suffix_or_a_media_type() -> None:
    rows = READERS.rows.values()
    assert len(SUFFIXES) == sum(len(row.suffixes) for row in rows)
    assert len({row.media_type for row in rows}) == len(rows)


@pytest.fixture(params=READERS.rows)
def name(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name in OLD and libre_office() is None:
        pytest.skip("LibreOffice, which reads old Office files, is not installed")
    if name in SEEN and not pictures.is_installed():
        pytest.skip("Tesseract, which recognises text in pictures, is not installed")
    return name


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


def test_title_and_text_are_blocks_in_reading_order(name: str, content: FileContent) -> None:
    texts = [block.text.strip() for block in content.blocks]
    assert texts[:2] == [TITLE, TEXT]
    assert (content.blocks[0].kind == "heading") == (name not in WITHOUT_HEADINGS)
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


def test_fields_are_those_of_a_document(name: str, content: FileContent) -> None:
    assert set(content.fields) <= {field.name for field in dataclasses.fields(Document)}
    assert content.fields.get("title") == (None if name in WITHOUT_HEADINGS else TITLE)


def test_reading_twice_gives_the_same(name: str, content: FileContent) -> None:
    assert READERS.load(name)(SAMPLES[name]()) == content


def test_a_damaged_file_gives_blocks_or_a_reason(name: str) -> None:
    """Nothing but `UnreadableFileError` may come out of a reader: it would be told as a fault of the program."""
    data = SAMPLES[name]()
    chance = random.Random(name)
    for _ in range(3 if name in OLD | SEEN else 20):  # another program reads those, and takes a second
        damaged = bytearray(data)
        for _ in range(8):
            place = chance.randrange(len(damaged))
            damaged[place : place + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        try:
            assert isinstance(READERS.load(name)(bytes(damaged)), FileContent)
        except UnreadableFileError as error:
            assert str(error)  # noqa: PT017 – either outcome is right
