"""OpenDocument texts, rich text, books, transcripts, old Office files, pictures and scans."""

import io
import zipfile
from pathlib import Path

import matplotlib
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import epub, odf, old_office, pdf, pictures, rtf, transcripts
from pes_search.ingest.types import FileContent

FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")  # has the letters of all languages
SENTENCE = "The mobile office visits forty villages in a year."
GERMAN = "Das mobile Büro besucht im Jahr vierzig Dörfer und hält einmal in der Woche auf dem Marktplatz."


def shown(content: FileContent) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in content.blocks]


# ── OpenDocument ────────────────────────────────────────────────────────────────────────────────────────────────────


def open_document(body: str, styles: str = "", kind: str = "text", **parts: str) -> bytes:
    names = {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "style": "style",
        "presentation": "presentation",
    }
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"' for name, uri in names.items())
    inner = f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.xml", f"<office:document-content {spaces}>{inner}</office:body></office:document-content>")
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", text)
    return buffer.getvalue()


def test_an_open_document_keeps_headings_items_rows_and_notes() -> None:
    body = (
        '<text:p text:style-name="P1">Voucher scheme</text:p>'
        "<text:p>It reached 412<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>In two years."
        "</text:p></text:note-body></text:note> people.</text:p>"
        "<text:list><text:list-item><text:p>one</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>Budget</text:p></table:table-cell><table:table-cell>"
        "<text:p>4<text:s/>million</text:p></table:table-cell></table:table-row></table:table>"
    )
    content = odf.read_text(open_document(body, '<style:style style:name="P1" style:parent-style-name="Title"/>'))
    assert shown(content) == [
        ("heading", "Voucher scheme"),
        ("paragraph", "It reached 412 [1] people."),
        ("paragraph", "Note 1: In two years."),
        ("item", "one"),
        ("row", "Budget: 4 million"),
    ]


def test_deleted_and_hidden_text_of_an_open_document_does_not_appear() -> None:
    body = (
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:section text:display="none"><text:p>hidden</text:p></text:section>'
        "<text:p>Shown<office:annotation><text:p>remark</text:p></office:annotation>.</text:p>"
    )
    content = odf.read_text(open_document(body))
    assert shown(content) == [("paragraph", "Shown.")]
    assert content.left_out == {"deleted text": 7, "hidden text": 6, "comments": 6}


def test_an_open_document_with_a_password_says_so() -> None:
    with pytest.raises(UnreadableFileError, match="password"):
        odf.read_text(open_document("", **{"META-INF__manifest": "<m><encryption-data/></m>"}))


def test_the_repeated_cells_of_a_sheet_do_not_fill_the_memory() -> None:
    cell = '<table:table-cell table:number-columns-repeated="1000000"/>'
    row = (
        "<table:table-cell><text:p>Budget</text:p></table:table-cell><table:table-cell><text:p>4 %</text:p></table:table-cell>"
    )
    table = (
        f'<table:table table:name="S"><table:table-row>{row}{cell}</table:table-row>'
        f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row></table:table>'
    )
    assert shown(odf.read_sheets(open_document(table, kind="spreadsheet"))) == [("heading", "S"), ("row", "Budget: 4 %")]


def test_hidden_sheets_columns_and_remarks_of_a_sheet_do_not_appear() -> None:
    def cells(*words: str) -> str:
        return "".join(f"<table:table-cell><text:p>{word}</text:p></table:table-cell>" for word in words)

    hides = '<style:style style:name="H"><style:table-properties table:display="false"/></style:style>'
    remark = "<office:annotation><text:p>check</text:p></office:annotation>"
    shown_table = (
        '<table:table table:name="S"><table:table-column/><table:table-column table:visibility="collapse"/>'
        f"<table:table-row>{cells('Budget', 'a@b.example')}<table:table-cell>{remark}<text:p>4 %</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    hidden = (
        f'<table:table table:name="I" table:style-name="H"><table:table-row>{cells("secret")}</table:table-row></table:table>'
    )
    content = odf.read_sheets(open_document(shown_table + hidden, hides, kind="spreadsheet"))
    assert shown(content) == [("heading", "S"), ("row", "Budget: 4 %")]
    assert content.left_out == {"hidden cells": 11, "comments": 5, "hidden sheets": 6}


def test_hidden_slides_do_not_appear_and_the_others_keep_their_numbers() -> None:
    style = '<style:style style:name="H"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>'
    frame = "<draw:frame><draw:text-box><text:p>{0}</text:p></draw:text-box></draw:frame>"
    slides = "".join(
        f'<draw:page draw:style-name="{name}">{frame.format(text)}</draw:page>'
        for name, text in (("H", "secret"), ("P", "shown"))
    )
    content = odf.read_presentation(open_document(slides, style, kind="presentation"))
    assert [(block.text, block.page) for block in content.blocks] == [("shown", 2)]


# ── Rich text and books ─────────────────────────────────────────────────────────────────────────────────────────────


def test_rich_text_keeps_letters_items_and_rows() -> None:
    markup = (
        rb"{\rtf1\ansi\ansicpg1252{\info{\title Mobiles B\'fcro}}{\pict\pngblip 89504e47}Das B\'fcro\par"
        rb" Es h\u228?lt an f\'fcnf Orten.\par 1. Dorf\par\trowd\cellx100\cellx200 Jahr\cell 2019\cell\row\pard}"
    )
    content = rtf.read(markup)
    assert shown(content)[:3] == [("heading", "Das Büro"), ("paragraph", "Es hält an fünf Orten."), ("item", "1. Dorf")]
    assert shown(content)[3] == ("row", "Jahr: 2019")
    assert content.fields["title"] == "Mobiles Büro"


