"""The API under /api/v1: search, answers and documents. The engine does the work, a schema says what it gives."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from pes_search.index.query.filter_values import check_values
from pes_search.index.search import QUERY_CHARACTERS
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.api.answer_messages import answer_messages
from pes_search.service.api.bounds import Values
from pes_search.service.api.event_stream import asks_again, begun, event_stream
from pes_search.service.api.problems import CONTRADICTION, RESPONSES, STREAM_RESPONSES
from pes_search.service.api.question_log import log_answer
from pes_search.service.api.requests import (
    DocumentId,
    EngineOf,
    FiltersOf,
    IndexOf,
    K,
    Offset,
    RecordsOf,
    allowed_writer,
    index_of,
    only_known_parameters,
)
from pes_search.service.api.schemas import (
    AskIn,
    AskOut,
    ComparisonOut,
    CopyDecisionIn,
    DocumentDetailOut,
    DocumentsOut,
    DuplicatesOut,
    PassageOut,
    RelatedOut,
    SearchOut,
    ask_out,
    comparison_out,
    document_detail,
    document_out,
    duplicates_out,
    passage_out,
    related_out,
    search_out,
)
from pes_search.service.editing.copy_decisions import decide, of_seen
from pes_search.service.editing.duplicates import copy_groups
from pes_search.service.editing.related import newest_version, relations, stated_relations
from pes_search.service.engine import copy_decisions

router = APIRouter(prefix="/api/v1", responses=RESPONSES, dependencies=[Depends(only_known_parameters)])


@router.get("/search", tags=["search"])
def search(
    engine: EngineOf,
    index: IndexOf,
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
    everything: Annotated[bool, Query(alias="all", description="list what does not match the query too")] = False,
    as_typed: Annotated[bool, Query(description="leave the spelling alone")] = False,
) -> SearchOut:
    """Find the passages that fit a query, ranked, with their sources.

    A query may order: "exact phrase", -word, title:word, country:DE and the other filters by their names.
    """
    found = engine.find(index, q, k=k, offset=offset, group=group, filters=filters, everything=everything, as_typed=as_typed)
    return search_out(*found)


@router.post("/ask", tags=["answers"])
def ask(request: Request, tasks: BackgroundTasks, engine: EngineOf, index: IndexOf, body: AskIn) -> AskOut:
    """Answer a question with quotations, or say that the collection does not answer it."""
    filters, writer = body.filters(), allowed_writer(engine, body.writer)
    check_values(filters, index.stored)
    answer = engine.ask(index, body.question, k=body.k, filters=filters, writer=writer, previous=body.previous)
    tasks.add_task(log_answer, request, answer, index.stored.counts(filters).documents)
    return ask_out(answer)


@router.get("/ask/stream", tags=["answers"], response_class=StreamingResponse, responses=STREAM_RESPONSES)
def ask_stream(
    request: Request,
    engine: EngineOf,
    index: IndexOf,
    filters: FiltersOf,
    question: Annotated[str, Query(min_length=1, max_length=QUERY_CHARACTERS, examples=["Who pays for power_m?"])],
    previous: Annotated[str | None, Query(max_length=QUERY_CHARACTERS, description="the question before")] = None,
    writer: Annotated[WriterName | None, Query(description="default: that of the settings")] = None,
    k: K = 5,
) -> Response:
    """Answer a question as server-sent events, as the answer comes: hits, sentence and citation, at last done or refused.

    `error` comes instead of them where the answer breaks off. Close the stream at the last event; a browser's EventSource that
    does not, and asks again with `Last-Event-ID`, is told by 204 to ask no more.
    """
    if asks_again(request):
        return Response(status_code=204)
    writer = allowed_writer(engine, writer)
    events = engine.ask_events(index, question, k=k, filters=filters, writer=writer, previous=previous)
    passages = engine.settings.search.passages_per_document
    return event_stream(answer_messages(request, begun(events), k, passages))


@router.get("/compare", tags=["documents"])
def compare(
    engine: EngineOf,
    index: IndexOf,
    ids: Annotated[Values, Query(description="documents, repeated or between commas", examples=[["hr-vouchers,pl-kfs"]])],
) -> ComparisonOut:
    """Compare documents field by field, every cell a quotation or not stated."""
    document_ids = [document_id for value in ids for document_id in value.split(",") if document_id]
    return comparison_out(engine.compare(index, document_ids))


@router.get("/documents", tags=["documents"])
def documents(index: IndexOf, filters: FiltersOf, k: K = 100, offset: Offset = 0) -> DocumentsOut:
    """List the documents that pass the filters, by id."""
    counts = index.stored.counts(filters)
    return DocumentsOut(
        index_id=index.manifest.index_id,
        total=counts.documents,
        documents=[document_out(document) for document in index.stored.documents(filters, k, offset)],
        facets={name: dict(counts) for name, counts in counts.facets.items()},
    )


@router.get("/documents/{document_id}", tags=["documents"])
def document(index: IndexOf, document_id: DocumentId) -> DocumentDetailOut:
    """Return a document with its text and passages, and the documents that cite, update or continue it or that it does."""
    stated, newer = stated_relations(document_id, index), newest_version(document_id, index)
    return document_detail(index.text(document_id), index.manifest.index_id, stated, newer)


@router.get("/duplicates", tags=["documents"])
def duplicates(engine: EngineOf, index: IndexOf) -> DuplicatesOut:
    """List the documents that say the same, copies and translations, and what editors decided of them."""
    decisions = of_seen(copy_decisions(engine.settings), index)
    return duplicates_out(copy_groups(index), decisions, index.manifest.index_id)


@router.post("/duplicates", tags=["documents"], responses=CONTRADICTION)
def decide_duplicates(
    request: Request, engine: EngineOf, index: IndexOf, records: RecordsOf, body: CopyDecisionIn
) -> DuplicatesOut:
    """Say that a document and others are copies, or that they are none, or take that back; it counts at once.

    A key of an editor is needed: `Authorization: Bearer KEY`. Without any keys, whoever sits at the machine needs none.
    """
    decide(body.verdict, body.document_id, body.other_ids, index, records.copies)
    return duplicates(engine, index_of(request))  # with what was decided just now


@router.get("/documents/{document_id}/related", tags=["documents"])
def related(index: IndexOf, filters: FiltersOf, document_id: DocumentId, k: K = 10) -> RelatedOut:
    """Find the documents nearest in meaning to one, and say why; copies and translations stand apart."""
    return related_out(document_id, relations(document_id, index, k=k, filters=filters), index.manifest.index_id)


@router.get("/passages/{passage_id}", tags=["documents"])
def passage(index: IndexOf, passage_id: Annotated[str, Path(examples=["de-power-m~318-802"])]) -> PassageOut:
    """Return one passage with its place."""
    return passage_out(*index.passage(passage_id))
