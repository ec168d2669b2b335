"""Real files: nothing crashes, and a few facts that anyone can check by opening the file."""

import html
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from folders import CORPUS

from pes_search.ingest.config import PassageConfig
from pes_search.ingest.countries import country_code
from pes_search.ingest.documents import ReadDocument, read_document
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.passages import build_pages, build_passages
from pes_search.ingest.sources import find_files
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.stated_terms import StatedTerms
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.ingest.types import Document

CONTROLS = ("share this page", "cookies on", "skip to main", "log in", "back to top")


def read(path: Path) -> ReadDocument:
    return read_document(SourceFile(path, f"{path.parent.name}/{path.name}"))


def text_of(found: ReadDocument) -> str:
    return "\n".join(block.text for block in found.blocks)


class Outcome(NamedTuple):
    """What became of the files of another parser's tests."""

    read: dict[str, ReadDocument]
    unread: dict[str, str]


@pytest.fixture(scope="module")
def parsers(shared_data: Path) -> Outcome:
    outcome = Outcome({}, {})
    for source in find_files([str(shared_data / "parsers")]):
        name = source.name.removeprefix("parsers/")
        try:
            outcome.read[name] = read_document(source)
        except UnreadableFileError as error:
            outcome.unread[name] = str(error)
    return outcome


def test_every_file_is_read_or_named_with_a_reason(parsers: Outcome) -> None:
    assert len(parsers.read) > 150
    assert len(parsers.unread) > 60
    for name, found in parsers.read.items():
        document = found.document
        assert document.title.strip(), name
        assert document.title == " ".join(document.title.split()), name
        assert text_of(found).strip(), name
        assert all(block.page is None or block.page >= 1 for block in found.blocks), name
        has_pages = document.media_type == "application/pdf" or document.media_type.endswith("presentation")
        assert has_pages == (found.blocks[0].page is not None), name
    assert all(reason.strip() for reason in parsers.unread.values())
    ids = [found.document.id for found in parsers.read.values()]
    assert len(set(ids)) == len(ids)


def test_reasons_do_not_change_from_run_to_run(parsers: Outcome) -> None:
    assert [name for name, reason in parsers.unread.items() if " at 0x" in reason] == []


def test_dates_are_days_of_our_calendar(parsers: Outcome) -> None:
    dates = {name: found.document.date for name, found in parsers.read.items() if found.document.date}
    assert {name: date for name, date in dates.items() if not "1900" < date < "2100"} == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pdf-sample-files/005-libreoffice-writer-password__libreoffice-writer-password.pdf", "encrypted: needs a password"),
        ("pdf-sample-files/019-grayscale-image__grayscale-image.pdf", "no text found (page 1 consists of pictures"),
        ("pdf-sample-files/017-unreadable-meta-data__unreadablemetadata.pdf", "damaged PDF"),
        ("markitdown-files/random.bin", "no reader for .bin"),
        ("pdf-sample-files/LICENSE", "no reader for a file without suffix"),
        ("docling-files/docx/sources/Strict.docx", "in the “Strict Open XML” variant"),
    ],
)
def test_odd_files_are_refused_for_the_right_reason(parsers: Outcome, name: str, expected: str) -> None:
    assert parsers.unread[name].startswith(expected)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("docling-files/docx/sources/content_control_with_picture.docx", "OUTSIDE"),
        ("docling-files/docx/sources/unit_test_headers_numbered.docx", "Test Document"),
        ("docling-files/html/sources/example_07.html", "Switzerland"),
        ("docling-files/html/sources/example_08.html", "February"),
        ("pdf-sample-files/015-arabic__habibi.pdf", "habibi"),
        ("pdf-sample-files/021-pdfa__crazyones-pdfa.pdf", "The Crazy Ones"),
        ("markitdown-files/test_blog.html", "inference parameter"),
    ],
)
def test_known_words_of_odd_files_are_found(parsers: Outcome, name: str, words: str) -> None:
    assert words.casefold() in text_of(parsers.read[name]).casefold()


def test_a_pdf_in_two_columns_is_read_column_by_column(parsers: Outcome) -> None:
    found = parsers.read["pdf-sample-files/026-latex-multicolumn__multicolumn.pdf"]
    assert found.document.title == "Two-Column Document with Lorem Ipsum"
    assert {block.page for block in found.blocks} == {1, 2, 3}
    headings = [block.text for block in found.blocks if block.kind == "heading"]
    assert headings[:2] == ["Two-Column Document with Lorem Ipsum", "Your Name"]


# ── Labelled fields ─────────────────────────────────────────────────────────────────────────────────────────────────


