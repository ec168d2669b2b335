"""Workbooks and comma-separated values: rows, lists of practices, what is hidden, how figures are shown."""

import datetime
import io
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook

from pes_search.ingest.documents import read_documents
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import csv, sheets, xlsx
from pes_search.ingest.readers.sheets import Sheet, content_of
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import FileContent

STORY = "A bus with two counsellors stops at the market place of every village, once a week, and takes the coffee along."


def saved(workbook: Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def texts(content: FileContent) -> list[str]:
    return [block.text for block in content.blocks]


def test_a_table_becomes_rows_with_the_names_of_their_columns_however_many() -> None:
    names = [f"Column {letter}" for letter in "ABCDEFGH"]
    content = content_of([Sheet("Figures", [names, [*"12345678"], ["", *"2345678"]])])
    assert texts(content) == [
        "Figures",
        " | ".join(f"Column {letter}: {number}" for letter, number in zip("ABCDEFGH", "12345678", strict=True)),
        " | ".join(f"Column {letter}: {number}" for letter, number in zip("BCDEFGH", "2345678", strict=True)),
    ]
    assert [block.kind for block in content.blocks] == ["heading", "row", "row"]


def test_what_stands_above_a_table_is_text_and_blank_rows_part_tables() -> None:
    rows = [["Report of 2023"], [], ["Office", "Clients"], ["Ghent", "412"], [], ["Contact", "Anna Berg"]]
    assert texts(content_of([Sheet("", rows)])) == ["Report of 2023", "Office: Ghent | Clients: 412", "Contact: Anna Berg"]


def test_a_list_of_practices_is_a_document_a_row(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Titel", "Land", "Laufzeit", "Beschreibung"])
    workbook.active.append(["Mobiles Büro", "Österreich", "2019–2021", STORY * 2])
    workbook.active.append(["Jobclub", "Spanien", "2020", STORY])
    (tmp_path / "liste.xlsx").write_bytes(saved(workbook))
    read = read_documents(SourceFile(tmp_path / "liste.xlsx", "x/liste.xlsx"))
    first, second = (one.document for one in read)
    assert (first.title, first.countries, first.year, first.end_year, first.kind) == (
        "Mobiles Büro",
        ("AT",),
        2019,
        2021,
        "practice",
    )
    assert (second.title, second.countries, second.year) == ("Jobclub", ("ES",), 2020)
    assert (first.path, first.media_type) == ("x/liste.xlsx#Mobiles Büro", second.media_type)
    assert len({first.id, second.id, first.sha256, second.sha256}) == 4
    assert [block.text for block in read[0].blocks][-2:] == ["Beschreibung", STORY * 2]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (["Office", "Country", "Year"], "no column names a practice"),
        (["Name", "Phone", "Room"], "a list of people: no other label is a practice's, and nothing tells a story"),
    ],
)
def test_other_tables_are_no_lists_of_practices(header: list[str], why: str) -> None:
    content = content_of([Sheet("", [header, ["A", "BE", "2019"], ["B", "AT", "2020"]])])
    assert content.inside == (), why
    assert len(content.blocks) == 2


def test_rows_of_one_name_stay_apart() -> None:
    rows = [["Name", "Country", "Start"], *([name, "BE", "2019"] for name in ["Job club", *"ABCDEFGHIJ", "Job club"])]
    names = [inside.name for inside in content_of([Sheet("", rows)]).inside]
    assert names[0] == "Job club"
    assert names[-1] == "Job club 2"


def test_a_form_is_labels_and_values_though_some_are_figures() -> None:
    rows = [["Title", "Buses"], ["Country", "Cyprus"], ["Start", "2018"]]
    assert texts(content_of([Sheet("Fiche", rows)])) == ["Fiche", "Title: Buses", "Country: Cyprus", "Start: 2018"]


def test_data_without_a_header_gets_none_from_a_row_of_words() -> None:
    rows = [["North", "12", "13"], ["Vienna", "none", "unknown"], ["South", "4", "5"]]
    assert texts(content_of([Sheet("S", rows)])) == ["S", "North | 12 | 13", "Vienna | none | unknown", "South | 4 | 5"]


