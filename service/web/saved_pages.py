"""What visitors leave: feedback, the language of their choice, and saved searches with a feed of new documents."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, YEARS
from pes_search.index.open_index import OpenIndex
from pes_search.index.query.operators import read_operators
from pes_search.index.search import QUERY_CHARACTERS
from pes_search.index.stages import count
from pes_search.ingest.types import Document
from pes_search.service.access.hosts import base_of
from pes_search.service.api.requests import EngineOf, IndexOf, RecordsOf, filters_from
from pes_search.service.engine import Engine
from pes_search.service.records.arrivals import Arrival
from pes_search.service.records.file import NotStoredError
from pes_search.service.records.records import Records
from pes_search.service.records.saved_searches import SavedSearch
from pes_search.service.web.facets import chips
from pes_search.service.web.headers import is_asked_here
from pes_search.service.web.hits import Listed, listed
from pes_search.service.web.languages import LANGUAGE_COOKIE, LANGUAGES, Interface, interface_of
from pes_search.service.web.links import is_local, search_url
from pes_search.service.web.view import environment, render

VISITOR_COOKIE = "reader"  # the cookie that a visitor's saved searches belong to; set with the first one, it names nobody
YEAR_SECONDS = 365 * 24 * 3600
FEED_HITS = 20  # a document is new to a search if it is among so many first results
COMMENT_CHARACTERS = 2_000
router = APIRouter(include_in_schema=False)
# A comment may be added to one's own feedback only: its number comes with a proof, which is as good after a restart, and for
# every service over the same file.
PROOFS = "comments"


@router.post("/language")
def choose_language(language: Annotated[str, Form()], next: Annotated[str, Form()] = "/") -> Response:  # noqa: A002
    """Show the interface in another language from now on."""
    response = RedirectResponse(next if is_local(next) else "/", status_code=303)
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, httponly=True, samesite="lax")
    return response


# ── Feedback ────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.post("/feedback")
def give_feedback(
    request: Request,
    engine: EngineOf,
    records: RecordsOf,
    about: Annotated[Literal["answer", "hit"], Form()],
    useful: Annotated[bool, Form()],
    question: Annotated[str, Form(max_length=QUERY_CHARACTERS)],
    document_id: Annotated[str, Form(max_length=200)] = "",
    passage_id: Annotated[str, Form(max_length=300)] = "",
    back: Annotated[str, Form()] = "/",
) -> HTMLResponse:
    """Keep whether an answer or a hit was useful, and ask why."""
    stored = records.feedback.add(
        about=about,
        question=question,
        document_id=document_id,
        passage_id=passage_id,
        useful=useful,
        comment="",
        language=interface_of(request).code,
        index_id=engine.index().manifest.index_id,
    )
    count("feedback", "useful" if useful else "not useful")
    return _thanks(request, stored.id, _proof(records, stored.id), back, is_complete=False)


@router.post("/feedback/comment")
def comment_feedback(
    request: Request,
    records: RecordsOf,
    feedback_id: Annotated[int, Form()],
    proof: Annotated[str, Form()],
    comment: Annotated[str, Form(max_length=COMMENT_CHARACTERS)] = "",
    back: Annotated[str, Form()] = "/",
) -> HTMLResponse:
    """Add a comment to feedback that was just given."""
    if not hmac.compare_digest(proof.encode(), _proof(records, feedback_id).encode()):
        raise NotStoredError("this feedback can no longer be changed; give it again, with the comment")
    if comment.strip():
        records.feedback.comment(feedback_id, comment.strip())
    return _thanks(request, feedback_id, proof, back, is_complete=True)


def _thanks(request: Request, feedback_id: int, proof: str, back: str, *, is_complete: bool) -> HTMLResponse:
    context = {
        "feedback_id": feedback_id,
        "proof": proof,
        "back": back if is_local(back) else "/",
        "is_complete": is_complete,
        "most": COMMENT_CHARACTERS,
    }
    is_part = "pes-part" in request.headers  # the script shows it in place
    return render(request, "parts/thanks.html" if is_part else "thanks.html", context)


def _proof(records: Records, feedback_id: int) -> str:
    return hmac.new(records.secrets.secret(PROOFS), str(feedback_id).encode(), hashlib.sha256).hexdigest()


# ── Saved searches ──────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/saved")
def saved_page(request: Request, engine: EngineOf, index: IndexOf, records: RecordsOf) -> HTMLResponse:
    """List the visitor's saved searches, each with what is new."""
    interface = interface_of(request)
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    searches = records.saved_searches.find(visitor) if visitor else []
    context = {"searches": [_shown(search, engine, index, records, interface) for search in searches]}
    return render(request, "saved.html", context)


