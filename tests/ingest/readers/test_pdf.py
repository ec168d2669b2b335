"""PDFs, drawn here line by line as a word processor would place them."""

import io
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import pypdf
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pes_search.ingest.cleaning.blocks import clean_blocks
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import read_content
from pes_search.ingest.types import Block, FileContent

WIDTH, HEIGHT = A4
BUS = (
    "The employment service of the region runs a mobile office that visits villages where no branch is left. "
    "Two advisers drive a bus to the market place once a week and help people to register and to find courses."
)
RESULTS = (
    "In its first year the bus reached four hundred people, of whom one third had never been registered before. "
    "The mayors of the villages announce the visits in their newsletters and lend a room in the town hall."
)


class Pdf:
    """A PDF under way: lines are drawn downwards from where the last one stood."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()
        self.canvas = Canvas(self.buffer, pagesize=A4, invariant=1)
        self.y = HEIGHT - 80.0

    def line(self, text: str, *, size: float = 11, bold: bool = False, x: float = 72, y: float | None = None) -> None:
        self.y = self.y if y is None else y
        self.canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.canvas.drawString(x, self.y, text)
        self.y -= 1.3 * size

    def lines(self, *texts: str, x: float = 72) -> None:
        for text in texts:
            self.line(text, x=x)

    def paragraph(self, text: str, *, x: float = 72, width: int = 80) -> None:
        self.lines(*textwrap.wrap(text, width), x=x)
        self.y -= 12

    def next_page(self) -> None:
        self.canvas.showPage()
        self.y = HEIGHT - 80.0

    def data(self) -> bytes:
        self.canvas.showPage()
        self.canvas.save()
        return self.buffer.getvalue()


def read(pdf: Pdf | bytes) -> FileContent:
    return read_content(pdf.data() if isinstance(pdf, Pdf) else pdf, "a.pdf")


def of_kind(content: FileContent, kind: str) -> list[str]:
    return [block.text for block in content.blocks if block.kind == kind]


def texts(content: FileContent) -> list[str]:
    return [block.text for block in content.blocks]


def rewritten(data: bytes, change: Callable[[pypdf.PdfWriter], object]) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def with_properties(data: bytes, **properties: str) -> bytes:
    return rewritten(data, lambda writer: writer.add_metadata({f"/{key}": value for key, value in properties.items()}))


def results_of(place: str) -> str:
    return (
        f"In {place} the bus reached many people who had never been registered before. The mayor of {place} announces the "
        f"visits in the newsletter of {place}, and the school of {place} lends a room in winter. {place} paid for it."
    )


def report(places: Sequence[str] = ("Graz", "Linz", "Wels", "Bludenz")) -> bytes:
    """A page for each place, with a running header and a page number; the title on the first page."""
    pdf = Pdf()
    for number, place in enumerate(places, 1):
        if number > 1:
            pdf.next_page()
        pdf.line("Mobile offices in Europe", size=9, y=HEIGHT - 40)
        pdf.y = HEIGHT - 80
        if number == 1:
            pdf.line("Village bus report", size=20)
            pdf.y -= 10
        pdf.line(f"The bus in {place}", size=14, bold=True)
        pdf.y -= 6
        pdf.paragraph(f"{place}: {BUS}")
        pdf.paragraph(results_of(place))
        pdf.line(f"Page {number} of {len(places)}", size=9, x=WIDTH / 2, y=30)
    return pdf.data()


# ── Pages, headers and reading order ────────────────────────────────────────────────────────────────────────────────


def test_text_keeps_its_page_and_running_headers_and_page_numbers_go() -> None:
    blocks = read(report(("Graz", "Linz", "Wels"))).blocks
    expected = [Block("heading", "Village bus report", 1, 1)]
    for page, place in enumerate(("Graz", "Linz", "Wels"), 1):
        expected += [
            Block("heading", f"The bus in {place}", page, 2),
            Block("paragraph", f"{place}: {BUS}", page),
            Block("paragraph", results_of(place), page),
        ]
    assert blocks == expected


def test_headers_of_odd_and_even_pages_go_both() -> None:
    pdf = Pdf()
    for number, place in enumerate(("Graz", "Linz", "Wels", "Bludenz", "Krems", "Steyr"), 1):
        if number > 1:
            pdf.next_page()
        pdf.line("Annual review" if number % 2 else "Mobile offices", size=9, y=HEIGHT - 40)
        pdf.y = HEIGHT - 80
        pdf.paragraph(f"The bus of {place} stops at the market place of {place} every week, and the mayor of {place} comes.")
        pdf.line(str(96 + number), y=30)
    found = read(pdf)
    assert len(found.blocks) == 6
    assert not {"review", "offices", "97", "102"} & set(" ".join(texts(found)).split())


def test_a_page_without_text_does_not_shift_the_numbers_of_the_others() -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    pdf.next_page()
    pdf.next_page()
    pdf.paragraph(RESULTS)
    assert [(block.page, block.text) for block in read(pdf).blocks] == [(1, BUS), (3, RESULTS)]


def test_two_columns_are_read_one_after_the_other() -> None:
    pdf = Pdf()
    pdf.line("Two columns", size=20)
    pdf.y = top = HEIGHT - 140
    pdf.paragraph(f"{BUS} {BUS}", width=40)
    pdf.y = top
    pdf.paragraph(f"{RESULTS} {RESULTS}", x=320, width=40)
    assert texts(read(pdf)) == ["Two columns", f"{BUS} {BUS}", f"{RESULTS} {RESULTS}"]


def test_what_is_drawn_last_is_read_where_it_stands() -> None:
    pdf = Pdf()
    pdf.y = HEIGHT - 200
    pdf.paragraph(RESULTS)
    pdf.y = HEIGHT - 120
    pdf.paragraph(BUS)
    pdf.line("Village bus", size=20, y=HEIGHT - 80)
    assert texts(read(pdf)) == ["Village bus", BUS, RESULTS]


def test_words_that_are_drawn_one_by_one_keep_their_spaces() -> None:
    pdf = Pdf()
    x = 72.0
    for word in ["The", "office", "is", "open."]:
        pdf.canvas.setFont("Helvetica", 11)
        pdf.canvas.drawString(x, 700, word)
        x += pdf.canvas.stringWidth(word, "Helvetica", 11) + 3
    assert texts(read(pdf)) == ["The office is open."]


def test_a_turned_page_is_read_too() -> None:
    pdf = Pdf()
    pdf.canvas.rotate(90)
    pdf.canvas.setFont("Helvetica", 11)
    for i, line in enumerate(textwrap.wrap(BUS, 80)):
        pdf.canvas.drawString(72, -100 - 14 * i, line)
    assert " ".join(texts(read(pdf))).split() == BUS.split()


def test_controls_of_a_web_page_that_was_printed_go() -> None:
    pdf = Pdf()
    pdf.line("Village bus", size=20)
    pdf.line("Share this page")
    pdf.paragraph(BUS)
    pdf.line("This website uses cookies.")
    assert [block.text for block in clean_blocks(read(pdf).blocks).blocks] == ["Village bus", BUS]


def test_a_figure_alone_on_its_line_is_no_page_number() -> None:
    pdf = Pdf()
    pdf.line("Village bus", size=20)
    pdf.line("Participants:")
    pdf.line("350")
    pdf.paragraph(BUS)
    pdf.line("1", y=30, x=WIDTH / 2)
    assert "Participants: 350" in texts(read(pdf))


# ── Paragraphs, headings, items ─────────────────────────────────────────────────────────────────────────────────────


def test_the_lines_of_a_paragraph_are_joined_and_paragraphs_are_not() -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    pdf.paragraph(RESULTS)
    assert read(pdf).blocks == [Block("paragraph", BUS, 1), Block("paragraph", RESULTS, 1)]


def test_words_broken_at_the_end_of_a_line_are_joined_as_the_document_writes_them_elsewhere() -> None:
    pdf = Pdf()
    pdf.lines(
        "Many people in the region have been without work for a long time. The un-",
        "employment of parents is high, and so are the costs of all the work-",
        "related courses. Unemployment fell when the first work-related courses",
        "began, and the advisers of the region hope that it will fall again.",
    )
    [text] = texts(read(pdf))
    assert "The unemployment of parents" in text
    assert "the work-related courses. Unemployment" in text


@pytest.mark.parametrize(
    ("evidence", "expected"), [("Unemployment and employment", "The bus began"), ("Well-known, work-related", "The bus be-gan")]
)
def test_a_broken_word_that_stands_nowhere_else_follows_the_majority(evidence: str, expected: str) -> None:
    pdf = Pdf()
    pdf.lines(
        "People in the region have been without work for long times and the un-" if "Un" in evidence else "This is well-",
        "employment of parents is high in all of the region and its many villages." if "Un" in evidence else "known here.",
        f"{evidence} are words that this text of ours is full of. The bus be-",
        "gan to stop in the villages of the region, and its advisers hope for more.",
    )
    assert expected in " ".join(texts(read(pdf)))


def test_an_address_that_is_broken_over_two_lines_is_joined() -> None:
    pdf = Pdf()
    pdf.lines("All about the bus of the region is on the page https://pes.example.org/en/", "mobile-office/index.html")
    assert texts(read(pdf)) == [
        "All about the bus of the region is on the page https://pes.example.org/en/mobile-office/index.html"
    ]


def test_larger_letters_are_headings_by_size_and_bold_lines_are_the_lowest() -> None:
    pdf = Pdf()
    pdf.line("Village bus", size=20)
    pdf.line("Results", size=14)
    pdf.paragraph(BUS)
    pdf.line("Who takes part", bold=True)
    pdf.paragraph(RESULTS)
    headings = [(block.text, block.level) for block in read(pdf).blocks if block.kind == "heading"]
    assert headings == [("Village bus", 1), ("Results", 2), ("Who takes part", 6)]


def test_a_heading_over_two_lines_is_one() -> None:
    pdf = Pdf()
    pdf.line("A long title of the report on village buses that", size=20)
    pdf.line("goes over two lines", size=20)
    pdf.y -= 10
    pdf.paragraph(BUS)
    assert of_kind(read(pdf), "heading") == ["A long title of the report on village buses that goes over two lines"]


def test_a_label_is_joined_to_the_value_below_it() -> None:
    pdf = Pdf()
    for label, value in [("Country:", "Austria"), ("Type of measure:", "Mobile office")]:
        pdf.line(label, bold=True)
        pdf.line(value)
    pdf.y -= 10
    pdf.paragraph(BUS)
    assert texts(read(pdf))[:2] == ["Country: Austria", "Type of measure: Mobile office"]


@pytest.mark.parametrize("mark", ["-", "–", "*", "•"])
def test_bulleted_lines_are_items_without_their_mark(mark: str) -> None:
    pdf = Pdf()
    pdf.lines(
        "The bus of the employment service offers these things to people in the villages:",
        f"{mark} advice for all people who look for work or for a better job in the",
        "region or elsewhere",
        f"{mark} courses",
    )
    assert of_kind(read(pdf), "item") == [
        "advice for all people who look for work or for a better job in the region or elsewhere",
        "courses",
    ]


@pytest.mark.parametrize("marks", [("1.", "2."), ("a)", "b)"), ("(1)", "(2)")])
def test_numbered_lines_are_items_with_their_number(marks: tuple[str, str]) -> None:
    pdf = Pdf()
    pdf.lines("The bus of the employment service offers these things to people in the villages:")
    pdf.lines(f"{marks[0]} advice", f"{marks[1]} courses")
    assert of_kind(read(pdf), "item") == [f"{marks[0]} advice", f"{marks[1]} courses"]


@pytest.mark.parametrize(
    ("line", "next_line"),
    [
        ("The mobile office has helped many people in the region who need", "it. The programme goes on for three years."),
        ("Das mobile Büro der Region ist für alle Menschen offen, und zwar seit", "27. April 2023 an jedem Tag der Woche."),
    ],
)
def test_a_line_that_begins_with_a_short_word_or_day_and_a_full_stop_goes_on_with_its_paragraph(
    line: str, next_line: str
) -> None:
    pdf = Pdf()
    pdf.lines(line, next_line)
    assert read(pdf).blocks == [Block("paragraph", f"{line} {next_line}", 1)]


# ── What the file says about itself ─────────────────────────────────────────────────────────────────────────────────


def small(*head: str) -> bytes:
    pdf = Pdf()
    pdf.line("Village bus report", size=20)
    pdf.lines(*head)
    pdf.y -= 10
    pdf.paragraph(BUS)
    return pdf.data()


@pytest.mark.parametrize(
    "stated",
    ["Village bus report", "Village bus report | Employment service", "Village bus report |", "Slides of 2009", ""],
)
def test_the_title_is_the_one_that_the_first_page_shows(stated: str) -> None:
    assert read(with_properties(small(), Title=stated)).fields["title"] == "Village bus report"


def test_what_stands_above_the_title_goes() -> None:
    pdf = Pdf()
    pdf.line("Ministry of Labour")
    pdf.line("Village bus report", size=20)
    pdf.paragraph(BUS)
    assert texts(read(pdf)) == ["Village bus report", BUS]


def test_a_pdf_in_letters_of_one_size_does_not_have_its_text_for_a_title() -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    title = read(with_properties(pdf.data(), Title="")).fields.get("title")
    assert title is None or len(str(title)) <= 120


def test_a_date_line_on_the_first_page_goes_before_the_day_on_which_the_file_was_made() -> None:
    data = small("Last modified: 5 May 2021")
    assert read(with_properties(data, CreationDate="D:20230427101500+02'00'")).fields["date"] == "2021-05-05"
    assert read(with_properties(small(), CreationDate="D:20230427101500+02'00'")).fields["date"] == "2023-04-27"


@pytest.mark.parametrize("created", ["D:20231399", "D:00000000000000", "D:20990101", "D:2023", "last spring", ""])
def test_a_day_of_making_that_cannot_be_is_none(created: str) -> None:
    assert not read(with_properties(small(), CreationDate=created)).fields.get("date")


# ── Encrypted, damaged, empty ───────────────────────────────────────────────────────────────────────────────────────

ALGORITHMS = ["RC4-40", "RC4-128", "AES-128", "AES-256"]


def encrypted(password: str, algorithm: str) -> bytes:
    return rewritten(small(), lambda writer: writer.encrypt(password, "owner", algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_pdf_with_a_password_is_refused(algorithm: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"^encrypted: needs a password$"):
        read(encrypted("secret", algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_pdf_that_only_forbids_changes_is_read(algorithm: str) -> None:
    assert texts(read(encrypted("", algorithm))) == ["Village bus report", BUS]


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_cut_pdf_is_damaged(part: float) -> None:
    data = report()
    with pytest.raises(UnreadableFileError, match="damaged PDF"):
        read(data[: int(part * len(data))])


def test_bytes_before_the_header_do_no_harm() -> None:
    assert texts(read(b"\r\n" * 100 + small()))[0] == "Village bus report"


@pytest.mark.parametrize("pages", [0, 1])
def test_a_pdf_without_text_is_called_a_scan(pages: int) -> None:
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(UnreadableFileError, match=r"no text found .*OCR"):
        read(buffer.getvalue())


@pytest.mark.parametrize("filter_name", ["/NoSuchFilter", "/FlateDecode"])
def test_a_page_that_cannot_be_unpacked_is_named_and_the_others_are_read(filter_name: str) -> None:
    def damage(writer: Any) -> None:
        stream = pypdf.generic.StreamObject()
        stream._data = b"no such bytes"
        stream[pypdf.generic.NameObject("/Filter")] = pypdf.generic.NameObject(filter_name)
        writer.pages[1][pypdf.generic.NameObject("/Contents")] = writer._add_object(stream)

    content = read(rewritten(report(), damage))
    assert {block.page for block in content.blocks} == {1, 3, 4}
    assert [warning.partition(" could")[0] for warning in content.warnings] == ["page 2"]
