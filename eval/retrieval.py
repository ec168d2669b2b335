"""Rankings of an index for judged queries, leg by leg, and their measures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import ir_measures
from ir_measures import RR, R, nDCG

from pes_search.eval.beir import BeirSet
from pes_search.index.bm25 import Bm25Config
from pes_search.index.build import write_documents
from pes_search.index.encoder import Encoder
from pes_search.index.fusion import FusionConfig, fused
from pes_search.index.local import LocalStore
from pes_search.index.local_index import LocalIndex
from pes_search.index.search import terms_by_language
from pes_search.index.types import Candidate, Filters
from pes_search.ingest.passages import PassageConfig

Leg = Literal["bm25", "dense", "hybrid"]
LEGS: tuple[Leg, ...] = ("bm25", "dense", "hybrid")
MEASURES = (nDCG @ 10, RR @ 10, R @ 100)
DEPTH = 1_000  # candidates of each leg; far below the ranks that the measures look at

Run = dict[str, dict[str, float]]
"""For each query the scores of its documents."""


@contextmanager
def indexed(
    collection: BeirSet, encoder: Encoder, cache_dir: Path, passages: PassageConfig, bm25: Bm25Config
) -> Iterator[LocalIndex]:
    """Index a collection in a folder that lasts as long as the context; vectors come from the cache where they are known."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder), bm25)
        writer = store.begin()
        try:
            write_documents(
                collection.documents, writer, encoder, cache_dir=cache_dir, passage_config=passages, configs=(bm25,)
            )
        finally:
            writer.discard()
        yield store.open()


def runs(
    collection: BeirSet, index: LocalIndex, encoder: Encoder, fusion: FusionConfig, legs: Sequence[Leg] = LEGS
) -> dict[Leg, Run]:
    """Rank the collection's documents for every judged query by each leg; the best passage scores the document."""
    judged = [query for query in collection.queries if query in collection.qrels]
    vectors = encoder.encode_queries([collection.queries[query] for query in judged])
    result: dict[Leg, Run] = {leg: {} for leg in legs}
    for query, vector in zip(judged, vectors, strict=True):
        terms = terms_by_language(collection.queries[query], index)
        candidates = index.candidates(terms, vector, Filters(), DEPTH)
        for leg in legs:
            result[leg][query] = _documents(candidates, leg, fusion, collection.original_ids)
    return result


def measure(run: Run, qrels: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Return the run's measures, averaged over all judged queries; one missing from the run counts 0."""
    values = ir_measures.calc_aggregate(MEASURES, _as_qrels(qrels), _as_docs(run))
    return {str(name): float(value) for name, value in values.items()}


def _documents(
    candidates: Iterable[Candidate], leg: Leg, fusion: FusionConfig, original_ids: Mapping[str, str]
) -> dict[str, float]:
    best: dict[str, float] = {}
    for candidate in candidates:
        score = {
            "bm25": candidate.lexical,
            "dense": candidate.dense,
            "hybrid": fused(candidate.dense, candidate.lexical, fusion),
        }[leg]
        if leg == "bm25" and score == 0:
            continue  # a passage without any of the words was not found by this leg
        original = original_ids[candidate.document.id]
        best[original] = max(best.get(original, float("-inf")), score)
    return best


def _as_qrels(qrels: Mapping[str, Mapping[str, int]]) -> list[ir_measures.Qrel]:
    return [ir_measures.Qrel(query, document, grade) for query, grades in qrels.items() for document, grade in grades.items()]


def _as_docs(run: Run) -> list[ir_measures.ScoredDoc]:
    return [
        ir_measures.ScoredDoc(query, document, score) for query, scores in run.items() for document, score in scores.items()
    ]
