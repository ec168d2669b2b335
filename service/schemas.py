"""The JSON that the command line and the HTTP API give, in one place so that they cannot differ."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urldefrag, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from pes_search.index.types import Hit, SearchResult
from pes_search.ingest.types import Document, Page, Passage

_EXAMPLE_PASSAGE = "de-power-m~318-802"


class PassageHitOut(BaseModel):
    """A passage that was found."""

    rank: int = Field(description="from 1")
    score: float = Field(description="higher is better; comparable within one list only")
    passage_id: str = Field(examples=[_EXAMPLE_PASSAGE])
    page: int | None = Field(description="from 1; null for a document without pages")
    headings: list[str]
    text: str
    highlights: list[tuple[int, int]] = Field(description="characters of the text that the query's words match")
    url: str | None = Field(description="the original, at the page where it has pages")
    lexical: float = Field(description="bounded BM25, 0 to 1")
    dense: float = Field(description="cosine similarity of the passage and of its closest sentences")
    topic: float = Field(description="cosine similarity of the whole document")
    agreement: float = Field(description="of the document's concepts with the query's, 0 to 1")
    labels: float = Field(description="what the query shares with the names of the document's concepts, 0 to 1")


class HitOut(PassageHitOut):
    """A ranked hit: a passage with its document, and the document's next best passages."""

    document_id: str = Field(examples=["de-power-m"])
    title: str
    kind: str
    countries: list[str] = Field(description="ISO 3166-1 alpha-2; EU for the whole")
    year: int | None
    language: str | None = Field(description="ISO 639-1")
    passages: list[PassageHitOut]


class QueryConceptOut(BaseModel):
    """A concept of the controlled lists that the query is about."""

    model_config = ConfigDict(from_attributes=True)

    filter: str = Field(examples=["target_group"])
    id: str = Field(examples=["women-returners"])
    label: str = Field(description="in the query's language where there is one")
    share: float = Field(description="of the query's concepts, 0 to 1")
    documents: int = Field(description="that the filter would leave")


class ExpansionOut(BaseModel):
    """An acronym or former name of the query, and what was added for it."""

    model_config = ConfigDict(from_attributes=True)

    found: str = Field(examples=["NEET"])
    added: str


class SearchOut(BaseModel):
    """The answer to a search."""

    query: str
    language: str | None = Field(description="of the query, as identified")
    index_id: str
    took_ms: float
    total: int = Field(description="how many hits can be paged through")
    hits: list[HitOut]
    concepts: list[QueryConceptOut] = Field(description="what the query is about, in terms that filters take")
    expansions: list[ExpansionOut] = Field(description="acronyms and former names that were written out")
    facets: dict[str, dict[str, int]] = Field(description="by filter: its values, with the documents that each would leave")


class RelatedOut(BaseModel):
    """The documents nearest in meaning to one."""

    document_id: str
    index_id: str
    hits: list[HitOut]


class DocumentOut(BaseModel):
    """A document's metadata."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    native_title: str | None
    kind: str
    language: str | None
    date: str | None
    year: int | None
    end_year: int | None
    organisation: str | None
    region: str | None
    countries: list[str]
    target_groups: list[str]
    measure_types: list[str]
    channels: list[str]
    related: list[str] = Field(description="documents that this one names")
    url: str | None
    path: str
    media_type: str
    sha256: str


class DocumentsOut(BaseModel):
    """A list of documents."""

    index_id: str
    total: int
    documents: list[DocumentOut]
    facets: dict[str, dict[str, int]]


class PageOut(BaseModel):
    """A page's clean text."""

    model_config = ConfigDict(from_attributes=True)

    number: int | None
    text: str


class PassageOut(BaseModel):
    """A passage and its place: `text` is `page.text[start:end]`."""

    id: str = Field(examples=[_EXAMPLE_PASSAGE])
    document_id: str
    title: str
    page: int | None
    start: int
    end: int
    headings: list[str]
    language: str | None
    text: str
    url: str | None


class DocumentDetailOut(DocumentOut):
    """A document with its text."""

    index_id: str
    pages: list[PageOut]
    passages: list[PassageOut]


class ProblemOut(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, Any]] = Field(default=[], description="one entry a faulty parameter")


def deep_link(document: Document, page: int | None) -> str | None:
    """Return the address of the original, at the page for a PDF; None where there is none that a browser should follow."""
    try:
        if document.url is None or urlsplit(document.url).scheme not in ("http", "https"):
            return None
    except ValueError:  # such as http://[foo
        return None
    if page is not None and document.media_type == "application/pdf":
        return f"{urldefrag(document.url).url}#page={page}"
    return document.url


def search_out(result: SearchResult) -> SearchOut:
    """Return a search's result for the outside."""
    return SearchOut(
        query=result.query,
        language=result.language,
        index_id=result.index_id,
        took_ms=result.took_ms,
        total=result.total,
        hits=[hit_out(hit) for hit in result.hits],
        concepts=[QueryConceptOut.model_validate(concept) for concept in result.concepts],
        expansions=[ExpansionOut.model_validate(expansion) for expansion in result.expansions],
        facets={name: dict(counts) for name, counts in result.facets.items()},
    )


def hit_out(hit: Hit) -> HitOut:
    """Return a hit for the outside."""
    document = hit.document
    return HitOut(
        **_passage_hit(hit),
        document_id=document.id,
        title=document.title,
        kind=document.kind,
        countries=list(document.countries),
        year=document.year,
        language=document.language,
        passages=[PassageHitOut(**_passage_hit(other)) for other in hit.passages],
    )


def document_out(document: Document) -> DocumentOut:
    """Return a document's metadata for the outside."""
    return DocumentOut.model_validate(document)


def document_detail(document: Document, pages: list[Page], passages: list[Passage], index_id: str) -> DocumentDetailOut:
    """Return a document with its text for the outside."""
    return DocumentDetailOut(
        **dataclasses.asdict(document),
        index_id=index_id,
        pages=[PageOut.model_validate(page) for page in pages],
        passages=[passage_out(document, passage) for passage in passages],
    )


def passage_out(document: Document, passage: Passage) -> PassageOut:
    """Return a passage for the outside."""
    return PassageOut(**dataclasses.asdict(passage), title=document.title, url=deep_link(document, passage.page))


def _passage_hit(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "passage_id": hit.passage.id,
        "page": hit.passage.page,
        "headings": list(hit.passage.headings),
        "text": hit.passage.text,
        "highlights": list(hit.highlights),
        "url": deep_link(hit.document, hit.passage.page),
        "lexical": hit.lexical,
        "dense": hit.dense,
        "topic": hit.topic,
        "agreement": hit.agreement,
        "labels": hit.labels,
    }