def cell(page: str, label: str) -> str:
    """Return what stands beside a label in a page's markup, read without the code under test."""
    match = re.search(rf"<td[^>]*>\s*{label}\s*</td>\s*<td[^>]*>(.*?)</td>", page, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", match[1])).split()) if match else ""


def test_labelled_fields_of_factsheets_are_read(shared_data: Path) -> None:
    lists = read_taxonomy(CORPUS / "taxonomy")
    wrong: dict[str, list[str]] = {"country": [], "years": [], "published": [], "native": [], "measure": []}
    paths = sorted((shared_data / "eurofound" / "factsheets").glob("*.html"))
    for path in paths:
        page, found = path.read_text(encoding="utf-8"), read(path)
        document = StatedTerms(lists).added_to(found.document, found.terms)
        years = [int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", cell(page, "Time period"))]
        native = re.search(r'<h2[^>]*title="Title in national language"[^>]*>([^<]*)</h2>', page)
        title = " ".join(html.unescape(native[1]).split()) if native else ""
        right = {
            "country": document.countries == (country_code(cell(page, "Country").split(",")[0]),),
            "years": [document.year, document.end_year] == [*years, None][:2],
            "published": (document.date or "")[:4] in cell(page, "Measure added"),
            "native": title.casefold() in {"", document.title.casefold()} or document.native_title == title,
            "measure": bool(document.measure_types),
        }
        for field, is_right in right.items():
            wrong[field] += [] if is_right else [path.name]
    assert len(paths) == 120
    assert {field: names for field, names in wrong.items() if len(names) > len(paths) / 20} == {}
    assert not wrong["country"]
    assert not wrong["years"]


# ── The news item that the project started from ─────────────────────────────────────────────────────────────────────


def test_the_news_item_is_read_without_the_sites_boilerplate(shared_data: Path) -> None:
    found = read(shared_data / "seed" / "pes-outreach-news-2023-04-27.txt")
    document = found.document
    assert document.title.startswith("How are Public Employment Services reaching")
    assert document.title.endswith("labour market?")
    assert (document.date, document.year, document.kind, document.language) == ("2023-04-27", 2023, "news", "en")
    text = text_of(found)
    assert "Share this page" not in text
    assert "Employment, Social Affairs" not in text
    assert text.count("showcased inspiring examples") == 1  # the page repeats it as a teaser
    assert all(name in text for name in ("Actiris", "power_m", "Local Migrant Integration Support Centres", "Over 300"))


# ── Factsheets: one labelled page of markup each ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "title", "country", "words"),
    [
        ("AT-1995-1_2500.html", "Work foundation (outplacement)", "AT", "Country: Austria"),
        ("DK-2010-52_2481.html", "Job rotation", "DK", "Country: Denmark"),
        ("SE-2023-1_3142.html", "Establishment jobs: labour market integration", "SE", "Country: Sweden"),
        ("EU-2021-11_1921.html", "7 million European jobs in danger due to COVID-19", "EU", "Actors and funding"),
    ],
)
def test_factsheets_give_their_title_country_and_fields(
    shared_data: Path, name: str, title: str, country: str, words: str
) -> None:
    found = read(shared_data / "eurofound" / "factsheets" / name)
    document = found.document
    assert (document.title, document.countries, document.language, document.kind) == (title, (country,), "en", "factsheet")
    text = text_of(found)
    assert words in text
    assert not [control for control in CONTROLS if control in text.casefold()]
    assert "Background information" in [block.text for block in found.blocks if block.kind == "heading"]


# ── Web pages printed to PDF, and a report ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "title", "country", "date", "pages"),
    [
        (
            "finland-wage-guarantee-in-case-of-insolvency.pdf",
            "Finland: Wage guarantee in case of insolvency",
            "FI",
            "2021-12-10",
            4,
        ),
        (
            "slovakia-staff-information-and-consultation-on-business-transfers.pdf",
            "Slovakia: Staff information and consultation on business transfers",
            "SK",
            "2017-07-10",
            3,
        ),
    ],
)
def test_printed_pages_give_their_title_country_date_and_pages(
    shared_data: Path, name: str, title: str, country: str, date: str, pages: int
) -> None:
    found = read(shared_data / "eurofound" / "legal-pages-pdf" / name)
    document = found.document
    assert (document.title, document.countries, document.date, document.language) == (title, (country,), date, "en")
    assert found.blocks[0].text == title  # what stands above the title is the site's
    numbers = [block.page for block in found.blocks]
    assert numbers == sorted(numbers)
    assert set(numbers) <= set(range(1, pages + 1))
    assert not [control for control in CONTROLS if control in text_of(found).casefold()]


def test_a_report_gives_its_title_and_pages_without_running_headers(shared_data: Path) -> None:
    found = read(shared_data / "eurofound" / "case-studies-pdf" / "ef1175en17.pdf")
    assert found.document.title == "Impact of the recession on age management policies"
    assert found.document.kind == "case study"
    assert [number for number in range(1, 7) if any(block.page == number for block in found.blocks)] == [1, 2, 3, 4, 5, 6]
    assert sum("© European Foundation" in block.text for block in found.blocks) <= 1  # at the foot of every page
    headings = {block.text: block.page for block in found.blocks if block.kind == "heading"}
    assert (headings["Organisational background"], headings["Contact persons"]) == (2, 5)


def test_passages_of_real_files_are_slices_of_their_pages(shared_data: Path) -> None:
    def words(text: str) -> list[int]:
        return [i for i in range(len(text)) if not text[i].isspace() and (i == 0 or text[i - 1].isspace())]

    for name in ("case-studies-pdf/ef1175en17.pdf", "factsheets/AT-1995-1_2500.html"):
        found = read(shared_data / "eurofound" / name)
        document: Document = found.document
        pages = build_pages(document, found.blocks)
        texts = {page.number: page.text for page, _ in pages}
        passages = build_passages(document, pages, words, PassageConfig(max_tokens=120, min_tokens=30))
        assert len(passages) > 5
        for passage in passages:
            assert texts[passage.page][passage.start : passage.end] == passage.text
            assert len(words(passage.text)) <= 120
        assert len({passage.id for passage in passages}) == len(passages)
        assert not [p for p in passages if p.headings and p.headings[-1] in ("Sources", "References")]
