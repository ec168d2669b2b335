"""Markdown with front matter."""

import pytest

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.markdown import read
from pes_search.ingest.types import Block


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
        "related": ["si-bus"],
        "url": "https://pes.example.org/bus",
    }


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
        ("```\nx = 1\n```\n", [Block("paragraph", "x = 1\n")]),
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