def test_rows_of_years_are_data() -> None:
    rows = [["Belgium", "2019", "2021"], ["Austria", "2018", "2020"]]
    assert texts(content_of([Sheet("S", rows)])) == ["S", "Belgium | 2019 | 2021", "Austria | 2018 | 2020"]


def test_two_columns_are_labels_and_values_unless_most_are_figures() -> None:
    rows = [["Budget", "4 million"], ["Staff", "12"], ["Location", "Ghent"]]
    assert texts(content_of([Sheet("S", rows)])) == ["S", "Budget: 4 million", "Staff: 12", "Location: Ghent"]
    rows = [["Office", "People"], ["North", "12"], ["South", "13"]]
    assert texts(content_of([Sheet("S", rows)])) == ["S", "Office: North | People: 12", "Office: South | People: 13"]


def test_a_note_below_a_list_is_no_practice() -> None:
    rows = [
        ["Practice", "Country", "Period"],
        ["Buses", "Austria", "2020"],
        ["Vouchers", "Malta", "2021"],
        ["Source: the office"],
    ]
    content = content_of([Sheet("S", rows)])
    assert [inside.name for inside in content.inside] == ["Buses", "Vouchers"]


def test_a_note_below_a_table_is_text_and_years_are_names() -> None:
    rows = [["", "2021", "2022"], ["Women", "12", "13"], ["Source: the office"]]
    assert texts(content_of([Sheet("S", rows)])) == ["S", "Women | 2021: 12 | 2022: 13", "Source: the office"]


def test_a_workbook_shows_figures_as_it_formats_them_and_nothing_hidden() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Figures"
    for value, number_format in [
        (0.25, "0%"), (0.1234, "0.0%"), (12500, "#,##0"), (12500.5, '#,##0.00 "€"'), (3, "General"), (0.1 + 0.2, "General"),
        (datetime.date(2019, 5, 1), "dd/mm/yyyy"), (1500, "[$€-2] #,##0"), (True, "General"),
    ]:  # fmt: skip
        sheet.append([f"Value {sheet.max_row}", value])
        sheet.cell(sheet.max_row, 2).number_format = number_format
    sheet.append(["Secret", "of the row"])
    sheet.row_dimensions[sheet.max_row].hidden = True
    sheet.cell(1, 3, "Secret of the column")
    sheet.column_dimensions["C"].hidden = True
    workbook.create_sheet("Hidden").append(["Secret of the sheet"])
    workbook["Hidden"].sheet_state = "hidden"
    content = xlsx.read(saved(workbook))
    assert [text.split(": ")[-1] for text in texts(content)[1:]] == [
        "25%", "12.3%", "12,500", "12,500.50 €", "3", "0.3", "2019-05-01", "€1,500", "True",
    ]  # fmt: skip
    assert "Secret" not in str(content.blocks)
    assert content.left_out["hidden cells"] >= len("Secret of the column") + len("Secret of the sheet")


def test_a_cell_that_spans_rows_is_told_in_each() -> None:
    workbook = openpyxl.Workbook()
    for row in (["Country", "Office", "Clients"], ["Belgium", "Ghent", 3], [None, "Liège", 4]):
        workbook.active.append(row)
    workbook.active.merge_cells("A2:A3")
    assert texts(xlsx.read(saved(workbook)))[1:] == [
        "Country: Belgium | Office: Ghent | Clients: 3",
        "Country: Belgium | Office: Liège | Clients: 4",
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_values_are_parted_by_what_parts_them_in_any_encoding(separator: str, encoding: str) -> None:
    rows = [["Büro", "Kunden", "Anteil"], ["Köln", "412", "3 %"], ['"Süd"', "7", "größer"]]
    text = "\n".join(separator.join(f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in row) for row in rows)
    assert texts(csv.read(text.encode(encoding))) == [
        "Büro: Köln | Kunden: 412 | Anteil: 3 %",
        'Büro: "Süd" | Kunden: 7 | Anteil: größer',
    ]


def test_a_sheet_of_too_many_cells_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_CELLS", 3)
    with pytest.raises(UnreadableFileError, match="hand in parts"):
        csv.read(b"a,b\nc,d\n")
