"""Search and ask on one page: the answer, the results grouped by document, and the filters that narrow them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query, Request
from fastapi.responses import HTMLResponse, Response

from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.query.operators import without_quotation_marks
from pes_search.index.search import LARGEST_K, QUERY_CHARACTERS, only_matching
from pes_search.index.types import SearchResult
from pes_search.service.access.hosts import base_of
from pes_search.service.answers.types import Answer
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.api.question_log import log_answer
from pes_search.service.api.requests import EngineOf, FiltersOf, IndexOf, Offset, allowed_writer
from pes_search.service.editing.exports import ExportRow, Format, export
from pes_search.service.engine import Engine
from pes_search.service.web.answer_box import answer_context
from pes_search.service.web.facets import chips, groups, label_of, years
from pes_search.service.web.hits import listed, shown_hits
from pes_search.service.web.languages import Interface, interface_of
from pes_search.service.web.links import document_url, passage_url, search_url
from pes_search.service.web.view import render

PAGE_HITS = 10
SUGGESTED_FILTERS = 3  # filters; what comes after is seldom what was meant
LEAST_NARROWED_DOCUMENTS = 2  # documents; a filter that leaves one is a hit, not a list
EXPORTED_DOCUMENTS = 200  # documents of a ranked list; far down nothing fits any more

Everything = Annotated[bool, Query(alias="all")]  # what does not match the query too
router = APIRouter(include_in_schema=False)


@router.get("/")
def search_page(
    request: Request,
    tasks: BackgroundTasks,
    engine: EngineOf,
    index: IndexOf,
    filters: FiltersOf,
    q: str = "",
    offset: Offset = 0,
    writer: WriterName | None = None,
    after: str = "",
    everything: Everything = False,
    as_typed: bool = False,
) -> HTMLResponse:
    """Answer and rank for a query; list what the filters leave without one. `after` is the question before."""
    interface = interface_of(request)
    q = " ".join(q.split())
    chosen: dict[str, object] = {**filters.values()}
    kept = chosen | ({"all": "true"} if everything else {}) | ({"as_typed": "true"} if as_typed else {})
    context: dict[str, Any] = {
        "q": q,
        "most": QUERY_CHARACTERS,
        "chosen": chosen,
        "chips": chips(q, filters, index.taxonomy, interface),
        "clear": search_url(q),
        "first": offset + 1,
        "answer": None,
        "streamed": None,
        "result": None,
        "hits": [],
        "listed": [],
    }
    if q:
        found = partial(
            _searched, engine, index, filters=filters, offset=offset, writer=writer, after=after, everything=everything
        )
        (result, answer), spelling = engine.spelled(index, q, found, lambda pair: pair[0], as_typed=as_typed)
        put_right = (q, search_url(q, kept | {"as_typed": "true"})) if spelling.put_right else None
        meant = spelling.did_you_mean
        facets, total = result.facets, result.total
        streams = answer is None and not offset
        context |= {
            "result": result,
            "put_right": put_right,
            "everything": everything,
            "with_further": search_url(q, kept | {"all": "true"}),
            "only_matching": search_url(q, {name: value for name, value in kept.items() if name != "all"}),
            "unquoted": search_url(without_quotation_marks(q), chosen),
            "answer": answer_context(answer, interface) if answer else None,
            "streamed": search_url(q, chosen, path="/answer") if streams else None,
            "quoted": search_url(q, chosen | {"writer": "extractive"}),
            "did_you_mean": (meant, search_url(meant, chosen)) if meant else None,
            "hits": shown_hits(result, index, interface, engine.settings.search.passages_per_document),
            "suggested": _suggested(result, q, chosen, index, interface),
        }
        if answer and request.headers.get("pes-part") != "filters":  # the script's: a filter that changes asks the same again
            tasks.add_task(log_answer, request, answer, total)
    else:
        facets = index.stored.counts(filters).facets
        documents = sorted(index.stored.documents(filters), key=lambda document: (-(document.year or 0), document.title))
        total = len(documents)
        page = documents[offset : offset + PAGE_HITS] if chosen else []
        context |= {"listed": listed(page, index, interface)}
    context |= {
        "total": total,
        "groups": groups(facets, filters, index.taxonomy, interface),
        "years": years(facets, filters, interface),
        "documents": index.manifest.documents,
        "countries": len(index.stored.counts(EVERYTHING).facets["country"]),
        "next": search_url(q, kept, offset + PAGE_HITS) if total > offset + PAGE_HITS else None,
        "previous": search_url(q, kept, max(0, offset - PAGE_HITS)) if offset else None,
        "exports": {name: search_url(q, kept, path=f"/export.{name}") for name in ("csv", "json", "bib", "ris")},
    }
    return render(request, "search.html", context)


@router.get("/export.{form}")
def export_results(
    request: Request,
    engine: EngineOf,
    index: IndexOf,
    filters: FiltersOf,
    form: Format,
    q: str = "",
    everything: Everything = False,
    as_typed: bool = False,
) -> Response:
    """Return the results of a query, those that match it or the first of `all`, or else what the filters leave, as a file."""
    interface = interface_of(request)
    base = base_of(request)
    if q.strip():
        most = min(EXPORTED_DOCUMENTS, LARGEST_K)
        result, _ = engine.find(
            index, q, k=most, offset=0, group="document", filters=filters, everything=everything, as_typed=as_typed
        )
        rows = [
            ExportRow(hit.document, hit.passage, hit.rank, hit.score, base + passage_url(hit.passage)) for hit in result.hits
        ]
    else:
        rows = [
            ExportRow(document, None, None, None, base + document_url(document.id))
            for document in index.stored.documents(filters)
        ]
    file = export(rows, form, index.taxonomy, query=q, language=interface.code, index_id=index.manifest.index_id)
    headers = {"Content-Disposition": f'attachment; filename="{file.filename}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


def _searched(
    engine: Engine,
    index: OpenIndex,
    q: str,
    *,
    filters: Filters,
    offset: int,
    writer: WriterName | None,
    after: str,
    everything: bool,
) -> tuple[SearchResult, Answer | None]:
    """Return the results and, on their first page, the answer, unless a language model writes it: that is streamed."""
    writer = allowed_writer(engine, writer) or engine.settings.answer.writer
    if offset or writer != "extractive":
        result = engine.search(
            index, q, k=PAGE_HITS, offset=offset, group="document", filters=filters, only_matching=not everything
        )
        return result, None
    previous = after if after.strip() and after.strip() != q else None
    first, *_, last = engine.ask_events(index, q, k=PAGE_HITS, filters=filters, writer="extractive", previous=previous)
    if not (isinstance(first, SearchResult) and isinstance(last, Answer)):
        raise TypeError("an answer begins with a search result and ends with the whole answer")
    if first.absent_phrases:  # the answer goes by their words, the list is as it was ordered
        first = replace(first, hits=(), total=0, matching=0)
    return (first if everything else only_matching(first)), last


def _suggested(
    result: SearchResult, q: str, chosen: dict[str, object], index: OpenIndex, interface: Interface
) -> list[tuple[str, str, int]]:
    """Return the filters that the query names or its concepts suggest: address, label as in the lists, and documents left."""
    named = [
        (
            search_url(
                q,
                chosen
                | ({"year_from": name.value, "year_to": name.value} if name.filter == "year" else {name.filter: (name.value,)}),
            ),
            name.value if name.filter == "year" else label_of(name.filter, name.value, index.taxonomy, interface),
            name.documents,
        )
        for name in result.named_filters
        if not (chosen.keys() & {name.filter, *(("year_from", "year_to") if name.filter == "year" else ())})
    ]
    return (
        named
        + [
            (
                search_url(q, {**chosen, concept.filter: (concept.id,)}),
                label_of(concept.filter, concept.id, index.taxonomy, interface),
                concept.documents,
            )
            for concept in result.concepts
            if concept.documents >= LEAST_NARROWED_DOCUMENTS and not chosen.get(concept.filter)
        ][:SUGGESTED_FILTERS]
    )
