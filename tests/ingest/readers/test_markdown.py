"""Markdown with front matter."""

import time

import pytest

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.markdown import read
from pes_search.ingest.types import Block, Link


def with_front_matter(lines: str) -> bytes:
    return f"---\n{lines}\n---\n# Bus\n\nText.\n".encode()


def fields(lines: str) -> dict[str, object]:
    return dict(read(with_front_matter(lines)).fields)


def reason(lines: str) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read(with_front_matter(lines))
    return str(caught.value)


# ── Front matter ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_front_matter_fills_the_documents_fields() -> None:
    lines = """
id: at-bus
title: Mobile office
native_title: Mobiles Büro
kind: practice
language: en
date: 2023-04-27
organisation: AMS
region: Styria
countries: [AT, Slovenia]
start: 2018
end: 2022
target_groups: [parents]
measure_types: [outreach]
related: [si-bus]
channels: [bus]
evidence: {strength: control-group, sentence: Fewer were without work than in a control group.}
sources:
  - url: https://pes.example.org/bus
    date: "04/2018"
  - url: https://pes.example.org/other
"""
    assert fields(lines.strip()) == {
        "id": "at-bus",
        "title": "Mobile office",
        "native_title": "Mobiles Büro",
        "kind": "practice",
        "language": "en",
        "date": "2023-04-27",
        "organisation": "AMS",
        "region": "Styria",
        "countries": ["AT", "SI"],
        "year": 2018,
        "end_year": 2022,
        "target_groups": ["parents"],
        "measure_types": ["outreach"],
        "channels": ["bus"],
        "evidence": "control-group",
        "evidence_sentence": "Fewer were without work than in a control group.",
        "related": ["si-bus"],
        "url": "https://pes.example.org/bus",
    }


@pytest.mark.parametrize("value", ["control-group", "{strength: control-group}"])
def test_evidence_may_come_without_its_sentence(value: str) -> None:
    assert fields(f"evidence: {value}") == {"title": "Bus", "evidence": "control-group"}


def test_front_matter_is_not_text() -> None:
    content = read(with_front_matter("title: Mobile office"))
    assert content.blocks == [Block("heading", "Bus", level=1), Block("paragraph", "Text.")]


def test_the_files_own_url_goes_before_those_of_its_sources() -> None:
    assert fields("url: https://a.example\nsources: [{url: https://b.example}]")["url"] == "https://a.example"


@pytest.mark.parametrize("text", ["27/04/2023", "'2023-04-27'", "27 April 2023", "2023-04-27 10:00:00"])
def test_a_date_may_be_written_in_any_known_way_and_gives_the_year(text: str) -> None:
    assert (fields(f"date: {text}")["date"], fields(f"date: {text}")["year"]) == ("2023-04-27", 2023)


def test_the_first_year_goes_before_the_year_of_the_date() -> None:
    assert fields("date: 2023-04-27\nstart: 2009")["year"] == 2009


def test_norway_is_not_false() -> None:
    assert fields("countries: [NO]\nlanguage: no") == {"countries": ["NO"], "language": "no", "title": "Bus"}


def test_a_country_that_is_named_twice_counts_once() -> None:
    assert fields("countries: [PT, Portugal]")["countries"] == ["PT"]


@pytest.mark.parametrize(
    "lines", ["title: Bus 2: the return", "title: [a", "\ttitle: x", "title: 'a", "title: !!python/name:os.x 1"]
)
def test_broken_yaml_is_the_reason(lines: str) -> None:
    assert reason(lines).startswith("front matter is no valid YAML")


@pytest.mark.parametrize("lines", ["- a\n- b", "some words"])
def test_front_matter_of_another_shape_is_the_reason(lines: str) -> None:
    assert reason(lines) == "front matter must be `key: value` lines"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("start: soon", "front matter `start`"),
        ("countries: [Atlantis]", "front matter `countries.0`: Value error, 'Atlantis' is no country name"),
        ("id: A bus!", "front matter `id`"),
        ("target_groups: [[a]]", "front matter `target_groups.0`"),
        ("sources: [{url: [x]}]", "front matter `sources.0.url`"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_key(lines: str, expected: str) -> None:
    assert reason(lines).startswith(expected)


@pytest.mark.parametrize("line", ["date: 2023-02-30", "date: 2023-04-27T25:00:00Z", f"start: {'1' * 5000}", "note: 0000-01-01"])
def test_a_value_that_yaml_cannot_hold_is_a_reason_and_no_crash(line: str) -> None:
    """PyYAML turns what looks like a date or a number into one, and fails with a plain ValueError."""
    assert reason(line).startswith("front matter")


@pytest.mark.parametrize("key", ["title", "date", "language", "region", "countries", "target_groups", "related", "sources"])
def test_a_key_without_a_value_states_nothing(key: str) -> None:
    assert fields(f"{key}:") == {"title": "Bus"}


@pytest.mark.parametrize(
    "text", ["# Bus\n\nText.\n", "---\n---\n# Bus\n\nText.\n", "---\r\ntitle: Bus\r\n---\r\n# Bus\r\n\r\nText."]
)
def test_without_a_stated_title_the_first_heading_is_the_title(text: str) -> None:
    content = read(text.encode())
    assert content.fields == {"title": "Bus"}
    assert [block.text for block in content.blocks] == ["Bus", "Text."]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("countries: BE", ["BE"]),
        ("countries: NO", ["NO"]),
        ("countries: Belgium, Austria", ["BE", "AT"]),
        ("countries: Bosnia and Herzegovina", ["BA"]),
        ("country: Belgium", ["BE"]),
        ("country: somewhere in the north", None),  # no key of ours
    ],
)
def test_one_country_need_not_be_a_list(lines: str, expected: list[str] | None) -> None:
    assert fields(lines).get("countries") == expected


