"""Test collections in BEIR format are read whole, or refused line by line."""

import json
from pathlib import Path

import pytest

from pes_search.eval.beir import BeirError, read_beir

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
        ("corpus.jsonl", '{"_id": "1", "text": "x"}\n{"_id": "2"}', r"corpus\.jsonl:2: lacks text"),
        ("corpus.jsonl", "[]", r"corpus\.jsonl:1: no JSON object"),
        ("queries.jsonl", "no json", r"queries\.jsonl:1: no JSON object"),
        ("qrels.tsv", "q1\tA/1\t1\nq1 A/1 1", r"qrels\.tsv:2: not query-id"),
    ],
)
def test_a_fault_is_named_with_its_line(folder: Path, file: str, text: str, message: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(BeirError, match=message):
        read_beir(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "queries.jsonl").unlink()
    with pytest.raises(BeirError, match=r"cannot read .*queries\.jsonl"):
        read_beir(folder)
