"""Labels of who may read a document: where they come from, and that no slip opens what was to be closed."""

from pathlib import Path

import pytest

from pes_search.ingest.collection import Collection, ReadReport, find_sources
from pes_search.ingest.documents import read_document, read_documents
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.origin import Origin
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.types import Document
from pes_search.ingest.visibility import PlaceLabels, combined, is_visible, labels_of, read_label

TEXT = "# Street work\n\nYoung people meet a counsellor in the park."


def read(tmp_path: Path, text: str, name: str = "file.md", origin: Origin | None = None) -> Document:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_document(SourceFile(path, name, origin)).document


def collected(folder: Path, labels: PlaceLabels) -> tuple[dict[str, str], ReadReport]:
    """Return the visibility of each document of a folder by its path, and what was reported of them."""
    with Collection(find_sources([str(folder)], labels=labels), lambda *_: None) as collection:
        found = {document.path.partition("/")[2]: document.visibility for document, _ in collection.documents()}
        return found, collection.report


def test_labels_are_short_names_and_public_is_none() -> None:
    assert [read_label(value) for value in ("internal", " Internal\n", "board-2", "public", "PUBLIC", "", None)] == [
        "internal",
        "internal",
        "board-2",
        "",
        "",
        "",
        "",
    ]
    for faulty in ("in house", "intern@l", "públic", "a+b", "*", False, 0, 3, ["internal"], {"label": "x"}):
        with pytest.raises(ValueError, match="is no label"):
            read_label(faulty)


def test_who_reads_a_document_may_read_all_of_its_labels() -> None:
    assert combined("internal", "", "board") == combined("board", "internal") == "board+internal"
    assert combined("internal", "board+internal") == "board+internal"
    assert combined() == combined("", "") == ""
    assert labels_of("board+internal") == {"board", "internal"}
    assert is_visible("", frozenset())
    assert not is_visible("internal", frozenset())
    assert not is_visible("board+internal", frozenset({"internal"}))
    assert is_visible("board+internal", frozenset({"internal", "board", "other"}))
    assert is_visible("board", None)


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ("visibility: internal", "internal"),
        ("Visibility: Internal", "internal"),
        ("visibility: 'internal'", "internal"),
        ("visibility: public", ""),
        ("visibility:", ""),
        ("title: X", ""),
        ("visibility: [internal, board]", "board+internal"),
        ("visibility: [internal, public]", "internal"),
    ],
)
def test_front_matter_states_it(tmp_path: Path, front_matter: str, expected: str) -> None:
    assert read(tmp_path, f"---\n{front_matter}\n---\n{TEXT}").visibility == expected


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ('visibility = "internal"', "internal"),
        ('[extra]\nvisibility = "internal"', "internal"),
        ('visibility = "public"\n[extra]\nvisibility = "internal"', "internal"),
        ('visibility = "internal"\n[params]\nvisibility = "board"', "board+internal"),
    ],
)
def test_so_does_front_matter_in_toml(tmp_path: Path, front_matter: str, expected: str) -> None:
    assert read(tmp_path, f"+++\n{front_matter}\n+++\n{TEXT}").visibility == expected


@pytest.mark.parametrize(
    "text",
    [
        f"---\nvisibility: only for us\n---\n{TEXT}",
        f"---\nvisibility: no\n---\n{TEXT}",  # false, in YAML
        f"---\nvisibility: 0\n---\n{TEXT}",
        f"---\nvisibility: {{label: internal}}\n---\n{TEXT}",
        f"---\nvisibility: internal\nvisibility: public\n---\n{TEXT}",
        f"---\nvisiblity: internal\n---\n{TEXT}",
        f"---\nvisibility internal: x\nvisibilty: internal\n---\n{TEXT}",
        f"\n---\nvisibility: internal\n---\n{TEXT}",  # no front matter: it must be the first line
        f"---\nvisibility: internal\n\n{TEXT}",  # never closed
        f"+++\nvisibility = internal\n+++\n{TEXT}",  # no TOML
        f"---\nvisibility: internal\ntitle: a: b\n---\n{TEXT}",  # no YAML
    ],
)
def test_what_cannot_be_read_as_a_label_leaves_the_document_out(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"visib|front matter"):
        read(tmp_path, text)


