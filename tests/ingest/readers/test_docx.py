"""Word documents."""

import io
import time
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
from pes_search.ingest.types import Block, Link


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
        Block("item", "1. Six villages"),
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


SPACES = (
    f'{nsdecls("w", "m")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)


def file_of(body: str, **parts: str) -> bytes:
    """Return a file with this XML in its body; the names of parts stand for those of `word/`."""
    data = saved(docx.Document())
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content: bytes | str = source.read(entry)
            if entry.filename == "word/document.xml":
                content = f"<w:document {SPACES}><w:body>{body}</w:body></w:document>"
            elif entry.filename == "word/_rels/document.xml.rels":
                kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
                added = "".join(f'<Relationship Id="n{name}" Type="{kinds}/{name}" Target="{name}.xml"/>' for name in parts)
                content = content.replace(b"</Relationships>", f"{added}</Relationships>".encode())
            if entry.filename.removeprefix("word/").removesuffix(".xml") not in parts:
                target.writestr(entry.filename, content)
        for name, xml in parts.items():
            target.writestr(f"word/{name}.xml", xml)
    return buffer.getvalue()


def body_blocks(body: str, **parts: str) -> list[Block]:
    return clean_blocks(read(file_of(body, **parts)).blocks).blocks


def body_texts(body: str, **parts: str) -> list[str]:
    return [block.text for block in body_blocks(body, **parts)]


def left_out(body: str, **parts: str) -> dict[str, int]:
    return dict(read(file_of(body, **parts)).left_out)


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*parts: str, properties: str = "") -> str:
    """Return a paragraph of runs; a part without markup is a run's text."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(part if '<' in part else run(part) for part in parts)}</w:p>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def row(*cells: str, properties: str = "") -> str:
    """Return a row; a cell without markup is its text."""
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(part if '<' in part else cell(part) for part in cells)}</w:tr>"


def control(content: str, properties: str = "") -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


# ── Raised text, formulas and signs ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "raised", "after", "expected"),
    [
        ("It reached 4,150", "3", " women", "It reached 4,150[3] women"),
        ("in 2021", "12", ".", "in 2021[12]."),
        ("all pupils", "4", " came", "all pupils[4] came"),
        ("all pupils", "4,5", " came", "all pupils[4,5] came"),
        ("of 87%", "(2)", "", "of 87%[2]"),
        ("It cost 10", "6", " euro", "It cost 10⁶ euro"),
        ("5 · 10", "-3", " mm", "5 · 10⁻³ mm"),
        ("a hall of 90 m", "2", "", "a hall of 90 m²"),
        ("90 km", "2", "", "90 km²"),
        ("CO", "2", "", "CO²"),
        ("the 21", "st", " bus", "the 21st bus"),
        ("M", "me", " Roux", "Mme Roux"),
        ("530", "*", " people", "530* people"),
        ("1,530", "a", " people", "1,530[a] people"),
        ("", "1", " Without trainees", "[1] Without trainees"),
        ("price 19", "1999", "", "price 19 1999"),
    ],
)
def test_what_is_raised_joins_no_figure(before: str, raised: str, after: str, expected: str) -> None:
    xml = paragraph(run(before), run(raised, '<w:vertAlign w:val="superscript"/>'), run(after))
    assert body_texts(xml) == [expected]


@pytest.mark.parametrize(
    ("before", "lowered", "expected"), [("CO", "2", "CO₂"), ("x", "max", "xmax"), ("530", "1", "530[1]"), ("CO", "2e", "CO₂e")]
)
def test_what_is_lowered_joins_no_figure(before: str, lowered: str, expected: str) -> None:
    assert body_texts(paragraph(run(before), run(lowered, '<w:vertAlign w:val="subscript"/>'))) == [expected]


def test_a_style_and_a_position_raise_text_too() -> None:
    styles = (
        f"<w:styles {SPACES}><w:style w:type='character' w:styleId='Mark'><w:rPr><w:vertAlign w:val='superscript'/></w:rPr>"
        "</w:style></w:styles>"
    )
    by_style = paragraph("530", run("2", '<w:rStyle w:val="Mark"/>'), " people")
    by_position = paragraph("530", run("2", '<w:position w:val="8"/>'), " people")
    level_again = paragraph("53", run("0", '<w:rStyle w:val="Mark"/><w:vertAlign w:val="baseline"/>'), " people")
    assert body_texts(by_style + by_position + level_again, styles=styles) == ["530[2] people"] * 2 + ["530 people"]


def test_a_heading_loses_its_notes_mark_and_keeps_its_powers() -> None:
    raised = run("2", '<w:vertAlign w:val="superscript"/>')
    (block,) = body_blocks(paragraph("Costs of 90 m", raised, " a day", raised, properties='<w:outlineLvl w:val="0"/>'))
    assert block == Block("heading", "Costs of 90 m² a day", level=1)


def test_a_paragraph_that_is_raised_as_a_whole_is_plain_text() -> None:
    assert body_texts(paragraph(run("530", '<w:vertAlign w:val="superscript"/>'))) == ["530"]


def test_a_typed_fraction_keeps_its_slash_and_its_distance() -> None:
    above, below = run("1", '<w:vertAlign w:val="superscript"/>'), run("2", '<w:vertAlign w:val="subscript"/>')
    assert body_texts(paragraph("lasts 3", above, "⁄", below, " weeks")) == ["lasts 3 1/2 weeks"]


def math(*parts: str) -> str:
    return f"<m:oMath>{''.join(part if '<' in part else f'<m:r><m:t>{part}</m:t></m:r>' for part in parts)}</m:oMath>"


def of_math(name: str, **parts: str) -> str:
    """Return a formula's structure; parts are texts by their names."""
    inner = "".join(f"<m:{part}><m:r><m:t>{text}</m:t></m:r></m:{part}>" for part, text in parts.items())
    return f"<m:{name}>{inner}</m:{name}>"


