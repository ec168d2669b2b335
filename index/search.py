"""A query becomes ranked hits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from pes_search.index.encoders.sentence_transformer import Encoder
from pes_search.index.evidence.fusion import FusionConfig, document_score, fused, related_score
from pes_search.index.evidence.language_shift import aligned
from pes_search.index.filters import LISTS
from pes_search.index.stores.base import OpenIndex
from pes_search.index.text.tokens import term_spans, terms
from pes_search.index.types import Facets, Filters, Hit, Query, QueryConcept, SearchResult
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.languages.identify import detect_language

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

Group = Literal["document", "passage"]

QUERY_CHARACTERS = 2_000  # the encoder reads some 512 tokens; a longer query is a document by mistake
LARGEST_K = 1_000
FIRST_DEPTH = 100  # candidates of each leg; more only if they hold too few documents
# A matched word is highlighted unless it is this much more common than the query's rarest ("in", "the").
HIGHLIGHT_IDF_SHARE = 0.35
SHOWN_CONCEPTS = 5
CONCEPT_SHARE = 0.05  # of a query's concepts that are worth showing


class QueryError(PesSearchError):
    """The query or one of its parameters cannot be searched."""


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How results are ranked and grouped."""

    __pydantic_config__ = {"extra": "forbid"}

    fusion: FusionConfig = field(default_factory=FusionConfig)
    language_shift: float = 0.8  # how far a query's vector moves to the passages' language (see `alignment`)
    passages_per_document: int = 3  # shown with each document, the best included

    def __post_init__(self) -> None:
        if self.language_shift < 0:
            raise ValueError("language_shift must not be negative")
        if self.passages_per_document < 1:
            raise ValueError("passages_per_document must be at least 1")


def search(
    query: str,
    index: OpenIndex,
    encoder: Encoder,
    config: SearchConfig,
    *,
    k: int = 10,
    offset: int = 0,
    group: Group = "document",
    filters: Filters | None = None,
) -> SearchResult:
    """Return the k best hits from `offset` on, among the documents that pass the filters.

    Grouped by document, a hit is a document's best passage, which carries the next best ones; k documents come back
    whenever so many pass the filters. Hits of equal score are in the order of their ids.

    Raises:
        QueryError: the query is empty or too long, or `k` or `offset` is out of range.
    """
    started = time.perf_counter()
    # A terminal in another encoding hands over halves of characters, which no tokenizer takes.
    query = " ".join(query.encode("utf-8", "replace").decode("utf-8").split())
    _check(query, k, offset)
    filters = filters or Filters()
    language = detect_language(query)
    expanded, expansions = index.expand(query)
    by_language = terms_by_language(query, index)
    asked = read_query(expanded, language, encoder.encode_queries([expanded])[0], index, config)
    documents, passages = index.size(filters)
    total = documents if group == "document" else passages
    wanted = min(offset + k, total)

    depth = max(FIRST_DEPTH, 4 * wanted)
    while True:
        hits = ranked(asked, index, config, filters, depth)
        groups = by_document(hits, config.fusion) if group == "document" else [(hit.score, [hit]) for hit in hits]
        if len(groups) >= wanted or depth >= passages:
            break
        depth *= 4
    shown_hits = []
    for rank, (score, group_hits) in enumerate(groups[offset : offset + k], start=offset + 1):
        best, *others = [_highlighted(hit, by_language, index) for hit in group_hits[: config.passages_per_document]]
        passages_shown = tuple(replace(hit, rank=other_rank) for other_rank, hit in enumerate(others, start=2))
        shown_hits.append(replace(best, rank=rank, score=score, passages=passages_shown))
    facets = index.facets(filters)
    return SearchResult(
        query=query,
        asked=asked,
        language=language,
        index_id=index.manifest.index_id,
        hits=tuple(shown_hits),
        concepts=_concepts(index, asked, facets),
        expansions=expansions,
        total=total,
        facets=facets,
        took_ms=round((time.perf_counter() - started) * 1000, 1),
    )


