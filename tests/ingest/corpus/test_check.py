"""The check of a corpus folder: a whole one passes, and each kind of fault is named with file, line and remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pes_search.ingest.corpus.check import check_corpus
from pes_search.ingest.errors import SourceNotFoundError
from pes_search.ingest.taxonomy import EU_LANGUAGES, REQUIRED

PRACTICE = """\
---
id: de-a
title: Practice A
kind: practice
language: en
organisation: City A
countries: [DE]
region: national
start: 2009
target_groups: [women]
measure_types: [training, coaching]
channels: [street]
partners: [ESF]
sources:
  - url: https://example.org/a
    date: 2019-05
  - reference: "Journal 14, p. 3"
reviewed: 2026-11-24
evidence: {strength: none-stated}
---

# Practice A

## In short

Practice A has run since 2009.

## When to think of it

Somebody is at home. Somebody wants to work. Nobody asks them.

## What it does

It trains 3,300 women.

## Sources

- Example (May 2019): https://example.org/a
- Journal 14, p. 3
"""
NEWS = """\
---
id: news-2023-04-27-a
title: News A
kind: news
language: en
date: 2023-04-27
organisation: PES Network
countries: [DE]
target_groups: []
measure_types: [training, coaching]
related: [de-a, de-b]
sources:
  - url: https://example.org/n
reviewed: 2026-11-24
---

# News A

More than 300 people heard of [A](../practices/de-a.md) and its 3,300 women, and of [B](../practices/de-b.md).

## Sources

