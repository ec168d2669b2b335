"""Around everything that answers a request: gives it an id, and when it is done a log line, metrics, and a trace if wanted."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from pes_search.index.stages import Watch, watched
from pes_search.service.operation.logs import REQUESTS
from pes_search.service.operation.notes import REQUEST_ID_HEADER, RequestNotes, request_id_of, take_notes

if TYPE_CHECKING:
    from fastapi import FastAPI

    from pes_search.service.operation.metrics import Metrics
    from pes_search.service.operation.traces import Traces
    from pes_search.service.settings import LogConfig

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNROUTED = "(none)"  # of requests that no route takes, or that were refused before one was looked for
# Asked for all the time by machines; told only where something is wrong.
QUIET_ROUTES = {"/healthz", "/readyz", "/metrics", "/static", "/favicon.ico"}
CLIENT_LEFT = 499  # as nginx has it: nobody was there for the answer
LONGEST_QUERY_CHARACTERS = 2_000  # that are logged
logger = logging.getLogger(REQUESTS)


def observe(app: FastAPI, metrics: Metrics, log: LogConfig, traces: Traces | None) -> None:
    """Observe every request of an app, from outside of all its middleware, so that what that answers is seen too."""
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: Observing(build(), metrics, log, traces)  # type: ignore[method-assign]


class Observing:
    """ASGI middleware that only looks: it changes nothing of an answer but adds its id."""

    def __init__(self, app: App, metrics: Metrics, log: LogConfig, traces: Traces | None) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the app within."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        trace = self._traces.begin(scope) if self._traces else None
        watch = Watch(times=[] if trace and trace.is_kept else None)
        notes = RequestNotes(request_id_of(scope["headers"]), watch)
        take_notes(notes)
        header = (REQUEST_ID_HEADER, notes.request_id.encode("ascii"))
        status = size = 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        with self._metrics.in_progress.track_inprogress(), watched(watch):
            try:
                await self._app(scope, receive, counted)
            except Exception:
                status = status or 500
                raise
            finally:
                status = status or CLIENT_LEFT
                seconds = time.monotonic() - began
                route = route_of(scope)
                self._metrics.seen(route, scope["method"], status, seconds, notes.watch)
                if self._log.requests:
                    self._tell(scope, notes, route, status, seconds, size)
                if trace:
                    trace.end(route, status, notes)

    def _tell(self, scope: Scope, notes: RequestNotes, route: str, status: int, seconds: float, size: int) -> None:
        """Write the request's log line."""
        level = logging.WARNING if status >= 500 else logging.DEBUG if route in QUIET_ROUTES and status < 400 else logging.INFO
        if not logger.isEnabledFor(level):
            return
        fields: dict[str, Any] = {
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "bytes": size,
        }
        if notes.lane:
            fields |= {"lane": notes.lane, "waited_ms": round(notes.waited_seconds * 1000, 1)}
        visitor = scope.get("state", {}).get("visitor")
        if visitor is not None:
            fields["role"] = getattr(visitor, "role", "none")
        if self._log.addresses and scope.get("client"):
            fields["client"] = scope["client"][0]
        if self._log.queries:
            if query := unquote_plus(scope["query_string"].decode("latin-1"))[:LONGEST_QUERY_CHARACTERS]:
                fields["query"] = query
            if notes.question:
                fields["question"] = notes.question[:LONGEST_QUERY_CHARACTERS]
        logger.log(level, "answered", extra={"fields": fields})


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered, such as `/passages/{passage_id}`: few, and without what was asked for."""
    route = scope.get("route")
    if route is not None:
        path: str = route.path
        return path
    mount: str = scope.get("root_path", "")[len(scope.get("app_root_path", "")) :] if "app_root_path" in scope else ""
    return mount or UNROUTED
