"""One file becomes a document."""

import hashlib
import os
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pes_search.ingest.documents import LARGEST_FILE_BYTES, ReadDocument, document_id, read_document
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.sources import find_files
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import InferredValue

BUS = "The bus of the employment service visits forty villages, and two advisers help people to find work."
BUS_DE = "Der Bus des Arbeitsamts besucht vierzig Dörfer, und zwei Beraterinnen helfen bei der Suche nach Arbeit."


def read(folder: Path, name: str, content: str | bytes) -> ReadDocument:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(SourceFile(path, name))


def reason(folder: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read(folder, name, content)
    return str(caught.value)


def test_a_file_with_front_matter_becomes_a_document_as_it_says(tmp_path: Path) -> None:
    front_matter = "id: at-bus\ntitle: 'Mobile  office'\nkind: practice\nlanguage: de\ncountries: [AT]\nstart: 2018"
    content = f"---\n{front_matter}\n---\n# Bus\n\n{BUS}\n"
    found = read(tmp_path, "docs/bus.md", content)
    assert {name: value for name, value in asdict(found.document).items() if value} == {
        "id": "at-bus",
        "title": "Mobile office",
        "kind": "practice",
        "language": "de",  # written for us, so it goes before what the text looks like
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "path": "docs/bus.md",
        "year": 2018,
        "countries": ("AT",),
        "media_type": "text/markdown",
    }
    assert [block.text for block in found.blocks] == ["Bus", BUS]
    assert found.warnings == ()


def test_what_a_file_does_not_say_comes_from_its_name_and_text(tmp_path: Path) -> None:
    document = read(tmp_path, "reports/Der Bus.txt", f"{BUS_DE} {BUS_DE}").document
    assert re.fullmatch(r"der-bus-[0-9a-f]{8}", document.id)
    assert (document.kind, document.language, document.media_type) == ("report", "de", "text/plain")
    assert document.title.startswith("Der Bus des Arbeitsamts")
    assert document.title.endswith("…")
    assert len(document.title) <= 120
    assert (document.date, document.year, document.countries, document.url) == (None, None, (), None)


def test_a_stated_language_of_a_web_page_does_not_go_before_its_text(tmp_path: Path) -> None:
    page = f"<html lang='en'><head><title>Bus</title></head><body><p>{BUS_DE}</p><p>{BUS_DE} Er ist rot.</p></body></html>"
    assert read(tmp_path, "a.html", page).document.language == "de"


def test_a_text_too_short_to_tell_keeps_the_stated_language(tmp_path: Path) -> None:
    assert read(tmp_path, "a.html", "<html lang='mt'><body><p>Bus 12</p></body></html>").document.language == "mt"
    assert read(tmp_path, "a.txt", "Bus 12.").document.language is None


def test_the_year_is_that_of_the_date_and_the_countries_are_those_that_are_stated(tmp_path: Path) -> None:
    document = read(tmp_path, "a.txt", f"Austria: A bus for villages\n\nNews 27/04/2023\n\n{BUS}").document
    assert (document.date, document.year, document.countries, document.kind) == ("2023-04-27", 2023, ("AT",), "news")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("practices/a.txt", "practice"),
        ("site/news/a.txt", "news"),
        ("FactSheet-3.txt", "factsheet"),
        ("case-studies/a.txt", "case study"),
        ("annual-report.txt", "report"),
        ("a.txt", "document"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_path(tmp_path: Path, name: str, kind: str) -> None:
    assert read(tmp_path, name, BUS).document.kind == kind


def test_interface_words_and_repeated_teasers_go(tmp_path: Path) -> None:
    found = read(tmp_path, "a.md", f"# Bus\n\n{BUS}\n\n{BUS} It is red.\n\nShare this page\n")
    assert [block.text for block in found.blocks] == ["Bus", f"{BUS} It is red."]


# ── Ids ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(st.text(min_size=1, max_size=80))
@example("docs/" + "x" * 300 + ".pdf")
@example("\udce9.md")
@example("Ünïcödé – 100 %.pdf")
def test_an_id_is_short_and_url_safe_and_always_the_same(name: str) -> None:
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*-)?[0-9a-f]{8}", document_id(name))
    assert len(document_id(name)) <= 48 + 1 + 8
    assert document_id(name) == document_id(name)


def test_ids_tell_folders_and_formats_apart() -> None:
    names = ["a/index.html", "b/index.html", "a/index.pdf", "A/index.html"]
    assert len({document_id(name) for name in names}) == 4


# ── Files that do not become documents ──────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_gone_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="cannot be opened: No such file"):
        read_document(SourceFile(tmp_path / "gone.md", "gone.md"))


def test_a_file_above_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.touch()
    os.truncate(path, LARGEST_FILE_BYTES + 1)  # takes no room on the disk
    with pytest.raises(UnreadableFileError, match="too large: more than 200 MB"):
        read_document(SourceFile(path, "large.txt"))


def test_a_page_of_controls_alone_has_no_text(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.md", "Share this page\n\nBack to top\n") == (
        "no text left after cleaning: nothing but navigation or interface words"
    )


def test_front_matter_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.md", "---\na: " + "[" * 1500 + "\n---\nText.")


def test_a_page_that_is_nested_too_deeply_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<div>" * 5000 + BUS, encoding="utf-8")
    document = read_document(SourceFile(tmp_path / "a.html", "a.html"))
    assert BUS in " ".join(block.text for block in document.blocks)


def test_the_rest_goes_on_when_one_file_of_a_folder_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    contents = {
        "a.md": f"# Bus\n\n{BUS}",
        "bytes.txt": bytes(range(256)),
        "date.md": "---\ndate: 2023-02-30\n---\nText.",
        "empty.html": "",
        "link.txt": None,
        "z.txt": BUS,
    }
    for name, content in contents.items():
        if content is None:
            (folder / name).symlink_to(folder / "gone")
        else:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    outcome = {}
    for source in find_files([str(folder)]):
        try:
            outcome[source.path.name] = read_document(source).document.title[:7]
        except UnreadableFileError as error:
            outcome[source.path.name] = str(error).partition(":")[0]
    assert outcome.pop("date.md").startswith("front matter")
    assert outcome == {
        "a.md": "Bus",
        "bytes.txt": "not text",
        "empty.html": "empty file",
        "link.txt": "cannot be opened",
        "z.txt": "The bus",
    }


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.txt"])
def test_a_documents_texts_are_clean_whatever_its_reader_hands_over(tmp_path: Path, name: str) -> None:
    text = f"Arbeits\u00admarkt  und\u00a0o\ufb03ce , {BUS}"
    found = read(tmp_path, name, f"<html><body><p>{text}</p></body></html>" if name == "a.html" else text)
    assert [block.text for block in found.blocks] == [f"Arbeitsmarkt und office, {BUS}"]


def test_a_country_in_the_title_is_inferred_and_a_stated_one_is_not(tmp_path: Path) -> None:
    inferred = read(tmp_path, "bus.md", f"# Austria: a bus\n\n{BUS}").document
    assert inferred.countries == ("AT",)
    assert inferred.inferred == (InferredValue("countries", "AT", 0.95, "Austria: a bus", None),)
    assert not inferred.states("countries")
    stated = read(tmp_path, "bus.md", f"---\ncountries: [DE]\n---\n# Austria: a bus\n\n{BUS}").document
    assert (stated.countries, stated.inferred, stated.states("countries")) == (("DE",), (), True)