SUM = '<m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>'


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (math(of_math("f", num="187", den="250")), "187/250"),
        (math(of_math("f", num="a+b", den="c")), "(a+b)/c"),
        (math("3", of_math("f", num="1", den="2")), "3 1/2"),
        (math(of_math("sSup", e="10", sup="6")), "10⁶"),
        (math(of_math("sSup", e="x", sup="a+1")), "x^(a+1)"),
        (math(of_math("sSub", e="CO", sub="2")), "CO₂"),
        (math(of_math("sSubSup", e="x", sub="1", sup="2")), "x₁²"),
        (math(of_math("rad", e="16")), "√16"),
        (math(of_math("rad", deg="3", e="a+b")), "³√(a+b)"),
        (math(of_math("d", e="a+b")), "(a+b)"),
        (math(of_math("nary", sub="i=1", sup="n", e="x").replace("<m:sub>", SUM, 1)), "∑_(i=1)ⁿ x"),
        (math(of_math("func", fName="log", e="x")), "log x"),
        (f"<m:oMathPara>{math('a=b')}{math('c=d')}</m:oMathPara>", "a=b c=d"),
    ],
)
def test_a_formula_is_one_line_of_text(formula: str, expected: str) -> None:
    assert body_texts(paragraph(formula)) == [expected]


def test_a_fraction_beside_a_figure_stays_apart() -> None:
    half = math(of_math("f", num="1", den="2"))
    assert body_texts(paragraph("It lasts 2", half, "8 weeks")) == ["It lasts 2 1/2 8 weeks"]


@pytest.mark.parametrize(
    ("font", "code", "expected"),
    [
        ("Symbol", "F0A3", "≤"),
        ("Symbol", "B3", "≥"),
        ("Symbol", "F061", "α"),
        ("Wingdings", "F0FC", "✓"),
        ("Wingdings", "F0E0", "→"),
        ("Wingdings 2", "F050", "✓"),
        ("Arial", "2265", "≥"),
        ("Wingdings", "F0FF", ""),  # a maker's logo
    ],
)
def test_signs_of_symbol_fonts_are_characters(font: str, code: str, expected: str) -> None:
    sign = f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'
    assert body_texts(paragraph("at", sign, "80")) == [f"at{expected}80"]


def test_text_typed_in_a_symbol_font_is_what_it_shows() -> None:
    font = '<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>'
    assert body_texts(paragraph("at ", run("\uf0b3", font), " 80 or ", run("³", font), " 90")) == ["at ≥ 80 or ≥ 90"]


def test_soft_hyphens_go_and_hard_ones_stay() -> None:
    soft, hard = "<w:r><w:softHyphen/></w:r>", "<w:r><w:noBreakHyphen/></w:r>"
    assert body_texts(paragraph("train", soft, "ing of on", hard, "the", hard, "job kind")) == ["training of on-the-job kind"]


