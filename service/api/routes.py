"""The HTTP service: the API under /api/v1, health checks, and the search page."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, FastAPI, Path, Query, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from pes_search.index.search import QUERY_CHARACTERS
from pes_search.index.search import related as near
from pes_search.service.answers.types import WriterName
from pes_search.service.api.events import stream
from pes_search.service.api.problems import RESPONSES, add_handlers, problem_schema
from pes_search.service.api.question_log import log_answer
from pes_search.service.api.requests import DocumentId, EngineOf, FiltersOf, K, Offset, engine_of
from pes_search.service.api.schemas import (
    AskIn,
    AskOut,
    ComparisonOut,
    DocumentDetailOut,
    DocumentsOut,
    PassageOut,
    RelatedOut,
    SearchOut,
    ask_out,
    comparison_out,
    document_detail,
    document_out,
    hit_out,
    passage_out,
    search_out,
)
from pes_search.service.engine import Engine
from pes_search.service.web.site import add_pages

router = APIRouter(prefix="/api/v1", responses=RESPONSES)


def create_app(engine: Engine) -> FastAPI:
    """Return the service over an open engine."""
    app = FastAPI(
        title="pes-search",
        version=importlib.metadata.version("pes-search"),
        description="Search the good-practice documents of Europe's public employment services, in any EU language.",
        docs_url=None,  # the usual documentation pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.engine = engine
    app.state.records = app.state.noted_index = None
    app.state.forget_at = 0.0
    app.openapi = lambda: problem_schema(FastAPI.openapi(app))  # type: ignore[method-assign]
    add_handlers(app)
    app.include_router(router)
    add_pages(app)

    @app.get("/healthz", tags=["health"])
    def healthz() -> dict[str, str]:
        """Tell that the process runs."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    def readyz(request: Request) -> dict[str, str]:
        """Tell that an index is open and can be searched."""
        return {"status": "ready", "index_id": engine_of(request).index().manifest.index_id}

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> Response:
        return RedirectResponse("/static/icon.svg", status_code=308)

    return app


@router.get("/search", tags=["search"])
def search(
    engine: EngineOf,
    filters: FiltersOf,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=QUERY_CHARACTERS,
            description="words or a question, in any language",
            examples=["reaching women after career breaks"],
        ),
    ],
    k: K = 10,
    offset: Offset = 0,
    group: Annotated[Literal["document", "passage"], Query(description="what a hit is")] = "document",
) -> SearchOut:
    """Find the passages that fit a query, ranked, with their sources."""
    index = engine.index()
    result = engine.search(index, q, k=k, offset=offset, group=group, filters=filters)
    return search_out(result, engine.did_you_mean(index, result.query))


@router.post("/ask", tags=["answers"])
def ask(request: Request, tasks: BackgroundTasks, engine: EngineOf, asked: AskIn) -> AskOut:
    """Answer a question with quotations, or say that the collection does not answer it."""
    index, filters = engine.index(), asked.filters()
    answer = engine.ask(index, asked.question, k=asked.k, filters=filters, writer=asked.writer)
    tasks.add_task(log_answer, request, answer, index.stored.counts(filters).documents)
    return ask_out(answer)


@router.get("/ask/stream", tags=["answers"], response_class=StreamingResponse)
def ask_stream(
    request: Request,
    engine: EngineOf,
    filters: FiltersOf,
    question: Annotated[str, Query(min_length=1, max_length=QUERY_CHARACTERS, examples=["Who pays for power_m?"])],
    writer: Annotated[WriterName | None, Query(description="default: that of the settings")] = None,
    k: K = 5,
) -> StreamingResponse:
    """Answer a question as server-sent events, as the answer comes: hits, sentence and citation, at last done or refused."""
    events = engine.ask_events(engine.index(), question, k=k, filters=filters, writer=writer)
    first = next(events)  # a question that cannot be asked is answered with its status, before a stream has begun
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy that collects would undo the streaming
    passages = engine.settings.search.passages_per_document
    return StreamingResponse(stream(request, first, events, k, passages), media_type="text/event-stream", headers=headers)


@router.get("/compare", tags=["documents"])
def compare(
    engine: EngineOf,
    ids: Annotated[list[str], Query(description="documents, repeated or between commas", examples=[["hr-vouchers,pl-kfs"]])],
) -> ComparisonOut:
    """Compare documents field by field, every cell a quotation or not stated."""
    named = [own for value in ids for own in value.split(",") if own]
    return comparison_out(engine.compare(engine.index(), named))


@router.get("/documents", tags=["documents"])
def documents(engine: EngineOf, filters: FiltersOf, k: K = 100, offset: Offset = 0) -> DocumentsOut:
    """List the documents that pass the filters, by id."""
    index = engine.index()
    counts = index.stored.counts(filters)
    return DocumentsOut(
        index_id=index.manifest.index_id,
        total=counts.documents,
        documents=[document_out(document) for document in index.stored.documents(filters, k, offset)],
        facets={name: dict(counts) for name, counts in counts.facets.items()},
    )


@router.get("/documents/{document_id}", tags=["documents"])
def document(engine: EngineOf, document_id: DocumentId) -> DocumentDetailOut:
    """Return a document with its text and passages."""
    index = engine.index()
    return document_detail(index.text(document_id), index.manifest.index_id)


@router.get("/documents/{document_id}/related", tags=["documents"])
def related(engine: EngineOf, filters: FiltersOf, document_id: DocumentId, k: K = 10) -> RelatedOut:
    """Find the documents nearest in meaning to one; near 1 they say the same, perhaps in two languages."""
    index = engine.index()
    hits = near(document_id, index, k=k, filters=filters)
    return RelatedOut(document_id=document_id, index_id=index.manifest.index_id, hits=[hit_out(hit) for hit in hits])


@router.get("/passages/{passage_id}", tags=["documents"])
def passage(engine: EngineOf, passage_id: Annotated[str, Path(examples=["de-power-m~318-802"])]) -> PassageOut:
    """Return one passage with its place."""
    index = engine.index()
    return passage_out(*index.passage(passage_id))
