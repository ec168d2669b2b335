"""Candidates from three rankings, in an order that tells nothing, and judgments that `pes-eval` reads."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pes_search.eval.collections.files import read_qrels
from pes_search.eval.collections.questions import Question, read_questions
from pes_search.eval.retrieval import RETRIEVERS, runs
from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import QueryError
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search
from pes_search.service.editing.judging import pool, qrels, queries, query_id

QUERIES = ["vouchers for training", "Frauen nach der Familienpause", "INTESPO", "jeunes sans emploi ni formation"]


@dataclass(frozen=True, slots=True)
class Judged:
    query: str
    document_id: str
    grade: int


JUDGED = [
    Judged("Vouchers for training", "hr-vouchers", 2),
    Judged("Wer zahlt für Gutscheine?\u2028", "hr-vouchers", 1),
    Judged("  vouchers  for\ntraining ", "de-power-m", 0),
]


@pytest.mark.parametrize("query", QUERIES)
def test_the_pool_is_what_the_evaluation_ranks_first_by_each_retriever(
    corpus_index: OpenIndex, encoder: Encoder, query: str
) -> None:
    rankings = runs([Question("q", query)], corpus_index, encoder, SearchConfig())
    first = {
        retriever: sorted(scores := rankings[retriever]["q"], key=lambda document_id: (-scores[document_id], document_id))[:5]
        for retriever in RETRIEVERS
    }
    pooled = [hit.document.id for hit in pool(query, corpus_index, encoder, SearchConfig(), depth=5)[1]]
    assert len(pooled) == len(set(pooled))
    assert set(pooled) == {document_id for ranking in first.values() for document_id in ranking}


def test_other_rankings_bring_documents_that_the_service_does_not_show(corpus_index: OpenIndex, encoder: Encoder) -> None:
    shown = search(QUERIES[0], corpus_index, encoder, SearchConfig(), k=5).hits
    query, pooled = pool(QUERIES[0], corpus_index, encoder, SearchConfig(), depth=5)
    assert query.text == QUERIES[0]
    assert {hit.document.id for hit in shown} < {hit.document.id for hit in pooled}


def test_a_document_without_any_of_the_words_is_not_found_by_words(corpus_index: OpenIndex, encoder: Encoder) -> None:
    # Both other retrievers rank all of the 113 documents; no document holds this word.
    _, pooled = pool("xylophonisation", corpus_index, encoder, SearchConfig(), depth=3)
    assert 3 <= len(pooled) <= 3 + 3


def test_each_document_comes_by_its_best_passage_alone(corpus_index: OpenIndex, encoder: Encoder) -> None:
    shown = search(QUERIES[0], corpus_index, encoder, SearchConfig(), k=113).hits
    best = {hit.document.id: hit.passage.id for hit in shown}
    for hit in pool(QUERIES[0], corpus_index, encoder, SearchConfig())[1]:
        assert hit.passage.document_id == hit.document.id
        assert hit.passage.id == best[hit.document.id]
        assert hit.passages == ()


def test_the_order_is_that_of_a_hash_however_the_query_is_written(corpus_index: OpenIndex, encoder: Encoder) -> None:
    _, hits = pool("  Vouchers for   TRAINING", corpus_index, encoder, SearchConfig())
    pooled = [hit.document.id for hit in hits]
    keys = [hashlib.sha256(f"vouchers for training{document_id}".encode()).hexdigest() for document_id in pooled]
    assert keys == sorted(keys)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_a_hit_beyond_the_depth_of_every_retriever_stays_out(corpus_index: OpenIndex, encoder: Encoder) -> None:
    _, shallow = pool(QUERIES[0], corpus_index, encoder, SearchConfig(), depth=1)
    assert 1 <= len(shallow) <= 3
    _, deep = pool(QUERIES[0], corpus_index, encoder, SearchConfig())
    assert {hit.document.id for hit in shallow} <= {hit.document.id for hit in deep}


@pytest.mark.parametrize(("query", "depth"), [("", 10), (" \n", 10), ("x" * 2_001, 10), ("vouchers", 0)])
def test_what_cannot_be_searched_is_refused(corpus_index: OpenIndex, encoder: Encoder, query: str, depth: int) -> None:
    with pytest.raises(QueryError):
        pool(query, corpus_index, encoder, SearchConfig(), depth=depth)


def test_a_query_id_is_ten_digits_of_the_hash_of_the_folded_query() -> None:
    digits = hashlib.sha256("café für alle".encode()).hexdigest()[:10]
    assert query_id(" CAFÉ  für alle ") == query_id("cafe\u0301 für\nalle") == f"q-{digits}"
    assert query_id("Café für viele") != f"q-{digits}"


def test_judgments_are_read_by_the_evaluation(tmp_path: Path) -> None:
    path = tmp_path / "qrels.txt"
    path.write_text(qrels(JUDGED), encoding="utf-8")
    assert read_qrels(path) == {
        query_id("vouchers for training"): {"hr-vouchers": 2, "de-power-m": 0},
        query_id("wer zahlt für gutscheine?"): {"hr-vouchers": 1},
    }


def test_queries_are_read_by_the_evaluation_each_once(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(queries(JUDGED), encoding="utf-8")
    assert read_questions(path) == [
        Question(query_id("vouchers for training"), "Vouchers for training"),
        Question(query_id("wer zahlt für gutscheine?"), "Wer zahlt für Gutscheine?"),
    ]


def test_a_later_judgment_replaces_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "qrels.txt"
    path.write_text(qrels([JUDGED[0], replace(JUDGED[0], query="vouchers FOR training", grade=1)]), encoding="utf-8")
    assert read_qrels(path) == {query_id("vouchers for training"): {"hr-vouchers": 1}}


def test_halves_of_characters_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(queries([Judged("caf\udce9 vouchers", "hr-vouchers", 1)]), encoding="utf-8")
    assert [question.text for question in read_questions(path)] == ["caf? vouchers"]


def test_without_judgments_the_files_are_empty() -> None:
    assert qrels([]) == queries([]) == ""
