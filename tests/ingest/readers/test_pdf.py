"""PDFs, drawn here line by line as a word processor would place them."""

import io
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import pypdf
import pytest
from PIL import Image
from pypdf.annotations import Text
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table

from pes_search.ingest.cleaning.blocks import clean_blocks
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import read_content
from pes_search.ingest.readers.pictures import ADVICE
from pes_search.ingest.types import Block, FileContent, Link

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


def test_boxes_that_are_drawn_last_and_start_a_little_further_right_are_no_column() -> None:
    """As browsers print web pages: the text first, then the boxes between its paragraphs."""
    pdf = Pdf()
    first, second = HEIGHT - 120, HEIGHT - 260
    pdf.y = first
    pdf.paragraph(f"{BUS} {BUS}", x=63, width=88)
    pdf.y = second
    pdf.paragraph(f"{RESULTS} {RESULTS}", x=63, width=88)
    pdf.y = HEIGHT - 205
    pdf.lines("Native name: Bus zur Arbeit, der in jedes Dorf fährt", "Phase: management", "Last modified in May 2021", x=69)
    found = " ".join(texts(read(pdf)))
    assert found.index(BUS) < found.index("Native name") < found.index("Last modified") < found.index(RESULTS)


def test_running_text_in_large_letters_is_no_heading() -> None:
    pdf = Pdf()
    pdf.line("Village bus", size=20)
    pdf.line("reasons for the visit of the bus to the village,", size=14)
    pdf.paragraph(BUS)
    assert of_kind(read(pdf), "heading") == ["Village bus"]


def test_a_damaged_title_of_the_outline_is_passed_over() -> None:
    def add_half_a_character(writer: pypdf.PdfWriter) -> None:
        entry = writer.add_outline_item(title="Results", page_number=0).get_object()
        entry[pypdf.generic.NameObject("/Title")] = pypdf.generic.ByteStringObject(b"\xfe\xff\xd8\x00\x00A")  # type: ignore[index]

    pdf = Pdf()
    pdf.paragraph(BUS)
    assert texts(read(rewritten(pdf.data(), add_half_a_character))) == [BUS]


def test_a_compound_that_is_broken_after_its_first_hyphen_keeps_it() -> None:
    pdf = Pdf()
    pdf.paragraph("The whole of the end-of-life cost is paid by the fund, as it was agreed with the mayors of the villages.")
    pdf.lines("In the second year of the bus the mayors paid for what the end-", "of-life cost was in the towns of the region.")
    assert "what the end-of-life cost was" in " ".join(texts(read(pdf)))


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
    ("evidence", "expected"), [("Unemployment and employment", "a floberin"), ("Well-known, work-related", "a flob-erin")]
)
def test_a_broken_word_that_no_dictionary_has_follows_the_majority(evidence: str, expected: str) -> None:
    pdf = Pdf()
    pdf.lines(
        "People in the region have been without work for long times and the un-" if "Un" in evidence else "This is well-",
        "employment of parents is high in all of the region and its many villages." if "Un" in evidence else "known here.",
        f"{evidence} are words that this text of ours is full of. It is a flob-",
        "erin that stops in the villages of the region, and its advisers hope for more.",
    )
    assert expected in " ".join(texts(read(pdf)))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (
            "Die Stadt zahlt dem Menschen, der seit langer Zeit keine Arbeits-",
            "losigkeit kennt, einen Kurs.",
            "keine Arbeitslosigkeit kennt",
        ),
        ("Der Dienst erstat-", "tet davon die Kosten aller Menschen, die einen Kurs gewählt haben.", "Dienst erstattet davon"),
        ("The service of the region has begun to be-", "gin its courses in every village of this county.", "to begin its"),
        (
            "The service of the region offers many work-",
            "related courses in every village of this county.",
            "many work-related courses",
        ),
    ],
)
def test_a_broken_word_is_mended_as_the_language_writes_it(left: str, right: str, expected: str) -> None:
    pdf = Pdf()
    pdf.lines(left, right)
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


