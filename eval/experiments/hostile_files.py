"""Files as somebody makes them who wants a service to fall: of every format that is read, all from one seed.

`bombs` are small files that unpack to large ones, nest deeply, lead in circles or out of the file; `hostile_files` gives as
many as wanted: the bombs, odd names, odd metadata, and sound files damaged at random.
"""

from __future__ import annotations

import base64
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import TypeAlias

from pes_search.eval.experiments.hostile_samples import (
    TEXT,
    TITLE,
    archive,
    book,
    mail,
    open_document,
    page_with,
    pdf,
    rich_text,
    samples,
    slides,
    small_pdf,
    stream,
    web_page,
    with_part,
    word,
    workbook,
)

NamedFile: TypeAlias = tuple[str, bytes]

SECRET_FILE = "file:///etc/passwd"  # what an entity from outside would show  # noqa: S105
SECRET = "root:x:0:0"  # what stands in it  # noqa: S105
SCRIPT = "<script>alert(1)</script>"
MEGABYTE = 1_000_000
UNPACKED_BYTES = 400 * MEGABYTE  # of the bombs that are archives; each is about 2 MB
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

NAMES = (
    "../../etc/passwd.md",
    "..\\..\\windows\\system.md",
    "/etc/cron.d/bus.md",
    "C:\\bus.md",
    "bus.md/../../../x.md",
    "....//bus.md",
    "bus\0.md",
    "bus.md\0.exe",
    "\0",
    ".htaccess.md",
    "..md",
    "...",
    "",
    " ",
    ".md",
    "-rf.md",
    "--help.md",
    "~root.md",
    "$(id).md",
    "`id`.md",
    "bus;id.md",
    "|id.md",
    "CON.md",
    "nul.txt",
    "com1.pdf.md",
    "LPT9.md",
    "aux",
    "bus.md:stream",
    "bus.md::$DATA",
    "BUS.MD",
    "Bus.md",
    "bus.md",
    "bús.md",
    "bu\u0301s.md",
    "bus\u202edm.exe",
    "bus\u202egpj.md",
    "\u202e.md",
    "\ufeffbus.md",
    "b\u200bus.md",
    "bus\r\nSet-Cookie: a=b.md",
    "bus\nX: y.md",
    "bus\t.md",
    "\x1b[31mbus.md",
    "\x7f.md",
    "%2e%2e%2fbus.md",
    "bus%00.md",
    "a" * 300 + ".md",
    "字" * 300 + ".md",
    "🚌" * 300 + ".md",
    "a" + "\u0301\u0315" * 3_000 + ".md",
    "." * 3_000 + ".md",
    "bus." + "md" * 2_000,
    SCRIPT + ".md",
    '"><img src=x onerror=alert(1)>.md',
    "'-alert(1)-'.md",
    "{{7*7}}.md",
    "{% raw %}.md",
    "bus.md.exe",
    "bus.exe",
    "bus",
    "README.md",
    "readme.txt",
    ".pending/x.md",
    ".pending",
    "bus.tar.gz",
    "con.tar.gz.md",
)
"""Names of files, as a form may send them."""

FRONT_MATTERS = (
    f"title: '{SCRIPT}'\norganisation: '{SCRIPT}'\nregion: '{SCRIPT}'\nkind: '{SCRIPT}'",
    "title: '\"><img src=x onerror=alert(1)>'\npartners: ['\"><svg onload=alert(1)>']",
    "url: 'javascript:alert(1)'\nsources: ['javascript:alert(2)']",
    "url: 'data:text/html,<script>alert(1)</script>'",
    "url: 'https://example.org/\" onmouseover=\"alert(1)'",
    "language: 'xx\" onload=\"alert(1)'",
    "language: zz",
    "language: no",
    "date: '9999-99-99'",
    "date: 31.02.2024",
    "date: 0001-01-01",
    "date: 99999999999999999999",
    "date: [2024]",
    "date: 2024-02-30",
    "start: 99999",
    "start: 1000\nend: 1",
    "start: .nan",
    "end: .inf",
    "countries: [ZZ]",
    "countries: ['<b>']",
    "countries: EU",
    "countries: " + "[" * 500 + "]" * 500,
    "id: ../../etc",
    "id: 'a b'",
    "id: " + "a" * 500,
    "id: de-power-m",
    "id: null",
    "kind: 7",
    "kind: {a: b}",
    "title: [a, b]",
    "title: {a: b}",
    "title: ''",
    "title: " + "x" * 100_000,
    "organisation: " + "x" * 1_000_000,
    "target_groups: [" + "women, " * 50_000 + "]",
    "target_groups: ['<b>', women, women]",
    "measure_types: {a: b}",
    "channels: [" + ", ".join(f"c{number}" for number in range(20_000)) + "]",
    "questions: [[[]]]",
    "questions: {en: [a]}",
    "evidence: " + "strong " * 10_000,
    "related: [" + "a, " * 50_000 + "]",
    "related: ['../x', '<b>']",
    "a: !!python/object:os.system x",
    "a: !!binary ////",
    "? [a]\n: b",
    "<<: *a",
    "a: &a [*a]",
    "%YAML 9.9",
    "a: 2024-13-45",
    "a: 1e999999",
    "a: 0x" + "f" * 10_000,
    "title: " + "a" + "\u0301\u0315" * 20_000,
    'title: "\\ud800"',
    'title: "\\0"',
    'native_title: "\\u202e' + "x" * 100 + '"',
)
"""Front matter that nobody writes by chance."""