# ── What is hidden or deleted ───────────────────────────────────────────────────────────────────────────────────────

HIDING = (
    f"<w:styles {SPACES}>"
    "<w:style w:type='paragraph' w:styleId='Remark'><w:rPr><w:vanish/></w:rPr></w:style>"
    "<w:style w:type='paragraph' w:styleId='Note'><w:basedOn w:val='Remark'/></w:style>"
    "<w:style w:type='character' w:styleId='Secret'><w:rPr><w:vanish/></w:rPr></w:style></w:styles>"
)


@pytest.mark.parametrize(
    "hidden",
    [
        paragraph(run("secret", "<w:vanish/>")),
        paragraph("secret", properties='<w:pStyle w:val="Remark"/>'),
        paragraph("secret", properties='<w:pStyle w:val="Note"/>'),
        paragraph(run("secret", '<w:rStyle w:val="Secret"/>')),
        f"<w:tbl>{row('secret', properties='<w:hidden/>')}</w:tbl>",
    ],
    ids=["run", "paragraph style", "inherited", "character style", "row"],
)
def test_hidden_text_is_left_out_and_counted(hidden: str) -> None:
    body = paragraph("Open") + hidden
    assert body_texts(body, styles=HIDING) == ["Open"]
    assert left_out(body, styles=HIDING) == {"hidden text": len("secret")}


def test_a_hidden_style_may_be_shown_again() -> None:
    shown = run("shown", '<w:vanish w:val="0"/>')
    both = run(" and back", '<w:rStyle w:val="Secret"/>')  # hidden twice is shown
    assert body_texts(paragraph(shown, both, properties='<w:pStyle w:val="Remark"/>'), styles=HIDING) == ["shown and back"]


@pytest.mark.parametrize("mark", ["<w:vanish/>", '<w:del w:id="1" w:author="A"/>'])
def test_a_paragraph_whose_end_is_gone_goes_on_in_the_next(mark: str) -> None:
    first = paragraph("The bus ", properties=f"<w:rPr>{mark}</w:rPr>")
    assert body_texts(first + paragraph("is open.")) == ["The bus is open."]
    assert body_texts(first) == ["The bus"]


@pytest.mark.parametrize(
    "deleted",
    [
        paragraph("Open", '<w:del w:id="1"><w:r><w:delText>shut</w:delText></w:r></w:del>'),
        paragraph("Open", f'<w:moveFrom w:id="1">{run("shut")}</w:moveFrom>'),
        paragraph("Open") + f"<w:tbl>{row('shut', properties='<w:del/>')}</w:tbl>",
        f"<w:tbl>{row('Open', cell('shut', '<w:cellDel/>'))}</w:tbl>",
    ],
    ids=["run", "moved", "row", "cell"],
)
def test_deleted_text_is_left_out_and_counted(deleted: str) -> None:
    assert body_texts(deleted) == ["Open"]
    assert left_out(deleted) == {"deleted text": len("shut")}


def test_moved_text_stands_where_it_went() -> None:
    moved = f'<w:moveTo w:id="1">{run("open")}</w:moveTo>'
    assert body_texts(paragraph("The bus is ", moved)) == ["The bus is open"]


def test_comments_headers_and_footers_are_left_out_and_counted() -> None:
    comments = f"<w:comments {SPACES}><w:comment w:id='0'>{paragraph('Is that so?')}</w:comment></w:comments>"
    header = f"<w:hdr {SPACES}>{paragraph('Page head')}</w:hdr>"
    body = paragraph("Open", '<w:r><w:commentReference w:id="0"/></w:r>')
    assert body_texts(body, comments=comments, header=header) == ["Open"]
    expected = {"headers and footers": len("Page head"), "comments": len("Is that so?")}
    assert left_out(body, comments=comments, header=header) == expected


# ── Fields and controls ─────────────────────────────────────────────────────────────────────────────────────────────


