"""What every request passes before a route sees it: its length, its time, and a place for its work.

A form is read here, whole and with a limit, before a place is asked for, so that who sends slowly holds nobody up. What is
refused is refused at once and for little. Whoever leaves the queue is not served.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pes_search.index.stages import Watch, current_watch, watched
from pes_search.service.api.problems import problem
from pes_search.service.operation.metrics import Metrics
from pes_search.service.operation.notes import current_notes
from pes_search.service.server.lanes import BusyError, Lane
from pes_search.service.server.protocol import LARGEST_HEAD_BYTES
from pes_search.service.server.rules import LARGEST_QUERY_BYTES, MOST_PARAMETERS, PLACES, LaneName, Rule, kind_of, rule_of
from pes_search.service.settings import Settings

REFUSED_FULL = "full"  # as the metrics name it
EVENT_STREAM = b"text/event-stream"
LINGERING_SECONDS = 1.0  # after a body was refused
WHEN_STOPPED_SECONDS = 30  # after which a service that is stopped may be back


class RefusedError(Exception):
    """A request is not taken on."""

    def __init__(self, status: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after  # seconds


class LeftError(Exception):
    """Whoever sent the request is gone."""


class Bodies:
    """The bodies that are waited for; none is any more once the service stops. Used from one event loop."""

    def __init__(self) -> None:
        self.are_stopped = False
        self._waited_for: set[asyncio.Timeout] = set()

    def __len__(self) -> int:
        """Return how many are waited for."""
        return len(self._waited_for)

    def stop(self) -> None:
        """Wait for no body any more."""
        self.are_stopped = True
        for waited_for in self._waited_for:
            waited_for.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def until(self, end: float) -> AsyncIterator[None]:
        """Wait for a part of a body until a time of the event loop.

        Raises:
            RefusedError: it did not come, or the service stops.
        """
        try:
            async with asyncio.timeout_at(0 if self.are_stopped else end) as waited_for:
                self._waited_for.add(waited_for)
                try:
                    yield
                finally:
                    self._waited_for.discard(waited_for)
        except TimeoutError:
            if self.are_stopped:
                raise RefusedError(503, "the service is being stopped; send it again", WHEN_STOPPED_SECONDS) from None
            raise RefusedError(408, "what was announced did not come in time; send it again") from None


def lanes_of(settings: Settings) -> Mapping[LaneName, Lane]:
    """Return the lanes of a service."""
    places: dict[LaneName, int] = {"search": settings.serve.searches, **PLACES}
    return {name: Lane(name, count, settings.serve.queue_seconds) for name, count in places.items()}


def add_gate(app: FastAPI, settings: Settings, metrics: Metrics | None = None) -> None:
    """Put the gate before an app; `app.state` then has its lanes, which tell how busy it is, and its bodies, to be stopped."""
    lanes = app.state.lanes = lanes_of(settings)
    app.state.bodies = Bodies()
    if metrics:
        for name, lane in lanes.items():
            metrics.watch_lane(name, lane, [REFUSED_FULL])
    app.add_middleware(Gate, settings=settings, lanes=lanes, bodies=app.state.bodies, metrics=metrics)


class Gate:
    """The gate, as ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        lanes: Mapping[LaneName, Lane],
        bodies: Bodies,
        metrics: Metrics | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._settings = settings
        self._lanes = lanes
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = Passage(scope, receive, send)
        rule = rule_of(scope["method"], scope["path"], self._settings)
        watch = current_watch() or Watch()  # that of whoever observes the request from outside
        watch.deadline = time.monotonic() + rule.seconds
        try:
            await self._pass(passage, rule, watch)
        except RefusedError as refused:
            if not passage.has_begun:
                passage.refused = None  # now it is answered
                response = problem(Request(scope), refused.status, str(refused))
                if refused.retry_after is not None:
                    response.headers["Retry-After"] = str(refused.retry_after)
                if refused.status in {408, 411, 413} or self._bodies.are_stopped:  # the rest of what was announced is not taken
                    response.headers["Connection"] = "close"
                    await passage.send_before_closing(response.status_code, response.raw_headers, bytes(response.body))
                else:
                    await response(passage.scope, passage.receive, passage.send)
        except LeftError:
            return

    async def _pass(self, passage: Passage, rule: Rule, watch: Watch) -> None:
        query_string = passage.scope["query_string"]
        if len(query_string) > LARGEST_QUERY_BYTES or query_string.count(b"&") > MOST_PARAMETERS:
            raise RefusedError(400, "the address is too long, or has too many parameters; ask for less")
        if sum(len(name) + len(value) for name, value in passage.scope["headers"]) > LARGEST_HEAD_BYTES:
            raise RefusedError(400, f"more than {LARGEST_HEAD_BYTES // 1_000} kB of headers; send fewer")
        length, is_upload = announced_length(passage.scope), rule.lane == "uploads"
        if length > rule.body_bytes:
            what = "a smaller file" if is_upload else "less"
            raise RefusedError(413, f"more than {rule.body_bytes // 1_000:,} kB; send {what}")
        end = asyncio.get_running_loop().time() + rule.body_seconds
        if length and not is_upload:
            await passage.read_body(length, self._bodies, end)
        elif length:
            passage.limit_body(self._bodies, end)
        async with AsyncExitStack() as stack:
            if rule.lane is not None:
                lane = self._lanes[rule.lane]
                try:
                    waited = await passage.enter(stack, lane)
                except BusyError as busy:
                    if self._metrics:
                        self._metrics.refused(rule.lane, REFUSED_FULL)
                    raise RefusedError(
                        503, f"too much is asked just now; try again in {busy.retry_after} s", busy.retry_after
                    ) from busy
                self._note(rule.lane, waited)
            passage.leaves = stack
            try:
                with watched(watch):
                    await self._app(passage.scope, passage.receive, passage.send)
            except ClientDisconnect:
                if passage.refused is None:
                    raise LeftError from None
            if passage.refused is not None:
                raise passage.refused

    def _note(self, lane: LaneName, waited_seconds: float) -> None:
        """Tell whoever watches that a request has got its place."""
        if notes := current_notes():
            notes.lane, notes.waited_seconds = lane, waited_seconds
        if self._metrics:
            self._metrics.admitted(lane, waited_seconds)