@pytest.mark.parametrize("created", ["D:20230427101500+02'00'", "D:20231399", "D:2023", "last spring", ""])
def test_a_date_is_what_the_first_page_says_and_never_the_day_on_which_the_file_was_made(created: str) -> None:
    data = small("Last modified: 5 May 2021")
    assert read(with_properties(data, CreationDate=created)).fields["date"] == "2021-05-05"
    assert read(with_properties(small(), CreationDate=created)).fields["date"] is None


@pytest.mark.parametrize("stated", ["Microsoft Word - bus_v3.docx", "village bus report final.indd", "untitled", "Slide 1"])
def test_a_title_that_is_a_file_name_is_none(stated: str) -> None:
    assert read(with_properties(small(stated), Title=stated)).fields["title"] == "Village bus report"


def test_the_name_of_a_series_above_the_title_is_not_the_title() -> None:
    pdf = Pdf()
    pdf.line("Mobile services of Europe", size=13)
    pdf.line("Village bus report", size=20)
    pdf.paragraph(BUS)
    assert read(with_properties(pdf.data(), Title="Mobile services of Europe")).fields["title"] == "Village bus report"


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


def test_the_beginning_of_a_pdf_is_damaged() -> None:
    data = report()
    with pytest.raises(UnreadableFileError, match="damaged PDF"):
        read(data[: len(data) // 50])


def test_of_a_cut_pdf_as_much_as_there_is_is_read_and_it_is_called_damaged() -> None:
    data = report()
    content = read(data[: data.rindex(b"xref", 0, data.rindex(b"startxref"))])
    assert {block.page for block in content.blocks} == {1, 2, 3, 4}
    assert "damaged" in content.warnings[0]


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


def test_a_page_that_is_a_picture_is_called_a_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.ingest.readers.pdf_scans.is_installed", lambda: False)
    pdf = Pdf()
    pdf.paragraph(BUS)
    for _ in range(2):
        pdf.next_page()
        pdf.canvas.drawInlineImage(Image.new("L", (40, 40), 128), 72, 400, 300, 300)
    content = read(pdf)
    assert texts(content) == [BUS]
    assert content.warnings == (f"pages 2, 3 consist of pictures and no text: scanned? {ADVICE}",)


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────

HEAD = ["Year", "Riders", "Places"]
WRAPPED = "75, of whom 12 had never\nbeen to an office before"


def of_table(rows: Sequence[Sequence[str]], *style: tuple[Any, ...]) -> Pdf:
    """A table below a paragraph; cells with several lines are as reportlab sets them."""
    pdf = Pdf()
    pdf.paragraph(BUS)
    table = Table([list(row) for row in rows], style=list(style))
    _, height = table.wrap(400, 400)
    table.drawOn(pdf.canvas, 72, pdf.y - height)
    pdf.y -= height + 30
    pdf.paragraph(RESULTS)
    return pdf


GRID = ("GRID", (0, 0), (-1, -1), 0.5, "black")


@pytest.mark.parametrize(
    "style", [(GRID,), (GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")), (("VALIGN", (0, 0), (-1, -1), "TOP"),), ()]
)
def test_a_row_is_one_row_where_a_cell_has_several_lines(style: tuple[tuple[Any, ...], ...]) -> None:
    found = read(of_table([HEAD, ["2019", "60", "8"], ["2020", WRAPPED, "11"], ["2021", "90", "12"]], *style))
    assert of_kind(found, "row") == [
        "Year: 2019 | Riders: 60 | Places: 8",
        "Year: 2020 | Riders: 75, of whom 12 had never been to an office before | Places: 11",
        "Year: 2021 | Riders: 90 | Places: 12",
    ]
    assert of_kind(found, "paragraph") == [BUS, RESULTS]


def test_a_table_without_a_header_row_keeps_its_cells_in_order() -> None:
    rows = [["Graz", "market place", "Monday"], ["Linz", "town hall", "Tuesday"], ["Wels", "station", "Friday"]]
    assert of_kind(read(of_table(rows)), "row") == [" | ".join(row) for row in rows]


def test_labels_and_values_side_by_side_are_rows() -> None:
    pdf = Pdf()
    for label, value in [("Country:", "Austria"), ("Start:", "2019"), ("Type of measure:", "Mobile office")]:
        y = pdf.y
        pdf.line(label, bold=True)
        pdf.line(value, x=250, y=y)
    pdf.y -= 10
    pdf.paragraph(BUS)
    assert of_kind(read(pdf), "row") == ["Country: Austria", "Start: 2019", "Type of measure: Mobile office"]


# ── Captions, boxes, fields ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("line", ["Table 3: Riders by year", "Figure 1. Stops of the bus", "Country: Austria"])
def test_captions_and_filled_in_fields_in_bold_head_nothing(line: str) -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    pdf.line(line, bold=True)
    pdf.paragraph(RESULTS)
    found = read(pdf)
    assert of_kind(found, "heading") == []
    assert line in texts(found)


def test_the_title_of_a_chart_heads_nothing() -> None:
    pdf = Pdf()
    pdf.line("Riders of the bus", size=16)
    pdf.paragraph(BUS)
    pdf.line("Riders a year in thousands, 2011-2018", size=14, x=120)
    for figure in ("40", "30", "20", "10", "0"):
        pdf.line(figure, size=8)
    pdf.line("2011 2012 2013 2014 2015", size=8, x=120)
    pdf.y -= 12
    pdf.paragraph(RESULTS)
    assert of_kind(read(pdf), "heading") == ["Riders of the bus"]


def test_the_names_of_columns_that_are_no_table_head_nothing() -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    for text, x in (("Phases", 72), ("Date", 220), ("Description", 330)):
        pdf.line(text, bold=True, x=x)
        pdf.y += 1.3 * 11
    pdf.y -= 40
    pdf.paragraph(RESULTS)
    assert of_kind(read(pdf), "heading") == []


def test_the_heading_of_a_box_beside_the_text_does_not_head_what_follows() -> None:
    pdf = Pdf()
    pdf.line("Village bus", size=20)
    pdf.y = top = HEIGHT - 140
    pdf.paragraph(f"{BUS} {BUS}", width=55)
    bottom = pdf.y
    pdf.y = top
    pdf.line("In brief", size=14, x=400)
    pdf.paragraph("One bus stops at eleven villages in every week of the year, free of charge.", x=400, width=26)
    pdf.y = bottom
    pdf.paragraph(RESULTS)
    found = read(pdf)
    assert of_kind(found, "heading") == ["Village bus"]
    assert texts(found)[1] == f"{BUS} {BUS}"
    assert texts(found)[-1] == RESULTS


# ── Raised and lowered letters ──────────────────────────────────────────────────────────────────────────────────────


def raised(pdf: Pdf, *parts: str, rise: float = 4) -> None:
    """Draw a line of which every second part is small and raised."""
    x = 72.0
    for i, part in enumerate(parts):
        size = 7 if i % 2 else 11
        pdf.canvas.setFont("Helvetica", size)
        pdf.canvas.drawString(x, pdf.y + rise * (i % 2), part)
        x += pdf.canvas.stringWidth(part, "Helvetica", size)
    pdf.y -= 15


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("In all 4,100", "2", " riders came to the bus."), "In all 4,100 [2] riders came to the bus."),
        (("Of all riders 72", "1", " per cent found work."), "Of all riders 72 [1] per cent found work."),
        (("It has run since 2018", "3", "."), "It has run since 2018 [3]."),
        (("All riders", "4, 5", " may come again."), "All riders [4, 5] may come again."),
        (("The office has 90 m", "2", " on one floor."), "The office has 90 m² on one floor."),
        (("It has cost 3 x 10", "5", " euro."), "It has cost 3 x 10⁵ euro."),
        (("The bus came on the 1", "st", " of May."), "The bus came on the 1st of May."),
        (("", "2", " Counted by the drivers of the bus."), "[2] Counted by the drivers of the bus."),
    ],
)
def test_raised_letters_never_join_a_figure(parts: tuple[str, ...], expected: str) -> None:
    pdf = Pdf()
    raised(pdf, *parts)
    assert texts(read(pdf)) == [expected]


def test_a_fraction_is_no_note() -> None:
    pdf = Pdf()
    raised(pdf, "It is open for 2", "1", "/2 hours in every week.")
    assert texts(read(pdf)) == ["It is open for 2 1/2 hours in every week."]


def test_lowered_letters_belong_to_their_word() -> None:
    pdf = Pdf()
    raised(pdf, "The bus saves much CO", "2", " in every year.", rise=-2)
    assert texts(read(pdf)) == ["The bus saves much CO2 in every year."]


def test_an_index_that_is_drawn_after_its_line_is_read_where_it_stands() -> None:
    pdf = Pdf()
    before = "The bus saves CO"
    x = 72 + pdf.canvas.stringWidth(before, "Helvetica", 11)
    pdf.line(before)
    height = pdf.y + 1.3 * 11
    pdf.line("emissions, which 12 mayors of the region had asked for.", x=x + 7, y=height)
    pdf.line("2", size=6.5, x=x, y=height - 2)
    pdf.y = height - 15
    pdf.paragraph(RESULTS)
    assert texts(read(pdf))[0].startswith("The bus saves CO2 emissions, which 12 mayors")


def test_a_first_letter_of_another_font_does_not_make_its_line_a_heading() -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    pdf.line("É", size=13)
    pdf.line("va drives the bus to the villages every week and the mayors like", x=81, y=pdf.y + 1.3 * 13)
    pdf.line("her for that.")
    found = read(pdf)
    assert not of_kind(found, "heading")
    assert "va drives the bus to the villages every week and the mayors like her for that." in " ".join(texts(found))


# ── What pages repeat ───────────────────────────────────────────────────────────────────────────────────────────────


def test_fields_that_every_page_of_a_catalogue_has_stay() -> None:
    pdf = Pdf()
    for number, place in enumerate(["Graz", "Linz", "Wels", "Krems"]):
        if number:
            pdf.next_page()
        pdf.line(f"The bus of {place}")
        pdf.lines("Country: Austria", "Status: running", f"Start: {2015 + number}")
        pdf.paragraph(results_of(place))
    found = read(pdf)
    for page in range(1, 5):
        text = " ".join(block.text for block in found.blocks if block.page == page)
        assert f"Country: Austria Status: running Start: {2014 + page}" in text
    assert found.left_out == {}


def test_what_pages_repeat_is_counted_by_kind() -> None:
    left_out = read(report(("Graz", "Linz", "Wels"))).left_out
    assert left_out == {
        "running headers and footers": 3 * len("Mobile offices in Europe"),
        "page numbers": 3 * len("Page 1 of 3"),
    }


def test_a_page_number_within_a_running_line_goes_with_it() -> None:
    pdf = Pdf()
    for number, place in enumerate(["Graz", "Linz", "Wels"], 7):
        if number > 7:
            pdf.next_page()
        pdf.paragraph(results_of(place))
        pdf.line(f"Annual review 2019 | {number}", y=30)
    assert "Annual" not in " ".join(texts(read(pdf)))


def test_page_numbers_away_from_the_edge_go() -> None:
    pdf = Pdf()
    for number, place in enumerate(["Graz", "Linz", "Wels"], 12):
        if number > 12:
            pdf.next_page()
        for y in (760, 740, 720, 700, 680, 660):
            pdf.line(f"A line on {place} that stands at {y}", y=y)
        pdf.line(str(number), x=520, y=600)
        for y in (540, 520, 500, 480, 460, 440):
            pdf.line(f"A line on {place} that stands at {y}", y=y)
    found = read(pdf)
    assert not {"12", "13", "14"} & set(" ".join(texts(found)).split())
    assert found.left_out == {"page numbers": 6}


# ── Forms, notes, attachments, outlines ─────────────────────────────────────────────────────────────────────────────


def form() -> Pdf:
    pdf = Pdf()
    pdf.line("Fiche of a measure", size=20)
    for label, value in [("Country:", "Norway"), ("Name:", "Village bus"), ("Remarks:", "")]:
        pdf.canvas.acroForm.textfield(name=label, value=value, x=200, y=pdf.y - 5, width=250, height=16, fontSize=9)
        pdf.line(label)
    pdf.line("Open to all")
    pdf.canvas.acroForm.checkbox(name="open", checked=True, x=200, y=pdf.y + 11, size=12)
    pdf.y -= 20
    pdf.paragraph(BUS)
    return pdf


def test_form_fields_have_their_values_beside_their_labels() -> None:
    found = texts(read(form()))
    assert found[:3] == ["Fiche of a measure", "Country: Norway", "Name: Village bus"]
    assert "Remarks:" in found
    assert any("Open to all" in text and "[x]" in text for text in found)
    assert found[-1] == BUS


def test_notes_that_are_stuck_to_a_page_are_read_with_it() -> None:
    def annotate(writer: pypdf.PdfWriter) -> None:
        writer.add_annotation(0, Text(rect=(300, 700, 320, 720), text="Check this figure with Anna"))

    assert texts(read(rewritten(small(), annotate)))[-1] == "Check this figure with Anna"


def test_attachments_are_counted() -> None:
    data = rewritten(small(), lambda writer: writer.add_attachment("riders.csv", b"Graz,12" * 10))
    assert read(data).left_out == {"attachments": 70}


def test_a_line_of_the_outline_is_a_heading() -> None:
    pdf = Pdf()
    pdf.paragraph(BUS)
    pdf.line("Who takes part")
    pdf.y -= 10
    pdf.paragraph(RESULTS)
    data = rewritten(pdf.data(), lambda writer: writer.add_outline_item(title="Who takes part", page_number=0))
    assert of_kind(read(data), "heading") == ["Who takes part"]


# ── Hostile files ───────────────────────────────────────────────────────────────────────────────────────────────────


def by_hand(kids: str, count: int, *more: str, catalogue: str = "") -> bytes:
    """A PDF of objects: 1 the catalogue, 2 the tree of pages, 3 a page, 4 its content, 5 a font, from 6 on `more`."""
    content = "BT /F1 12 Tf 72 700 Td (The bus stops here every week.) Tj ET"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalogue} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *more,
    ]
    data, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(places) + 1} /Root 1 0 R >>\n"
    return data + f"{end}startxref\n{len(data)}\n%%EOF".encode()


