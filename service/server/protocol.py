"""A connection that has to say what it wants in time, and to take what it gets."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

LARGEST_HEAD_BYTES = 32_768  # of the request line with all headers: a search with every filter has some thousand
SLOWEST_READER_SECONDS = 30.0  # that a connection may leave what was sent to it unread


def timed_protocol(header_seconds: float, most_connections: int) -> type[H11Protocol]:
    """Return the protocol of a service's connections.

    One that does not send a whole head in time is closed, and so is one that does not read its answer. Where there are too
    many, the one that has asked for nothing for the longest time makes room.
    """

    class TimedProtocol(H11Protocol):
        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config, server_state, app_state, _loop)
            self.idle_since = self.loop.time()  # while no request is being answered
            self._head_timer: asyncio.TimerHandle | None = None
            self._write_timer: asyncio.TimerHandle | None = None

        @property
        def is_idle(self) -> bool:
            """Tell whether no request is being answered."""
            return self.cycle is None or self.cycle.response_complete

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Begin, unless there are too many connections that are all being answered."""
            super().connection_made(transport)  # type: ignore[arg-type]
            if len(self.connections) > most_connections:
                idle = [one for one in self.connections if isinstance(one, TimedProtocol) and one is not self and one.is_idle]
                if idle:
                    min(idle, key=lambda one: one.idle_since).transport.abort()
                else:
                    self._refuse(503, "too many connections; try again in a moment", retry_after=1)
                    return
            self._await_head()

        def data_received(self, data: bytes) -> None:
            """Read on; from the first byte of a head on its time runs."""
            super().data_received(data)
            if self.is_idle and not self.transport.is_closing():
                if self._head_timer is None:
                    self._await_head()
            else:
                self._stop_head_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            """End."""
            self._stop_head_timer()
            self.resume_writing()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            """Wait for the next request."""
            self.idle_since = self.loop.time()
            super().on_response_complete()

        def pause_writing(self) -> None:
            """Wait until what was sent is read, but not for ever."""
            super().pause_writing()
            if self._write_timer is None:
                self._write_timer = self.loop.call_later(SLOWEST_READER_SECONDS, self.transport.abort)

        def resume_writing(self) -> None:
            """Go on."""
            if self._write_timer is not None:
                self._write_timer.cancel()
                self._write_timer = None
            super().resume_writing()

        def send_400_response(self, msg: str) -> None:  # noqa: ARG002 – which says less
            """Answer what is no HTTP, as every other error is."""
            self._refuse(400, "this is no HTTP request that can be read, or its head is too long")

        def _await_head(self) -> None:
            self._head_timer = self.loop.call_later(header_seconds, self._head_is_late)

        def _stop_head_timer(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _head_is_late(self) -> None:
            self._head_timer = None
            if self.is_idle and not self.transport.is_closing():
                self._refuse(408, f"no whole request came in {header_seconds:g} s")

        def _refuse(self, status: int, detail: str, retry_after: int | None = None) -> None:
            """Answer without the app, and close."""
            title = HTTPStatus(status).phrase
            body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
            head = (
                f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
                + (f"Retry-After: {retry_after}\r\n" if retry_after else "")
                + "Connection: close\r\n\r\n"
            )
            self._stop_head_timer()
            self.transport.write(head.encode() + body)
            self.transport.close()

    return TimedProtocol
