"""Errors over HTTP, as problem details (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from pes_search.index.errors import NotInIndexError, QueryError
from pes_search.index.stages import TooLateError
from pes_search.ingest.errors import PesSearchError
from pes_search.service.api.schemas import ProblemOut
from pes_search.service.editing.copy_decisions import ContradictionError
from pes_search.service.editing.uploads import UploadError
from pes_search.service.operation.notes import current_notes
from pes_search.service.operation.observing import route_of
from pes_search.service.records.file import NotStoredError
from pes_search.service.records.saved_searches import TooManySavedError
from pes_search.service.web.headers import HEADERS, error_page

logger = logging.getLogger(__name__)
API_PATHS = ("/api/", "/healthz", "/metrics", "/readyz")
MEDIA_TYPE = "application/problem+json"
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": description}
    for status, description in (
        (400, "what was sent cannot be read"),
        (404, "unknown id"),
        (408, "the body did not come in time"),
        (411, "a body without Content-Length"),
        (413, "a body that is too long"),
        (422, "a parameter does not fit"),
        (
            503,
            "too much is asked just now, it took too long, or the index cannot be used; `Retry-After` says when to come back",
        ),
    )
}
CONTRADICTION: dict[int | str, dict[str, Any]] = {
    409: {"model": ProblemOut, "description": "it contradicts an earlier decision"}
}
STREAM_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}},
    204: {"description": "asked again by a browser, with `Last-Event-ID`: there is no more to come"},
}
SHOWN_FAULTS = 10  # of a request; a list of thousands helps nobody
RETRY_SECONDS = 5  # after work that took too long
_STATUS: dict[type[PesSearchError], int] = {
    ContradictionError: 409,
    NotInIndexError: 404,
    NotStoredError: 404,
    QueryError: 422,
    TooManySavedError: 422,
    UploadError: 422,
}


def problem_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in an OpenAPI schema that errors are problem details; FastAPI writes the type of successful answers for them."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status.startswith(("4", "5")) and "application/json" in content:
                    response["content"] = {MEDIA_TYPE: content["application/json"]}
    return schema


def problem(request: Request, status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> Response:
    """Return a problem for the API and a page for people."""
    if not request.url.path.startswith(API_PATHS) and "text/html" in request.headers.get("accept", ""):
        return error_page(request, status, detail)
    return JSONResponse(problem_values(request, status, detail, errors), status_code=status, media_type=MEDIA_TYPE)


def problem_values(request: Request, status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a problem as JSON values."""
    notes = current_notes()
    return ProblemOut(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        request_id=notes.request_id if notes else None,
        errors=errors or [],
    ).model_dump()


def status_of(error: PesSearchError) -> int:
    """Return the status that a fault is answered with."""
    return _STATUS.get(type(error), 503)


def _methods(request: Request) -> list[str]:
    """Return the methods that an address takes: each of its routes knows its own only."""
    routes = [route for route in iter_route_contexts(request.app.routes) if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in routes for method in route.methods or ()}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def told(request: Request, error: PesSearchError) -> str:
    """Return what the sender of a request may read of an error; what that leaves out goes into the log."""
    if error.public == str(error):
        return error.public
    logger.error("%s failed%s: %s", route_of(request.scope), _under(), " ".join(str(error).split()))
    return f"{error.public}; who runs the service finds the reason in its log{_under()}"


def unexpected_fault(request: Request, error: Exception) -> str:
    """Return what the sender of a request may read of an error that nobody foresaw; all else goes into the log."""
    logger.error("%s failed%s", route_of(request.scope), _under(), exc_info=error)
    return f"an unexpected fault; it is in the service's log{_under()}"


def _under() -> str:
    """Return under what the log has a request, where requests have ids."""
    notes = current_notes()
    return f" under {notes.request_id}" if notes else ""


def add_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""

    @app.exception_handler(PesSearchError)
    async def known(request: Request, error: PesSearchError) -> Response:
        response = problem(request, status_of(error), told(request, error))
        if isinstance(error, TooLateError):
            response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        told = error.errors()
        faults = [
            {"parameter": ".".join(map(str, fault["loc"][1:])), "detail": fault["msg"].removeprefix("Value error, ")}
            for fault in told[:SHOWN_FAULTS]
        ]
        detail = "; ".join(": ".join(part for part in fault.values() if part) for fault in faults)
        if len(told) > SHOWN_FAULTS:
            detail += f"; and {len(told) - SHOWN_FAULTS} more"
        return problem(request, 422, detail, faults)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        response = problem(request, error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = ", ".join(_methods(request))
        return response

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        response = problem(request, 500, unexpected_fault(request, error))
        response.headers.update(HEADERS)  # this answer is given outside the middleware that adds them
        return response