# ── Bombs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _laughs(levels: int = 10, times: int = 10) -> str:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * times if n else "ha" * 10}">' for n in range(levels))
    return f"<!DOCTYPE x [{entities}]>"


OUTSIDE = f'<!DOCTYPE x [<!ENTITY out SYSTEM "{SECRET_FILE}"><!ENTITY % p SYSTEM "{SECRET_FILE}">]>'


def _word_text(text: str, before: str = "") -> bytes:
    content = f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD}"><w:body>{text}</w:body></w:document>'
    return with_part(word(), "word/document.xml", content.encode())


def _sheet(text: str, before: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    content = f'<?xml version="1.0"?>{before}<worksheet xmlns="{main}"><sheetData>{text}</sheetData></worksheet>'
    return with_part(workbook(), "xl/worksheets/sheet1.xml", content.encode())


def _slide(text: str, before: str = "") -> bytes:
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    main = "http://schemas.openxmlformats.org/presentationml/2006/main"
    tree = f"<p:cSld><p:spTree>{text}</p:spTree></p:cSld>"
    content = f'<?xml version="1.0"?>{before}<p:sld xmlns:p="{main}" xmlns:a="{drawing}">{tree}</p:sld>'
    return with_part(slides(), "ppt/slides/slide1.xml", content.encode())


def _run(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def _overlapping(name: str, content: bytes, times: int) -> bytes:
    """Return an archive whose index names one packed part many times."""
    packed = archive({name: content}, level=9)
    start = packed.index(b"PK\x01\x02")
    end = packed.index(b"PK\x05\x06")
    entry = bytearray(packed[start:end])
    entries = b"".join(
        bytes(entry).replace(name.encode(), f"{number:0{len(name)}d}".encode()) for number in range(times)
    ) + bytes(entry)
    footer = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, times + 1, times + 1, len(entries), start, 0)
    return packed[:start] + entries + footer


def _lying(packed: bytes) -> bytes:
    """Return an archive that states a size of one byte for each part."""
    data = bytearray(packed)
    for sign, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(sign)
        while at >= 0:
            data[at + place : at + place + 4] = struct.pack("<I", 1)
            at = data.find(sign, at + 4)
    return bytes(data)


def _link(packed: bytes, name: str) -> bytes:
    """Return an archive with a part that is a link out of it."""
    buffer = io.BytesIO(packed)
    with zipfile.ZipFile(buffer, "a") as changed:
        link = zipfile.ZipInfo(name)
        link.external_attr = 0o120777 << 16
        changed.writestr(link, "/etc/passwd")
        changed.writestr("../../../../tmp/out.txt", "out")
    return buffer.getvalue()


def _within_mail(depth: int) -> bytes:
    message = b"Content-Type: text/plain\r\n\r\n" + TEXT.encode()
    for _ in range(depth):
        message = b"Content-Type: message/rfc822\r\n\r\n" + message
    return mail(message)


def _multipart(depth: int) -> bytes:
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return mail(opened + b"Content-Type: text/plain\r\n\r\nend\r\n")


def _attached(name: str, content: bytes) -> bytes:
    head = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\n'
    kind = f'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    return mail(
        head + kind.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content) + b"\r\n--b--\r\n"
    )


def _png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _tiff_circle() -> bytes:
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 256, 4, 1, 100) + struct.pack("<I", 8)


def _aliases(levels: int = 9) -> str:
    return "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]" for n in range(levels))


