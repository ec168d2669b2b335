"""Runs and measures, and the standing test that the hybrid is worth having."""

from dataclasses import replace
from pathlib import Path

import pytest
from folders import KEPT

from pes_search.eval.collections.beir import BeirSet, read_beir
from pes_search.eval.collections.questions import Question
from pes_search.eval.measures import MAIN, estimates, measure
from pes_search.eval.retrieval import indexed, runs
from pes_search.index.config import IndexConfig, SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.search import related, search
from pes_search.ingest.types import Block, Document
from pes_search.service.settings import Settings

TEXTS = {
    "bakery": "The bakery trains young people as bakers and pays them from the first day.",
    "library": "The library lends books to jobseekers and helps them to write applications.",
    "garden": "In the garden project older workers grow vegetables for the neighbourhood.",
}


@pytest.fixture
def collection() -> BeirSet:
    return BeirSet(
        name="small",
        documents=[
            (Document(id=name, title="", kind="d", language="en", sha256=name, path=name), [Block("paragraph", text)])
            for name, text in TEXTS.items()
        ],
        original_ids={name: name.upper() for name in TEXTS},
        queries={"q1": "bakers", "q2": "Hilfe bei Bewerbungen"},
        qrels={"q1": {"BAKERY": 1}, "q2": {"LIBRARY": 1}},
    )


def test_each_retriever_ranks_the_judged_queries(collection: BeirSet, encoder: Encoder, cache_dir: Path) -> None:
    with indexed(collection, encoder, cache_dir, IndexConfig()) as index:
        questions = [Question(query, text) for query, text in collection.queries.items()]
        rankings = runs(questions, index, encoder, SearchConfig(), ids=collection.original_ids)
        best = search("bakers", index, encoder, SearchConfig(), k=3)
    assert {query for run in rankings.values() for query in run} == {"q1", "q2"}
    assert set(rankings["bm25"]["q1"]) == {"BAKERY"}  # the others have none of the words
    assert rankings["bm25"]["q2"] == {}
    assert max(rankings["dense"]["q2"], key=rankings["dense"]["q2"].__getitem__) == "LIBRARY"
    # What is measured is what the service gives.
    assert {hit.document.id.upper(): hit.score for hit in best.hits} == pytest.approx(rankings["hybrid"]["q1"], abs=1e-5)


def test_a_document_is_asked_for_its_relatives(collection: BeirSet, encoder: Encoder, cache_dir: Path) -> None:
    with indexed(collection, encoder, cache_dir, IndexConfig()) as index:
        bakery = next(ours for ours, name in collection.original_ids.items() if name == "BAKERY")
        rankings = runs([Question("e1", document=bakery)], index, encoder, SearchConfig(), ids=collection.original_ids)
        expected = [hit.document.id for hit in related(bakery, index)]
    assert [collection.original_ids[name] for name in expected] == sorted(
        rankings["hybrid"]["e1"], key=lambda name: -rankings["hybrid"]["e1"][name]
    )
    assert all("BAKERY" not in run["e1"] for run in rankings.values())


@pytest.mark.parametrize("language", ["de", "el", "es", "ro"])
def test_across_languages_the_hybrid_is_not_below_its_better_retriever(
    shared_data: Path, encoder: Encoder, language: str
) -> None:
    """Every tenth question, so a difference below .01 is noise; `make bench` asks them all."""
    folder = shared_data / "bench" / f"xquad-{language}"
    whole = read_beir(shared_data / "bench" / "xquad-en", queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv")
    tenth = list(whole.qrels)[::10]
    part = replace(whole, qrels={query: whole.qrels[query] for query in tenth})
    settings = Settings()
    with indexed(part, encoder, KEPT, settings.index_config()) as index:
        rankings = runs(
            [Question(query, part.queries[query]) for query in tenth], index, encoder, settings.search, ids=part.original_ids
        )
    ndcg = {retriever: estimates(measure(run, part.qrels, tenth))[MAIN].value for retriever, run in rankings.items()}
    assert ndcg["hybrid"] >= max(ndcg["bm25"], ndcg["dense"]) - 0.01
    assert ndcg["hybrid"] >= {"de": 0.92, "el": 0.85, "es": 0.92, "ro": 0.90}[language]