def test_a_book_is_read_in_the_order_of_its_spine() -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="two" href="b.xhtml"/>'
        '<item id="one" href="a%20a.xhtml"/>'
        '<item id="toc" href="toc.xhtml" properties="nav"/><item id="gone" href="gone.xhtml"/></manifest><spine>'
        '<itemref idref="toc"/><itemref idref="one"/><itemref idref="gone"/><itemref idref="two"/></spine></package>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("META-INF/container.xml", '<container><rootfile full-path="O/p.opf"/></container>')
        archive.writestr("O/p.opf", package)
        archive.writestr("O/toc.xhtml", "<html><body><p>Contents</p></body></html>")
        archive.writestr("O/a a.xhtml", f"<html><body><h1>First</h1><p>{SENTENCE}</p></body></html>")
        archive.writestr("O/b.xhtml", "<html><body><h1>Second</h1><p>It stops once a week.</p></body></html>")
    content = epub.read(buffer.getvalue())
    assert [text for _, text in shown(content)] == ["First", SENTENCE, "Second", "It stops once a week."]
    assert content.warnings == ("O/gone.xhtml is missing",)


# ── Transcripts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_transcript_has_a_paragraph_a_speaker_and_the_minute_as_its_page() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Anna>Welcome.\n\n00:04.500 --> 00:07.000\n<v Anna>Now to Petar.\n\n"
        "01:30.000 --> 01:35.000\n<v Petar>Our mediators visit\nvillages.\n\n01:35.000 --> 01:37.000\nvillages.\n[applause]\n"
    )
    content = transcripts.read_vtt(text.encode())
    assert [(block.text, block.page) for block in content.blocks] == [
        ("Anna: Welcome. Now to Petar.", 1),
        ("Petar: Our mediators visit villages.", 2),
    ]


def test_signs_of_markup_in_a_transcript_are_read() -> None:
    (block,) = transcripts.read_vtt(b"WEBVTT\n\n00:01.000 --> 00:02.000\n<i>R&amp;D</i> and jobs &lt; 50\n").blocks
    assert block.text == "R&D and jobs < 50"


def test_the_pages_of_a_transcript_that_is_out_of_order_only_grow() -> None:
    text = "1\n00:05:00,000 --> 00:05:02,000\nFirst.\n\n2\n00:01:00,000 --> 00:01:02,000\nSecond.\n"
    pages = [block.page for block in transcripts.read_srt(text.encode()).blocks]
    assert pages == sorted(pages, key=lambda page: page or 0)


# ── Old Office files ────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_libre_office_an_old_file_is_named_with_the_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_office, "libre_office", lambda: None)
    with pytest.raises(UnreadableFileError, match=r"install LibreOffice, .* or save it as \.docx"):
        old_office.read_doc(b"\xd0\xcf\x11\xe0")


# ── Pictures and scans ──────────────────────────────────────────────────────────────────────────────────────────────


def a_scan(*lines: str) -> Image.Image:
    image = Image.new("L", (1700, 150 + 90 * len(lines)), 255)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((60, 60 + 90 * number), line, 0, ImageFont.truetype(str(FONT), 44))
    return image


def as_pdf(*images: Image.Image | str) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for image in images:
        if isinstance(image, str):
            canvas.drawString(72, 700, image)
        else:
            canvas.drawImage(ImageReader(image), 40, 500, 500, 500 * image.height / image.width)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_without_tesseract_scanned_pages_are_named_with_the_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.ingest.readers.pdf_scans.is_installed", lambda: False)
    content = pdf.read(as_pdf(SENTENCE, a_scan(SENTENCE)))
    assert [block.page for block in content.blocks] == [1]
    assert "page 2 consists of pictures and no text" in content.warnings[0]
    assert "tesseract" in content.warnings[0]


needs_tesseract = pytest.mark.skipif(not pictures.is_installed(), reason="Tesseract is not installed")


@needs_tesseract
def test_scanned_pages_stand_in_their_place_and_are_marked() -> None:
    content = pdf.read(as_pdf(SENTENCE, a_scan(SENTENCE, "It stops at the market place."), "The end of it."))
    assert [(block.page, block.text) for block in content.blocks] == [
        (1, SENTENCE), (2, SENTENCE), (2, "It stops at the market place."), (3, "The end of it."),
    ]  # fmt: skip
    assert content.fields["recognised_pages"] == (2,)
    assert 0.8 < float(str(content.fields["recognition_confidence"])) <= 1
    assert content.warnings == ()


@needs_tesseract
def test_a_picture_without_text_is_refused() -> None:
    buffer = io.BytesIO()
    Image.new("L", (400, 400), 128).save(buffer, "png")
    with pytest.raises(UnreadableFileError, match="no text was recognised"):
        pictures.read(buffer.getvalue())


@needs_tesseract
def test_a_page_is_read_in_its_own_language_and_turned_upright() -> None:
    if "deu" not in pictures._languages():
        pytest.skip("Tesseract's German is not installed")
    page = a_scan(
        *(GERMAN[start : start + 48] for start in range(0, len(GERMAN), 48)), *["Das Büro fährt über Köln zurück."] * 4
    )
    found = pictures.recognise(page.rotate(180))
    assert found is not None
    assert "über Köln" in " ".join(found.paragraphs)