def bombs() -> Iterator[NamedFile]:
    """Yield files that cost far more than their size, or lead where they should not; 400 kB on average, 45 MB at most."""
    many = UNPACKED_BYTES
    blank, words = b" " * many, (TEXT + " ").encode()
    image = b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceRGB/BitsPerComponent 8"
    shown_image = stream(b"600 0 0 800 0 0 cm /X Do")
    short = stream(b"BT /F 9 Tf 72 700 Td (%s) Tj ET" % TEXT.encode())
    # Archives.
    yield "word-blank.docx", with_part(word(), "word/document.xml", blank)
    yield "word-text.docx", _word_text(_run("ha " * (many // 20)))
    yield "word-paragraphs.docx", _word_text("<w:p/>" * 3_000_000)
    yield "word-deep.docx", _word_text("<w:p>" * 100_000 + "</w:p>" * 100_000)
    yield "word-tables.docx", _word_text("<w:tbl><w:tr><w:tc>" * 3_000 + _run("x") + "</w:tc></w:tr></w:tbl>" * 3_000)
    yield "word-boxes.docx", _word_text("<w:sdt><w:sdtContent>" * 3_000 + _run("x") + "</w:sdtContent></w:sdt>" * 3_000)
    yield "word-lying.docx", _lying(with_part(word(), "word/document.xml", blank[: many // 4]))
    circle = (
        f'<w:styles xmlns:w="{WORD}">' + '<w:style w:styleId="a"><w:basedOn w:val="a"/></w:style>' * 300_000 + "</w:styles>"
    )
    yield "word-styles.docx", with_part(word(), "word/styles.xml", circle.encode())
    yield "word-link.docx", _link(word(), "word/footnotes.xml")
    yield "word-quoted.docx", _overlapping("word/document.xml", blank[: many // 8], 5_000)
    yield "word-nested.docx", archive({"word/document.xml": archive({"a.zip": archive({"b": blank})})})
    yield "slides-blank.pptx", with_part(slides(), "ppt/slides/slide1.xml", blank)
    yield "slides-deep.pptx", _slide("<p:grpSp>" * 5_000 + "</p:grpSp>" * 5_000)
    yield "workbook-blank.xlsx", with_part(workbook(), "xl/worksheets/sheet1.xml", blank)
    yield (
        "workbook-cells.xlsx",
        _sheet("".join(f'<row r="{n}">' + "<c><v>1</v></c>" * 1_000 + "</row>" for n in range(1, 5_001))),
    )
    yield "workbook-corner.xlsx", _sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    yield (
        "workbook-corners.xlsx",
        _sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="2900000"><c r="A2900000"><v>1</v></c></row>'),
    )
    yield (
        "workbook-strings.xlsx",
        with_part(workbook(), "xl/sharedStrings.xml", b"<sst>" + b"<si><t>a</t></si>" * 5_000_000 + b"</sst>"),
    )
    yield "text-blank.odt", with_part(samples()[".odt"], "content.xml", blank)
    yield (
        "text-deep.odt",
        open_document("text", "<text:list><text:list-item>" * 50_000 + "</text:list-item></text:list>" * 50_000),
    )
    yield "text-spaces.odt", open_document("text", f'<text:p>{TEXT}<text:s text:c="2000000000"/></text:p>')
    cell = '<table:table-cell table:number-columns-repeated="1000000000"><text:p>x</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="1000000000">{cell * 20}</table:table-row>'
    yield "sheet-repeats.ods", open_document("spreadsheet", f"<table:table>{row}</table:table>")
    groups = "<draw:page>" + "<draw:g>" * 50_000 + "</draw:g>" * 50_000 + "</draw:page>"
    yield "slides-deep.odp", open_document("presentation", groups)
    yield "book-blank.epub", book(blank)
    yield "book-chapter.epub", book(web_page(f"<p>{TEXT}</p>" * 80_000))
    yield "book-again.epub", book(web_page(f"<p>{TEXT}</p>" * 2_000), times=5_000)
    yield "book-out.epub", book(b"", "../../../etc/passwd")
    # Entities.
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&{};</t></is></c></row>'
    shape = "<p:sp><p:txBody><a:p><a:r><a:t>&{};</a:t></a:r></a:p></p:txBody></p:sp>"
    for suffix, make, inline in (("docx", _word_text, _run("&{};")), ("xlsx", _sheet, cell), ("pptx", _slide, shape)):
        yield f"laughs.{suffix}", make(inline.format("e9"), _laughs())
        yield f"outside.{suffix}", make(inline.format("out"), OUTSIDE)
        yield f"attribute.{suffix}", make('<x a="&e9;"/>', _laughs())
    for kind, suffix in (("text", "odt"), ("spreadsheet", "ods"), ("presentation", "odp")):
        yield f"{kind}-laughs.{suffix}", open_document(kind, "<text:p>&e9;</text:p>", _laughs())
        yield f"{kind}-outside.{suffix}", open_document(kind, "<text:p>&out;</text:p>", OUTSIDE)
        yield f"{kind}-attribute.{suffix}", open_document(kind, '<text:p text:style-name="&e9;">x</text:p>', _laughs())
    yield "book-laughs.epub", book(f"{_laughs()}<html><body><p>&e9;</p></body></html>".encode())
    yield "book-outside.epub", book(f"{OUTSIDE}<html><body><p>&out;</p></body></html>".encode())
    yield (
        "page-outside.html",
        f"{OUTSIDE}<html><body><p>{TEXT}&out;</p><iframe src={SECRET_FILE}></iframe></body></html>".encode(),
    )
    # PDFs.
    catalog = b"<</Type/Catalog/Pages 2 0 R>>"
    yield "pages-circle.pdf", pdf({1: catalog, 2: b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9/Parent 2 0 R>>"})
    yield "pages-many.pdf", page_with(stream(b""), pages=b"/Count 2000000000")
    again = b"<</Type/Pages/Kids[" + b"3 0 R " * 10_000 + b"]/Count 10000>>"
    yield "pages-again.pdf", page_with(short, more={2: again})
    yield "stream-blank.pdf", page_with(stream(zlib.compress(blank, 9), b"/Filter/FlateDecode"))
    twice = zlib.compress(zlib.compress(blank, 9), 9)
    yield "stream-twice.pdf", page_with(stream(twice, b"/Filter[/FlateDecode/FlateDecode]"))
    letters = zlib.compress(b"BT /F 9 Tf 72 700 Td " + b"(abc) Tj " * 5_000_000 + b"ET", 9)
    yield "stream-letters.pdf", page_with(stream(letters, b"/Filter/FlateDecode"))
    yield "stream-deep.pdf", page_with(stream(b"q " * 3_000_000))
    yield "arrays-deep.pdf", page_with(stream(b""), page=b"/A " + b"[" * 1_000_000 + b"]" * 1_000_000)
    itself = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>"
    yield "form-circle.pdf", page_with(stream(b"/X Do"), more={6: stream(b"/X Do /X Do", itself)})
    yield "image-large.pdf", page_with(shown_image, more={6: stream(b"x" * 20, image)})
    yield "image-jbig2.pdf", page_with(shown_image, more={6: stream(bytes(20), image + b"/Filter/JBIG2Decode")})
    outline = {
        1: b"<</Type/Catalog/Pages 2 0 R/Outlines 7 0 R>>",
        7: b"<</First 8 0 R/Last 8 0 R>>",
        8: b"<</Title(a)/Parent 7 0 R/Next 8 0 R/First 8 0 R/Dest[3 0 R/Fit]>>",
    }
    yield "outline-circle.pdf", page_with(short, more=outline)
    yield "xref-circle.pdf", small_pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev 9")
    yield "length-circle.pdf", page_with(b"<</Length 4 0 R>>\nstream\nBT ET\nendstream")
    no_pages = {1: catalog, 2: b"<</Type/Pages/Kids[]/Count 0>>"}
    yield "objects.pdf", pdf(no_pages | dict.fromkeys(range(3, 200_000), b"null"))
    # Pictures.
    yield "large.png", _png(65_000, 65_000)
    yield "flood.png", _png(9_000, 9_000, b"\0" * (27_001 * 9_000))
    yield "circle.tif", _tiff_circle()
    # Text and markup.
    yield "deep.html", web_page("<div>" * 100_000 + TEXT + "</div>" * 100_000)
    yield "deep-inline.html", web_page("<p>" + "<b>" * 100_000 + TEXT)
    yield "deep-tables.html", web_page("<table><tr><td>" * 5_000 + TEXT)
    yield "deep-lists.html", web_page("<ul><li>" * 20_000 + TEXT)
    yield "attributes.html", web_page("<p " + " ".join(f"a{n}=1" for n in range(300_000)) + f">{TEXT}</p>")
    yield "paragraphs.html", web_page(f"<p>{TEXT}</p>" * 100_000)
    yield "headings.html", web_page("".join(f"<h{n % 6 + 1}>{TITLE} {n}</h{n % 6 + 1}>" for n in range(300_000)))
    yield "comments.html", web_page("<!--" * 3_000_000)
    yield "open-tags.html", web_page("<" * 5_000_000)
    yield "entities.html", web_page("<p>" + "&" * 2_000_000 + "&#99999999999;" * 100_000)
    yield (
        "script.html",
        web_page(f"<p>{TEXT}</p><p>&lt;script&gt;alert(1)&lt;/script&gt;</p>{SCRIPT}<img src=x onerror=alert(1)>"),
    )
    yield "words.txt", words * (45 * MEGABYTE // len(words))
    yield "letters.txt", b"a" * (45 * MEGABYTE)
    yield "lines.txt", b"a\n" * (20 * MEGABYTE)
    yield "blank-lines.txt", TEXT.encode() + b"\n" * (45 * MEGABYTE)
    yield "marks.txt", ("a" + "\u0315\u0300" * 500_000).encode()
    yield "signs.txt", ("\u202e" + "﷽" * 2_000_000).encode()
    yield "zeros.txt", TEXT.encode() + bytes(45 * MEGABYTE)
    yield "noise.txt", random.Random(1).randbytes(5 * MEGABYTE)  # noqa: S311
    yield "wide.txt", (TEXT * 20_000).encode("utf-32")
    yield "dots.txt", b". " * (5 * MEGABYTE)
    yield "quotations.md", b">" * 3_000_000 + b" a"
    yield "lists.md", b"".join(b" " * n + b"- a\n" for n in range(3_000))
    yield "brackets.md", b"[" * 1_000_000
    yield "links.md", b"[a](" * 300_000
    yield "pictures.md", b"![" * 500_000
    yield "stars.md", b"*a **a " * 300_000
    yield "ticks.md", b" ".join(b"`" * n for n in range(1, 3_000))
    yield "angles.md", b"<a " * 500_000
    yield "comments.md", b"<!--" * 1_000_000
    yield "table.md", b"|" * 20_000 + b"\n" + b"|-" * 20_000 + b"\n" + b"|a\n" * 20_000
    yield "notes.md", b"".join(b"[^%d]: a\n" % n for n in range(200_000)) + b"[^1]" * 100_000
    yield "references.md", b"".join(b"[a%d]: /x\n" % n for n in range(200_000)) + b"[a1]" * 200_000
    yield "script.md", f"# {SCRIPT}\n\n{TEXT}\n\n[a](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n{SCRIPT}".encode()
    yield "aliases.md", f"---\n{_aliases()}\n---\n# {TITLE}\n\n{TEXT}".encode()
    yield "title-aliases.md", f"---\n{_aliases(7)}\npartners: *a6\n---\n# {TITLE}\n\n{TEXT}".encode()
    yield "deep-yaml.md", f"---\na: {'[' * 100_000}\n---\n# {TITLE}\n\n{TEXT}".encode()
    yield "keys.md", ("---\n" + "".join(f"k{n}: v\n" for n in range(300_000)) + f"---\n# {TITLE}\n\n{TEXT}").encode()
    yield "deep-toml.md", ("+++\na = " + "[" * 100_000 + "]" * 100_000 + f"\n+++\n# {TITLE}\n\n{TEXT}").encode()
    yield "columns.csv", b"a," * 1_000_000 + b"\n" + b"1," * 1_000_000
    yield "rows.csv", b"Practice,Country,Start\n" + b"".join(b"Job club %d,Austria,2020\n" % n for n in range(600_000))
    yield (
        "same-rows.csv",
        b"Practice,Country,Start\n" + b"".join(b"J%d,AT,2020\n" % n for n in range(90_000)) + b"J,AT,2020\n" * 9_000,
    )
    yield "cells.csv", b",".join([b"x"] * 50) + b"\n" + b"1,2\n" * 5_000_000
    yield "quote.csv", b'a,b\n1,"' + b"x" * (20 * MEGABYTE)
    yield "groups.rtf", rich_text("{" * 1_000_000)
    yield "controls.rtf", rich_text("\\par" * 1_000_000)
    yield "binary.rtf", rich_text("\\bin2000000000 x")
    yield "unicode.rtf", rich_text("\\u-1?\\u55357?\\u99999999999?" * 100_000)
    # Mails.
    yield "within.eml", _within_mail(2_000)
    yield "parts-deep.eml", _multipart(5_000)
    part = b"--b\r\nContent-Type: text/plain\r\n\r\na\r\n"
    yield "parts-many.eml", mail(b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * 100_000 + b"--b--")
    yield "headers.eml", mail(b"".join(b"X-%d: a\r\n" % n for n in range(300_000)) + b"\r\n" + TEXT.encode())
    yield "header.eml", mail(b"To: " + b"a@example.org, " * 300_000 + b"\r\n\r\n" + TEXT.encode())
    yield "encoded.eml", b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n\r\n" + TEXT.encode()
    yield "charset.eml", mail(b"Content-Type: text/plain; charset=x-none\r\n\r\n" + TEXT.encode())
    yield "quoted.eml", mail(b"Content-Type: text/html\r\n\r\n" + b"<blockquote type=cite>" * 50_000 + TEXT.encode())
    yield "attached-bomb.eml", _attached("word.docx", with_part(word(), "word/document.xml", blank))
    mail_in_mail = _attached("a.eml", b"x")
    for _ in range(8):
        mail_in_mail = _attached("a.eml", mail_in_mail)
    yield "attached-mails.eml", mail_in_mail
    yield "attached-name.eml", _attached("../../etc/passwd#<script>.md", b"# A\n\nText.")
    # Transcripts.
    yield "cues.vtt", b"WEBVTT\n\n" + b"".join(b"00:00.%03d --> 00:01.000\na\n\n" % (n % 1_000) for n in range(300_000))
    yield "time.vtt", b"WEBVTT\n\n99999999999:00:00.000 --> 99999999999:00:09.000\n" + TEXT.encode()
    yield "cues.srt", b"".join(b"%d\n00:00:01,000 --> 00:00:02,000\na\n\n" % n for n in range(300_000))
    # Files whose suffix lies, and what is packed otherwise.
    pairs = ".pdf .docx, .docx .xlsx, .xlsx .odt, .odt .epub, .txt .pdf, .md .png, .png .pdf, .eml .pdf, .csv .docx, .rtf .html"
    for suffix, other in (pair.split() for pair in f"{pairs}, .epub .docx, .msg .doc, .pptx .docx".split(", ")):
        yield f"lying-{other[1:]}{suffix}", samples()[other]
    yield "packed.txt", zlib.compress(blank, 9, wbits=31)
    yield "packed.html", zlib.compress(blank, 9, wbits=31)
    yield "many-parts.docx", archive({f"a{n}": b"" for n in range(60_000)})


# ── As many as wanted ───────────────────────────────────────────────────────────────────────────────────────────────


def hostile_files(count: int, seed: int) -> Iterator[NamedFile]:
    """Yield so many files, always the same for a seed: bombs first, then odd names and metadata, then damaged samples."""
    made = 0
    sound = samples()[".md"]
    for source in (bombs(), ((name, sound) for name in NAMES), _odd_metadata()):
        for file in source:
            if made == count:
                return
            made += 1
            yield file
    chance = random.Random(seed)  # noqa: S311
    suffixes = list(samples())
    for number in range(count - made):
        suffix = suffixes[number % len(suffixes)]
        yield f"damaged-{number}{suffix}", damaged(samples()[suffix], chance)


def _odd_metadata() -> Iterator[NamedFile]:
    for number, text in enumerate(FRONT_MATTERS):
        yield f"metadata-{number}.md", f"---\n{text}\n---\n# {TITLE}\n\n{TEXT}".encode("utf-8", "surrogatepass")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return a file with a random damage; of an archive often within one of its parts."""
    if data.startswith(b"PK") and chance.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = {name: packed.read(name) for name in packed.namelist()}
        name = chance.choice([name for name in parts if parts[name]])
        return archive({**parts, name: damaged(parts[name], chance)})
    kind = chance.choice(("cut", "bits", "bytes", "splice", "repeat", "swap", "numbers"))
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice((1, 4, 16, 256, 4_096)))
    changed = bytearray(data)
    match kind:
        case "cut":
            return data[:start]
        case "bits":
            for _ in range(chance.choice((1, 8, 64))):
                changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case "bytes":
            changed[start:end] = chance.randbytes(end - start)
        case "splice":
            other = samples()[chance.choice(list(samples()))]
            changed[start:end] = other[: chance.randrange(len(other))]
        case "repeat":
            changed[start:end] = data[start:end] * chance.choice((2, 100, 2_000))
        case "swap":
            return data[start:] + data[:start]
        case _:
            for place in range(start, end):
                if chr(changed[place]).isdigit():
                    changed[place] = ord("9")
    return bytes(changed)