def field(instruction: str, result: str | None, inner: str = "") -> str:
    sign = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    shown = "" if result is None else sign.format("separate") + run(result)
    return f"{sign.format('begin')}<w:r><w:instrText>{instruction}</w:instrText></w:r>{inner}{shown}{sign.format('end')}"


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (field("REF bus", "open"), "It is open"),
        (field("IF ", "open", inner=field("REF day", "Monday")), "It is open"),
        (field("XE bus", None), "It is"),
        (field('SYMBOL 179 \\f "Symbol"', None), "It is ≥"),
        (field("EQ \\f(187;250)", None), "It is 187/250"),
        ('<w:r><w:fldChar w:fldCharType="begin"/></w:r>', "It is"),  # without an end
    ],
    ids=["result", "field in an instruction", "no result", "sign", "fraction", "no end"],
)
def test_a_fields_result_is_shown_and_its_instruction_is_not(xml: str, expected: str) -> None:
    assert body_texts(paragraph("It is ", xml) + paragraph("Next")) == [expected, "Next"]


def test_values_of_old_forms_are_text() -> None:
    choice = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="no"/><w:listEntry w:val="yes"/></w:ddList>'
    box = "<w:checkBox><w:checked/></w:checkBox>"
    signs = [f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>' for data in (choice, box)]
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    assert body_texts(paragraph("Open: ", signs[0], end, " ", signs[1], end)) == ["Open: yes ☒"]


def test_prompts_of_empty_controls_are_left_out_and_counted() -> None:
    body = paragraph("City: ", control(run("Click here"), "<w:showingPlcHdr/><w:text/>"))
    assert body_texts(body) == ["City:"]
    assert left_out(body) == {"prompts of empty form fields": len("Click here")}


BINDING = '<w:dataBinding w:prefixMappings="xmlns:f=\'urn:form\'" w:xpath="/f:form[1]/f:city[1]" w:storeItemID="{A-1}"/>'


def with_store(data: bytes, xml: str) -> bytes:
    """Return the file with a part whose values its controls may show."""
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006"
    related = f'<Relationship Id="s1" Type="{kinds}/relationships/customXml" Target="../customXml/item9.xml"/>'
    data = changed(data, "word/_rels/document.xml.rels", b"</Relationships>", f"{related}</Relationships>".encode())
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("customXml/item9.xml", xml)
        archive.writestr("customXml/itemProps9.xml", f'<p:datastoreItem xmlns:p="{kinds}/customXml" p:itemID="{{A-1}}"/>')
        relation = f'<Relationship Id="p" Type="{kinds}/relationships/customXmlProps" Target="itemProps9.xml"/>'
        space = "http://schemas.openxmlformats.org/package/2006/relationships"
        archive.writestr("customXml/_rels/item9.xml.rels", f'<Relationships xmlns="{space}">{relation}</Relationships>')
    return buffer.getvalue()


@pytest.mark.parametrize(
    "shown",
    [
        paragraph("City: ", control(run("Click here"), f"<w:showingPlcHdr/>{BINDING}<w:text/>")),
        paragraph("City: ", control(run("Graz") + run(" old"), f"{BINDING}<w:text/>")),
        paragraph("City: ", control("", BINDING)),
        control(paragraph("City: ", control(run("Graz"), f"{BINDING}<w:text/>"))),
        f"<w:tbl><w:tr>{cell('City')}{control(cell('Graz'), f'{BINDING}<w:text/>')}</w:tr></w:tbl>",
    ],
    ids=["prompt", "another text", "empty", "within a block", "cell"],
)
def test_a_control_shows_the_value_that_it_is_bound_to(shown: str) -> None:
    data = with_store(file_of(shown), "<form xmlns='urn:form'><city>Linz</city><city>Wels</city></form>")
    assert [clean_text(block.text) for block in read(data).blocks] == ["City: Linz"]


def test_a_list_shows_the_words_for_its_value_and_a_date_stays_as_written() -> None:
    choices = '<w:dropDownList><w:listItem w:displayText="The town of Linz" w:value="Linz"/></w:dropDownList>'
    body = paragraph(control(run("?"), BINDING + choices)) + paragraph(control(run("1 May"), f"{BINDING}<w:date/>"))
    data = with_store(file_of(body), "<form xmlns='urn:form'><city>Linz</city></form>")
    assert [block.text for block in read(data).blocks] == ["The town of Linz", "1 May"]


# ── Headings and lists ──────────────────────────────────────────────────────────────────────────────────────────────


def style(style_id: str, name: str, inner: str = "") -> str:
    return f'<w:style w:type="paragraph" w:styleId="{style_id}"><w:name w:val="{name}"/>{inner}</w:style>'


@pytest.mark.parametrize(
    ("styles", "expected"),
    [
        (style("x", "heading 2"), 2),
        (style("x", "Überschrift 2"), 2),
        (style("x", "Nadpis 3"), 3),
        (style("x", "House head", '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>'), 2),
        (
            style("x", "House head", '<w:basedOn w:val="y"/>')
            + style("y", "Mid", '<w:basedOn w:val="z"/>')
            + style("z", "heading 1"),
            1,
        ),
        (style("x", "heading 9"), 6),
        (style("x", "Contents", '<w:basedOn w:val="z"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr>') + style("z", "heading 1"), 0),
        (style("x", "a", '<w:basedOn w:val="y"/>') + style("y", "b", '<w:basedOn w:val="x"/>'), 0),
        ("", 0),
    ],
    ids=["name", "German", "Czech", "outline", "inherited", "ninth level", "body by outline", "circle", "unknown"],
)
def test_a_heading_is_known_by_its_style(styles: str, expected: int) -> None:
    body = paragraph("Costs", properties='<w:pStyle w:val="x"/>')
    (block,) = body_blocks(body, styles=f"<w:styles {SPACES}>{styles}</w:styles>")
    assert (block.kind, block.level) == ("heading" if expected else "paragraph", expected)


def test_a_paragraph_states_its_own_outline_level() -> None:
    styles = f"<w:styles {SPACES}>{style('h', 'heading 1')}</w:styles>"
    heading = paragraph("Costs", properties='<w:outlineLvl w:val="2"/>')
    body = paragraph("No heading", properties='<w:pStyle w:val="h"/><w:outlineLvl w:val="9"/>')
    assert body_blocks(heading + body, styles=styles) == [Block("heading", "Costs", level=3), Block("paragraph", "No heading")]


LISTS = (
    f"<w:numbering {SPACES}><w:abstractNum w:abstractNumId='0'>"
    "<w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl>"
    "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/><w:lvlText w:val='%1%2)'/></w:lvl>"
    "<w:lvl w:ilvl='2'><w:numFmt w:val='bullet'/><w:lvlText w:val='•'/></w:lvl></w:abstractNum>"
    "<w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>"
    "<w:num w:numId='2'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='4'/></w:lvlOverride>"
    "</w:num>"
    "</w:numbering>"
)


def item(text: str, level: int = 0, number: int = 1) -> str:
    return paragraph(text, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def test_items_carry_the_numbers_that_word_prints() -> None:
    body = item("Register") + item("by phone", 1) + item("by post", 1) + item("free", 2) + item("Plan") + item("by bus", 1)
    body += item("Anew", number=2) + item("No item", number=0)
    assert body_blocks(body, numbering=LISTS) == [
        Block("item", "1. Register"),
        Block("item", "1a) by phone"),
        Block("item", "1b) by post"),
        Block("item", "free"),
        Block("item", "2. Plan"),
        Block("item", "2a) by bus"),
        Block("item", "4. Anew"),
        Block("paragraph", "No item"),
    ]


def test_lines_of_labels_are_paragraphs_of_their_own() -> None:
    lines = "<w:r><w:t>Country: Austria</w:t><w:br/><w:t>Start: 2019</w:t></w:r>"
    assert body_texts(paragraph(lines)) == ["Country: Austria", "Start: 2019"]


# ── Notes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def notes(kind: str, **texts: str) -> str:
    """Return a part of notes by their ids, which stand after an underscore."""
    inner = "".join(f'<w:{kind} w:id="{name[1:]}">{paragraph(text)}</w:{kind}>' for name, text in texts.items())
    return f"<w:{kind}s {SPACES}>{inner}</w:{kind}s>"


def reference(kind: str, note: int, more: str = "") -> str:
    return f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:{kind}Reference w:id="{note}" {more}/></w:r>'


def test_a_note_follows_its_paragraph_and_its_mark_joins_no_figure() -> None:
    body = paragraph("It reached 530", reference("footnote", 7), " women", reference("footnote", 3), ".") + paragraph("Next.")
    footnotes = notes("footnote", _3="By the end of May.", _7="Half of them on a farm.", _9="Nobody asks for this.")
    assert body_texts(body, footnotes=footnotes) == [
        "It reached 530 women.",
        "Note 1: Half of them on a farm.",
        "Note 2: By the end of May.",
        "Next.",
    ]


def test_endnotes_are_numbered_as_word_does_and_marks_of_ones_own_are_kept() -> None:
    body = paragraph("Open", reference("endnote", 1)) + paragraph(
        "Shut", '<w:r><w:footnoteReference w:id="1" w:customMarkFollows="1"/><w:t>*</w:t></w:r>'
    )
    found = body_texts(body, endnotes=notes("endnote", _1="In May."), footnotes=notes("footnote", _1="In June."))
    assert found == ["Open", "Note i: In May.", "Shut", "Note *: In June."]


def test_notes_of_a_table_follow_it() -> None:
    marked = f"<w:tc>{paragraph('530', reference('footnote', 1))}</w:tc>"
    table_xml = f"<w:tbl>{row('Women', marked)}{row('Men', '400')}</w:tbl>"
    assert body_texts(table_xml, footnotes=notes("footnote", _1="In May.")) == ["Women: 530", "Men: 400", "Note 1: In May."]


def test_a_note_on_itself_is_told_once() -> None:
    itself = f'<w:footnote w:id="1">{paragraph("In May", reference("footnote", 1))}</w:footnote>'
    footnotes = f"<w:footnotes {SPACES}>{itself}</w:footnotes>"
    twice = paragraph("Open", reference("footnote", 1), reference("footnote", 1))
    assert body_texts(twice, footnotes=footnotes) == ["Open", "Note 1: In May"]


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────

HEADER = "<w:tblHeader/>"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("Town", "Head", properties=HEADER), row("Linz", "Ada")], ["Town: Linz | Head: Ada"]),
        ([row("Town", "2019", "2020"), row("Linz", "5", "6")], ["Town: Linz | 2019: 5 | 2020: 6"]),
        ([row("", "2019", "2020"), row("Linz", "5", "6")], ["Linz | 2019: 5 | 2020: 6"]),
        ([row("Town", "Women", "Men"), row("Linz", "5", "6")], ["Town: Linz | Women: 5 | Men: 6"]),
        ([row("Year", "Women"), row("2019", "5")], ["Year: 2019 | Women: 5"]),
        ([row("Town", "Linz"), row("Start", "2019")], ["Town: Linz", "Start: 2019"]),
        ([row("a", "b", "c"), row("d", "e", "f")], ["a | b | c", "d | e | f"]),
        ([row(cell("All towns", '<w:gridSpan w:val="3"/>')), row("Town", "Women", "Men"), row("Linz", "5", "6")],
         ["All towns", "Town: Linz | Women: 5 | Men: 6"]),
        ([row("", cell("2019", '<w:gridSpan w:val="2"/>'), properties=HEADER), row("Town", "Women", "Men", properties=HEADER),
          row("Linz", "5", "6")], ["Town: Linz | 2019 Women: 5 | 2019 Men: 6"]),
        ([row("Town", "Women", "Men", properties=HEADER), row(cell("In the north", '<w:gridSpan w:val="3"/>')),
          row("Linz", cell("11", '<w:gridSpan w:val="2"/>'))], ["In the north", "Town: Linz | Women: 11"]),
    ],
    ids=["stated", "years", "years without a name", "figures", "two columns of figures", "labels", "no header", "title above",
         "two header rows", "spans"],
)  # fmt: skip
def test_values_carry_the_names_of_their_columns(rows: list[str], expected: list[str]) -> None:
    assert body_texts(f"<w:tbl>{''.join(rows)}</w:tbl>") == expected


