"""Small sound files of every format that is read, and what makes odd ones: archives, PDFs, mails, compound files."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from functools import cache

from pes_search.ingest.readers import SUFFIXES

TITLE = "Village bus"
TEXT = (
    "The employment service runs a bus that visits villages without a branch. Two advisers help people to register in it. "
    "In 2023 it reached 1,240 jobseekers, of whom 310 found work within six months."
)
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
ODF_TEXT, ODF_TABLE = "urn:oasis:names:tc:opendocument:xmlns:text:1.0", "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
ODF_DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
CONTAINER = "urn:oasis:names:tc:opendocument:xmlns:container"
OPF = "http://www.idpf.org/2007/opf"


@cache
def samples() -> Mapping[str, bytes]:
    """Return a small sound file for each suffix that is read; of the old Office formats only the wrapping is sound."""
    front, rest = "---\ncountries: [AT]\nkind: practice\n---\n", "- first\n- second\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    markdown = f"{front}# {TITLE}\n\n{TEXT}\n\n{rest}"
    table = "Practice,Country,Start\nMobile office,Belgium,2019\nJob club,Austria,2020\n"
    wrapping = compound_file({"WordDocument": TEXT.encode() * 100, "Workbook": TEXT.encode() * 100})
    made: dict[str, bytes] = {
        ".md": markdown.encode(),
        ".txt": f"{TITLE}\n\n{TEXT}\n".encode(),
        ".html": web_page(f"<p>{TEXT}</p><ul><li>first</li></ul><table><tr><th>a</th></tr><tr><td>1</td></tr></table>"),
        ".pdf": small_pdf(),
        ".docx": word(),
        ".pptx": slides(),
        ".xlsx": workbook(),
        ".odt": open_document("text", f"<text:h>{TITLE}</text:h><text:p>{TEXT}</text:p>"),
        ".odp": open_document(
            "presentation",
            f"<draw:page><draw:frame><draw:text-box><text:p>{TEXT}</text:p></draw:text-box></draw:frame></draw:page>",
        ),
        ".ods": open_document(
            "spreadsheet", "<table:table>" + _open_rows([["Practice", TEXT], ["Country", "AT"]]) + "</table:table>"
        ),
        ".doc": wrapping,
        ".xls": wrapping,
        ".ppt": wrapping,
        ".msg": outlook_mail(),
        ".rtf": rich_text(TEXT),
        ".epub": book(f"<html><body><h1>{TITLE}</h1><p>{TEXT}</p></body></html>".encode()),
        ".csv": table.encode(),
        ".tsv": table.replace(",", "\t").encode(),
        ".eml": mail(b"Content-Type: text/plain\r\n\r\n" + TEXT.encode()),
        ".vtt": f"WEBVTT\n\n00:01.000 --> 00:09.000\n<v Ann>{TEXT}\n".encode(),
        ".srt": f"1\n00:00:01,000 --> 00:00:09,000\n{TEXT}\n".encode(),
    }
    pictures = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".webp": "WEBP"}
    made |= {suffix: _picture(name) for suffix, name in pictures.items()}
    made |= {
        suffix: made[other] for suffix, other in ((".htm", ".html"), (".xlsm", ".xlsx"), (".jpeg", ".jpg"), (".tiff", ".tif"))
    }
    return {suffix: made[suffix] for suffix in SUFFIXES}


def web_page(body: str) -> bytes:
    """Return a web page."""
    head = f"<!doctype html><html lang=en><head><title>{TITLE}</title></head>"
    return f"{head}<body><article><h1>{TITLE}</h1>{body}</article></body></html>".encode()


def rich_text(body: str) -> bytes:
    """Return an RTF document."""
    return rf"{{\rtf1\ansi {{\fonttbl{{\f0 Arial;}}}}\f0 {TITLE}\par {body}\par}}".encode()


def mail(body: bytes) -> bytes:
    """Return a mail; the body begins with its headers."""
    return (
        b"From: Ann <ann@example.org>\r\nSubject: Village bus\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        + body
    )


def archive(parts: Mapping[str, bytes], *, level: int = 1) -> bytes:
    """Return a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def with_part(packed: bytes, name: str, content: bytes) -> bytes:
    """Return an archive with another content of one of its parts."""
    with zipfile.ZipFile(io.BytesIO(packed)) as old:
        parts = {one: old.read(one) for one in old.namelist()}
    return archive({**parts, name: content})


def open_document(kind: str, body: str, before: str = "") -> bytes:
    """Return an OpenDocument file; `before` stands before its root."""
    types = {"text": "text", "presentation": "presentation", "spreadsheet": "spreadsheet"}
    content = (
        f'<?xml version="1.0"?>{before}<office:document-content xmlns:office="{OFFICE}" xmlns:text="{ODF_TEXT}" '
        f'xmlns:table="{ODF_TABLE}" xmlns:draw="{ODF_DRAW}"><office:body><office:{kind}>{body}</office:{kind}></office:body>'
        "</office:document-content>"
    )
    media_type = f"application/vnd.oasis.opendocument.{types[kind]}".encode()
    return archive({"mimetype": media_type, "content.xml": content.encode()})


