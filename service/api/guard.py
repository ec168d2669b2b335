"""The one door of the service: every request is looked at here, and what is not listed as open is closed.

A new route needs nothing: whoever comes to it is a reader at least, and an editor where it changes something of the API's.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pes_search.service.access.doorkeeper import AccessError, Doorkeeper
from pes_search.service.access.hosts import host_fault
from pes_search.service.access.visitor import Role, Visitor
from pes_search.service.api.problems import MEDIA_TYPE, problem
from pes_search.service.api.schemas import ProblemOut
from pes_search.service.web.headers import API_PATH, comes_from_elsewhere, foreign_form_page

HEALTH_PATH, READINESS_PATH = "/healthz", "/readyz"
HEALTH_PATHS = frozenset({HEALTH_PATH, READINESS_PATH})  # of whoever watches the process, by whatever name
# What a stranger needs to sign in, and what he may want to know before: who keeps what (`/about`), in his language.
OPEN_PATHS = frozenset({"/sign-in", "/sign-out", "/desk/sign-in", "/desk/sign-out", "/favicon.ico", "/language", "/about"})
OPEN_FOLDERS = ("/static/", "/sign-in/")
FILES_FOLDER = "/static/"
EDITOR_FOLDER = "/desk"
READING_CALLS = frozenset({"/api/v1/ask"})  # that change nothing although they are sent as POST
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FEED_END = "/feed"
METRICS_PATH = "/metrics"
PROGRAM_PATHS = frozenset({"/openapi.json", METRICS_PATH})  # beside the API's: no person asks for them
REFUSALS = {
    401: "a key is needed, or the one given is wrong",
    403: "the key does not allow this, or another site's page sent it",
    421: "the service is not called by this name",
    429: "too many wrong keys were given",
}


class Guard:
    """Looks at every request before any route does, and notes who sends it (`visitor_of`)."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is not let in, and pass on what is."""
        if scope["type"] == "websocket":  # nothing of the service speaks so
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.visitor = None
        response = await self._refused(request)
        is_private = not (scope["path"].startswith(FILES_FOLDER) or scope["path"] in HEALTH_PATHS)
        await (response or self._app)(scope, receive, _private(send) if is_private else send)

    async def _refused(self, request: Request) -> Response | None:
        """Return how a request is refused, or None; then its visitor is known."""
        path = request.scope["path"]
        if path == HEALTH_PATH:
            return None
        if path == READINESS_PATH:  # which tells administrators more
            with suppress(AccessError):
                request.state.visitor = await self._doorkeeper.visitor(request)
            return None
        if fault := host_fault(request, self._doorkeeper.opening):
            return problem(request, 421, fault)
        if request.method not in SAFE_METHODS and comes_from_elsewhere(request):
            if path.startswith(API_PATH):
                return problem(request, 403, "this was sent from another site's page")
            return foreign_form_page(request)
        if path.startswith(FILES_FOLDER) or (path == METRICS_PATH and self._may_read_metrics(request)):
            return None
        is_open = path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
        try:
            visitor = request.state.visitor = await self._doorkeeper.visitor(request)
        except AccessError as error:
            return None if is_open else refusal(request, error)
        if is_open:
            return None
        return _lacking(request, visitor, needed_role(request.method, path))

    def _may_read_metrics(self, request: Request) -> bool:
        """Tell whether a request brings the metrics' own key, with which nothing else can be done, or needs none."""
        config = self._doorkeeper.settings.metrics
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if config.open or config.key is None or scheme.casefold() != "bearer":
            return config.open
        return hmac.compare_digest(given.strip().encode(), config.key.get_secret_value().encode())


def needed_role(method: str, path: str) -> Role:
    """Return what somebody has to be for a path that is not open."""
    if path == METRICS_PATH:
        return "admin"
    is_desk = path == EDITOR_FOLDER or path.startswith(EDITOR_FOLDER + "/")
    is_change = path.startswith(API_PATH) and method not in SAFE_METHODS and path not in READING_CALLS
    return "editor" if is_desk or is_change else "reader"


def refusal(request: Request, error: AccessError) -> Response:
    """Return the answer to who is not let in."""
    response = problem(request, error.status, str(error))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_seconds:
        response.headers["Retry-After"] = str(error.retry_seconds)
    return response


def _lacking(request: Request, visitor: Visitor | None, role: Role) -> Response | None:
    """Return how a request is refused whose visitor lacks a role, or None: programs are told, people may sign in."""
    if visitor is not None and visitor.may(role):
        return None
    path, is_safe = request.scope["path"], request.method in SAFE_METHODS
    if path.startswith(API_PATH) or path in PROGRAM_PATHS or path.endswith(FEED_END) or "pes-part" in request.headers:
        if visitor is not None and visitor.key_id:
            return problem(request, 403, f"this key is one of a {visitor.role}; an {role}'s is needed")
        response = refusal(request, AccessError(401, f"give a key of {_named(role)}: Authorization: Bearer KEY"))
        if path.endswith(FEED_END):  # readers of feeds know no other way; the password is the key
            response.headers.append("WWW-Authenticate", 'Basic realm="pes-search", charset="UTF-8"')
        return response
    address = path + (f"?{request.url.query}" if request.url.query else "")
    here = address if is_safe else EDITOR_FOLDER if role == "editor" else "/"
    return RedirectResponse("/sign-in?" + urlencode({"next": here}), status_code=303)


def _named(role: Role) -> str:
    return "a reader" if role == "reader" else f"an {role}"


def _private(send: Send) -> Send:
    """Send an answer that no cache between the service and its visitor may keep for another."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "private, no-cache")
            varies = headers.get("Vary", "")
            for name in ("Authorization", "Cookie"):
                if name not in varies:
                    headers.add_vary_header(name)
        await send(message)

    return sent


def describe_access(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in an OpenAPI schema how keys are given and how who has none is answered."""
    components = schema.setdefault("components", {})
    components.setdefault("securitySchemes", {})["key"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "A key that `pes keys add` made. An open service lets everybody read without one.",
    }
    components.setdefault("schemas", {}).setdefault("ProblemOut", ProblemOut.model_json_schema())
    answer = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    for path, operations in schema["paths"].items():
        if path in HEALTH_PATHS:
            continue
        for method, operation in operations.items():
            is_change = needed_role(method.upper(), path) != "reader"
            operation["security"] = [{"key": []}] if is_change else [{}, {"key": []}]
            for status, description in REFUSALS.items():
                operation["responses"].setdefault(str(status), {"description": description, "content": answer})
    return schema
