"""The web pages: search, and a document with its text. Rendered on the server; no script, nothing from elsewhere."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.base import RequestResponseEndpoint

from pes_search.index.columns import LISTS
from pes_search.index.search import QUERY_CHARACTERS
from pes_search.index.search import related as near
from pes_search.index.store import OpenIndex
from pes_search.index.types import Hit, SearchResult
from pes_search.ingest.taxonomy import FIELDS, Taxonomy, fold
from pes_search.ingest.types import Page, Passage
from pes_search.service.parameters import EngineOf, FiltersOf, Offset
from pes_search.service.schemas import deep_link

if TYPE_CHECKING:
    from babel import Locale

HERE = Path(__file__).parent
PAGE_HITS = 10
RELATED = 5
SUGGESTED = 3  # filters; what comes after is seldom what was meant
WORTH_NARROWING = 2  # documents; a filter that leaves one is a hit, not a list
# Everything that a page needs comes from this service, and nothing runs in it.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# The filters that the page offers as lists, with their labels.
SELECTS = {
    "country": "Country",
    "target_group": "Target group",
    "measure_type": "Measure",
    "channel": "Channel",
    "kind": "Kind of document",
    "language": "Language",
}
# The controlled terms of a document, with their labels.
TERMS = {"target_groups": "Target groups", "measure_types": "Measures", "channels": "Channels"}


def add_pages(app: FastAPI) -> None:
    """Add the pages, their style sheet and the headers that keep them closed."""
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @app.middleware("http")
    async def closed(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.get("/", include_in_schema=False)
    def search_page(request: Request, engine: EngineOf, filters: FiltersOf, q: str = "", offset: Offset = 0) -> HTMLResponse:
        index = engine.index()
        result = None
        if q.strip():
            result = engine.search(index, q, k=PAGE_HITS, offset=offset, group="document", filters=filters)
        chosen = {name: value for name, value in dataclasses.asdict(filters).items() if value}
        facets = result.facets if result else index.facets(filters)
        context = {
            "q": q,
            "most": QUERY_CHARACTERS,
            "result": result,
            "hits": [_shown(hit, index) for hit in result.hits] if result else [],
            "chosen": chosen,
            "suggested": _suggested(result, q, chosen, index.taxonomy) if result else [],
            "selects": [_select(name, facets[name], getattr(filters, name), index.taxonomy) for name in SELECTS],
            "documents": index.manifest.documents,
            "first": offset + 1,
            "next": _url(q, chosen, offset + PAGE_HITS) if result and result.total > offset + PAGE_HITS else None,
            "previous": _url(q, chosen, max(0, offset - PAGE_HITS)) if offset else None,
            "all": _url(q, {}, 0),
        }
        return _templates().TemplateResponse(request, "search.html", context)

    @app.get("/documents/{document_id}", include_in_schema=False)
    def document_page(request: Request, engine: EngineOf, document_id: str) -> HTMLResponse:
        index = engine.index()
        document = index.document(document_id)
        passages = index.passages(document_id)
        pages = [
            (page.number, deep_link(document, page.number), list(_pieces(page, passages))) for page in index.pages(document_id)
        ]
        related = near(document_id, index, k=RELATED)
        terms = [
            (label, [index.taxonomy.label(FIELDS[field], value) for value in getattr(document, field)])
            for field, label in TERMS.items()
        ]
        context = {
            "document": document,
            "source": deep_link(document, None),
            "terms": terms,
            "pages": pages,
            "related": related,
        }
        return _templates().TemplateResponse(request, "document.html", context)


def error_page(request: Request, status: int, detail: str) -> HTMLResponse:
    """Return a page that says what went wrong."""
    context = {"detail": detail, "q": request.query_params.get("q", "")}
    return _templates().TemplateResponse(request, "error.html", context, status_code=status)


@cache
def _templates() -> Jinja2Templates:
    templates = Jinja2Templates(directory=HERE / "templates")
    templates.env.trim_blocks = templates.env.lstrip_blocks = True
    templates.env.filters |= {"country": _country_name, "language": _language_name}
    return templates


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph as a page shows it: pieces of text, each with whether it is highlighted."""

    level: int  # of a heading, 0 for text
    pieces: list[tuple[str, bool]]

    @property
    def text(self) -> str:
        """Return the text without marks."""
        return "".join(piece for piece, _ in self.pieces)


