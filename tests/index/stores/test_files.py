"""The file store: complete generations, switched at once, and never trusted when altered."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from pes_search.index.build import write_documents
from pes_search.index.config import FusionConfig, IndexConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import BuildRunningError, IndexDamagedError, IndexNotFoundError, NotInIndexError
from pes_search.index.filters import Filters
from pes_search.index.open_index import open_index
from pes_search.index.search import candidates, related
from pes_search.index.stores.base import KEPT_GENERATIONS
from pes_search.index.stores.files import FileStore
from pes_search.index.types import EncodedDocument, Manifest, Query
from pes_search.ingest.types import Block, Document

WEIGHTS = FusionConfig(sentence_weight=0)
TEXTS = {
    "a": "Guidance for women who return to work.",
    "b": "Vouchers for digital training.",
    "c": "Street work with young people.",
}


def document(name: str, country: str = "DE") -> Document:
    return Document(
        id=name,
        title=f"Practice {name}",
        kind="practice",
        language="en",
        sha256=name,
        path=name,
        countries=(country,),
        year=2020,
    )


def write(store: FileStore, names: str, encoder: Encoder, cache_dir: Path) -> Manifest:
    writer = store.writer()
    try:
        return write_documents(
            [(document(name), [Block("paragraph", TEXTS[name])]) for name in names],
            writer,
            encoder,
            cache_dir=cache_dir,
            config=IndexConfig(),
        )[0]
    finally:
        writer.discard()


@pytest.fixture
def store(tmp_path: Path, encoder: Encoder, cache_dir: Path) -> FileStore:
    store = FileStore(tmp_path / "index")
    write(store, "abc", encoder, cache_dir)
    return store


def test_what_was_written_is_read_back(store: FileStore) -> None:
    index = open_index(store)
    assert [d.id for d in index.stored.documents(Filters())] == ["a", "b", "c"]
    assert index.document("b") == document("b")
    text = index.text("b")
    (passage,) = text.passages
    assert passage.text == TEXTS["b"] == text.pages[0].text[passage.start : passage.end]
    assert index.passage(passage.id) == (text.document, passage)
    assert (index.manifest.documents, index.manifest.passages, index.manifest.languages) == (3, 3, {"en": 3})


def test_unknown_ids_are_named(store: FileStore) -> None:
    index = open_index(store)
    for call in (index.document, index.text, index.passage, lambda name: related(name, index)):
        with pytest.raises(NotInIndexError, match="'nope'"):
            call("nope")


def test_the_same_documents_make_the_same_index_id(store: FileStore, tmp_path: Path, encoder: Encoder, cache_dir: Path) -> None:
    other = write(FileStore(tmp_path / "other"), "abc", encoder, cache_dir)
    assert other.index_id == store.open().manifest.index_id
    assert write(FileStore(tmp_path / "third"), "ab", encoder, cache_dir).index_id != other.index_id


def test_a_missing_index_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="pes build --index"):
        FileStore(tmp_path).open()


def generation(store: FileStore) -> Path:
    return store.folder / "generations" / (store.current_name() or "")


@pytest.mark.parametrize("file", ["documents.jsonl", "texts.txt", "passages.npy", "vectors.f16", "bm25/vocab.index.json"])
@pytest.mark.parametrize("fault", ["altered", "cut", "gone"])
def test_a_damaged_file_is_found(store: FileStore, file: str, fault: str) -> None:
    path = generation(store) / file
    content = path.read_bytes()
    if fault == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if fault == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(IndexDamagedError, match=rf"{file.split('/')[-1]} is missing or altered; .*pes build --index"):
        store.open()


def test_hashes_are_checked_once_and_again_by_verify(store: FileStore) -> None:
    store.open()
    path = generation(store) / "vectors.f16"
    state, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # as a failing disk alters a file: size and time stay
    store.open()
    with pytest.raises(IndexDamagedError, match=r"vectors\.f16 is missing or altered; .*pes build --index"):
        store.verify()
    path.write_bytes(content)
    assert store.verify() == store.current()


def test_an_index_that_cannot_be_written_to_is_opened_all_the_same(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("pes_search.index.stores.files._write_text", refuse)
    assert store.open().manifest == store.current()


@pytest.mark.parametrize(
    ("change", "message"), [({"schema": 0}, "schema 0"), ({"unknown": 1}, "manifest.json"), ({"files": None}, "pes build")]
)
def test_a_foreign_manifest_is_refused(store: FileStore, change: dict[str, object], message: str) -> None:
    path = generation(store) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (store.folder / "CURRENT").write_text(f"{generation(store).name} {digest}\n")
    with pytest.raises(IndexDamagedError, match=message):
        store.open()


def test_no_bit_of_the_manifest_can_flip_unseen(store: FileStore) -> None:
    path = generation(store) / "manifest.json"
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        for call in (store.open, store.current):
            with pytest.raises(IndexDamagedError, match=r"manifest\.json is altered.*; .*pes build --index"):
                call()
    path.write_bytes(content)
    assert store.open().manifest == store.current()


def test_no_bit_of_the_pointer_can_flip_unseen(store: FileStore) -> None:
    pointer = store.folder / "CURRENT"
    content = pointer.read_bytes()
    for place in range(len(content) - 1):  # the last is a newline
        pointer.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(IndexDamagedError, match="pes build --index"):
            store.open()


@pytest.mark.parametrize("name", ["../../etc", "nope", "\udcff"])
def test_a_pointer_that_names_no_generation_is_refused(store: FileStore, name: str) -> None:
    (store.folder / "CURRENT").write_bytes(name.encode("utf-8", "surrogateescape"))
    with pytest.raises(IndexDamagedError, match="pes build"):
        store.open()


def test_a_discarded_generation_changes_nothing(store: FileStore) -> None:
    name = store.current_name()
    writer = store.writer()
    none = np.zeros((0, 384), np.float16)
    writer.add(EncodedDocument(document("x"), [], [], none, [], none, {}))
    writer.discard()
    assert store.current_name() == name
    assert [path.name for path in (store.folder / "generations").iterdir()] == [name]


def test_two_builds_at_once_are_refused(store: FileStore) -> None:
    writer = store.writer()
    try:
        with pytest.raises(BuildRunningError, match="another build"):
            FileStore(store.folder).writer()
    finally:
        writer.discard()
    store.writer().discard()


def test_an_open_index_outlives_its_generation(store: FileStore, encoder: Encoder, cache_dir: Path) -> None:
    old = open_index(store)
    for names in ("ab", "bc", "c", "a"):
        write(store, names, encoder, cache_dir)
    assert len(list((store.folder / "generations").iterdir())) == KEPT_GENERATIONS
    assert old.document("c").title == "Practice c"
    vector = encoder.encode_queries(["vouchers"])[0]
    assert candidates(Query("voucher", "en", {"en": ["voucher"]}, vector, {"en": vector}, ()), old, WEIGHTS, Filters(), 3)
    assert [d.id for d in store.open().documents(Filters())] == ["a"]


def test_candidates_carry_both_scores(store: FileStore, encoder: Encoder) -> None:
    vector = encoder.encode_queries(["vouchers for training"])[0]
    query = Query("vouchers, train", "en", {"en": ["voucher", "train"]}, vector, {"en": vector}, ())
    scores = {
        candidate.document_id: candidate.scores for candidate in candidates(query, open_index(store), WEIGHTS, Filters(), 10)
    }
    assert set(scores) == {"a", "b", "c"}
    assert scores["b"].lexical > 0 == scores["a"].lexical
    assert scores["b"].dense > scores["a"].dense
    passage = encoder.encode_passages([f"Practice b\n{TEXTS['b']}"])[0]
    assert scores["b"].dense == pytest.approx(float(vector @ passage), abs=1e-5)


def test_nearest_documents_leave_out_the_document_itself(store: FileStore) -> None:
    hits = related("a", open_index(store), k=10)
    assert sorted(hit.passage.document_id for hit in hits) == ["b", "c"]
    cosines = [hit.scores.dense for hit in hits]
    assert cosines == sorted(cosines, reverse=True)
    assert [hit.scores.agreement for hit in hits] == cosines  # no lists: nothing else is known


def test_words_are_counted_by_the_passages_that_have_them(store: FileStore) -> None:
    index = store.open()
    # Each passage is under the title of its document, "Practice a" and so on; "for" and "who" have 3 letters.
    assert index.words("en") == dict.fromkeys(
        ["guidance", "women", "return", "vouchers", "digital", "training", "street", "young", "people"], 1
    ) | {"practice": 3, "work": 2, "with": 1}
    assert index.words("de") == index.words(None) == {}


def test_an_open_index_keeps_its_words_when_its_generation_is_gone(store: FileStore, encoder: Encoder, cache_dir: Path) -> None:
    old, folder = store.open(), generation(store)
    for names in ("ab", "b", "c"):
        write(store, names, encoder, cache_dir)
    assert not folder.exists()
    assert old.words("en")["practice"] == 3