STOPS = "The bus stops here every week."


def test_a_page_that_is_listed_many_times_is_read_once() -> None:
    content = read(by_hand("3 0 R " * 20_000, 20_000))
    assert content.blocks == [Block("paragraph", STOPS, 1)]
    assert content.warnings == ("19999 of the 20000 pages are others again, and are read once",)


def test_a_tree_of_pages_that_lists_itself_ends() -> None:
    assert texts(read(by_hand("3 0 R 2 0 R", 2))) == [STOPS]


def test_a_deep_tree_of_pages_is_read() -> None:
    depth = 3_000
    nodes = [f"<< /Type /Pages /Count 1 /Kids [{7 + i if i < depth - 1 else 3} 0 R] >>" for i in range(depth)]
    content = read(by_hand("6 0 R", 1, *nodes))
    assert texts(content) == [STOPS]


def test_an_outline_in_a_circle_ends() -> None:
    circle = ["<< /First 7 0 R /Last 7 0 R >>", "<< /Title (Bus) /Next 7 0 R /First 6 0 R /Parent 6 0 R >>"]
    assert texts(read(by_hand("3 0 R", 1, *circle, catalogue="/Outlines 6 0 R"))) == [STOPS]


def test_links_are_kept_with_the_letters_that_they_lie_over() -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.setFont("Helvetica", 10)
    canvas.drawString(50, 700, "See")
    canvas.drawString(80, 700, "the old bus")
    canvas.linkURL("https://pes.example.org/bus", (78, 695, 140, 712))
    canvas.linkAbsolute("", "there", (40, 695, 60, 712))
    canvas.bookmarkPage("there")
    canvas.save()
    content = read_content(buffer.getvalue(), "a.pdf")
    assert content.links == (Link("https://pes.example.org/bus", "the old bus"),)
