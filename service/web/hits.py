"""A hit as pages show it: its facts, the sentences that fit, and why it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from textwrap import shorten

from pes_search.index.filters import LISTS
from pes_search.index.open_index import OpenIndex
from pes_search.index.types import DocumentText, Hit, SearchResult
from pes_search.ingest.passages import is_imagined
from pes_search.ingest.readers import PAGES
from pes_search.ingest.taxonomy import FIELDS
from pes_search.ingest.types import Document, Passage
from pes_search.service.answers.answer import nearest
from pes_search.service.links import clock, deep_link, recognition_of
from pes_search.service.web.facets import kind_label, label_of
from pes_search.service.web.languages import Interface, _
from pes_search.service.web.links import document_url, passage_url
from pes_search.service.web.text import Excerpt, excerpt, places_of

PASSAGE_NAME_CHARACTERS = 60  # of a passage without a heading
SUMMARY_CHARACTERS = 260
SHARED_CONCEPTS = 3  # named as a reason for a hit
VISIBILITIES = {"internal": _("internal"), "confidential": _("confidential")}  # labels that have a name in each language
FIELDS_OF_LISTS = {list_name: field for field, list_name in FIELDS.items()}


@dataclass(frozen=True, slots=True)
class ShownHit:
    """What the page of results shows of a hit."""

    hit: Hit
    passage: Passage  # that is shown: the best that tells of the document
    facts: list[str]
    evidence: str  # how strong it is; nothing where that has not been judged
    path: list[str]  # headings above the passage
    excerpt: Excerpt
    link: str
    source: str | None  # the original, at the page
    place: str  # what the page is called
    also: list[tuple[str, str]]  # copies and translations of the document: address and what they are
    others: list[tuple[str, str]]  # further passages: address and name
    words: list[str]  # of the query that the passage has
    concepts: list[str]  # that query and document share


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list shows of a document that no query found."""

    document: Document
    facts: list[str]
    evidence: str
    summary: str
    link: str


def shown_hits(result: SearchResult, index: OpenIndex, interface: Interface, passages: int) -> list[ShownHit]:
    """Return what the page shows of each hit, with no more than so many passages of a document."""
    hits = nearest(result, len(result.hits), passages)
    every = [one for hit in hits for one in (hit, *hit.passages)]
    places = dict(zip([one.passage.id for one in every], places_of(every, index), strict=True))
    shown = [next((one for one in (hit, *hit.passages) if places[one.passage.id].told()), hit) for hit in hits]
    return [
        ShownHit(
            hit=hit,
            passage=best.passage,
            facts=facts(hit.document, interface, best.passage.page),
            evidence=evidence_label(hit.document, index, interface),
            path=[name for name in best.passage.headings if name != hit.document.title and not is_imagined(name)],
            excerpt=excerpt(best, result.parsed_query, places[best.passage.id]),
            link=passage_url(best.passage),
            source=deep_link(hit.document, best.passage.page),
            place=place_label(hit.document, best.passage.page, interface),
            also=[(document_url(other.id), also_label(other, hit.document, interface)) for other in hit.also],
            others=[
                (passage_url(other.passage), passage_name(other, interface))
                for other in (hit, *hit.passages)
                if other is not best
            ],
            words=list(dict.fromkeys(best.passage.text[start:end].casefold() for start, end in best.highlights)),
            concepts=_shared(hit.document, result, index, interface),
        )
        for hit, best in zip(hits, shown, strict=True)
    ]


def listed(documents: Sequence[Document], index: OpenIndex, interface: Interface) -> list[Listed]:
    """Return what a list shows of documents: their first words stand for what they are about."""
    return [
        Listed(
            text.document,
            facts(text.document, interface),
            evidence_label(text.document, index, interface),
            shorten(" ".join(_first_lines(text)), SUMMARY_CHARACTERS, placeholder=" …"),
            document_url(text.document.id),
        )
        for text in index.stored.texts([document.id for document in documents])
    ]


