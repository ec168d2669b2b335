"""The values that searching takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pes_search.index.query.expansion import Expansion
from pes_search.ingest.types import Document, Page, Passage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may be found. An empty field does not restrict; several values of one field mean any of them."""

    country: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    language: tuple[str, ...] = ()  # ISO 639-1
    kind: tuple[str, ...] = ()
    target_group: tuple[str, ...] = ()
    measure_type: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A query as every kind of evidence reads it."""

    text: str  # acronyms and former names written out
    language: str | None  # as identified
    terms: Mapping[str | None, Sequence[str]]  # by the language of the passages that they are for
    vector: Vectors  # as the encoder gave it, of unit length
    vectors: Mapping[str | None, Vectors]  # as the passages of each language are compared with, of unit length
    concepts: Sequence[tuple[str, str, float]]  # that it is about: list, id and share, the highest first


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that one of the legs brought up, with what both legs say of it."""

    passage: Passage
    document: Document
    lexical: float  # bounded BM25, from 0 to 1
    dense: float  # cosine of the whole passage, from -1 to 1
    window: float  # cosine of its closest window; that of the whole passage where it has none
    topic: float  # cosine of its document's mean vector
    agreement: float  # of its document's concepts with the query's, from 0 to 1
    labels: float  # what the query shares with the names of its document's concepts, from 0 to 1


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked passage. As the best of its document it carries the document's next best ones."""

    rank: int  # from 1
    score: float  # higher is better; comparable within one result list only
    lexical: float  # bounded BM25
    dense: float  # what the vectors say: the whole passage and its closest window
    topic: float  # cosine of the document's mean vector
    agreement: float  # of the document's concepts with the query's, from 0 to 1
    labels: float  # what the query shares with the names of the document's concepts, from 0 to 1
    passage: Passage
    document: Document
    highlights: tuple[tuple[int, int], ...] = ()  # characters of the passage's text that the query's words match
    passages: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryConcept:
    """A concept of the controlled lists that a query is about; `filter` and `id` restrict a search to it."""

    filter: str
    id: str
    label: str  # in the query's language where there is one
    share: float  # of the query's concepts, from 0 to 1
    documents: int  # that the filter would leave


@dataclass(frozen=True, slots=True)
class EncodedDocument:
    """A document as an index takes it up."""

    document: Document
    pages: Sequence[Page]
    passages: Sequence[Passage]
    vectors: Vectors  # row i is passage i, unit length
    windows: Sequence[Vectors]  # for each passage a row for each of its windows
    sentence_spans: Sequence[Sequence[tuple[int, int]]]  # for each passage the places of its sentences in its text
    sentences: Vectors  # row i is sentence i, passage after passage
    concepts: Mapping[str, float]  # held, as `list/id`, with the confidence


Facets = Mapping[str, Mapping[str, int]]
"""For each filter its values, with the number of documents that choosing it would leave."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits in ranked order, and what the whole collection holds for these filters."""

    query: str
    asked: Query  # as every kind of evidence read it
    language: str | None  # of the query, as identified
    index_id: str
    hits: tuple[Hit, ...]
    concepts: tuple[QueryConcept, ...]  # the highest share first
    expansions: tuple[Expansion, ...]
    total: int  # documents (or passages, when not grouped) that the filters leave: so many can be paged through
    facets: Facets
    took_ms: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index is made of. Two indexes with the same id hold the same passages and vectors."""

    schema: int
    index_id: str
    built_at: str  # ISO 8601, UTC
    version: str  # of pes-search
    model_id: str
    adapter: str  # SHA-256 of the adapter that is merged into the model, or `none`
    dimensions: int
    inputs_sha256: str  # of the files' names and contents, the reading code and the configuration
    corpus_sha256: str  # of the documents as read
    config: Mapping[str, object]
    documents: int
    passages: int
    languages: Mapping[str, int]  # passages by language
    report: Mapping[str, Sequence[Mapping[str, str]]]  # source files that were not read, by what became of them
    files: Mapping[str, Mapping[str, object]]  # of the index itself: bytes and sha256 by name
