"""Files that are handed in: previewed as the build reads them, then kept or not; nothing leaves the folder."""

import errno
import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import numpy as np
import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import related
from pes_search.index.stores.files import FileStore
from pes_search.index.text.passage_text import full_text
from pes_search.ingest.config import PassageConfig, ReadingConfig
from pes_search.service.editing import uploads
from pes_search.service.editing.uploads import (
    Preview,
    UploadError,
    UploadFolderError,
    UploadReaders,
    clear_pending,
    discard,
    keep,
    kept,
    preview,
    safe_name,
)
from tests.conftest import CORPUS, Build

BUS = "The employment service runs a bus that visits villages without a branch. Two advisers help people to register in it."
MARKDOWN = f"---\nid: village-bus\nkind: practice\ncountries: [AT]\n---\n# Village bus\n\n{BUS}".encode()
KNOWN = (CORPUS / "practices" / "de-power-m.md").read_bytes()

Show = Callable[..., Preview]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where uploads are kept; made by the first one."""
    return tmp_path / "uploads"


@pytest.fixture(scope="module")
def readers() -> Iterator[UploadReaders]:
    started = UploadReaders(ReadingConfig(), at_once=1)
    yield started
    started.close()


@pytest.fixture
def show(folder: Path, corpus_index: OpenIndex, encoder: Encoder, readers: UploadReaders) -> Show:
    def run(name: str, data: bytes) -> Preview:
        return preview(name, io.BytesIO(data), folder, corpus_index, encoder, PassageConfig(), readers)

    return run


def pdf(password: str | None = None) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawString(72, 760, "Village bus")
    canvas.setFont("Helvetica", 8)
    canvas.drawString(72, 720, BUS)
    canvas.save()
    if password is None:
        return buffer.getvalue()
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(buffer.getvalue()))
    writer.encrypt(password, "owner", algorithm="AES-256")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Village bus", 0)
    document.add_paragraph(BUS)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def everything_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("bus.md", MARKDOWN, "text/markdown"),
        ("bus.txt", f"Village bus\n\n{BUS}".encode(), "text/plain"),
        ("bus.html", f"<html><body><article><h1>Village bus</h1><p>{BUS}</p></article></body></html>".encode(), "text/html"),
        ("bus.pdf", pdf(), "application/pdf"),
        ("BUS.DOCX", word(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_a_preview_is_what_the_build_reads_once_the_file_is_kept(
    show: Show, folder: Path, build: Build, tmp_path: Path, name: str, data: bytes, media_type: str
) -> None:
    seen = show(name, data)
    assert seen.name == name
    assert seen.document.media_type == media_type
    assert "advisers" in " ".join(passage.text for passage in seen.passages)
    assert kept(folder) == []
    assert keep(seen.token, folder) == folder / name
    assert (folder / name).read_bytes() == data
    build([folder], tmp_path / "index")
    index = open_index(FileStore(tmp_path / "index"))
    assert index.stored.documents(Filters()) == [seen.document]
    assert tuple(index.text(seen.document.id).passages) == seen.passages


def test_what_waits_is_not_indexed(show: Show, folder: Path, build: Build, tmp_path: Path) -> None:
    show("bus.md", MARKDOWN)
    keep(show("kept.txt", BUS.encode()).token, folder)
    assert build([folder], tmp_path / "index").read == ("uploads/kept.txt",)


def test_a_token_is_made_of_the_content(show: Show, folder: Path) -> None:
    token = hashlib.sha256(MARKDOWN).hexdigest()[:32]
    assert show("bus.md", MARKDOWN).token == token
    assert everything_in(folder) == [f".pending/{token}/bus.md"]


def test_the_same_file_under_another_name_waits_once(show: Show, folder: Path) -> None:
    assert show("bus.md", MARKDOWN).token == show("coach.md", MARKDOWN).token
    assert everything_in(folder) == [f".pending/{show('coach.md', MARKDOWN).token}/coach.md"]


# ── What the index has ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_the_index_has_is_recognised(show: Show) -> None:
    seen = show("another-name.md", KNOWN)
    assert seen.same_content == "de-power-m"
    assert seen.taken_id
    assert seen.near[0].document.id == "de-power-m"
    assert seen.near[0].score == pytest.approx(1, abs=0.001)
    assert seen.terms == ()  # target groups, measure types and channels are stated


def test_a_changed_file_has_the_id_but_not_the_content(show: Show) -> None:
    seen = show("de-power-m.md", KNOWN.replace(b"about 6 months", b"about 7 months"))
    assert seen.same_content is None
    assert seen.taken_id
    assert seen.near[0].document.id == "de-power-m"


def test_a_new_file_is_near_to_others_by_the_cosine_of_the_mean_vectors(
    show: Show, corpus_index: OpenIndex, encoder: Encoder
) -> None:
    seen = show("bus.md", MARKDOWN)
    assert (seen.same_content, seen.taken_id) == (None, False)
    (passage,) = seen.passages  # so its vector is the mean
    vector = encoder.encode_passages([full_text(seen.document, passage)])[0]
    for rank, hit in enumerate(seen.near, start=1):
        passages = corpus_index.text(hit.document.id).passages
        mean = encoder.encode_passages([full_text(hit.document, other) for other in passages]).mean(axis=0)
        assert hit.rank == rank
        assert hit.passage in passages
        assert hit.score == pytest.approx(float(vector @ mean / np.linalg.norm(mean)), abs=0.001)
    assert [hit.score for hit in seen.near] == sorted((hit.score for hit in seen.near), reverse=True)


def test_a_copy_is_as_near_to_others_as_its_original(show: Show, corpus_index: OpenIndex) -> None:
    near = {hit.document.id: hit.score for hit in show("copy.md", KNOWN).near}
    cosines = {hit.document.id: hit.scores.dense for hit in related("de-power-m", corpus_index, k=113)}
    others = [document_id for document_id in near if document_id != "de-power-m"]
    assert others == sorted(cosines, key=lambda document_id: -cosines[document_id])[: len(others)]
    for document_id in others:
        assert near[document_id] == pytest.approx(cosines[document_id], abs=0.001)


def test_terms_are_suggested_only_for_what_the_file_leaves_empty(show: Show, corpus_index: OpenIndex) -> None:
    text = "# Wage subsidy for former prisoners\n\nEmployers get a wage subsidy when they hire people who come out of prison."
    seen = show("subsidy.md", text.encode())
    assert ("target_groups", "ex-offenders") in [(term.field, term.id) for term in seen.terms]
    for term in seen.terms:
        assert term.label == corpus_index.taxonomy.label(term.field.replace("_", "-"), term.id)
        assert uploads.LEAST_CONCEPT_SHARE <= term.confidence <= 1
    tagged = show("tagged.md", f"---\ntarget_groups: [women]\n---\n{text}".encode())
    assert "target_groups" not in {term.field for term in tagged.terms}
    assert tagged.document.target_groups == ("women",)


# ── Refused ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("setup.exe", b"MZ\x90\x00", r"^setup\.exe has no format .*\(\.exe\).* \.html, .*\.md, \.txt$"),
        ("notes", BUS.encode(), "no suffix"),
        ("", BUS.encode(), r"^document has no format"),
        ("..", BUS.encode(), r"^document has no format"),
        ("empty.md", b"", r"^empty\.md is empty"),
        ("blank.txt", b" \n\n", "empty file"),
        ("locked.pdf", pdf("secret"), "encrypted: needs a password"),
        ("broken.pdf", pdf()[:300], "damaged PDF"),
        ("lying.pdf", word(), "wrong suffix: the content is a ZIP archive"),
        ("README.md", MARKDOWN, "a README describes its folder"),
        ("faulty.md", b"---\nid: [\n---\n# Bus", "front matter"),
    ],
)
def test_what_cannot_be_a_document_is_refused_with_the_reason_and_not_kept_aside(
    show: Show, folder: Path, name: str, data: bytes, message: str
) -> None:
    with pytest.raises(UploadError, match=message):
        show(name, data)
    assert everything_in(folder) == []


def test_a_file_may_be_so_large_and_no_larger(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    assert uploads.LARGEST_UPLOAD_BYTES == 50_000_000
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD_BYTES", len(MARKDOWN))
    assert show("bus.md", MARKDOWN).document.id == "village-bus"
    with pytest.raises(UploadError, match=rf"has {len(MARKDOWN) + 1:,} bytes, {len(MARKDOWN):,} at most"):
        show("bus.md", MARKDOWN + b"\n")


def test_a_refused_name_does_not_take_away_what_waits(show: Show, folder: Path) -> None:
    token = show("bus.md", MARKDOWN).token
    with pytest.raises(UploadError):
        show("bus.pdf", MARKDOWN)
    assert keep(token, folder).name == "bus.md"


def test_a_folder_that_cannot_be_made_is_told(folder: Path, show: Show) -> None:
    folder.write_text("in the way")
    with pytest.raises(UploadFolderError, match="cannot write in"):
        show("bus.md", MARKDOWN)


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.md", "passwd.md"),
        ("/etc/passwd.md", "passwd.md"),
        ("C:\\Users\\me\\Bericht 2024.PDF", "Bericht 2024.PDF"),
        ("a/b\\c.pdf", "c.pdf"),
        ("..", "document"),
        ("", "document"),
        (".", "document"),
        ("folder/", "document"),
        ("\x00.md", "document.md"),
        (".hidden.md", "hidden.md"),
        ("...md", "document.md"),
        ("a\x00b\n\x1b[31mc.md", "ab[31mc.md"),
        ("bus\u202efdp.md", "busfdp.md"),  # shown as if it ended otherwise
        ("half\udce9.md", "half.md"),
        ("  two \u00a0 spaces . md ", "two spaces.md"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("Résumé.md", "Résumé.md"),
        ("Re\u0301sume\u0301.md", "Résumé.md"),
        ("Πρακτική.pdf", "Πρακτική.pdf"),
        ("x" * 5_000 + ".md", "x" * 117 + ".md"),
        ("x" * 5_000, "x" * 120),
        ("." * 5_000 + "md", "document.md"),
        ("CON.md", "document CON.md"),
        ("nul.tar.md", "document nul.tar.md"),
        ("lpt9", "document lpt9"),
        ("console.md", "console.md"),
        ("bus.md:stream", "bus.md stream"),
        ('a<b>"c"|d?*.md', "a b c d.md"),
        ("\u202e\ufeff.md", "document.md"),
        ("b\u200bus.md", "bus.md"),
        ("bus\r\nSet-Cookie: a=b.md", "busSet-Cookie a=b.md"),
        ("a" + "\u0301\u0315" * 50_000 + ".md", "\u0301" * 117 + ".md"),  # its end: composing all takes minutes
    ],
)
def test_a_name_names_a_visible_file_of_one_folder(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


@pytest.mark.parametrize("character", ["x", "é", "Π", "字", "🚌"])
def test_the_longest_name_fits_a_file_system_and_keeps_its_suffix(tmp_path: Path, character: str) -> None:
    name = safe_name(character * 5_000 + ".docx")
    assert len(name) <= 120
    assert name.endswith(".docx")
    (tmp_path / name).write_text("fits")


@pytest.mark.parametrize("name", ["../../etc/passwd.md", "a/b\\passwd.md", "x" * 5_000 + ".md", "\x00.md", "🚌" * 200 + ".md"])
def test_whatever_the_name_the_file_stays_in_the_folder(show: Show, folder: Path, tmp_path: Path, name: str) -> None:
    path = keep(show(name, MARKDOWN).token, folder)
    assert path.parent == folder
    assert path.read_bytes() == MARKDOWN
    assert everything_in(tmp_path) == [f"uploads/{path.name}"]


# ── Kept, discarded, cleared ────────────────────────────────────────────────────────────────────────────────────────


def test_another_content_of_the_same_name_gets_a_number_and_the_same_content_does_not(
    show: Show, folder: Path, build: Build, tmp_path: Path
) -> None:
    contents = [f"{BUS} It began in {year}.".encode() for year in (2020, 2021, 2022)]
    previews = []
    for data in (*contents, contents[1]):
        previews.append(show("bus.txt", data))
        keep(previews[-1].token, folder)
    assert [seen.name for seen in previews] == ["bus.txt", "bus-2.txt", "bus-3.txt", "bus-2.txt"]
    assert [path.name for path in kept(folder)] == ["bus-2.txt", "bus-3.txt", "bus.txt"]
    assert [(folder / seen.name).read_bytes() for seen in previews[:3]] == contents
    build([folder], tmp_path / "index")
    ids = {document.id for document in open_index(FileStore(tmp_path / "index")).stored.documents(Filters())}
    assert ids == {seen.document.id for seen in previews}


def test_names_that_differ_in_case_or_in_how_letters_are_composed_are_one(show: Show, folder: Path) -> None:
    keep(show("Büs.md", MARKDOWN).token, folder)
    assert show("BÜS.MD", b"# Another\n\nText of another one.").name == "BÜS-2.MD"
    assert show("bu\u0308s.md", MARKDOWN).name == "Büs.md"  # the same content


def test_a_link_that_leads_nowhere_is_not_written_through(show: Show, folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "bus.md").symlink_to(tmp_path / "outside.md")
    assert keep(show("bus.md", MARKDOWN).token, folder).name == "bus-2.md"
    assert not (tmp_path / "outside.md").exists()


def test_what_is_kept_or_discarded_waits_no_more(show: Show, folder: Path) -> None:
    first, second = show("bus.md", MARKDOWN).token, show("other.txt", BUS.encode()).token
    keep(first, folder)
    discard(second, folder)
    assert everything_in(folder) == ["bus.md"]
    for token in (first, second):
        with pytest.raises(UploadError, match="no file waits"):
            keep(token, folder)
        with pytest.raises(UploadError, match="no file waits"):
            discard(token, folder)


@pytest.mark.parametrize(
    "token", ["", "..", "../..", "0" * 31, "0" * 33, "0" * 32, "G" * 32, "A" * 32, "0" * 32 + "\n", "../secret", "/etc"]
)
def test_a_token_that_names_nothing_touches_nothing(folder: Path, token: str) -> None:
    (folder / "secret").mkdir(parents=True)
    (folder / "secret" / "file.md").write_text("stays")
    (folder / ".pending").mkdir()
    for use in (keep, discard):
        with pytest.raises(UploadError, match="no file waits"):
            use(token, folder)
    assert everything_in(folder) == ["secret/file.md"]


def test_what_another_discards_meanwhile_waits_all_the_same(show: Show, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    discarded: list[Path] = []
    make = Path.mkdir

    def make_and_discard(path: Path, *arguments: object, **named: object) -> None:
        make(path, *arguments, **named)  # type: ignore[arg-type]
        if uploads.TOKEN.fullmatch(path.name) and not discarded:
            path.rmdir()
            discarded.append(path)

    monkeypatch.setattr(Path, "mkdir", make_and_discard)
    token = show("bus.md", MARKDOWN).token
    assert discarded
    assert everything_in(folder) == [f".pending/{token}/bus.md"]


def test_only_so_many_files_wait_and_the_oldest_give_way(show: Show, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PENDING", 2)
    tokens = [show(f"{number}.txt", f"{BUS} {number}".encode()).token for number in range(2)]
    with pytest.raises(UploadError, match=r"^2 files wait to be kept or discarded already \(2 files or 1,000 MB may\)"):
        show("2.txt", f"{BUS} 2".encode())
    assert show("0.txt", f"{BUS} 0".encode()).token == tokens[0]  # which waits already
    quarter_of_an_hour_ago = time.time() - 900
    os.utime(folder / ".pending" / tokens[1], (quarter_of_an_hour_ago, quarter_of_an_hour_ago))
    third = show("2.txt", f"{BUS} 2".encode()).token
    assert everything_in(folder) == sorted(f".pending/{token}/{number}.txt" for token, number in ((tokens[0], 0), (third, 2)))


def test_what_waits_may_take_so_much_of_the_disk(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PENDING_BYTES", 2 * len(MARKDOWN))
    show("bus.md", MARKDOWN)
    with pytest.raises(UploadError, match="1 files wait"):
        show("other.md", MARKDOWN + b"\n" + MARKDOWN)


def test_a_full_disk_is_told_and_nothing_stays(show: Show, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pes_search.service.editing.uploads.shutil.copyfileobj", full)
    with pytest.raises(UploadFolderError, match=r"cannot write in .*: No space left on device; make room"):
        show("bus.md", MARKDOWN)
    assert [*(folder / ".pending").iterdir()] == []


def test_a_file_that_takes_too_long_is_refused_and_not_kept_aside(
    folder: Path, corpus_index: OpenIndex, encoder: Encoder
) -> None:
    readers = UploadReaders(ReadingConfig(seconds=0.01, megabytes=700), at_once=1)
    with pytest.raises(UploadError, match=r"bus\.md cannot be read: it takes more than an upload may \(0\.01 s or 700 MB"):
        preview("bus.md", io.BytesIO(MARKDOWN), folder, corpus_index, encoder, PassageConfig(), readers)
    readers.close()
    assert [*(folder / ".pending").iterdir()] == []


def test_what_was_being_read_when_the_service_was_killed_is_cleared(folder: Path) -> None:
    for name, hours in ((".reading-a", 2), (".reading-b", 0), ("0" * 32, 2)):
        (folder / ".pending" / name).mkdir(parents=True)
        changed = time.time() - 3_600 * hours
        os.utime(folder / ".pending" / name, (changed, changed))
    assert clear_pending(folder, 24 * 3_600) == 1
    assert sorted(path.name for path in (folder / ".pending").iterdir()) == [".reading-b", "0" * 32]


def test_of_a_long_text_the_beginning_is_shown(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SHOWN_CHARACTERS", 1_000)
    seen = show("long.txt", "\n\n".join(f"{BUS} It began in {year}." for year in range(1900, 2000)).encode())
    length = len(BUS) + len(" It began in 1900.")
    assert seen.warnings == (f"it has {100 * length:,} characters of text; the first 1,000 are shown",)
    assert sum(len(passage.text) for passage in seen.passages) <= 1_000 + 2 * len(seen.passages) + 2 * 1_000 // length


def test_a_folder_that_is_not_there_holds_nothing(folder: Path) -> None:
    assert kept(folder) == []
    assert clear_pending(folder, 0) == 0


def test_only_what_has_waited_long_enough_is_cleared(show: Show, folder: Path) -> None:
    old, new = show("old.md", MARKDOWN).token, show("new.txt", BUS.encode()).token
    hour_ago = time.time() - 3_600
    os.utime(folder / ".pending" / old, (hour_ago, hour_ago))
    assert clear_pending(folder, 7_200) == 0
    assert clear_pending(folder, 1_800) == 1
    assert everything_in(folder) == [f".pending/{new}/new.txt"]
    show("old.md", MARKDOWN)
    assert clear_pending(folder, 0) == 2


def test_a_file_that_is_previewed_again_waits_anew(show: Show, folder: Path) -> None:
    token = show("bus.md", MARKDOWN).token
    hour_ago = time.time() - 3_600
    os.utime(folder / ".pending" / token, (hour_ago, hour_ago))
    show("bus.md", MARKDOWN)
    assert clear_pending(folder, 1_800) == 0


def test_a_file_of_several_documents_says_so(show: Show) -> None:
    rows = "Practice,Country,Start\nMobile office,Belgium,2019\nJob club,Austria,2020\n"
    shown = show("list.csv", rows.encode())
    assert shown.document.title == "Mobile office"
    assert shown.warnings == ("it holds 2 documents; the first is shown",)