def test_a_tables_style_tells_that_its_first_row_is_a_header() -> None:
    styles = f'<w:styles {SPACES}><w:style w:type="table" w:styleId="g"><w:tblStylePr w:type="firstRow"/></w:style></w:styles>'
    rows = row("Town", "Head", "Bus") + row("Linz", "Ada", "red")
    properties = '<w:tblPr><w:tblStyle w:val="g"/><w:tblLook w:val="{}"/></w:tblPr>'
    named = body_texts(f"<w:tbl>{properties.format('0020')}{rows}</w:tbl>", styles=styles)
    plain = body_texts(f"<w:tbl>{properties.format('0000')}{rows}</w:tbl>", styles=styles)
    assert named == ["Town: Linz | Head: Ada | Bus: red"]
    assert plain == ["Town | Head | Bus", "Linz | Ada | red"]


def test_rows_and_cells_in_controls_stand_in_their_place() -> None:
    rows = (
        row("Town", "Women", "Men")
        + row("Linz", control(cell("5")), "6")
        + control(row("Graz", "7", "8"))
        + row("Wels", "9", "1")
    )
    assert body_texts(f"<w:tbl>{rows}</w:tbl>") == [
        "Town: Linz | Women: 5 | Men: 6",
        "Town: Graz | Women: 7 | Men: 8",
        "Town: Wels | Women: 9 | Men: 1",
    ]