def test_terms_may_stand_in_one_line() -> None:
    assert fields("target_groups: parents, young people\nmeasure_types: outreach") == {
        "title": "Bus",
        "target_groups": ["parents", "young people"],
        "measure_types": ["outreach"],
    }


@pytest.mark.parametrize("language", ["de", "de-AT", "DE", "German"])
def test_a_language_may_be_written_otherwise(language: str) -> None:
    assert fields(f"language: {language}")["language"] == "de"


@pytest.mark.parametrize(("date", "year"), [("2021-06", 2021), ("2021", 2021)])
def test_a_date_may_be_a_month_or_a_year(date: str, year: int) -> None:
    assert (fields(f"date: {date}")["date"], fields(f"date: {date}")["year"]) == (date, year)


def test_the_start_may_be_a_day() -> None:
    assert fields("start: 2019-03-01")["year"] == 2019


def test_front_matter_may_be_toml() -> None:
    lines = ['title = "Mobile office"', "date = 2021-06-09", 'countries = "BE"', "[extra]", 'organisation = "VDAB"']
    content = read("\n".join(["+++", *lines, "+++", "# Bus", "", "Text."]).encode())
    assert content.fields == {
        "title": "Mobile office",
        "date": "2021-06-09",
        "year": 2021,
        "countries": ["BE"],
        "organisation": "VDAB",
    }
    assert [block.text for block in content.blocks] == ["Bus", "Text."]


@pytest.mark.parametrize("lines", ["title = ", "title: Bus", "a = " + "[" * 50_000])
def test_broken_toml_is_the_reason(lines: str) -> None:
    with pytest.raises(UnreadableFileError, match="front matter is no valid TOML"):
        read(f"+++\n{lines}\n+++\nText.\n".encode())


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("## A *new* `bus`\n", [Block("heading", "A new bus", level=2)]),
        ("Bus\n===\n\nCosts\n---\n", [Block("heading", "Bus", level=1), Block("heading", "Costs", level=2)]),
        ("One\nline.\n\nTwo  \nlines.\n", [Block("paragraph", "One line."), Block("paragraph", "Two lines.")]),
        ("- a\n- b\n  - c\n\n    more\n", [Block("item", text) for text in ("a", "b", "c", "more")]),
        ("1. a\n2. b\n\nAfter.\n", [Block("item", "a"), Block("item", "b"), Block("paragraph", "After.")]),
        ("> Quoted.\n", [Block("paragraph", "Quoted.")]),
        ("```\nx = 1\n```\n", [Block("paragraph", "x = 1")]),
        ("| Year | Staff |\n|---|---|\n| 2021 | 3 |\n", [Block("row", "Year: 2021 | Staff: 3")]),
        ("#\n\nText.\n", [Block("paragraph", "Text.")]),
    ],
)
def test_structure_becomes_blocks(text: str, blocks: list[Block]) -> None:
    assert read(text.encode()).blocks == blocks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold**, *it*, `code`", "Bold, it, code"),
        ("[the bus](https://x.example 'title')", "the bus"),
        ("![a red bus](bus.png)", "a red bus"),
        ("<https://x.example>", "https://x.example"),
        ("2 \\* 3 &amp; 4", "2 * 3 & 4"),
        ("power_m and snake_case_names", "power_m and snake_case_names"),
    ],
)
def test_markup_goes_and_words_stay(text: str, expected: str) -> None:
    assert [block.text for block in read(text.encode()).blocks] == [expected]


@pytest.mark.parametrize("text", ["<!-- to do -->\n\n# Bus\n\nText.\n", "# Bus\n\nText.<!-- to do -->\n"])
def test_comments_are_not_text(text: str) -> None:
    assert [block.text.strip() for block in read(text.encode()).blocks] == ["Bus", "Text."]


