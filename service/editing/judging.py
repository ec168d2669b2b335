"""Documents to judge for a query, from several rankings, and the judgments as files of a test collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.fusion import best_of, dense_score
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import grouped, hits_of, plain, ranked, search
from pes_search.index.types import Candidate, Hit, Query, Scores
from pes_search.ingest.taxonomy import fold

CANDIDATE_PASSAGES = 1_000  # of each retriever, as in the project's own evaluation; far below the depths that are judged
QUERY_ID_DIGITS = 10


class Judgment(Protocol):
    """How relevant a document is to a query."""

    @property
    def query(self) -> str:
        """The query as it was asked."""

    @property
    def document_id(self) -> str:
        """The document that was judged."""

    @property
    def grade(self) -> int:
        """0 is not relevant, higher is better."""


def pool(query: str, index: OpenIndex, encoder: Encoder, config: SearchConfig, *, depth: int = 10) -> tuple[Query, list[Hit]]:
    """Return the query as it was read, and the documents that the service, words or vectors alone have among their first.

    Each is shown by its best passage. Their order tells nothing of their rank, which is why `rank` only counts them; show
    the judge no score either.

    Raises:
        QueryError: the query is empty or too long, or `depth` is out of range.
    """
    result = search(query, index, encoder, config, k=depth)
    pooled = {hit.document.id: replace(hit, passages=()) for hit in result.hits}
    groups = grouped(ranked(result.parsed_query, index, config, EVERYTHING, CANDIDATE_PASSAGES))
    others: dict[str, Candidate] = {}
    for retriever in (lambda scores: scores.lexical, lambda scores: dense_score(scores, config.fusion)):
        others |= {best.document_id: best for best in _first(groups, retriever, depth) if best.document_id not in pooled}
    shown = [*pooled.values(), *hits_of([(best.score, [best]) for best in others.values()], index)]
    hits = sorted(shown, key=lambda hit: _sha256(_folded(query) + hit.document.id))
    return result.parsed_query, [replace(hit, rank=place) for place, hit in enumerate(hits, start=1)]


def query_id(query: str) -> str:
    """Return a query's id: the same for every way to write it that differs in case and spaces only."""
    return f"q-{_sha256(_folded(query))[:QUERY_ID_DIGITS]}"


def qrels(judgments: Iterable[Judgment]) -> str:
    """Return judgments in TREC's format, one a line: query id, 0, document id and grade.

    Of several judgments of one document for one query the last counts.
    """
    grades = {(query_id(judgment.query), judgment.document_id): judgment.grade for judgment in judgments}
    return "".join(f"{query} 0 {document} {grade}\n" for (query, document), grade in grades.items())


def queries(judgments: Iterable[Judgment]) -> str:
    """Return the judged queries as JSON lines with `id` and `text`, each once, as it was first asked."""
    texts: dict[str, str] = {}
    for judgment in judgments:
        texts.setdefault(query_id(judgment.query), plain(judgment.query))
    return "".join(
        json.dumps({"id": identifier, "text": text}, ensure_ascii=False) + "\n" for identifier, text in texts.items()
    )


def _first(groups: list[list[Candidate]], retriever: Callable[[Scores], float], depth: int) -> list[Candidate]:
    """Return the best passages of a retriever's first documents; a document without any of the words has none by words."""
    scored = [(retriever(best_of([one.scores for one in several])), several[0]) for several in groups]
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1].document_id))
    return [candidate for score, candidate in best[:depth] if score > 0]


def _folded(query: str) -> str:
    return fold(plain(query))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