def test_a_cell_over_several_rows_is_given_in_each() -> None:
    start, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = row(cell("North", start), "Linz", "5") + row(cell("", on), "Wels", "6") + row("South", "Graz", "7")
    assert body_texts(f"<w:tbl>{rows}</w:tbl>") == ["North | Linz | 5", "North | Wels | 6", "South | Graz | 7"]


def test_a_box_drawn_as_a_table_keeps_its_headings_and_items() -> None:
    styles = f"<w:styles {SPACES}>{style('h', 'heading 2')}</w:styles>"
    boxed = paragraph("Costs", properties='<w:pStyle w:val="h"/>') + paragraph("It is free.") + item("for women")
    blocks = body_blocks(f"<w:tbl><w:tr><w:tc>{boxed}</w:tc></w:tr></w:tbl>", styles=styles)
    assert blocks == [Block("heading", "Costs", level=2), Block("paragraph", "It is free."), Block("item", "for women")]


def test_rows_of_a_table_in_a_cell_stay_apart() -> None:
    inner = f"<w:tbl>{row('Women', '5')}{row('Men', '6')}</w:tbl>"
    assert body_texts(f"<w:tbl>{row('Linz', f'<w:tc>{inner}</w:tc>')}</w:tbl>") == ["Linz: Women: 5; Men: 6"]