@router.post("/saved")
def save_search(request: Request, records: RecordsOf, search: Annotated[str, Form(max_length=8_000)]) -> Response:
    """Save a search: `search` is the address of its results."""
    parameters = parse_qsl(search.partition("?")[2].partition("#")[0])
    typed = next((value for name, value in parameters if name == "q"), "")
    # Feeds bear no control characters.
    query = " ".join("".join(character if character.isprintable() else " " for character in typed).split())
    filters: dict[str, list[str]] = {}
    for name, value in parameters:
        if (name in FILTER_FIELDS or name in YEARS) and value.strip():
            filters.setdefault(name, []).append(value)
    visitor = request.cookies.get(VISITOR_COOKIE, "") or secrets.token_urlsafe(16)
    filters_from(filters)  # raises for a year that is none
    read_operators(query)  # raises for one too
    if query or filters:
        records.saved_searches.save(owner=visitor, name=query[:200], query=query, filters=filters)
    response = RedirectResponse("/saved", status_code=303)
    response.set_cookie(VISITOR_COOKIE, visitor, max_age=YEAR_SECONDS, httponly=True, samesite="lax")
    return response


@router.post("/saved/{token}/delete")
def delete_search(request: Request, records: RecordsOf, token: str) -> Response:
    """Forget one of the visitor's saved searches."""
    records.saved_searches.delete(token, request.cookies.get(VISITOR_COOKIE, ""))
    return RedirectResponse("/saved", status_code=303)


@router.get("/saved/{token}/feed")
def feed(request: Request, engine: EngineOf, index: IndexOf, records: RecordsOf, token: str) -> Response:
    """Return the documents that a saved search finds as an Atom feed, the latest arrival first."""
    interface = interface_of(request)
    search = records.saved_searches.open(token, is_noted=is_asked_here(request))
    documents = _documents_of(search, engine, index)
    seen = records.arrivals.first_seen([document.id for document in documents])
    saved = Arrival(search.at, search.lived)
    entries = sorted(
        ((shown, seen.get(shown.document.id, saved)) for shown in listed(documents, index, interface)),
        key=lambda entry: (entry[1].lived, entry[0].document.id),
        reverse=True,
    )
    context = {
        "search": search,
        "entries": [(shown, arrival.at) for shown, arrival in entries],
        "base": base_of(request),
        "results": search_url(search.query, search.filters),
        "updated": entries[0][1].at if entries else search.at,
        "self": base_of(request) + request.url.path,
    }
    text = environment(interface.code).get_template("feed.xml").render(context)
    return Response(text, media_type="application/atom+xml; charset=utf-8")


def _documents_of(search: SavedSearch, engine: Engine, index: OpenIndex) -> list[Document]:
    """Return the documents that a saved search is about: its first hits, or all that its filters leave."""
    try:
        filters = filters_from(search.filters)
        if not search.query:
            return index.stored.documents(filters)
        result = engine.search(
            index, search.query, k=FEED_HITS, offset=0, group="document", filters=filters, only_matching=True
        )
    except QueryError:  # saved when the collection still knew a value that it no longer knows: nothing is of it
        return []
    return [hit.document for hit in result.hits]


def _shown(
    search: SavedSearch, engine: Engine, index: OpenIndex, records: Records, interface: Interface
) -> tuple[SavedSearch, list[str], str, list[Listed]]:
    """Return a saved search with its filters in words, the address of its results, and what has come since it was saved."""
    try:
        filters = filters_from(search.filters)
    except QueryError:
        filters = EVERYTHING
    documents = _documents_of(search, engine, index)
    seen = records.arrivals.first_seen([document.id for document in documents])
    new = listed([document for document in documents if _is_new(seen.get(document.id), search)], index, interface)
    labels = [chip.label for chip in chips(search.query, filters, index.taxonomy, interface)]
    return search, labels, search_url(search.query, search.filters), new


def _is_new(arrival: Arrival | None, search: SavedSearch) -> bool:
    return arrival is not None and arrival.lived > search.lived
