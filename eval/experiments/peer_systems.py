"""Hybrid search of other systems over given passages, each set up as its documentation shows it.

Run by the interpreter that has them (`make bench-peers`): python peer_systems.py SYSTEM INPUT.json OUTPUT.json
The input has `model` (a sentence-transformers folder), its two prompts, `passages` and `queries`; the output has the passages'
scores for each query, and the median search time.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PASSAGES_PER_SEARCH = 100
WARM_UP_SEARCHES = 5  # that are not timed

Searcher = Callable[[str], list[tuple[str, float]]]


def txtai(task: dict[str, Any]) -> Searcher:
    """Build txtai's `Embeddings` with `hybrid`: a sum of normalised BM25 and cosine, half each."""
    from txtai import Embeddings

    prompts = {"query": task["query_prompt"], "data": task["passage_prompt"]}
    embeddings = Embeddings(path=task["model"], method="sentence-transformers", instructions=prompts, hybrid=True)
    embeddings.index([(passage["id"], passage["text"], None) for passage in task["passages"]])
    return lambda query: [(passage_id, float(score)) for passage_id, score in embeddings.search(query, PASSAGES_PER_SEARCH)]


def haystack(task: dict[str, Any]) -> Searcher:
    """Build Haystack's hybrid pipeline: BM25 and embedding retriever, joined by reciprocal rank."""
    from haystack import Document, Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    embedder = SentenceTransformersDocumentEmbedder(
        model=task["model"], prefix=task["passage_prompt"], normalize_embeddings=True, progress_bar=False
    )
    embedder.warm_up()
    documents = [Document(id=passage["id"], content=passage["text"]) for passage in task["passages"]]
    store.write_documents(embedder.run(documents)["documents"])
    pipeline = Pipeline()
    pipeline.add_component(
        "embedder",
        SentenceTransformersTextEmbedder(
            model=task["model"], prefix=task["query_prompt"], normalize_embeddings=True, progress_bar=False
        ),
    )
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=PASSAGES_PER_SEARCH))
    pipeline.add_component("bm25", InMemoryBM25Retriever(store, top_k=PASSAGES_PER_SEARCH))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=PASSAGES_PER_SEARCH))
    pipeline.connect("embedder", "dense")
    pipeline.connect("dense", "joiner")
    pipeline.connect("bm25", "joiner")

    def search(query: str) -> list[tuple[str, float]]:
        joined = pipeline.run({"embedder": {"text": query}, "bm25": {"query": query}})["joiner"]["documents"]
        return [(document.id, float(document.score)) for document in joined]

    return search


def llamaindex(task: dict[str, Any]) -> Searcher:
    """Build LlamaIndex's `QueryFusionRetriever` over a vector index and BM25, in its mode "reciprocal_rerank"."""
    from llama_index.core import Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.retrievers.bm25 import BM25Retriever

    Settings.llm = MockLLM()  # asked for, and never called with one query
    Settings.embed_model = HuggingFaceEmbedding(
        model_name=task["model"], query_instruction=task["query_prompt"], text_instruction=task["passage_prompt"], device="cpu"
    )
    nodes = [TextNode(id_=passage["id"], text=passage["text"]) for passage in task["passages"]]
    dense = VectorStoreIndex(nodes).as_retriever(similarity_top_k=PASSAGES_PER_SEARCH)
    bm25 = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=PASSAGES_PER_SEARCH)
    retriever = QueryFusionRetriever(
        [dense, bm25], similarity_top_k=PASSAGES_PER_SEARCH, num_queries=1, mode="reciprocal_rerank", use_async=False
    )
    return lambda query: [(scored.node.node_id, float(scored.score or 0)) for scored in retriever.retrieve(query)]


SYSTEMS = {"txtai": txtai, "haystack": haystack, "llamaindex": llamaindex}


def main(system: str, source: str, target: str) -> None:
    """Build the system's index of the passages, search every query and write what came back."""
    import torch

    task = json.loads(Path(source).read_text(encoding="utf-8"))
    torch.set_num_threads(task["threads"])
    search = SYSTEMS[system](task)
    queries = list(task["queries"].items())
    for _, text in queries[:WARM_UP_SEARCHES]:
        search(text)
    hits, seconds = {}, []
    for query, text in queries:
        started = time.perf_counter()
        hits[query] = search(text)
        seconds.append(time.perf_counter() - started)
    result = {"found": hits, "search_ms": 1000 * statistics.median(seconds)}
    Path(target).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