# ── Drawings and other wrappers ─────────────────────────────────────────────────────────────────────────────────────


def boxed(content: str, form: str = "new") -> str:
    box = f"<w:txbxContent>{content}</w:txbxContent>"
    if form == "new":
        return f"<w:drawing><wps:txbx>{box}</wps:txbx></w:drawing>"
    return f"<w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict>"


@pytest.mark.parametrize("form", ["new", "old"])
def test_a_text_box_holds_what_a_document_holds(form: str) -> None:
    styles = f"<w:styles {SPACES}>{style('h', 'heading 2')}</w:styles>"
    content = paragraph("Costs", properties='<w:pStyle w:val="h"/>') + f"<w:tbl>{row('Linz', '5')}</w:tbl>" + item("free")
    body = paragraph("Beside", f"<w:r>{boxed(content, form)}</w:r>") + paragraph("Below")
    assert body_blocks(body, styles=styles) == [
        Block("paragraph", "Beside"),
        Block("heading", "Costs", level=2),
        Block("row", "Linz: 5"),
        Block("item", "free"),
        Block("paragraph", "Below"),
    ]


def test_a_drawing_without_text_gives_way_to_its_older_form() -> None:
    newer = "<mc:Choice Requires='wpx'><w:drawing/></mc:Choice>"
    older = f"<mc:Fallback>{boxed(paragraph('In the box'), 'old')}</mc:Fallback>"
    body = paragraph("Beside", f"<w:r><mc:AlternateContent>{newer}{older}</mc:AlternateContent></w:r>")
    assert body_texts(body) == ["Beside", "In the box"]


def test_diagrams_are_read_once_and_letters_drawn_along_a_path_too() -> None:
    words = "<a:p><a:r><a:t>Regis</a:t></a:r><a:r><a:t>ter</a:t></a:r></a:p>"
    diagram = f"<d:dataModel xmlns:d='urn:d' {SPACES}><d:pt>{words}</d:pt></d:dataModel>"
    relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:dm="ndiagramData"'
    drawn = f'<w:r><w:drawing><d:relIds xmlns:d="urn:d" {relation}/></w:drawing></w:r>'
    path = '<w:r><w:pict><v:shape><v:textpath string="Draw up a plan"/></v:shape></w:pict></w:r>'
    assert body_texts(paragraph("Steps", drawn, drawn, path), diagramData=diagram) == ["Steps", "Register", "Draw up a plan"]


