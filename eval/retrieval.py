"""Rankings of an index for judged questions, leg by leg. What is ranked is documents: the best passage scores its document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pes_search.eval.collections.beir import BeirSet
from pes_search.eval.collections.files import Run
from pes_search.eval.collections.questions import Question
from pes_search.index.build import write_documents
from pes_search.index.encoders.sentence_transformer import Encoder
from pes_search.index.evidence.bm25 import Bm25Config
from pes_search.index.evidence.fusion import FusionConfig, dense_score, document_score
from pes_search.index.search import SearchConfig, grouped, ranked, read_query, related
from pes_search.index.stores.base import OpenIndex
from pes_search.index.stores.files import LocalStore
from pes_search.index.types import Filters, Hit
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.passages import PassageConfig
from pes_search.ingest.taxonomy import NO_TAXONOMY, Taxonomy

Leg = Literal["bm25", "dense", "hybrid"]
LEGS: tuple[Leg, ...] = ("bm25", "dense", "hybrid")
DEPTH = 1_000  # candidates of each leg; far below the ranks that the measures look at
KEPT = 100  # documents of a ranking


@contextmanager
def indexed(
    collection: BeirSet,
    encoder: Encoder,
    cache_dir: Path,
    passages: PassageConfig,
    bm25: Bm25Config,
    taxonomy: Taxonomy = NO_TAXONOMY,
) -> Iterator[OpenIndex]:
    """Index a collection in a folder that lasts as long as the context; vectors come from the cache where they are known."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder), bm25)
        writer = store.begin()
        try:
            write_documents(
                collection.documents,
                writer,
                encoder,
                cache_dir=cache_dir,
                passage_config=passages,
                configs=(bm25,),
                taxonomy=taxonomy,
            )
        finally:
            writer.discard()
        yield store.open()


def runs(
    questions: Sequence[Question],
    index: OpenIndex,
    encoder: Encoder,
    config: SearchConfig,
    legs: Sequence[Leg] = LEGS,
    ids: Mapping[str, str] | None = None,
) -> dict[Leg, Run]:
    """Rank the index's documents for every question by each leg; `ids` gives them other names.

    The hybrid is the ranking that the service gives, `pes related` for a document. There, BM25 is asked for the document's
    title, and the dense leg is the service's.
    """
    texts = [index.expand(_text(question, index))[0] for question in questions]
    result: dict[Leg, Run] = {leg: {} for leg in legs}
    for question, text, vector in zip(questions, texts, encoder.encode_queries(texts), strict=True):
        language = detect_language(_text(question, index))
        asked = read_query(text, language, vector, index, config)
        found = grouped(ranked(asked, index, config, Filters(), DEPTH))
        near = {hit.document.id: hit.score for hit in related(question.document, index, k=KEPT)} if question.document else None
        for leg in legs:
            scores = _scores(found, leg, config.fusion) if near is None or leg == "bm25" else near
            best = sorted(scores, key=lambda document: (-scores[document], document))
            kept = [document for document in best if document != question.document][:KEPT]
            result[leg][question.id] = {(ids or {}).get(document, document): scores[document] for document in kept}
    return result


def _text(question: Question, index: OpenIndex) -> str:
    return index.document(question.document).title if question.document else question.text


def _scores(found: Iterable[list[Hit]], leg: Leg, config: FusionConfig) -> dict[str, float]:
    """Return the documents that a leg found with their scores; one that holds none of the words was not found by BM25."""
    if leg == "bm25":
        lexical = {hits[0].document.id: max(hit.lexical for hit in hits) for hits in found}
        return {document: score for document, score in lexical.items() if score > 0}
    score = dense_score if leg == "dense" else document_score
    return {hits[0].document.id: score(hits, config) for hits in found}