def test_a_comment_in_code_is_code_and_one_without_an_end_hides_nothing() -> None:
    text = "Write `<!-- x -->` so.\n\n```\n<!-- y -->\n```\n\nMore <!-- here.\n\nLast.\n"
    assert [block.text for block in read(text.encode()).blocks] == ["Write <!-- x --> so.", "<!-- y -->", "More here.", "Last."]


def test_what_is_left_out_is_counted() -> None:
    text = "Text.<!-- to do -->\n\n~~Old~~ New.\n\n<div hidden>secret</div>\n"
    content = read(text.encode())
    assert [block.text for block in content.blocks] == ["Text.", "New."]
    assert content.left_out["comments"] == len("to do")
    assert content.left_out["struck text"] == len("Old")
    assert sum(content.left_out.values()) == len("to do" + "Old" + "secret")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A <b>red</b> bus<br>stops.", "A red bus stops."),
        ("<p align=center>A bus</p>", "A bus"),
        ("It cost 900<sup>1</sup> euro.", "It cost 900[1] euro."),
        ("It cost 10<sup>6</sup> euro for 40 m<sup>2</sup>.", "It cost 10⁶ euro for 40 m²."),
        ("It cost 10^6^ euro for CO~2~.", "It cost 10⁶ euro for CO2."),
        ("~~700~~ 900 euro, <del>800</del>", "900 euro,"),
        ("Use the <select> element.", "Use the element."),
        ("A < B and C > D", "A < B and C > D"),
        ('See <img src="a.png" alt="Chart: 9 of 10">', "See Chart: 9 of 10"),
        ("- [ ] call\n- [x] write", "call|write"),
        ("# Costs {#costs}", "Costs"),
        ("<details><summary>Who?</summary>\n\n*All* adults.\n\n</details>", "Who?|All adults."),
    ],
)
def test_html_in_markdown_is_text(text: str, expected: str) -> None:
    assert "|".join(block.text for block in read(text.encode()).blocks) == expected


def test_a_table_in_html_has_rows_and_a_break_parts_a_cells_lines() -> None:
    html = "<table><tr><th>Town</th><th>Places</th></tr><tr><td>Graz</td><td>40</td></tr></table>\n"
    table = "| Town | Places |\n|---|---|\n| Graz<br>Linz | 40 |\n"
    assert read(html.encode()).blocks == [Block("row", "Town: Graz | Places: 40")]
    assert read(table.encode()).blocks == [Block("row", "Town: Graz; Linz | Places: 40")]


def test_notes_are_text_and_their_marks_join_no_figure() -> None:
    text = "It reached 900[^1] people[^old] and more^[In all towns.].\n\n"
    text += "[^1]: Counted in May.\n[^old]: Of them\n    *many* came twice.\n"
    assert [block.text for block in read(text.encode()).blocks] == [
        "It reached 900[1] people[2] and more[3].",
        "[1] Counted in May.",
        "[2] Of them many came twice.",
        "[3] In all towns.",
    ]


def test_a_notes_mark_in_code_stays() -> None:
    assert read(b"Write `[^1]` so.\n\n[^1]: A note.\n").blocks[0].text == "Write [^1] so."


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 100_000 + "Bus",
        "<!-- a -->" * 50_000 + "Bus",
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20_000,
        "| a | b |\n|---|---|\n" + ("| " + "word " * 200 + " | 2 |\n") * 1_200,
        ">" * 100_000 + "a",
        "- " * 50_000 + "a",
        "".join("  " * depth + "- a\n" for depth in range(500)),
        "<div>" * 50_000 + "a",
        f"<div {' '.join(f'a{i}=1' for i in range(100_000))}>Bus</div>",
        "[^1]" * 30_000 + "\n\n[^1]: a",
        "[" * 30_000,
    ],
)
def test_time_grows_with_the_length_only_and_no_text_is_lost(text: str) -> None:
    begin = time.process_time()
    assert any(block.text for block in read(text.encode()).blocks)
    assert time.process_time() - begin < 10


def test_items_deeper_than_any_reader_follows_are_kept() -> None:
    text = "".join("  " * depth + f"- item {depth}\n" for depth in range(120))
    assert [block.text for block in read(text.encode()).blocks] == [f"item {depth}" for depth in range(120)]


def test_elements_nested_too_deeply_are_named_and_their_text_is_kept() -> None:
    content = read(("<div>" * 5_000 + "Bus").encode())
    assert [block.text for block in content.blocks] == ["Bus"]
    assert content.warnings == ("elements nested too deeply: read without its lists and tables",)


def test_links_are_kept_with_their_words() -> None:
    text = (
        "# Bus\n\nSee [the *old* bus](../practices/bus.md#costs), <https://pes.example.org/a> and [below](#costs).\n\n[1]: /x\n"
    )
    assert read(text.encode()).links == (
        Link("../practices/bus.md#costs", "the old bus"),
        Link("https://pes.example.org/a", "https://pes.example.org/a"),
    )