def test_the_text_of_a_document_says_nothing_about_who_may_read_it(tmp_path: Path) -> None:
    said = read(tmp_path, f"---\nvisibility: internal\n---\n{TEXT}\n\nVisibility: public\n\n## Visibility\n\npublic")
    assert said.visibility == "internal"
    assert read(tmp_path, f"{TEXT}\n\nVisibility: internal").visibility == ""
    page = '<html><head><meta name="visibility" content="public"></head><p>Visibility: public</p><p>Text.</p></html>'
    assert (
        read(tmp_path, page, "page.html", Origin("https://example.org/", {"visibility": "internal"})).visibility == "internal"
    )


def test_neither_file_nor_place_takes_away_what_the_other_says(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    for name, label in {"open": "", "closed/plain": "", "closed/public": "public", "closed/board": "board"}.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\nvisibility: {label}\n---\n{TEXT} {name}")
    found, report = collected(folder, PlaceLabels({str(folder / "closed"): "internal"}))
    assert found == {
        "open.md": "",
        "closed/plain.md": "internal",
        "closed/public.md": "internal",
        "closed/board.md": "board+internal",
    }
    assert dict(report.closed) == {"internal": 2, "board+internal": 1}


def test_the_longest_place_counts_by_whatever_way_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "real" / "press").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    labels = PlaceLabels({str(tmp_path / "real"): "internal", str(tmp_path / "real" / "press"): "", "other": "board"})
    for folder in ("real", "link"):
        assert labels.label(tmp_path / folder / "a.md") == "internal"
        assert labels.label(tmp_path / folder / "press" / "a.md") == ""
    assert labels.label(tmp_path / "really" / "a.md") == ""  # a folder whose name only begins alike
    assert labels.label(Path("other/deep/a.md")) == "board"
    # A link into an open folder from a closed one, and the other way round.
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "a.md").symlink_to(tmp_path / "open.md")
    assert PlaceLabels({str(tmp_path / "closed"): "internal"}).label(tmp_path / "closed" / "a.md") == "internal"


def test_a_closed_copy_of_the_same_content_closes_the_open_one_whichever_is_read_first(tmp_path: Path) -> None:
    for closed, opened in (("a", "z"), ("z", "a")):
        folder = tmp_path / closed
        for name in (closed, opened):
            (folder / name).mkdir(parents=True)
            (folder / name / "file.md").write_text(TEXT)
        found, report = collected(folder, PlaceLabels({str(folder / closed): "internal"}))
        assert list(found.values()) == ["internal"]
        assert any("only for readers of internal" in warning.reason for warning in report.warnings)


def test_what_a_file_holds_is_closed_with_it(tmp_path: Path) -> None:
    mail = (
        "From: a@example.org\nSubject: Street work\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nThe employment service meets young people in the park.\n"
        '--x\nContent-Type: text/markdown\nContent-Disposition: attachment; filename="more.md"\n\n'
        f"---\nvisibility: board\n---\n{TEXT}\n--x--\n"
    )
    path = tmp_path / "mails" / "mail.eml"
    path.parent.mkdir()
    path.write_text(mail)
    found, _ = collected(path.parent, PlaceLabels({str(path): "internal"}))
    assert found == {"mail.eml": "internal", "mail.eml#more.md": "board+internal"}
    fetched = read_documents(SourceFile(path, "mail.eml", Origin("https://example.org/", {"visibility": "internal"})))
    assert [one.document.visibility for one in fetched] == ["internal", "board+internal"]


def test_a_changed_label_is_a_changed_collection(tmp_path: Path) -> None:
    (tmp_path / "file.md").write_text(TEXT)
    hashes = {
        find_sources([str(tmp_path)], labels=PlaceLabels(places)).content_hash()
        for places in ({}, {str(tmp_path): "internal"}, {str(tmp_path): "board"}, {str(tmp_path / "other"): "internal"})
    }
    assert len(hashes) == 3
