"""Runs and measures, and the standing test that the hybrid is worth having."""

from dataclasses import replace
from math import log2
from pathlib import Path

import pytest

from pes_search.eval.beir import BeirSet, read_beir
from pes_search.eval.retrieval import indexed, measure, runs
from pes_search.index.bm25 import Bm25Config
from pes_search.index.encoder import SentenceTransformerEncoder
from pes_search.index.fusion import FusionConfig
from pes_search.index.search import SearchConfig, search
from pes_search.ingest.passages import PassageConfig
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
        queries={"q1": "bakers", "q2": "Hilfe bei Bewerbungen", "unjudged": "x"},
        qrels={"q1": {"BAKERY": 1}, "q2": {"LIBRARY": 1}},
    )


def test_each_leg_ranks_the_judged_queries(collection: BeirSet, encoder: SentenceTransformerEncoder, cache_dir: Path) -> None:
    with indexed(collection, encoder, cache_dir, PassageConfig(), Bm25Config()) as index:
        found = runs(collection, index, encoder, FusionConfig())
        best = search("bakers", index, encoder, SearchConfig(), k=3)
    assert {query for run in found.values() for query in run} == {"q1", "q2"}
    assert set(found["bm25"]["q1"]) == {"BAKERY"}  # the others have none of the words
    assert found["bm25"]["q2"] == {}
    assert max(found["dense"]["q2"], key=found["dense"]["q2"].__getitem__) == "LIBRARY"
    # What is measured is what the service gives.
    assert {hit.document.id.upper(): hit.score for hit in best.hits} == pytest.approx(found["hybrid"]["q1"], abs=1e-5)


def test_measures_are_those_of_the_textbook() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"b": 1}, "missing": {"c": 1}}
    values = measure({"q1": {"a": 2.0, "x": 1.0}, "q2": {"x": 2.0, "b": 1.0}}, qrels)
    assert values["nDCG@10"] == pytest.approx((1 + 1 / log2(3) + 0) / 3)  # a query missing from the run counts 0
    assert values["RR@10"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert values["R@100"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("language", ["de", "el", "es", "ro"])
def test_across_languages_the_hybrid_is_not_below_its_better_leg(
    shared_data: Path, encoder: SentenceTransformerEncoder, language: str
) -> None:
    """Every tenth question, so a difference below .01 is noise; `make bench` asks them all."""
    folder = shared_data / "bench" / f"xquad-{language}"
    whole = read_beir(shared_data / "bench" / "xquad-en", queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv")
    tenth = list(whole.qrels)[::10]
    part = replace(whole, qrels={query: whole.qrels[query] for query in tenth})
    settings = Settings()
    with indexed(part, encoder, settings.cache_dir, settings.passages, settings.bm25) as index:
        found = runs(part, index, encoder, settings.search.fusion)
    ndcg = {leg: measure(run, part.qrels)["nDCG@10"] for leg, run in found.items()}
    assert ndcg["hybrid"] >= max(ndcg["bm25"], ndcg["dense"]) - 0.01
    assert ndcg["hybrid"] >= {"de": 0.90, "el": 0.80, "es": 0.90, "ro": 0.87}[language]
