"""The values that building and searching pass on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from pes_search.ingest.types import Document, Page, Passage, document_of

if TYPE_CHECKING:
    from pes_search.index.arrays import HalfVectors, Vectors

Terms: TypeAlias = Mapping[str | None, Sequence[str]]
"""A query's terms by the language of the passages that they are for, repeats included."""

# ── What is asked ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word of the query, and what was added for it."""

    found: str
    added: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query as every kind of evidence reads it."""

    text: str  # acronyms and former names written out
    language: str | None  # as identified
    terms: Terms
    vector: Vectors  # as the encoder gave it, of unit length
    vectors: Mapping[str | None, Vectors]  # as the passages of each language are compared with, of unit length
    concepts: Sequence[tuple[str, str, float]]  # that it is about: list, id and share, the highest first


# ── What is found ───────────────────────────────────────────────────────────────────────────────────────────────────


def _kind(about: str) -> float:
    kind: float = field(default=0.0, metadata={"about": about})
    return kind


@dataclass(frozen=True, slots=True)
class Scores:
    """What each kind of evidence says of a passage; bounded, higher is better. `evidence.fusion` computes and weighs them."""

    lexical: float = _kind("bounded BM25, 0 to 1")
    dense: float = _kind("cosine similarity of the passage and of its closest sentence")
    topic: float = _kind("cosine similarity of the whole document")
    agreement: float = _kind("of the document's concepts with the query's, 0 to 1")
    labels: float = _kind("what the query shares with the names of the document's concepts, 0 to 1")
    questions: float = _kind(
        "how near the query is to questions that the document is known to answer, in meaning and words, 0 to 1"
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that one kind of evidence brought up, with what all of them say of it."""

    passage_id: str
    scores: Scores
    score: float  # what they add up to

    @property
    def document_id(self) -> str:
        """The document that the passage is of."""
        return document_of(self.passage_id)


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked passage with its document. As the best of its document it carries the document's next best ones."""

    rank: int  # from 1
    score: float  # higher is better; comparable within one result list only
    scores: Scores
    passage: Passage
    document: Document
    highlights: tuple[tuple[int, int], ...] = ()  # characters of the passage's text that the query's words match
    passages: tuple[Hit, ...] = ()
    also: tuple[Document, ...] = ()  # copies and translations of the document, which are not listed again
    newer: Document | None = None  # the newest version of the document, where there is one


@dataclass(frozen=True, slots=True)
class QueryConcept:
    """A concept of the controlled lists that a query is about; `filter` and `id` restrict a search to it."""

    filter: str
    id: str
    label: str  # in the query's language where there is one
    share: float  # of the query's concepts, from 0 to 1
    documents: int  # that the filter would leave


@dataclass(frozen=True, slots=True)
class NamedFilter:
    """A filter that a query names in plain words: "in Austria", "since 2019"."""

    filter: str  # its name; `year` stands for both ends of the span
    value: str
    word: str  # of the query
    documents: int  # that the filter would leave


Facets: TypeAlias = Mapping[str, Mapping[str, int]]
"""For each filter its values, with the number of documents that choosing it would leave."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits in ranked order, and what the whole collection holds for these filters."""

    query: str
    parsed_query: Query  # as every kind of evidence read it
    language: str | None  # of the query, as identified
    index_id: str
    hits: tuple[Hit, ...]
    concepts: tuple[QueryConcept, ...]  # the highest share first
    expansions: tuple[Expansion, ...]
    named_filters: tuple[NamedFilter, ...]
    total: int  # documents (or passages, when not grouped) that can be paged through: those that match, or all
    matching: int  # that match the query
    further: int  # that the filters leave beside those
    absent_phrases: tuple[str, ...]  # that the query has in quotation marks, and no document
    facets: Facets
    took_ms: float

    @property
    def nothing_relevant(self) -> bool:
        """Tell whether nothing matches the query."""
        return not self.matching