def test_a_hidden_text_box_is_no_text() -> None:
    drawing = boxed(paragraph("secret")).replace("<w:drawing>", '<w:drawing><wp:anchor><wp:docPr id="1" name="b" hidden="1"/>')
    body = paragraph("Open", f"<w:r>{drawing.replace('</w:drawing>', '</wp:anchor></w:drawing>')}</w:r>")
    assert body_texts(body) == ["Open"]


def test_custom_xml_around_paragraphs_rows_and_words_is_seen_through() -> None:
    def wrapped(content: str) -> str:
        return f'<w:customXml w:element="x">{content}</w:customXml>'

    body = wrapped(paragraph("Open")) + paragraph("on ", wrapped(run("Monday"))) + f"<w:tbl>{wrapped(row('Linz', '5'))}</w:tbl>"
    assert body_texts(body) == ["Open", "on Monday", "Linz: 5"]


def test_a_file_embedded_in_the_text_is_warned_of() -> None:
    content = read(file_of(paragraph("Open") + "<w:altChunk/>"))
    assert content.warnings == ("an embedded file that Word would show in the text was not read",)


def test_a_damaged_part_beside_the_text_is_warned_of() -> None:
    content = read(file_of(paragraph("Open"), footnotes="<w:footnotes"))
    assert [block.text for block in content.blocks] == ["Open"]
    assert content.warnings == ("footnotes.xml could not be read: XMLSyntaxError",)


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


@pytest.mark.parametrize("empty", ["<w:p/>", "<w:p></w:p>", '<w:p w:rsidR="00A1"/>'])
def test_empty_paragraphs_by_the_million_cost_little(empty: str) -> None:
    data = file_of(paragraph("Open") + empty * 1_000_000 + paragraph("Shut"))
    assert len(data) < 100_000
    started = time.process_time()
    assert [block.text for block in read(data).blocks] == ["Open", "Shut"]
    assert time.process_time() - started < 5  # about 0.3 s


def test_more_tags_than_a_document_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.ingest.readers.docx_package.LARGEST_TAGS", 1_000_000)
    with pytest.raises(UnreadableFileError, match="too large: its text has more than 1 million XML tags"):
        read(file_of("<w:r/>" * 1_000_001))


def test_more_text_than_a_document_has_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.ingest.readers.docx.LARGEST_TEXT_BYTES", 1_000_000)
    with pytest.raises(UnreadableFileError, match=r"too large: its part word/document\.xml unpacks to more than 1 MB"):
        read(file_of(" " * 1_000_001))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"), ("<w:sdt><w:sdtContent>", "</w:sdtContent></w:sdt>")],
    ids=["tables", "controls"],
)
def test_deep_nesting_is_read_or_refused(opening: str, closing: str) -> None:
    depth = 240 // opening.count("<")
    assert "In here" in body_texts(opening * depth + paragraph("In here") + closing * depth)
    with pytest.raises(UnreadableFileError, match="Excessive depth"):
        read(file_of(opening * 5000 + closing * 5000))


def test_a_cell_over_ten_thousand_rows_is_not_told_in_all() -> None:
    first = row(cell("x" * 299, '<w:vMerge w:val="restart"/>'), "b")
    data = file_of(f"<w:tbl>{first}{row(cell('', '<w:vMerge/>'), 'b') * 10_000}</w:tbl>")
    assert sum(len(block.text) for block in read(data).blocks) < 1_100_000


def test_links_are_kept_with_their_words_those_of_fields_too() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("See ")
    target = document.part.relate_to("https://pes.example.org/bus", f"{RELATIONSHIPS}/hyperlink", is_external=True)
    link = f'<w:hyperlink {nsdecls("w", "r")} r:id="{target}"><w:r><w:t>the </w:t></w:r><w:r><w:t>bus</w:t></w:r></w:hyperlink>'
    paragraph._p.append(parse_xml(link))
    for name, text in (("begin", ""), ("", ' HYPERLINK "bus.docx" '), ("separate", ""), (None, "another"), ("end", "")):
        run = f'<w:fldChar w:fldCharType="{name}"/>' if name else f"<w:instrText>{text}</w:instrText>"
        run = f"<w:t>{text}</w:t>" if name is None else run
        paragraph._p.append(parse_xml(f"<w:r {nsdecls('w')}>{run}</w:r>"))
    content = read(saved(document))
    assert content.links == (Link("https://pes.example.org/bus", "the bus"), Link("bus.docx"))
    assert [block.text for block in content.blocks] == ["See the busanother"]


RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
