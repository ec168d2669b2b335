"""Other systems and ours, built and searched in processes of their own, to be timed from outside.

python speed_systems.py SYSTEM build|search TASK.json FOLDER

The task has `model` (a sentence-transformers folder), its two prompts, `threads`, `texts` and `queries`; the folder is where
the system keeps its index. What was measured is the last line of stdout, as JSON. Each system is set up as its documentation
shows it, and imports what it needs when it is used.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

FOUND = 10
FUSED = 100  # of words and of vectors, which are fused by their ranks
RANK_CONSTANT = 60  # of reciprocal rank fusion, as everywhere

Search = Callable[[str], object]


class System(Protocol):
    """Something that searches by words and vectors."""

    def build(self, task: Mapping[str, Any], folder: Path) -> object:
        """Index the texts, and keep the index in the folder."""

    def open(self, task: Mapping[str, Any], folder: Path) -> Search:
        """Open what `build` kept."""


class PesSearch:
    """Our own, by its Python interface."""

    def build(self, task: Mapping[str, Any], folder: Path) -> object:
        """Write each text into a file and build an index of them."""
        from pes_search.service import build_collection

        (folder / "files").mkdir()
        for number, text in enumerate(task["texts"]):
            (folder / "files" / f"{number:06}.txt").write_text(text, encoding="utf-8")
        return build_collection(folder / "files", folder / "index", self._settings(folder))

    def open(self, task: Mapping[str, Any], folder: Path) -> Search:  # noqa: ARG002 (the others need it)
        """Open the index."""
        from pes_search.service import open_collection

        collection = open_collection(folder / "index", self._settings(folder))
        return lambda query: collection.search(query, k=FOUND)

    def _settings(self, folder: Path) -> Any:
        """Return the settings, with a cache of vectors that is empty, and the model that has been converted."""
        from pes_search.service.settings import read_settings

        settings = read_settings()
        (folder / "cache").mkdir(exist_ok=True)
        if not (models := folder / "cache" / "models").exists():
            models.symlink_to((settings.cache_dir / "models").absolute())
        return settings.model_copy(update={"cache_dir": folder / "cache"})


class Plain:
    """sentence-transformers, FAISS and bm25s, put together in thirty lines."""

    def build(self, task: Mapping[str, Any], folder: Path) -> object:
        """Encode the texts, and index vectors and words."""
        import bm25s
        import faiss

        library: Any = faiss
        vectors = self._model(task).encode(
            [task["passage_prompt"] + text for text in task["texts"]], normalize_embeddings=True, show_progress_bar=False
        )
        index = library.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        library.write_index(index, str(folder / "vectors.faiss"))
        words = bm25s.BM25()
        words.index(bm25s.tokenize(task["texts"], show_progress=False), show_progress=False)
        words.save(str(folder / "words"), show_progress=False)
        return None

    def open(self, task: Mapping[str, Any], folder: Path) -> Search:
        """Open both, and fuse what they find by its ranks."""
        import bm25s
        import faiss

        library: Any = faiss
        model, vectors = self._model(task), library.read_index(str(folder / "vectors.faiss"))
        words = bm25s.BM25.load(str(folder / "words"))
        count = min(FUSED, vectors.ntotal)

        def search(query: str) -> object:
            vector = model.encode([task["query_prompt"] + query], normalize_embeddings=True, show_progress_bar=False)
            _, nearest = vectors.search(vector, count)
            tokens = bm25s.tokenize([query], show_progress=False)
            lexical, _ = words.retrieve(tokens, k=count, show_progress=False)
            scores: dict[int, float] = {}
            for rows in (nearest[0].tolist(), lexical[0].tolist()):
                for rank, row in enumerate(rows, start=1):
                    scores[row] = scores.get(row, 0.0) + 1 / (RANK_CONSTANT + rank)
            return [task["texts"][row] for row in sorted(scores, key=scores.__getitem__, reverse=True)[:FOUND]]

        return search

    def _model(self, task: Mapping[str, Any]) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(task["threads"])
        return SentenceTransformer(task["model"], device="cpu")


class Txtai:
    """txtai's `Embeddings` with `hybrid`, and the texts as its content."""

    def build(self, task: Mapping[str, Any], folder: Path) -> object:
        """Index the texts and save."""
        import torch
        from txtai import Embeddings

        torch.set_num_threads(task["threads"])
        prompts = {"query": task["query_prompt"], "data": task["passage_prompt"]}
        embeddings = Embeddings(
            path=task["model"], method="sentence-transformers", instructions=prompts, hybrid=True, content=True
        )
        embeddings.index(task["texts"])
        embeddings.save(str(folder / "index"))
        return None

    def open(self, task: Mapping[str, Any], folder: Path) -> Search:
        """Load what was saved."""
        import torch
        from txtai import Embeddings

        torch.set_num_threads(task["threads"])
        embeddings = Embeddings()
        embeddings.load(str(folder / "index"))
        return lambda query: embeddings.search(query, FOUND)


SYSTEMS: Mapping[str, System] = {
    "pes-search": PesSearch(),
    "sentence-transformers + FAISS + bm25s": Plain(),
    "txtai": Txtai(),
}


def main(name: str, mode: str, task_file: str, folder: str) -> None:
    """Build a system's index, or open it and search; print what was measured."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    system, started = SYSTEMS[name], time.perf_counter()
    if mode == "build":
        system.build(task, Path(folder))
        measured = {"build_s": time.perf_counter() - started}
    else:
        search = system.open(task, Path(folder))
        taken = []
        for query in task["queries"]:
            begun = time.perf_counter()
            search(query)
            taken.append(time.perf_counter() - begun)
        measured = {"search_ms": 1000 * statistics.median(taken)}
    # In kilobytes, as Linux counts it.
    print(json.dumps(measured | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))


if __name__ == "__main__":
    main(*sys.argv[1:])