def _open_rows(rows: list[list[str]]) -> str:
    cells = ("".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row) for row in rows)
    return "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)


def book(chapter: bytes, place: str = "a.xhtml", times: int = 1) -> bytes:
    """Return an EPUB of one chapter, which lies at a place and comes so many times."""
    container = f'<container xmlns="{CONTAINER}"><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
    spine = '<itemref idref="a"/>' * times
    package = f'<package xmlns="{OPF}"><manifest><item id="a" href="{place}"/></manifest><spine>{spine}</spine></package>'
    parts = {"META-INF/container.xml": container.encode(), "a.opf": package.encode(), "a.xhtml": chapter}
    return archive({"mimetype": b"application/epub+zip", **parts})


@cache
def word() -> bytes:
    """Return a Word document."""
    import docx

    document = docx.Document()
    document.add_heading(TITLE, 0)
    document.add_paragraph(TEXT)
    table = document.add_table(2, 2)
    table.cell(0, 0).text, table.cell(1, 1).text = "Country", "Austria"
    return _saved(document.save)


@cache
def slides() -> bytes:
    """Return a presentation."""
    import pptx

    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = TITLE, TEXT
    return _saved(presentation.save)


@cache
def workbook() -> bytes:
    """Return a workbook."""
    import openpyxl

    made = openpyxl.Workbook()
    sheet = made.create_sheet("Practices", 0)
    for row in (["Practice", "Country", "Start"], ["Mobile office", "Belgium", 2019], ["Job club", "Austria", 2020]):
        sheet.append(row)
    return _saved(made.save)


def _picture(kind: str, size: tuple[int, int] = (200, 60)) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((5, 5), TITLE, fill="black")
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def pdf(objects: Mapping[int, bytes], *, trailer: bytes = b"/Root 1 0 R") -> bytes:
    """Return a PDF of numbered objects."""
    data = b"%PDF-1.7\n"
    places = {}
    for number, content in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(data)
    data += b"xref\n0 1\n0000000000 65535 f \n" + b"".join(
        b"%d 1\n%010d 00000 n \n" % (number, place) for number, place in places.items()
    )
    return data + b"trailer\n<</Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, trailer, start)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a PDF's stream."""
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def page_with(content: bytes, *, page: bytes = b"", pages: bytes = b"", more: Mapping[int, bytes] | None = None) -> bytes:
    """Return a PDF of one page; `content` is its stream, with dictionary."""
    resources = b"<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>"
    page = b"/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources" + resources + page
    return pdf(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1%s>>" % pages,
            3: b"<</Type/Page%s>>" % page,
            4: content,
            5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            **(more or {}),
        }
    )


def small_pdf() -> bytes:
    """Return a PDF of one page."""
    lines = b" T* ".join(b"(%s) Tj" % TEXT[start : start + 80].encode() for start in range(0, len(TEXT), 80))
    return page_with(stream(b"BT /F 20 Tf 72 760 Td (%s) Tj /F 9 Tf 12 TL 0 -40 Td %s ET" % (TITLE.encode(), lines)))


def outlook_mail() -> bytes:
    """Return a mail as Outlook saves it; its streams are long enough to need no table of small ones."""
    values = ((0x001A, "IPM.Note"), (0x0037, TITLE), (0x1000, TEXT))
    records = b"".join(struct.pack("<HHIII", 0x1F, number, 6, 2 * 2_048, 0) for number, _ in values)
    streams = {f"__substg1.0_{number:04X}001F": text.ljust(2_048).encode("utf-16-le") for number, text in values}
    return compound_file({"__properties_version1.0": (bytes(32) + records).ljust(4_096, b"\0"), **streams})


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """Return streams of 4,096 bytes or more as a compound file (MS-CFB)."""
    end, free, of_table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    table: list[int] = []
    sectors = b""
    entries = []
    for number, (name, content) in enumerate(streams.items(), start=1):
        count = -(-len(content) // 512)
        following = free if number == len(streams) else number + 1
        entries.append(_entry(name, 2, following, free, len(table), len(content)))
        table += [*range(len(table) + 1, len(table) + count), end]
        sectors += content.ljust(512 * count, b"\0")
    directory = b"".join([_entry("Root Entry", 5, free, 1, end, 0), *entries])
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    first_directory, count = len(table), len(directory) // 512
    table += [*range(first_directory + 1, first_directory + count), end]
    place = len(table)
    tables = -(-(place + 1) // 127)
    table += [of_table] * tables
    table += [free] * (tables * 128 - len(table))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        tables,
        first_directory,
        0,
        4_096,
        end,
        0,
        end,
        0,
        place,
    )
    more = [*range(place + 1, place + tables)]
    header += struct.pack("<108I", *more, *[free] * (108 - len(more)))
    return header + sectors + directory + struct.pack(f"<{len(table)}I", *table)


def _entry(name: str, kind: int, sibling: int, child: int, first: int, length: int) -> bytes:
    encoded = name.encode("utf-16-le")
    free = 0xFFFFFFFF
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, len(encoded) + 2, kind, 1, free, sibling, child, bytes(16), 0, 0, 0, first, length
    )
