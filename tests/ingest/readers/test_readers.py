"""The right reader for a file's suffix, and a reason for every file that gives no text."""

import contextlib
import io
import random
import zipfile

import pytest

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import SUFFIXES, format_of, read_content
from pes_search.ingest.readers.decode import decode

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what old Office documents begin with


def reason(data: bytes, name: str) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read_content(data, name)
    return str(caught.value)


def an_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("a.txt"), "text"
        )  # without the time, which would make another test of it in each process
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html", "html"),
        ("a.htm", "html"),
        ("A.PDF", "pdf"),
        ("docs/v1.2/a.docx", "docx"),
        ("a.md", "markdown"),
        ("a.b.txt", "text"),
        ("a.pages", None),
        ("README", None),
        (".md", None),
    ],
)
def test_the_suffix_decides_the_reader(name: str, expected: str | None) -> None:
    assert format_of(name) == expected


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"text", "a.pages", "no reader for .pages"),
        (b"text", "README", "no reader for a file without suffix"),
        *((b"", f"a{suffix}", "empty file") for suffix in SUFFIXES),
        (b" \r\n\t\x00", "a.txt", "empty file"),
        (b"\xef\xbb\xbf", "a.txt", "no text found"),
        (b"%PDF-1.7\n", "a.docx", "wrong suffix: the content is a PDF"),
        (b"%PDF-1.7\n", "a.txt", "wrong suffix: the content is a PDF"),
        (an_archive(), "a.pdf", "wrong suffix: the content is a ZIP archive or Office document"),
        (an_archive(), "a.html", "wrong suffix: the content is a ZIP archive or Office document"),
        (b"\x89PNG\r\n\x1a\n", "a.md", "wrong suffix: the content is a PNG image"),
        (OLE + bytes(600), "a.docx", "wrong suffix: the content is an old Office document"),
        (b"{\\rtf1 text}", "a.docx", "wrong suffix: the content is an RTF document"),
        (b"<html><body>Not found</body></html>", "a.pdf", "wrong suffix or damaged: the content is not a PDF file"),
        (b"plain words", "a.docx", "wrong suffix or damaged: the content is not a DOCX file"),
        (b"%PDF-1.7\n", "a.pdf", "damaged PDF"),
        (an_archive()[:40], "a.docx", "damaged or no Word document"),
        (an_archive(), "a.docx", "damaged or no Word document"),
        (b"text\x00with\x01binary\xff\xfe", "a.txt", "not text"),
        (b"<html></html>", "a.html", "no text found"),
        (b"<!-- nothing -->", "a.html", "no HTML found"),
        (b"---\ntitle: Bus\n---\n", "a.md", "no text found"),
    ],
)
def test_a_file_without_text_is_refused_with_the_reason(data: bytes, name: str, expected: str) -> None:
    assert reason(data, name).startswith(expected)


def test_a_word_document_with_a_password_is_called_encrypted() -> None:
    """Word stores it in the container of old Office documents, under this name."""
    data = OLE + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    assert "encrypted" in reason(data, "a.docx")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [64, 1_000, 30_000])
def test_random_bytes_are_refused(suffix: str, size: int) -> None:
    assert reason(random.Random(size).randbytes(size), f"a{suffix}")


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.txt"])
def test_damaged_text_never_breaks_its_reader(name: str) -> None:
    data = (
        "---\ntitle: Bus\ndate: 2023-04-27\ncountries: [AT]\n---\n# Bus\n\n- a\n\n| A | B |\n|---|---|\n| 1 | ü |\n"
        "<html><head><title>Bus</title></head><body><h1>Bus</h1><table><tr><td>1</td></tr></table></body></html>\n"
    ).encode()
    chance = random.Random(name)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(8):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        with contextlib.suppress(UnreadableFileError):
            assert read_content(bytes(damaged), name).blocks


# ── Character encodings ─────────────────────────────────────────────────────────────────────────────────────────────

GERMAN = "Für ältere Arbeitslose gibt es in der Region ein Büro, das größere Betriebe berät."
TEXTS = {
    "de": GERMAN,
    "fr": "Le service de l'emploi a créé un bureau mobile où des conseillers aident les chômeurs âgés.",
    "es": "El servicio de empleo creó una oficina móvil donde los asesores ayudan a los desempleados de la región.",
    "lv": "Nodarbinātības dienestam ir pārvietojams birojs, kurā konsultanti palīdz bezdarbniekiem rakstīt pieteikumus.",
    "pl": "Urząd pracy prowadzi ruchome biuro, w którym doradcy pomagają starszym bezrobotnym pisać podania i "
    "znajdować kursy w okolicy każdego miesiąca.",
    "cs": "Úřad práce zřídil mobilní kancelář, kde poradci pomáhají starším nezaměstnaným připravit žádosti.",
    "el": "Η υπηρεσία απασχόλησης διαθέτει ένα κινητό γραφείο όπου σύμβουλοι βοηθούν τους ανέργους.",
    "bg": "Службата по заетостта има подвижно бюро, в което съветници помагат на безработните да пишат молби.",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("language", TEXTS)
def test_unicode_is_decoded_without_its_mark(language: str, encoding: str) -> None:
    assert decode(TEXTS[language].encode(encoding)) == TEXTS[language]


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("de", "cp1252"),
        ("fr", "cp1252"),
        ("es", "cp1252"),
        ("pl", "cp1250"),
        ("cs", "cp1250"),
        ("el", "cp1253"),
        ("bg", "cp1251"),
    ],
)
def test_a_text_in_the_code_page_of_its_language_is_decoded(language: str, encoding: str) -> None:
    assert decode(TEXTS[language].encode(encoding)) == TEXTS[language]


@pytest.mark.parametrize("text", ["Café", "Beratung für Ältere", "Größe"])
def test_a_short_western_text_does_not_become_chinese_or_arabic(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize("damage", [b"\x96 ", b"\xc3 "])
def test_one_wrong_byte_does_not_garble_the_rest_of_a_unicode_text(damage: bytes) -> None:
    text = f"{GERMAN} {GERMAN} "
    assert decode(text.encode() + damage + text.encode()).startswith(text)
