"""Up to four practices side by side, and what they would need in the visitor's own country."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import related
from pes_search.ingest.types import Document
from pes_search.service.answers.types import Citation, Comparison
from pes_search.service.api.requests import EngineOf, IndexOf
from pes_search.service.editing.stated import INFERRED_FIELDS, stated_term, stated_value
from pes_search.service.web.facets import Option, label_of
from pes_search.service.web.hits import facts, with_mark
from pes_search.service.web.languages import Interface, _, interface_of
from pes_search.service.web.links import compare_url, quotation_url
from pes_search.service.web.view import render

SIDE_BY_SIDE_DOCUMENTS = 4  # more cannot be read next to each other
SUGGESTED_DOCUMENTS = 8  # documents to add
NEAR_HOME_DOCUMENTS = 3  # documents of the visitor's country
# What a practice rests on, of the fields that are compared.
NEEDED_FIELDS = ("organisation", "partners", "funding", "lessons", "transfer")

router = APIRouter(include_in_schema=False)

LABELS = {
    "target_group": _("Target group"),
    "country": _("Country"),
    "organisation": _("Run by"),
    "partners": _("Partners"),
    "funding": _("Funding"),
    "period": _("Period"),
    "outputs": _("People and places reached"),
    "outcomes": _("What came of it"),
    "lessons": _("Lessons"),
    "transfer": _("Conditions for transfer"),
    "evidence": _("Strength of the evidence"),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a practice would meet in another country."""

    document: Document
    needs: list[tuple[str, list[tuple[str, str, str]]]]  # field, and of each quotation text, address and language
    channels: list[str]
    is_own: bool  # the practice is from that country
    same: list[Document]  # of that country, for the same target group and with the same measure
    near: list[Document]  # of that country, the nearest in meaning where there is no such


@router.get("/compare")
def compare_page(
    request: Request,
    engine: EngineOf,
    index: IndexOf,
    ids: Annotated[list[str] | None, Query()] = None,
    country: str = "",
) -> HTMLResponse:
    """Compare documents field by field; `country` is the visitor's own."""
    interface = interface_of(request)
    named = list(dict.fromkeys(document_id for value in ids or [] for document_id in value.split(",") if document_id))
    if len(named) > SIDE_BY_SIDE_DOCUMENTS:
        raise QueryError(
            interface.text("Up to %(most)s practices can be compared side by side; take some away.")
            % {"most": SIDE_BY_SIDE_DOCUMENTS}
        )
    context = {
        "ids": named,
        "country": country,
        "most": SIDE_BY_SIDE_DOCUMENTS,
        "comparison": None,
        "transfers": [],
        "organisations": [],
    }
    if named:
        comparison = engine.compare(index, named)
        context |= {
            "comparison": comparison,
            "documents": [
                (
                    document,
                    facts(document, interface),
                    compare_url([document_id for document_id in named if document_id != document.id], country),
                )
                for document in comparison.documents
            ],
            "rows": [
                (
                    interface.text(LABELS[row.field]),
                    [
                        (_term(row.field, document, index, interface), _cell(cell))
                        for document, cell in zip(comparison.documents, row.cells, strict=True)
                    ],
                )
                for row in comparison.rows
            ],
            "countries": _countries(index, country, interface),
            "suggested": _suggested(named, index) if len(named) < SIDE_BY_SIDE_DOCUMENTS else [],
        }
        if country:
            context |= {
                "organisations": _organisations(country, index, interface),
                "transfers": [
                    _transfer(position, comparison, country, index, interface) for position in range(len(comparison.documents))
                ],
            }
    else:
        practices = index.stored.documents(Filters(kind=("practice",)))
        context["practices"] = sorted(practices, key=lambda practice: practice.title)[:500]
    return render(request, "compare.html", context)


def _cell(citations: tuple[Citation, ...]) -> list[tuple[str, str, str]]:
    """Return of each quotation its text, the address of its place, and its language."""
    return [(citation.quote, quotation_url(citation), citation.passage.language or "") for citation in citations]


def _term(field: str, document: Document, index: OpenIndex, interface: Interface) -> str:
    """Return the label of the term, or the value, that a document has of a field, marked if inferred, or nothing."""
    term = stated_term(field, document)
    label = label_of(field, term, index.taxonomy, interface) if term else stated_value(field, document, interface.code)
    return with_mark(label, INFERRED_FIELDS.get(field, field), document, interface) if label else ""


def _countries(index: OpenIndex, chosen: str, interface: Interface) -> list[Option]:
    """Return the countries that a visitor may be from."""
    codes = {*index.taxonomy.lists.get("countries", {}), *index.stored.counts(EVERYTHING).facets["country"]} - {"EU"}
    options = [Option(code, interface.country(code), None, code == chosen) for code in codes]
    return sorted(options, key=lambda option: option.label)


def _suggested(ids: list[str], index: OpenIndex) -> list[Document]:
    """Return documents that are near to those compared, for one to add."""
    near = [
        hit
        for document_id in ids
        for hit in related(document_id, index, k=SUGGESTED_DOCUMENTS, filters=Filters(kind=("practice",)))
    ]
    ordered = sorted(near, key=lambda hit: (-hit.score, hit.document.id))
    suggestions = {hit.document.id: hit.document for hit in ordered if hit.document.id not in ids}
    return list(suggestions.values())[:SUGGESTED_DOCUMENTS]


def _organisations(country: str, index: OpenIndex, interface: Interface) -> list[str]:
    """Return the organisations of a country that the controlled lists have."""
    concepts = index.taxonomy.lists.get("organisations", {}).values()
    return [concept.label(interface.code) for concept in concepts if concept.country == country]


def _transfer(position: int, comparison: Comparison, country: str, index: OpenIndex, interface: Interface) -> Transfer:
    document = comparison.documents[position]
    stated = {row.field: _cell(row.cells[position]) for row in comparison.rows}
    own_country = Filters(country=(country,), kind=("practice",))
    alike = Filters(own_country.chosen, target_group=document.target_groups, measure_type=document.measure_types)
    same = (
        [practice for practice in index.stored.documents(alike) if practice.id != document.id]
        if document.target_groups and document.measure_types
        else []
    )
    near = [hit.document for hit in related(document.id, index, k=NEAR_HOME_DOCUMENTS, filters=own_country)] if not same else []
    return Transfer(
        document=document,
        needs=[(interface.text(LABELS[name]), stated[name]) for name in NEEDED_FIELDS],
        channels=[index.taxonomy.label("channels", channel, interface.code) for channel in document.channels],
        is_own=country in document.countries,
        same=same[:SUGGESTED_DOCUMENTS],
        near=near,
    )
