"""Test collections in BEIR format are read whole, or refused line by line."""

import json
from pathlib import Path

import pytest

from pes_search.eval.collections.beir import read_beir
from pes_search.eval.collections.files import InputError

CORPUS = [{"_id": "A/1", "title": "Bakery", "text": "Bread is baked\n\nat night."}, {"_id": "2", "title": "", "text": ""}]
QUERIES = [{"_id": "q1", "text": "who bakes?"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, CORPUS)) + "\n")
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, QUERIES)))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tA/1\t2\n")
    return tmp_path


def test_records_become_documents(folder: Path) -> None:
    collection = read_beir(folder)
    (bakery, blocks), (empty, only) = collection.documents
    assert (bakery.title, [block.text for block in blocks]) == ("Bakery", ["Bread is baked", "at night."])
    assert [block.text for block in only] == ["2"]  # a record without text still has its id
    assert collection.original_ids == {bakery.id: "A/1", empty.id: "2"}
    assert "/" not in bakery.id
    assert (collection.queries, collection.qrels) == ({"q1": "who bakes?"}, {"q1": {"A/1": 2}})


def test_judgments_may_stand_where_beir_puts_them_or_elsewhere(folder: Path, tmp_path: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("q1\t2\t1\n")
    assert read_beir(folder).qrels == {"q1": {"2": 1}}
    assert read_beir(folder, qrels=folder / "qrels.tsv").qrels == {"q1": {"A/1": 2}}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "1", "text": "x"}\n{"_id": "2"}', r"corpus\.jsonl:2: `text` must be text"),
        ("corpus.jsonl", "[]", r"corpus\.jsonl:1: no JSON object"),
        ("queries.jsonl", "no json", r"queries\.jsonl:1: no JSON"),
        ("qrels.tsv", "q1\tA/1\t1\nq1 A/1 x", r"qrels\.tsv:2: needs query-id"),
    ],
)
def test_a_fault_is_named_with_its_line(folder: Path, file: str, text: str, message: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_beir(folder)


def test_every_fault_has_its_line(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text('{"_id": "1", "text": "x"}\n{"_id": "1", "text": "y"}\n{"text": "z"}\n7\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1"}')
    with pytest.raises(InputError) as caught:
        read_beir(folder)
    lines = str(caught.value).splitlines()
    assert [line.split("/")[-1].split(":")[:2] for line in lines] == [
        ["corpus.jsonl", "2"], ["corpus.jsonl", "3"], ["corpus.jsonl", "4"], ["queries.jsonl", "1"],
    ]  # fmt: skip


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "queries.jsonl").unlink()
    with pytest.raises(InputError, match=r"queries\.jsonl:1: cannot be read"):
        read_beir(folder)
