"""The lexical retriever gives rank-bm25's scores, bounded."""

import random
from pathlib import Path

import numpy as np
import pytest
from rank_bm25 import BM25Plus

from pes_search.index.config import Bm25Config
from pes_search.index.evidence.bm25 import DELTA, Bm25Builder, Bm25Index

CAT, DOG, NONE = ["the", "cat", "sat", "on", "the", "mat"], ["dog", "cat", "dog"], []


def index_of(passages: list[list[str]], folder: Path, config: Bm25Config) -> Bm25Index:
    builder = Bm25Builder()
    for terms in passages:
        builder.add(terms)
    builder.save(folder / "bm25", config)
    return Bm25Index(folder / "bm25")


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (2.0, 1.0)])
def test_scores_are_those_of_rank_bm25(tmp_path: Path, k1: float, b: float) -> None:
    draw = random.Random(7)
    words = [f"w{i}" for i in range(80)]
    passages = [draw.choices(words, weights=range(80, 0, -1), k=draw.randint(1, 60)) for _ in range(200)]
    oracle = BM25Plus(passages, k1=k1, b=b, delta=DELTA)
    index = index_of(passages, tmp_path, Bm25Config(k1, b))
    for query in (["w1"], ["w1", "w1", "w40"], draw.choices(words, k=12)):
        # BM25+ gives a passage delta * idf for a term that it lacks; that constant is taken off.
        absent = sum(DELTA * oracle.idf[term] for term in query)
        most = (k1 + 1) * sum(oracle.idf[term] for term in query)
        expected = (np.array(oracle.get_scores(query)) - absent) / most
        np.testing.assert_allclose(index.scores(query), expected, atol=7e-6)


def test_a_passage_with_none_of_the_words_scores_exactly_nothing(tmp_path: Path) -> None:
    scores = index_of([CAT, DOG, NONE], tmp_path, Bm25Config()).scores(["cat", "mat"])
    assert scores[0] > scores[1] > 0
    assert scores[2] == 0


def test_scores_are_bounded_by_one(tmp_path: Path) -> None:
    scores = index_of([["word"] * 1000, DOG, CAT], tmp_path, Bm25Config()).scores(["word"])
    assert 0.9 < scores[0] <= 1


def test_words_that_the_collection_lacks_lower_the_score(tmp_path: Path) -> None:
    index = index_of([CAT, DOG], tmp_path, Bm25Config())
    # ln(3/1) for a word of one passage of two; ln(3) for an unknown one: the same weight, so half the score.
    assert index.scores(["dog", "unknown"])[1] == pytest.approx(index.scores(["dog"])[1] / 2, rel=1e-6)


def test_a_query_of_unknown_words_scores_nothing(tmp_path: Path) -> None:
    assert index_of([CAT, DOG], tmp_path, Bm25Config()).scores(["x", "y"]).tolist() == [0, 0]
    assert index_of([CAT, DOG], tmp_path, Bm25Config()).scores([]).tolist() == [0, 0]


def test_a_collection_without_words_can_be_searched(tmp_path: Path) -> None:
    assert index_of([NONE, NONE], tmp_path, Bm25Config()).scores(["cat"]).tolist() == [0, 0]


def test_document_frequency_counts_passages_not_occurrences(tmp_path: Path) -> None:
    index = index_of([CAT, DOG], tmp_path, Bm25Config())
    assert [index.document_frequency(term) for term in ("cat", "dog", "the", "x")] == [2, 1, 1, 0]


def test_scores_of_some_passages_are_those_of_all(tmp_path: Path) -> None:
    draw = random.Random(3)
    words = [f"w{i}" for i in range(20)]
    index = index_of([draw.choices(words, k=draw.randint(0, 12)) for _ in range(50)], tmp_path, Bm25Config())
    query = ["w3", "w4", "w4", "unknown"]
    rows = np.array([49, 3, 3, 0, 17])
    assert index.scores_of(rows, query).tolist() == index.scores(query)[rows].tolist()
    assert index.scores_of(rows[:0], query).tolist() == []


def test_passages_that_are_not_meant_keep_what_they_have(tmp_path: Path) -> None:
    index = index_of([CAT, DOG, CAT], tmp_path, Bm25Config())
    scores = index.scores(["dog"], np.array([False, True, False]))
    index.scores(["cat"], np.array([True, False, False]), onto=scores)
    assert scores.tolist() == [index.scores(["cat"])[0], index.scores(["dog"])[1], 0]
