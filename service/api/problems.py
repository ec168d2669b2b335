"""Errors over HTTP, as problem details (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pes_search.index.errors import NotInIndexError, QueryError
from pes_search.ingest.errors import PesSearchError
from pes_search.service.api.schemas import ProblemOut
from pes_search.service.editing.copy_decisions import ContradictionError
from pes_search.service.editing.uploads import UploadError
from pes_search.service.records.file import NotStoredError
from pes_search.service.records.saved_searches import TooManySavedError
from pes_search.service.web.headers import HEADERS, error_page

logger = logging.getLogger(__name__)
API_PATHS = ("/api/", "/healthz", "/readyz")
MEDIA_TYPE = "application/problem+json"
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": description}
    for status, description in (
        (404, "unknown id"),
        (422, "a parameter does not fit"),
        (503, "the index cannot be used"),
    )
}
EDITOR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": description}
    for status, description in (
        (401, "the editor's key is missing or wrong"),
        (403, "sent from another site"),
        (409, "it contradicts an earlier decision"),
    )
}
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
    title, instance = HTTPStatus(status).phrase, request.url.path
    return ProblemOut(title=title, status=status, detail=detail, instance=instance, errors=errors or []).model_dump()


def status_of(error: PesSearchError) -> int:
    """Return the status that a fault is answered with."""
    return _STATUS.get(type(error), 503)


def told(request: Request, error: PesSearchError) -> str:
    """Return what the sender of a request may read of an error; what that leaves out goes into the log."""
    if error.public == str(error):
        return error.public
    logger.error("%r failed%s: %s", request.url.path, _under(request), " ".join(str(error).split()))
    return f"{error.public}; who runs the service finds the reason in its log{_under(request)}"


def unexpected_fault(request: Request, error: Exception) -> str:
    """Return what the sender of a request may read of an error that nobody foresaw; all else goes into the log."""
    logger.error("%r failed%s", request.url.path, _under(request), exc_info=error)
    return f"an unexpected fault; it is in the service's log{_under(request)}"


def _under(request: Request) -> str:
    """Return under what the log has a request, where requests have ids."""
    request_id = getattr(request.state, "request_id", "")
    return f" under {request_id}" if request_id else ""


def add_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""

    @app.exception_handler(PesSearchError)
    async def known(request: Request, error: PesSearchError) -> Response:
        return problem(request, status_of(error), told(request, error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [{"parameter": ".".join(map(str, fault["loc"][1:])), "detail": fault["msg"]} for fault in error.errors()]
        detail = "; ".join(f"{fault['parameter']}: {fault['detail']}" for fault in faults)
        return problem(request, 422, detail, faults)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        response = problem(request, error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        response = problem(request, 500, unexpected_fault(request, error))
        response.headers.update(HEADERS)  # this answer is given outside the middleware that adds them
        return response
