"""A document with its text: what was found is marked and scrolled to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from pes_search.index.errors import NotInIndexError
from pes_search.index.filters import LISTS
from pes_search.index.search import related
from pes_search.index.stores.base import OpenIndex
from pes_search.ingest.types import Document
from pes_search.service.api.requests import EngineOf
from pes_search.service.links import deep_link
from pes_search.service.web.facets import GROUPS, kind_label
from pes_search.service.web.hits import facts, years
from pes_search.service.web.languages import Interface, interface_of
from pes_search.service.web.links import filter_url
from pes_search.service.web.text import Section, contents, sections
from pes_search.service.web.view import render

RELATED = 6
router = APIRouter(include_in_schema=False)
# The controlled terms of a document, by the filter that finds others with them.
TERMS = {"target_group": "target_groups", "measure_type": "measure_types", "channel": "channels"}


@router.get("/documents/{document_id}")
def document_page(
    request: Request,
    engine: EngineOf,
    document_id: str,
    passage: str = "",
    start: Annotated[int | None, Query(ge=0)] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> HTMLResponse:
    """Show a document; `passage` is what was found in it, `start` and `end` the characters of it that were quoted."""
    index, interface = engine.index(), interface_of(request)
    document = index.document(document_id)
    passages = index.passages(document_id)
    found = next((own for own in passages if own.id == passage), None)
    marked = (found.id, (start, end)) if found and start is not None and end is not None and start < end else None
    pages: list[tuple[int | None, list[Section]]] = [
        (page.number, list(sections(page, passages, marked))) for page in index.pages(document_id)
    ]
    near = related(document_id, index, k=RELATED)
    context = {
        "document": document,
        "kind": kind_label(document.kind, interface),
        "years": years(document),
        "source": deep_link(document, None),
        "place": deep_link(document, found.page) if found else None,
        "found": found,
        "is_lost": bool(passage) and found is None,  # the text has changed since the address was made
        "terms": _terms(document, index, interface),
        "contents": contents(document, pages),
        "pages": [(number, deep_link(document, number), own) for number, own in pages],
        "named": _named(document, index),
        "related": [(hit, facts(hit.document, interface)) for hit in near],
        "language_of_text": document.language or "",
    }
    return render(request, "document.html", context)


def _terms(document: Document, index: OpenIndex, interface: Interface) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the document's controlled terms: heading, and of each term its label and the address of others with it."""
    return [
        (
            interface.text(GROUPS[name]),
            [
                (index.taxonomy.label(LISTS[name], value, interface.code), filter_url(**{name: value}))
                for value in getattr(document, field)
            ],
        )
        for name, field in TERMS.items()
        if getattr(document, field)
    ]


def _named(document: Document, index: OpenIndex) -> list[Document]:
    """Return the documents that this one names; ids that the index does not have are left out."""
    known = []
    for own in document.related:
        try:
            known.append(index.document(own))
        except NotInIndexError:
            continue
    return known