class Passage:
    """One request on its way: what it sent, and what has been answered."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.is_head = scope["method"] == "HEAD"
        # A route that answers GET answers HEAD, without the body.
        self.scope = {**scope, "method": "GET"} if self.is_head else scope
        self.has_begun = False  # the answer
        self.refused: RefusedError | None = None  # why the rest of the body is not taken
        self.leaves: AsyncExitStack | None = None  # gives the place back
        self._receive = receive
        self._send = send
        self._body: bytes | None = None
        self._bodies: Bodies | None = None  # while a body comes in that is not read here
        self._end = 0.0  # when all of it must be there
        self._is_over = False  # nothing more is sent

    async def read_body(self, length: int, bodies: Bodies, end: float) -> None:
        """Read the whole body.

        Raises:
            RefusedError: it is longer than was announced, or does not come in time.
            LeftError: the sender has left.
        """
        body = bytearray()
        async with bodies.until(end):
            while True:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise LeftError
                body += message.get("body", b"")
                if len(body) > length:
                    raise RefusedError(413, "longer than was announced; send less")
                if not message.get("more_body", False):
                    break
        self._body = bytes(body)

    def limit_body(self, bodies: Bodies, end: float) -> None:
        """Let the route read the body, which must be there by a time of the event loop."""
        self._bodies, self._end = bodies, end

    async def enter(self, stack: AsyncExitStack, lane: Lane) -> float:
        """Take a place, which the stack gives back; return the seconds that it was waited for.

        Raises:
            BusyError: there is none.
            LeftError: the sender has left meanwhile.
        """
        kind = kind_of(self.scope["path"])
        if not lane.is_full:
            return await stack.enter_async_context(lane.place(kind))
        task = asyncio.current_task()
        has_left = False

        async def watch() -> None:
            nonlocal has_left
            while (await self._receive())["type"] != "http.disconnect":
                pass
            has_left = True
            if task is not None:
                task.cancel()

        watcher = asyncio.create_task(watch()) if self._bodies is None else None
        try:
            waited = await stack.enter_async_context(lane.place(kind))
        except asyncio.CancelledError:
            if has_left and task is not None:
                task.uncancel()
                raise LeftError from None
            raise
        finally:
            if watcher is not None:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher
        if has_left:
            raise LeftError
        return waited

    async def receive(self) -> Message:
        """Return the next message for the route."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if self._is_over and self.is_head:
            return {"type": "http.disconnect"}
        if self._bodies is None:
            return await self._receive()
        try:
            async with self._bodies.until(self._end):
                message = await self._receive()
        except RefusedError as refused:
            self.refused = refused
            return {"type": "http.disconnect"}
        if not message.get("more_body", False):
            self._bodies = None
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the route's. The place is given back when its work is done, whatever time sending takes."""
        if self.refused is not None and not self.has_begun:
            return  # the route answers that its body is broken; why is answered when it has ended
        if message["type"] == "http.response.start":
            self.has_begun = True
            is_stream = any(name.lower() == b"content-type" and EVENT_STREAM in value for name, value in message["headers"])
            if not is_stream:
                await self._leave()
            await self._send(message)
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        if self._is_over:
            return
        if self.is_head:
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        if not message.get("more_body", False):
            self._is_over = True
            await self._leave()
        await self._send(message)

    async def send_before_closing(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer, and throw away for a moment what still comes: who sends on into a closed connection never sees the answer."""
        await self.send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await self.send({"type": "http.response.body", "body": body, "more_body": not self.is_head})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGERING_SECONDS):
                message: Message = {}
                while message.get("more_body", True) and message.get("type") != "http.disconnect":
                    message = await self._receive()
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _leave(self) -> None:
        if self.leaves is not None:
            await self.leaves.aclose()
            self.leaves = None


def announced_length(scope: Scope) -> int:
    """Return how long a request says that its body is.

    Raises:
        RefusedError: it does not say so.
    """
    values = {name: value for name, value in scope["headers"] if name in {b"content-length", b"transfer-encoding"}}
    if b"transfer-encoding" in values:
        raise RefusedError(411, "say how long what you send is (Content-Length)")
    length = values.get(b"content-length", b"0")
    if not length.isdigit():
        raise RefusedError(400, "Content-Length must be a number")
    return int(length)