# ── What a store takes and gives ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EncodedDocument:
    """A document as an index takes it up."""

    document: Document
    pages: Sequence[Page]
    passages: Sequence[Passage]
    vectors: HalfVectors  # row i is passage i, unit length
    sentence_spans: Sequence[Sequence[tuple[int, int]]]  # for each passage the places of its sentences in its text
    sentences: HalfVectors  # row i is sentence i, passage after passage
    concepts: Mapping[str, float]  # held, as `list/id`, with the confidence
    terms: Sequence[Sequence[str]] = ()  # for BM25, of each passage
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by language: how many passages have each
    question_languages: Sequence[str] = ()  # of the questions that the document answers
    questions: HalfVectors | None = None  # row i is question i, read as a query, unit length; None where there are none


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document with its pages and passages, each in order."""

    document: Document
    pages: Sequence[Page]
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True)
class PassageRows:
    """What ranking needs of some passages; row i of everything is passage i."""

    languages: Sequence[str | None]
    lexical: Vectors  # bounded BM25 for the terms that were given, from 0 to 1; shape (passages,)
    vectors: Vectors  # unit length, shape (passages, dimensions)
    means: Vectors  # of the passages' documents, unit length, shape (passages, dimensions)
    sentences: Vectors  # of all passages one after the other, unit length, shape (sentences, dimensions)
    sentence_counts: Sequence[int]  # how many of them each passage has; one of headings only has none


@dataclass(frozen=True, slots=True)
class PassageSentences:
    """The sentences of a passage."""

    spans: Sequence[tuple[int, int]]  # characters of the passage's text
    vectors: Vectors  # row i is sentence i, unit length


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of a collection some filters leave."""

    documents: int
    passages: int
    facets: Facets


CopyGroup: TypeAlias = Sequence[tuple[str, str]]
"""Ids and languages of documents that say the same, first the one that stands for the others."""

CopyDecisions: TypeAlias = Mapping[tuple[str, str], bool]
"""Whether two documents are copies, as an editor said; the ids of a pair are in their order."""

NOTHING_DECIDED: CopyDecisions = MappingProxyType({})


RelationKind: TypeAlias = Literal["cites", "updates", "continues", "see_also"]
"""What one document is to another: it cites, updates or continues it, or names it as something else to read."""


FoundBy: TypeAlias = Literal["address", "title", "metadata", "series"]
"""What tells a relation: an address, a title in the text, an id in the metadata, or what the titles of both say of a series."""


@dataclass(frozen=True, slots=True)
class Relation:
    """That one document cites, updates or continues another, or sends its readers to it."""

    source: str  # id of the one that does
    target: str
    kind: RelationKind
    found_by: FoundBy
    sentence: str = ""  # of the source, that says so; else the words that are the link


RelationRow: TypeAlias = Sequence[str]
"""The values of a `Relation`, in their order."""


BuildState: TypeAlias = Literal["running", "finished", "failed", "died"]
"""What became of a build; it died if it was ended without a word: killed, out of memory, or with the machine."""


@dataclass(frozen=True, slots=True)
class LastBuild:
    """What became of the build that was started last."""

    state: BuildState
    started: str  # ISO 8601, UTC
    ended: str  # empty where it is not known
    version: str  # of pes-search
    message: str = ""  # what it said when it failed
    index_id: str = ""  # that it made


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete state of an index that is kept."""

    name: str
    index_id: str  # empty, as all else that only the manifest tells, where that cannot be trusted
    built_at: str  # ISO 8601, UTC
    version: str  # of pes-search
    model_id: str
    documents: int
    passages: int
    bytes: int
    in_use: bool
    fault: str  # why it cannot be opened, as far as can be told at a glance; empty if it can


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
    config: Mapping[str, Mapping[str, float]]  # by stage: `passages` and `bm25`
    documents: int
    passages: int
    languages: Mapping[str, int]  # passages by language
    report: Mapping[str, Sequence[Mapping[str, str]]]  # source files that were not read, by what became of them
    files: Mapping[str, Mapping[str, object]]  # of the index itself: bytes and sha256 by name
    left_out: Mapping[str, int] = field(
        default_factory=dict
    )  # of what was read: what is no content, by kind, with its characters
    copies: Sequence[CopyGroup] = ()
    relations: Sequence[RelationRow] = ()  # by source
