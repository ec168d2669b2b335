"""Word documents."""

import io
import zipfile
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from pes_search.ingest.cleaning.blocks import clean_blocks
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import read_content
from pes_search.ingest.readers.docx import read
from pes_search.ingest.types import Block


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def texts(document: Any) -> list[str]:
    return [block.text for block in clean_blocks(read(saved(document)).blocks).blocks]


def table(document: Any, *rows: tuple[str, ...]) -> Any:
    made = document.add_table(rows=len(rows), cols=len(rows[0]))
    for row, cells in zip(made.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    return made


def changed(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """Return the file with a part of it changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, content.replace(old, new) if entry.filename == part else content)
    return buffer.getvalue()


def test_headings_paragraphs_items_and_rows_come_in_reading_order() -> None:
    document = docx.Document()
    document.add_heading("Village bus", 0)
    document.add_paragraph("It stops  every week.")
    document.add_heading("Results", 1)
    document.add_paragraph("Four hundred people", style="List Bullet")
    document.add_paragraph("Six villages", style="List Number")
    document.add_heading("Costs", 2)
    table(document, ("Country:", "Austria"), ("Start", "2021"))
    document.add_paragraph("")
    document.add_paragraph("The end.")
    assert clean_blocks(read(saved(document)).blocks).blocks == [
        Block("heading", "Village bus", level=1),
        Block("paragraph", "It stops every week."),
        Block("heading", "Results", level=1),
        Block("item", "Four hundred people"),
        Block("item", "Six villages"),
        Block("heading", "Costs", level=2),
        Block("row", "Country: Austria"),
        Block("row", "Start: 2021"),
        Block("paragraph", "The end."),
    ]


def test_running_headers_and_footers_are_no_text() -> None:
    document = docx.Document()
    document.add_paragraph("It stops every week.")
    document.sections[0].header.paragraphs[0].text = "Employment service"
    document.sections[0].footer.paragraphs[0].text = "Page 1"
    assert texts(document) == ["It stops every week."]


def test_the_title_is_the_stated_one_or_the_first_heading() -> None:
    document = docx.Document()
    document.add_paragraph("Ministry")
    document.add_heading("Village bus", 1)
    assert read(saved(document)).fields["title"] == "Village bus"
    document.core_properties.title = "The bus \u00ad of the villages"
    assert clean_text(str(read(saved(document)).fields["title"])) == "The bus of the villages"


def test_a_document_without_headings_states_no_title() -> None:
    document = docx.Document()
    document.add_paragraph("It stops every week.")
    assert "title" not in read(saved(document)).fields


def test_a_date_line_in_the_head_is_the_date() -> None:
    document = docx.Document()
    document.add_heading("Village bus", 0)
    document.add_paragraph("Published: 27 April 2023")
    document.add_paragraph("It stops every week.")
    assert read(saved(document)).fields.get("date") == "2023-04-27"


def test_a_cell_over_several_columns_is_told_once_and_a_table_in_a_cell_too() -> None:
    document = docx.Document()
    made = table(document, ("", "", ""), ("2021", "80", "12"))
    made.cell(0, 0).merge(made.cell(0, 2)).text = "Costs of the bus"
    inner = made.cell(1, 2).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "fuel", "7"
    assert texts(document) == ["Costs of the bus", "2021 | 80 | 12 fuel: 7"]


def test_line_breaks_and_tabs_are_spaces() -> None:
    document = docx.Document()
    run = document.add_paragraph("one").add_run()
    run.add_break()
    run.add_text("two")
    run.add_tab()
    run.add_text("three")
    assert texts(document) == ["one two three"]


def run_xml(text: str, tag: str = "w:t") -> str:
    return f"<w:r><{tag}>{text}</{tag}></w:r>"


@pytest.mark.parametrize(
    "xml",
    [
        f"<w:hyperlink {nsdecls('w')}>{run_xml('open')}</w:hyperlink>",
        f'<w:ins {nsdecls("w")} w:id="1" w:author="A">{run_xml("open")}</w:ins>',
        f'<w:fldSimple {nsdecls("w")} w:instr="REF x">{run_xml("open")}</w:fldSimple>',
        f"<w:smartTag {nsdecls('w')}>{run_xml('open')}</w:smartTag>",
        f"<w:sdt {nsdecls('w')}><w:sdtContent>{run_xml('open')}</w:sdtContent></w:sdt>",
    ],
    ids=["link", "tracked insertion", "field", "smart tag", "content control"],
)
def test_words_in_links_changes_fields_and_controls_are_text(xml: str) -> None:
    document = docx.Document()
    document.add_paragraph("The bus is ")._p.append(parse_xml(xml))
    assert texts(document) == ["The bus is open"]


def test_words_that_were_deleted_with_changes_tracked_are_no_text() -> None:
    document = docx.Document()
    xml = f'<w:del {nsdecls("w")} w:id="1" w:author="A">{run_xml("shut", "w:delText")}</w:del>'
    document.add_paragraph("The bus is open")._p.append(parse_xml(xml))
    assert texts(document) == ["The bus is open"]


def test_paragraphs_in_a_content_control_are_text() -> None:
    """Templates of forms put whole answers into such controls."""
    document = docx.Document()
    document.add_paragraph("Before")
    control = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p>{run_xml('Inside')}</w:p></w:sdtContent></w:sdt>"
    document.element.body.insert(1, parse_xml(control))
    document.add_paragraph("After")
    assert texts(document) == ["Before", "Inside", "After"]


def test_a_text_box_is_read_once() -> None:
    document = docx.Document()
    spaces = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    box = f"<w:txbxContent><w:p>{run_xml('In the box')}</w:p></w:txbxContent>"
    xml = (
        f"<w:r {nsdecls('w')} {spaces}><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>{box}</wps:txbx>"
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    document.add_paragraph("Beside the box")._p.append(parse_xml(xml))
    assert texts(document) == ["Beside the box", "In the box"]


# ── Files that are no Word documents ────────────────────────────────────────────────────────────────────────────────


def test_an_empty_document_has_no_text() -> None:
    with pytest.raises(UnreadableFileError, match="no text found"):
        read_content(saved(docx.Document()), "a.docx")


def test_a_cut_file_is_damaged() -> None:
    data = saved(docx.Document())
    with pytest.raises(UnreadableFileError, match="damaged or no Word document"):
        read_content(data[: len(data) // 2], "a.docx")


def test_broken_xml_is_damaged() -> None:
    data = changed(saved(docx.Document()), "word/document.xml", b"</w:body>", b"")
    with pytest.raises(UnreadableFileError, match="damaged or no Word document"):
        read_content(data, "a.docx")


def test_slides_under_the_name_of_a_word_document_are_told_in_words_that_stay_the_same() -> None:
    data = changed(
        saved(docx.Document()), "[Content_Types].xml", b"wordprocessingml.document.main", b"presentationml.slides.main"
    )
    with pytest.raises(UnreadableFileError, match="no Word document") as caught:
        read_content(data, "a.docx")
    assert " object at 0x" not in str(caught.value)  # an address in memory differs from run to run


def test_the_strict_variant_is_named_with_what_to_do() -> None:
    data = changed(
        saved(docx.Document()),
        "_rels/.rels",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
    )
    with pytest.raises(UnreadableFileError, match=r"Strict Open XML.* save it as an ordinary Word document"):
        read_content(data, "a.docx")


def test_an_archive_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("word/x.xml", "w") as part,
    ):
        for _ in range(501):
            part.write(bytes(1_000_000))
    assert len(buffer.getvalue()) < 5_000_000
    with pytest.raises(UnreadableFileError, match="too large: unpacks to more than 500 MB"):
        read_content(buffer.getvalue(), "a.docx")
