"""A document with its text: what was found is marked and scrolled to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from pes_search.index.filters import FILTER_FIELDS
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.types import Document, InferredValue
from pes_search.service.api.requests import IndexOf
from pes_search.service.editing.related import RelatedDocument, StatedRelation, newest_version, relations
from pes_search.service.links import PDF, deep_link
from pes_search.service.web.facets import kind_label, label_of
from pes_search.service.web.hits import (
    FIELDS_OF_LISTS,
    evidence_label,
    facts,
    place_label,
    recognition_label,
    visibility_label,
    with_mark,
    years,
)
from pes_search.service.web.languages import Interface, interface_of
from pes_search.service.web.links import filter_url
from pes_search.service.web.text import Section, contents, sections
from pes_search.service.web.view import render

RELATED_DOCUMENTS = 6
SHOWN_REASONS = 3
FILTERS_OF_REASONS = {"people": "target_group", "measure": "measure_type", "channel": "channel"}
ABOVE = {"country", "evidence", "organisation"}  # filters whose values stand in the facts under the title
# The filters by whose labels inferred values are called; an organisation is called as the text does.
FILTERED_FIELDS = {
    "country": "countries",
    "target_group": "target_groups",
    "measure_type": "measure_types",
    "evidence": "evidence",
}
router = APIRouter(include_in_schema=False)


@router.get("/documents/{document_id}")
def document_page(
    request: Request,
    index: IndexOf,
    document_id: str,
    passage: str = "",
    start: Annotated[int | None, Query(ge=0)] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> HTMLResponse:
    """Show a document; `passage` is what was found in it, `start` and `end` the characters of it that were quoted."""
    interface = interface_of(request)
    text = index.text(document_id)
    document, passages = text.document, text.passages
    linked_passage = next((candidate for candidate in passages if candidate.id == passage), None)
    marked = (
        (linked_passage.id, (start, end)) if linked_passage and start is not None and end is not None and start < end else None
    )
    pages: list[tuple[int | None, list[Section]]] = [
        (page.number, list(sections(page, passages, marked))) for page in text.pages
    ]
    near = relations(document_id, index, k=RELATED_DOCUMENTS)
    context = {
        "document": document,
        "closed": visibility_label(document, interface),
        "kind": kind_label(document.kind, interface),
        "years": years(document),
        "source": deep_link(document, None),
        "place": deep_link(document, linked_passage.page) if linked_passage else None,
        "found": linked_passage,
        "found_at": place_label(document, linked_passage.page, interface) if linked_passage else "",
        "is_lost": bool(passage) and linked_passage is None,  # the text has changed since the address was made
        "countries": [
            (with_mark(interface.country(code), "countries", document, interface), filter_url(country=code))
            for code in document.countries
        ],
        "organisation": with_mark(document.organisation or "", "organisation", document, interface),
        "terms": _terms(document, index, interface),
        "inferred": [
            (_label(value, index, interface), f"{value.confidence:.0%}", value.sentence) for value in document.inferred
        ],
        "evidence": evidence_label(document, index, interface),
        "contents": contents(document, pages),
        "pages": [
            (
                _capitalised(place_label(document, number, interface)),
                recognition_label(document, number, interface),
                deep_link(document, number) if document.media_type == PDF else None,
                page_sections,
            )
            for number, page_sections in pages
        ],
        "newer": newest_version(document_id, index),
        "stated": _stated(near.stated, interface),
        "related": [(one.hit, facts(one.hit.document, interface), _reasons(one, index, interface)) for one in near.related],
        "same": [hit.document for hit in near.same],
        "language_of_text": document.language or "",
    }
    return render(request, "document.html", context)


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]


def _terms(document: Document, index: OpenIndex, interface: Interface) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the document's controlled terms: heading, and of each term its label and the address of others with it."""
    return [
        (
            interface.text(field.heading),
            [
                (
                    with_mark(
                        label_of(field.name, value, index.taxonomy, interface),
                        FIELDS_OF_LISTS[field.list_name],
                        document,
                        interface,
                    ),
                    filter_url(**{field.name: value}),
                )
                for value in field.values(document)
            ],
        )
        for field in FILTER_FIELDS.values()
        if field.list_name and field.name not in ABOVE and field.values(document)
    ]


def _label(value: InferredValue, index: OpenIndex, interface: Interface) -> str:
    """Return what pages call an inferred value: by its filter's label, else as it is."""
    filter_name = next((name for name, field in FILTERED_FIELDS.items() if field == value.field), None)
    return label_of(filter_name, value.value, index.taxonomy, interface) if filter_name else value.value


def _reasons(one: RelatedDocument, index: OpenIndex, interface: Interface) -> list[str]:
    """Return what two documents share, in the interface's language."""
    labels = [
        label_of(FILTERS_OF_REASONS[reason.name], term, index.taxonomy, interface)
        for reason in one.reasons
        for term in reason.terms
    ]
    return labels[:SHOWN_REASONS] or [interface.text("the same topic")]


def _stated(relations: Iterable[StatedRelation], interface: Interface) -> list[tuple[str, list[StatedRelation]]]:
    """Return what a document and others are to each other: headings, each with the other documents."""
    headings = {
        "updates": (interface.text("Updates"), interface.text("Updated by")),
        "continues": (interface.text("Continues"), interface.text("Continued by")),
        "cites": (interface.text("Cites"), interface.text("Is cited by")),
        "see_also": (interface.text("See also"),) * 2,
    }
    groups: dict[str, dict[str, StatedRelation]] = {}
    for one in relations:
        groups.setdefault(headings[one.relation.kind][one.relation.is_by_other], {}).setdefault(one.document.id, one)
    return [(heading, list(others.values())) for heading, others in groups.items()]
