"""The web pages: search, and a document with its text. Rendered on the server; no script, nothing from elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.base import RequestResponseEndpoint

from pes_search.index.search import QUERY_CHARACTERS
from pes_search.index.types import Filters
from pes_search.ingest.types import Passage
from pes_search.service.parameters import EngineOf, FiltersOf, Offset
from pes_search.service.schemas import deep_link, search_out

HERE = Path(__file__).parent
PAGE_HITS = 10
RELATED = 5
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
    "kind": "Kind of document",
    "language": "Language",
}


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
    def search_page(
        request: Request, engine: EngineOf, filters: FiltersOf, q: str = "", offset: Offset = 0
    ) -> HTMLResponse:
        index = engine.index()
        result = None
        if q.strip():
            result = search_out(engine.search(q, k=PAGE_HITS, offset=offset, group="document", filters=filters))
        chosen = {name: value for name, value in dataclasses.asdict(filters).items() if value}
        facets = result.facets if result else index.facets(filters)
        context = {
            "q": q,
            "most": QUERY_CHARACTERS,
            "result": result,
            "chosen": chosen,
            "selects": [(name, label, facets[name]) for name, label in SELECTS.items()],
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
            (page.number, deep_link(document, page.number), _pieces(page.text, [p for p in passages if p.page == page.number]))
            for page in index.pages(document_id)
        ]
        related = engine.related(document_id, k=RELATED, filters=Filters())
        context = {"document": document, "pages": pages, "related": related}
        return _templates().TemplateResponse(request, "document.html", context)


def error_page(request: Request, status: int, detail: str) -> HTMLResponse:
    """Return a page that says what went wrong."""
    context = {"detail": detail, "q": request.query_params.get("q", "")}
    return _templates().TemplateResponse(request, "error.html", context, status_code=status)


@cache
def _templates() -> Jinja2Templates:
    templates = Jinja2Templates(directory=HERE / "templates")
    templates.env.trim_blocks = templates.env.lstrip_blocks = True
    templates.env.filters |= {"marked": _marked, "country": _country_name, "language": _language_name}
    return templates


def _marked(text: str, highlights: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces, and for each whether it is highlighted."""
    at = 0
    for start, end in highlights:
        yield text[at:start], False
        yield text[start:end], True
        at = end
    yield text[at:], False


def _pieces(text: str, passages: Sequence[Passage]) -> list[tuple[str | None, str]]:
    """Return a page's text in pieces: passages with their ids, and what lies between them."""
    pieces: list[tuple[str | None, str]] = []
    at = 0
    for passage in passages:
        if between := text[at : passage.start].strip():
            pieces.append((None, between))
        pieces.append((passage.id, passage.text))
        at = passage.end
    if rest := text[at:].strip():
        pieces.append((None, rest))
    return pieces


def _url(q: str, chosen: Mapping[str, object], offset: int) -> str:
    return "/?" + urlencode({"q": q, **chosen} | ({"offset": offset} if offset else {}), doseq=True)


def _country_name(code: str) -> str:
    return _names().territories.get(code, code)


def _language_name(code: str) -> str:
    return _names().languages.get(code, code)


@cache
def _names():  # type: ignore[no-untyped-def]
    from babel import Locale

    return Locale("en")