- https://example.org/n
"""


def concept(concept_id: str, tag: str) -> dict[str, object]:
    return {
        "id": concept_id,
        "tags": [tag],
        "country": "DE",
        "short": {"en": [concept_id]},
        "terms": {language: [f"{concept_id} {language}"] for language in EU_LANGUAGES},
        "plain": {language: [f"{concept_id} {language} {number}" for number in range(4)] for language in EU_LANGUAGES},
    }


TERMS = {
    "target-groups": [concept("women", "females")],
    "measure-types": [concept("training", "courses"), concept("coaching", "courses")],
    "channels": [concept("street", "on the street")],
    "evidence-strengths": [concept("counts", ""), concept("none-stated", "")],
    "countries": [concept("DE", "")],
}


def facts(title: str, **values: object) -> dict[str, object]:
    return {
        "id": title,
        "title": title,
        "organisation": "City A",
        "region": "national",
        "years": "2009-",
        "target_groups": ["females"],
        "measure_types": ["courses"],
        "channel": "on the street",
        "facts": ["free"],
        "figures": [">3,300 women (2019)"],
        "partners": ["ESF"],
        "sources": [{"url": "https://example.org/a", "date": "2019-05"}, {"reference": "Journal 14, p. 3"}],
    } | values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("practices", "news", "facts", "taxonomy"):
        (tmp_path / name).mkdir()
    for name in REQUIRED:
        write_yaml(tmp_path / "taxonomy" / f"{name}.yaml", TERMS.get(name, []))
    (tmp_path / "practices/de-a.md").write_text(PRACTICE, "utf-8")
    (tmp_path / "practices/de-b.md").write_text(PRACTICE.replace("de-a", "de-b").replace("Practice A", "Practice B"), "utf-8")
    (tmp_path / "news/news-2023-04-27-a.md").write_text(NEWS, "utf-8")
    write_yaml(tmp_path / "facts/de-a.yaml", facts("Practice A", id="de-a"))
    write_yaml(tmp_path / "facts/de-b.yaml", facts("Practice B", id="de-b"))
    write_yaml(
        tmp_path / "facts/news-2023-04-27-a.yaml",
        {
            "id": "news-2023-04-27-a",
            "title": "News A",
            "organisation": "PES Network",
            "measure_types": ["courses"],
            "facts": ["more than 300 people"],
            "sources": [{"url": "https://example.org/n"}],
        },
    )
    return tmp_path


def write_yaml(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), "utf-8")


def faults(folder: Path) -> list[str]:
    return [str(fault).removeprefix(f"{folder}/") for fault in check_corpus(folder).faults]


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def test_a_whole_corpus_passes(folder: Path) -> None:
    report = check_corpus(folder)
    assert report.faults == []
    assert (report.practices, report.news) == (2, 1)
    assert report.counts == {
        "countries": {"DE": 2},
        "target_groups": {"women": 2},
        "measure_types": {"coaching": 2, "training": 2},
        "channels": {"street": 2},
        "evidence": {"none-stated": 2},
    }


# Line numbers are those of PRACTICE, counted by hand.
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (replaced("---\nid", "id"), "1: no front matter"),
        (replaced("region: national", "region: [a"), "no valid YAML"),
        (replaced("start: 2009", "start: 2009\nstart: 2010"), "10: `start` stands there twice"),
        (replaced("start: 2009", "start: 2009\nend: 2008"), "`end` lies before `start`"),
        (replaced("region: national\n", ""), "2: `region` is missing; add it"),
        (replaced("start: 2009", "licence: mine"), "9: `licence` is no key of this file; take it out"),
        (replaced("kind: practice", "kind: news"), "4: `kind`: Input should be 'practice'"),
        (
            replaced("countries: [DE]", "countries: [Atlantis]"),
            "7: `countries.0`: 'Atlantis' is no country name or ISO 3166-1 alpha-2 code; correct it",
        ),
        (replaced("countries: [DE]", "countries: [FR]"), "7: 'FR' is no id of taxonomy/countries.yaml"),
        (replaced("countries: [DE]", "countries: [FR]"), "7: 'DE' is missing, with which the id begins"),
        (replaced("countries: [DE]", "countries: [DE, DE]"), "7: 'DE' stands there twice"),
        (replaced("countries: [DE]", "countries: []"), "7: `countries` holds 0 and must hold 1 at least"),
        (replaced("id: de-a", "id: de-c"), "2: the id is not the file's name"),
        (replaced("[women]", "[women, men]"), "10: 'men' is no id of taxonomy/target-groups.yaml"),
        (replaced("[women]", "[women, women]"), "10: 'women' stands there twice"),
        (replaced("[women]", "[]"), "10: 'women' is missing, since facts/de-a.yaml has the tag 'females'; add it"),
        (replaced("channels: [street]", "channels: []"), "12: 'street' is missing"),
        (replaced("[training, coaching]", "[training]"), "11: 'coaching' is missing"),
        (replaced("partners: [ESF]", "partners: []"), "13: not the partners of facts/de-a.yaml"),
        (
            replaced("    date: 2019-05\n", "    date: May\n"),
            "16: `sources.0.date`: 'May' is no date; write 2026-11-24, 2026-11 or 2026",
        ),
        (
            replaced("    date: 2019-05\n", "    date: 2019-06\n"),
            "14: not the sources of facts/de-a.yaml, or not with their dates",
        ),
        (replaced("reviewed: 2026-11-24", "reviewed: '2026-02-30'"), "18: `reviewed`: '2026-02-30' is no date"),
        (replaced("start: 2009", "start: 2008"), "9: `start` is 2008 but `years` of facts/de-a.yaml is '2009-'"),
        (replaced("start: 2009\n", ""), "`start` is left out but `years` of facts/de-a.yaml is '2009-'"),
        (replaced("start: 2009", "start: 2009\nend: 2012"), "10: `end` is 2012 but `years` of facts/de-a.yaml is '2009-'"),
        (replaced("reviewed: 2026-11-24", "reviewed: '2098-01-01'"), "18: `reviewed`: '2098-01-01' lies in the future"),
        (replaced("countries: [DE]", "countries: DE"), "7: `countries` must be a list such as [a, b], not 'DE'"),
        (replaced("[women]", "[womne]"), "10: 'womne' is no id of taxonomy/target-groups.yaml; did you mean 'women'?"),
        (replaced("title: Practice A", "title: Practice: A"), "3: no valid YAML (a second `: ` in one line; put"),
        (
            replaced("- url: https://example.org/a", "- url: example.org/a"),
            "15: `sources.0.url` is 'example.org/a', which has not the form ^https",
        ),
        (
            replaced("- url: https://example.org/a", "- url: https://example.org/a\n    reference: b"),
            "15: `sources.0`: give either",
        ),
        (replaced('- reference: "Journal 14, p. 3"', "- date: 2019"), "17: `sources.1`: give either `url`"),
        (replaced('  - reference: "Journal 14, p. 3"\n', ""), "14: not the sources of facts/de-a.yaml"),
        (replaced("title: Practice A", "title: Practice Z"), "3: `title` is 'Practice Z' but facts/de-a.yaml"),
        (replaced("# Practice A\n", "# Practice Z\n"), "22: the text must have one heading `# Practice A`"),
        (replaced("# Practice A\n", "# Practice A\n\n# More\n"), "the text must have one heading"),
        (replaced("## What it does", "## What it is"), "32: no section is called 'What it is'"),
        (replaced("## What it does", "## What it is"), "the section 'What it does' is missing"),
        (replaced("## When to think of it", "## Results"), "32: the section 'What it does' stands in the wrong place"),
        (replaced("It trains 3,300 women.\n", ""), "32: the section 'What it does' is empty"),
        (replaced(" Nobody asks them.", ""), "28: the section 'When to think of it' must have 3 to 6 sentences"),
        (replaced("3,300 women.", "3,400 women."), "34: '3,400' is not in facts/de-a.yaml"),
        (replaced("since 2009", "since [2009](../nowhere.md)"), "26: the link to '../nowhere.md' leads nowhere"),
        (
            replaced("(May 2019): https://example.org/a", "(May 2019)"),
            "15: https://example.org/a is missing from the section Sources; add it there",
        ),
        (
            replaced("https://example.org/a\n- J", "https://example.org/a/b\n- J"),
            "15: https://example.org/a is missing from the",
        ),
        (
            replaced("https://example.org/a\n- J", "https://example.org/b\n- J"),
            "38: https://example.org/b is none of the sources",
        ),
        (replaced("- Journal 14, p. 3\n", ""), "17: Journal 14, p. 3 is missing from the section Sources"),
        (replaced("since 2009", 'since [2009](../nowhere.md "x")'), "26: the link to '../nowhere.md' leads nowhere"),
        (replaced("since 2009", "since [2009](<../no where.md>)"), "26: the link to '../no%20where.md' leads nowhere"),
        (replaced("since 2009", "since [2009](/etc/hostname)"), "26: the link to '/etc/hostname' leads nowhere"),
        (replaced("since 2009", f"since [2009]({'x' * 500})"), "26: the link to 'xxx"),
        (replaced("since 2009", "since [2009](..)"), "26: the link to '..' leads nowhere"),
        (replaced("title: Practice A", "title: [a]"), "3: `title` must be text, not ['a']; correct it, or put it in quotes"),
        (replaced(PRACTICE, "---\n- a\n---\n"), "2: it must be `key: value` lines, not ['a']; correct it"),
        (replaced("## What it does", "## In short"), "32: the section 'In short' stands in the wrong place"),
        (replaced("reviewed: 2026-11-24", "related: [de-z]\nreviewed: 2026-11-24"), "18: 'de-z' is no other document"),
        (replaced("reviewed: 2026-11-24", "related: [de-b, de-b]\nreviewed: 2026-11-24"), "18: 'de-b' stands there twice"),
        (replaced("reviewed: 2026-11-24", "related: [de-a]\nreviewed: 2026-11-24"), "18: 'de-a' is no other document"),
        (replaced("evidence: {strength: none-stated}\n", ""), "2: `evidence` is missing; add it"),
        (replaced("none-stated", "none"), "19: `evidence`: give the `sentence` that states the strength, and none with"),
        (replaced("none-stated", "none-stated, sentence: Nobody asks them."), "19: `evidence`: give the `sentence`"),
        (
            replaced("none-stated", "count, sentence: B."),
            "19: 'count' is no id of taxonomy/evidence-strengths.yaml; did you mean",
        ),
        (replaced("none-stated", "counts, sentence: It trains 3300 women."), "19: the text does not say this outside 'When to"),
        (replaced("none-stated", "counts, sentence: Nobody asks them."), "19: the text does not say this outside 'When to"),
        (replaced("none-stated", "counts, sentence: 2009. It trains"), "19: the text does not say this outside 'When to"),
        (replaced("strength: none-stated", "level: none-stated"), "19: `evidence.level` is no key of this file; take it out"),
    ],
)
def test_a_faulty_practice_is_named_with_its_line(folder: Path, change: Callable[[str], str], fault: str) -> None:
    (folder / "practices/de-a.md").write_text(change(PRACTICE), "utf-8")
    found = faults(folder)
    assert any(line.startswith("practices/de-a.md:") and fault in line for line in found), found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (replaced("related: [de-a, de-b]", "related: [de-a]"), "11: `related` holds 1 and must hold 2 at least; add to it"),
        (replaced("date: 2023-04-27", "date: 2023-04-28"), "2: the id must begin with `news-` and the date: news-2023-04-28-"),
        (replaced("[B](../practices/de-b.md)", "B"), "11: the text has no link to 'de-b'; add one"),
        (replaced("measure_types: [training, coaching]", "measure_types: [training]"), "10: 'coaching' is missing"),
        (replaced("date: 2023-04-27\n", ""), "`date` is missing"),
        (replaced("300 people", "400 people"), "19: '400' is not in facts/news-2023-04-27-a.yaml"),
    ],
)
def test_a_faulty_news_item_is_named_with_its_line(folder: Path, change: Callable[[str], str], fault: str) -> None:
    (folder / "news/news-2023-04-27-a.md").write_text(change(NEWS), "utf-8")
    found = faults(folder)
    assert any(line.startswith("news/news-2023-04-27-a.md:") and fault in line for line in found), found


def test_a_practice_may_not_use_the_figures_of_another(folder: Path) -> None:
    path = folder / "practices/de-a.md"
    path.write_text(path.read_text("utf-8").replace("reviewed: 2026-11-24", "reviewed: 2026-11-24\nrelated: [de-b]"), "utf-8")
    write_yaml(folder / "facts/de-a.yaml", facts("Practice A", id="de-a", figures=[]))
    assert faults(folder) == [
        "practices/de-a.md:35: '3,300' is not in facts/de-a.yaml; correct the text, or add the fact with its source"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "It began [in 2009](https://example.org/a), see [b](de-b.md#what-it-does) or [ask](mailto:a@example.org).",
        "See [the other](../practices/de%2Db.md) and [above](#in-short).",
        "It says so at https://example.org/a.",
    ],
)
def test_links_that_lead_somewhere(folder: Path, body: str) -> None:
    (folder / "practices/de-a.md").write_text(PRACTICE.replace("It trains 3,300 women.", body), "utf-8")
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("sentences", "passes"),
    [
        ("Somebody, e.g. a mother, asks. A mayor, i.e. an official, waits. Nobody helps.", True),
        ('She asks "why?" and waits. He calls. They wonder whether it helps (or not).', True),
        ("Somebody asks, e.g. a mother, i.e. a parent. Nobody helps.", False),
        ("One. Two. Three. Four. Five. Six. Seven.", False),
    ],
)
def test_three_to_six_sentences(folder: Path, sentences: str, passes: bool) -> None:
    old = "Somebody is at home. Somebody wants to work. Nobody asks them."
    assert old in PRACTICE
    (folder / "practices/de-a.md").write_text(PRACTICE.replace(old, sentences), "utf-8")
    assert any("must have 3 to 6 sentences" in line for line in faults(folder)) != passes


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("It trains 3,300 women.", "It trains 3,300 women."),
        ("It trains\n3,300  women.", "It trains 3,300 women."),
        ("It [trains](de-b.md) *3,300* women.", "It trains 3,300 women."),
        ("Trained:\n\n- 3,300\n  women\n- more", "3,300 women"),
        ('It "trains": 3,300 women.', 'It "trains": 3,300 women.'),
    ],
)
def test_the_sentence_of_the_evidence_stands_in_the_text_without_its_markup(folder: Path, body: str, sentence: str) -> None:
    text = PRACTICE.replace("strength: none-stated", f"strength: counts, sentence: '{sentence}'")
    (folder / "practices/de-a.md").write_text(text.replace("\nIt trains 3,300 women.", f"\n{body}"), "utf-8")
    assert faults(folder) == []


def test_an_id_names_one_document(folder: Path) -> None:
    (folder / "news/de-a.md").write_text(NEWS.replace("news-2023-04-27-a", "de-a"), "utf-8")
    assert "news/de-a.md:1: the id 'de-a' is taken by a practice; take another one" in faults(folder)


def test_files_that_a_build_would_read_unchecked_are_told(folder: Path) -> None:
    (folder / "practices/old").mkdir()
    for name in ("practices/de-c.markdown", "practices/old/de-d.md", "facts/de-a.yml"):
        (folder / name).write_text("x", "utf-8")
    found = [line for line in faults(folder) if "is not checked" in line]
    assert found == [
        "facts/de-a.yml:1: this file is not checked; make it facts/<id>.yaml, or move it away",
        "practices/de-c.markdown:1: this file is not checked; make it practices/<id>.md, or move it away",
        "practices/old/de-d.md:1: this file is not checked; make it practices/<id>.md, or move it away",
    ]


def test_one_fault_brings_no_wrong_advice_elsewhere(folder: Path) -> None:
    (folder / "practices/de-a.md").write_text(PRACTICE.replace("region: national\n", ""), "utf-8")
    assert faults(folder) == ["practices/de-a.md:2: `region` is missing; add it"]
    (folder / "practices/de-a.md").write_text(PRACTICE, "utf-8")
    (folder / "facts/de-a.yaml").write_text("id: de-a\nid: de-a\n", "utf-8")
    assert all(line.startswith("facts/de-a.yaml:") for line in faults(folder))
    write_yaml(folder / "facts/de-a.yaml", facts("Practice A", id="de-a"))
    write_yaml(folder / "taxonomy/channels.yaml", [{"id": "street"}])
    assert [line.partition(":")[0] for line in faults(folder)] == ["taxonomy/channels.yaml"]


def test_a_byte_order_mark_and_foreign_line_ends_are_no_faults(folder: Path) -> None:
    (folder / "practices/de-a.md").write_bytes(b"\xef\xbb\xbf" + PRACTICE.replace("\n", "\r\n").encode())
    assert faults(folder) == []


def test_a_link_that_is_broken_in_the_file_system_is_named(folder: Path) -> None:
    (folder / "practices/de-c.md").symlink_to(folder / "nowhere.md")
    assert faults(folder) == ["practices/de-c.md:1: cannot be read (No such file or directory); mend or remove it"]


def test_facts_and_texts_belong_together(folder: Path) -> None:
    (folder / "facts/de-a.yaml").rename(folder / "facts/de-c.yaml")
    found = faults(folder)
    assert any(line.startswith("practices/de-a.md:2: no facts; put what is known into facts/de-a.yaml") for line in found)
    assert any(line.startswith("facts/de-c.yaml:1: no write-up has the id 'de-c'") for line in found)
    assert any(line.startswith("facts/de-c.yaml:1: the id is not the file's name") for line in found)


def test_a_tag_without_a_term_is_named(folder: Path) -> None:
    write_yaml(folder / "facts/de-a.yaml", facts("Practice A", id="de-a", target_groups=["females", "youth"]))
    (fault,) = faults(folder)
    assert fault.startswith("practices/de-a.md:10: the tag 'youth' of facts/de-a.yaml means no term; add it to `tags` in")


def test_a_term_without_a_tag_is_named(folder: Path) -> None:
    write_yaml(folder / "facts/de-a.yaml", facts("Practice A", id="de-a", target_groups=[]))
    assert [line for line in faults(folder) if "de-a" in line] == [
        "practices/de-a.md:10: no tag of facts/de-a.yaml means 'women'; take it out, or add the tag with its source"
    ]


def test_a_file_in_another_encoding_is_named_and_the_rest_goes_on(folder: Path) -> None:
    (folder / "practices/de-c.md").write_bytes("é".encode("latin-1"))
    assert [line.partition(": ")[0] for line in faults(folder)] == ["practices/de-c.md:1"]
    assert check_corpus(folder).practices == 2


def test_a_readme_is_no_practice(folder: Path) -> None:
    (folder / "practices/README.md").write_text("About practices.", "utf-8")
    assert faults(folder) == []


def test_a_folder_that_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="holds no folder practices/"):
        check_corpus(tmp_path)


def test_files_of_questions_are_checked_where_there_are_some(folder: Path) -> None:
    (folder / "questions").mkdir()
    (folder / "questions/README.md").write_text("What these are.", "utf-8")
    write_yaml(folder / "questions/de-a.yaml", {"en": ["who helps women?"], "de": ["Wer hilft Frauen?"]})
    assert faults(folder) == []
    write_yaml(folder / "questions/de-b.yaml", {"en": "who helps women?"})
    write_yaml(folder / "questions/de-c.yaml", {"en": ["who?"]})
    assert faults(folder) == [
        'questions/de-b.yaml:1: en: write questions by language, `en: ["…"]`',
        "questions/de-c.yaml:1: no write-up has the id 'de-c'; write one, or remove these questions",
    ]