def _shown(hit: Hit, index: OpenIndex) -> dict[str, object]:
    """Return what the page of results shows of a hit: its text without the headings that stand above it anyway."""
    page = next(page for page in index.pages(hit.document.id) if page.number == hit.passage.page)
    above = {hit.document.title, *hit.passage.headings}
    paragraphs = list(_paragraphs(page, hit.passage.start, hit.passage.end, hit.highlights))
    path = [heading for heading in hit.passage.headings if heading != hit.document.title]
    document = hit.document
    facts = [
        *map(_country_name, document.countries),
        str(document.year or ""),
        document.kind,
        _language_name(document.language or ""),
        f"page {page.number}" if page.number else "",
    ]
    return {
        "hit": hit,
        "facts": [fact for fact in facts if fact],
        "path": path,
        "paragraphs": list(dropwhile(lambda paragraph: paragraph.level and paragraph.text in above, paragraphs)),
        "link": _passage_url(hit.passage),
        "source": deep_link(hit.document, hit.passage.page),
        "others": [(_passage_url(other.passage), _label(other)) for other in hit.passages],
    }


def _label(hit: Hit) -> str:
    """Return a short name for a passage: its last heading, or its first words."""
    place = f"Page {hit.passage.page}: " if hit.passage.page else ""
    if hit.passage.headings and hit.passage.headings[-1] != hit.document.title:
        return place + hit.passage.headings[-1]
    lines = [line for line in hit.passage.text.split("\n") if line and line != hit.document.title]
    return place + shorten(lines[0] if lines else hit.passage.text, 60, placeholder=" …")


def _pieces(page: Page, passages: Sequence[Passage]) -> Iterator[tuple[str | None, list[Paragraph]]]:
    """Yield a page in pieces: passages with their ids, and what lies between them."""
    at = 0
    for passage in passages:
        if passage.page == page.number:
            if page.text[at : passage.start].strip():
                yield None, list(_paragraphs(page, at, passage.start))
            yield passage.id, list(_paragraphs(page, passage.start, passage.end))
            at = passage.end
    if page.text[at:].strip():
        yield None, list(_paragraphs(page, at, len(page.text)))


def _paragraphs(page: Page, start: int, end: int, highlights: Sequence[tuple[int, int]] = ()) -> Iterator[Paragraph]:
    """Yield the paragraphs of `page.text[start:end]`; highlights are counted from `start`."""
    levels = {heading: level for heading, _, level in page.headings}
    for line in re.finditer(r"[^\n]+", page.text[start:end]):
        pieces: list[tuple[str, bool]] = []
        at = line.start()
        for first, last in highlights:
            if line.start() <= first and last <= line.end():
                pieces += [(page.text[start + at : start + first], False), (page.text[start + first : start + last], True)]
                at = last
        pieces.append((page.text[start + at : start + line.end()], False))
        yield Paragraph(levels.get(start + line.start(), 0), [piece for piece in pieces if piece[0]])


def _passage_url(passage: Passage) -> str:
    return f"/documents/{quote(passage.document_id)}#{quote(passage.id)}"


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a filter as its list shows it."""

    value: str
    label: str
    count: int | None  # None: not counted, as of a label that names several terms
    is_chosen: bool


def _select(name: str, counts: Mapping[str, int], chosen: Sequence[str], taxonomy: Taxonomy) -> tuple[str, str, list[Option]]:
    """Return a filter's name, its heading and its options."""
    names = taxonomy.names(LISTS.get(name, "")) if chosen else {}
    named = {value: names.get(fold(value), set()) for value in chosen}
    wanted = {next(iter(found)) if len(found) == 1 else value for value, found in named.items()}
    wanted_folded = {fold(value) for value in wanted}
    label = {"country": _country_name, "language": _language_name}.get(
        name, lambda value: taxonomy.label(LISTS.get(name, ""), value)
    )
    options = [
        Option(value, label(value), None if len(named.get(value, ())) > 1 else count, fold(value) in wanted_folded)
        for value, count in _with_chosen(counts, sorted(wanted)).items()
    ]
    return name, SELECTS[name], options


def _suggested(result: SearchResult, q: str, chosen: Mapping[str, Any], taxonomy: Taxonomy) -> list[tuple[str, str, int]]:
    """Return the filters that the query's concepts suggest: address, label as in the filters' lists, and documents left."""
    return [
        (
            _url(q, {**chosen, concept.filter: (concept.id,)}, 0),
            taxonomy.label(LISTS[concept.filter], concept.id),
            concept.documents,
        )
        for concept in result.concepts
        if concept.documents >= WORTH_NARROWING and not chosen.get(concept.filter)
    ][:SUGGESTED]


def _with_chosen(counts: Mapping[str, int], chosen: Sequence[str]) -> dict[str, int]:
    """Return a facet's counts with the chosen values, whatever else the other filters leave."""
    known = {fold(value) for value in counts}
    return {**counts, **{value: 0 for value in chosen if fold(value) not in known}}


def _url(q: str, chosen: Mapping[str, object], offset: int) -> str:
    return "/?" + urlencode({"q": q, **chosen} | ({"offset": offset} if offset else {}), doseq=True)


def _country_name(code: str) -> str:
    return str(_names().territories.get(code, code))


def _language_name(code: str) -> str:
    return str(_names().languages.get(code, code))


@cache
def _names() -> Locale:
    from babel import Locale

    return Locale("en")
