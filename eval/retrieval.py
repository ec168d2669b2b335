"""Rankings of an index for judged questions, by retriever. Documents are ranked: the best passage scores its document."""

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
from pes_search.index.config import FusionConfig, IndexConfig, SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.fusion import best_of, dense_score, fused
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import grouped, ranked, read_query, related
from pes_search.index.stores.files import FileStore
from pes_search.index.types import Candidate
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.taxonomy import NO_TAXONOMY, Taxonomy

Retriever = Literal["bm25", "dense", "hybrid"]
RETRIEVERS: tuple[Retriever, ...] = ("bm25", "dense", "hybrid")
CANDIDATES_PER_RETRIEVER = 1_000  # far below the ranks that the measures look at
KEPT_DOCUMENTS = 100  # of a ranking


@contextmanager
def indexed(
    collection: BeirSet,
    encoder: Encoder,
    cache_dir: Path,
    config: IndexConfig,
    taxonomy: Taxonomy = NO_TAXONOMY,
) -> Iterator[OpenIndex]:
    """Index a collection in a folder that lasts as long as the context; vectors come from the cache where they are known."""
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(Path(folder))
        writer = store.writer()
        try:
            write_documents(collection.documents, writer, encoder, cache_dir=cache_dir, config=config, taxonomy=taxonomy)
        finally:
            writer.discard()
        yield open_index(store)


def runs(
    questions: Sequence[Question],
    index: OpenIndex,
    encoder: Encoder,
    config: SearchConfig,
    retrievers: Sequence[Retriever] = RETRIEVERS,
    ids: Mapping[str, str] | None = None,
) -> dict[Retriever, Run]:
    """Rank the index's documents for every question by each retriever; `ids` gives them other names.

    The hybrid is the ranking that the service gives, `pes related` for a document. There, BM25 is asked for the document's
    title, and the dense retriever is the service's.
    """
    wordings = [index.expander.wording(_text(question, index)) for question in questions]
    vectors = encoder.encode_queries([wording.written_out for wording in wordings])
    result: dict[Retriever, Run] = {retriever: {} for retriever in retrievers}
    for question, wording, vector in zip(questions, wordings, vectors, strict=True):
        query = read_query(wording.written_out, detect_language(wording.plain), vector, index, config)
        groups = grouped(ranked(query, index, config, Filters(), CANDIDATES_PER_RETRIEVER))
        relatives = related(question.document, index, k=KEPT_DOCUMENTS) if question.document else None
        for retriever in retrievers:
            if relatives is None or retriever == "bm25":
                scores = _scores(groups, retriever, config.fusion)
            else:
                scores = {hit.document.id: hit.score for hit in relatives}
            best = sorted(scores, key=lambda document: (-scores[document], document))
            kept = [document for document in best if document != question.document][:KEPT_DOCUMENTS]
            result[retriever][question.id] = {(ids or {}).get(document, document): scores[document] for document in kept}
    return result


def _text(question: Question, index: OpenIndex) -> str:
    return index.document(question.document).title if question.document else question.text


def _scores(groups: Iterable[list[Candidate]], retriever: Retriever, config: FusionConfig) -> dict[str, float]:
    """Return the documents that a retriever found with their scores; one that holds none of the words was not found by BM25."""
    best = {several[0].document_id: best_of([one.scores for one in several]) for several in groups}
    if retriever == "bm25":
        return {document: scores.lexical for document, scores in best.items() if scores.lexical > 0}
    score = dense_score if retriever == "dense" else fused
    return {document: score(scores, config) for document, scores in best.items()}