def terms_by_language(query: str, index: OpenIndex) -> dict[str | None, list[str]]:
    """Return the query's terms as each of the index's languages has them: passages are matched by their own stemmer."""
    return {language or None: terms(query, language or None) for language in index.manifest.languages}


def related(document_id: str, index: OpenIndex, *, k: int = 10, filters: Filters | None = None) -> tuple[Hit, ...]:
    """Return the k documents nearest to this one, each with the passage that is closest to it.

    The score is mostly the cosine of the documents' mean vectors, the rest the concepts that they share; near 1 they say the
    same, perhaps in two languages.

    Raises:
        NotInIndexError: no document has this id.
        QueryError: `k` is out of range.
    """
    _check("related", k, 0)
    nearest = index.nearest(document_id, filters or Filters(), k)
    return tuple(
        Hit(
            rank=rank,
            score=related_score(cosine, overlap),
            lexical=0.0,
            dense=round(cosine, 6),
            topic=round(cosine, 6),
            agreement=round(overlap, 6),
            labels=0.0,
            passage=passage,
            document=index.document(passage.document_id),
        )
        for rank, (cosine, overlap, passage) in enumerate(nearest, start=1)
    )


def _check(query: str, k: int, offset: int) -> None:
    if not query:
        raise QueryError("the query is empty; type a few words or a question")
    if len(query) > QUERY_CHARACTERS:
        raise QueryError(f"the query has {len(query)} characters, {QUERY_CHARACTERS} at most; shorten it")
    if not 1 <= k <= LARGEST_K:
        raise QueryError(f"k must be from 1 to {LARGEST_K}, not {k}")
    if offset < 0:
        raise QueryError(f"offset must not be negative, not {offset}")


def read_query(text: str, language: str | None, vector: Vectors, index: OpenIndex, config: SearchConfig) -> Query:
    """Return a query as this index's passages are compared with it; `text` has its names written out, `vector` is its own."""
    terms = terms_by_language(text, index)
    vectors = aligned(vector, language, terms, index.language_means, config.language_shift)
    return Query(text, language, terms, vector, vectors, index.concepts(text, language, vector))


def ranked(query: Query, index: OpenIndex, config: SearchConfig, filters: Filters, depth: int) -> list[Hit]:
    """Return the passages that any leg has among its `depth` best, by the fused score."""
    hits = [fused(candidate, config.fusion) for candidate in index.candidates(query, filters, depth)]
    return sorted(hits, key=lambda hit: (-hit.score, hit.document.id, hit.passage.id))


def grouped(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Return the hits of each document, in their order."""
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.document.id, []).append(hit)
    return list(groups.values())


def by_document(hits: Sequence[Hit], config: FusionConfig) -> list[tuple[float, list[Hit]]]:
    """Return each document's score with its hits in their order, the best document first.

    A document's score takes the best words and the nearest meaning from whichever of its passages has them.
    """
    scored = [(document_score(group, config), group) for group in grouped(hits)]
    return sorted(scored, key=lambda found: (-found[0], found[1][0].document.id))


def _concepts(index: OpenIndex, query: Query, facets: Facets) -> tuple[QueryConcept, ...]:
    """Return the concepts of a query that are worth showing."""
    filters = {name: field for field, name in LISTS.items()}
    shown = [found for found in query.concepts if found[2] >= CONCEPT_SHARE][:SHOWN_CONCEPTS]
    return tuple(
        QueryConcept(
            filters[name],
            own,
            index.taxonomy.label(name, own, query.language or "en"),
            round(share, 3),
            facets[filters[name]].get(own, 0),
        )
        for name, own, share in shown
    )


def _highlighted(hit: Hit, by_language: dict[str | None, list[str]], index: OpenIndex) -> Hit:
    weights = {term: index.idf(term) for term in by_language.get(hit.passage.language, ())}
    least = HIGHLIGHT_IDF_SHARE * max(weights.values(), default=0)
    spans = tuple(
        (start, end)
        for start, end, term in term_spans(hit.passage.text, hit.passage.language)
        if term in weights and weights[term] >= least
    )
    return replace(hit, highlights=spans)