def _first_lines(text: DocumentText) -> list[str]:
    return [
        line
        for passage in text.passages[:1]
        for line in passage.text.split("\n")
        if line not in (text.document.title, *passage.headings)
    ]


def facts(document: Document, interface: Interface, page: int | None = None) -> list[str]:
    """Return the short facts under a title: countries, years, kind, language, page."""
    candidates = [
        visibility_label(document, interface),
        *(with_mark(interface.country(code), "countries", document, interface) for code in document.countries),
        years(document),
        kind_label(document.kind, interface),
        interface.language(document.language or ""),
        place_label(document, page, interface),
        recognition_label(document, page, interface),
    ]
    return [fact for fact in candidates if fact]


def visibility_label(document: Document, interface: Interface) -> str:
    """Return that a document is not for everybody; nothing where it is."""
    if not document.visibility:
        return ""
    if document.visibility in VISIBILITIES:
        return interface.text(VISIBILITIES[document.visibility])
    return interface.text("only for %(label)s") % {"label": document.visibility}


def place_label(document: Document, page: int | None, interface: Interface) -> str:
    """Return what a page of a document is called, or nothing."""
    if page is None:
        return ""
    pages_are = PAGES.get(document.media_type, "page")
    if pages_are == "minute":
        return interface.text("from %(time)s") % {"time": clock(page)}
    if pages_are == "slide":
        return interface.text("slide %(page)s") % {"page": page}
    return interface.text("page %(page)s") % {"page": page}


def also_label(document: Document, of: Document, interface: Interface) -> str:
    """Return what another form of a document is: in German, or as PDF."""
    if document.language and document.language != of.language:
        return interface.text("in %(language)s") % {"language": interface.language(document.language)}
    suffix = PurePosixPath(document.path).suffix.lstrip(".").upper()
    return interface.text("as %(format)s") % {"format": suffix if document.media_type != of.media_type else document.title}


def recognition_label(document: Document, page: int | None, interface: Interface) -> str:
    """Return that a page's text was recognised in a picture, and how sure its words are, or nothing."""
    confidence = recognition_of(document, page)
    if confidence is None:
        return ""
    return interface.text("recognised by OCR, %(share)s sure") % {"share": f"{confidence:.0%}"}


def evidence_label(document: Document, index: OpenIndex, interface: Interface) -> str:
    """Return how strong the evidence for a practice is and whether that is inferred; nothing where nothing tells it."""
    if not document.evidence:
        return ""
    return with_mark(label_of("evidence", document.evidence, index.taxonomy, interface), "evidence", document, interface)


def with_mark(label: str, field: str, document: Document, interface: Interface) -> str:
    """Return a field's value as pages show it: marked where it was inferred."""
    return interface.text("%(value)s (inferred)") % {"value": label} if document.inferred_in(field) else label


def years(document: Document) -> str:
    """Return the years of a document, or nothing."""
    if document.year and document.end_year and document.end_year != document.year:
        return f"{document.year}–{document.end_year}"
    return str(document.year or "")


def passage_name(hit: Hit, interface: Interface) -> str:
    """Return a short name for a passage: its last heading, or its first words."""
    place = place_label(hit.document, hit.passage.page, interface)
    page = f"{place}: " if place else ""
    if hit.passage.headings and hit.passage.headings[-1] != hit.document.title:
        return page + hit.passage.headings[-1]
    lines = [line for line in hit.passage.text.split("\n") if line and line != hit.document.title]
    return page + shorten(lines[0] if lines else hit.passage.text, PASSAGE_NAME_CHARACTERS, placeholder=" …")


def _shared(document: Document, result: SearchResult, index: OpenIndex, interface: Interface) -> list[str]:
    """Return the labels of the concepts that query and document share, the query's foremost first."""
    labels = [
        index.taxonomy.label(LISTS[concept.filter], concept.id, interface.code)
        for concept in result.concepts
        if (list_name := LISTS[concept.filter]) in FIELDS_OF_LISTS
        and concept.id in index.taxonomy.with_broader(list_name, getattr(document, FIELDS_OF_LISTS[list_name]))
    ]
    return labels[:SHARED_CONCEPTS]
