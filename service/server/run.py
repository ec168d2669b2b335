"""The service as a process: it listens, and when it is told to end it does so in the time that it is given."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from pes_search.service.server.protocol import LARGEST_HEAD_BYTES, timed_protocol
from pes_search.service.settings import ServeConfig

BACKLOG_CONNECTIONS = 128  # that wait to be accepted
KEPT_DESCRIPTORS = 100  # for files, the database and what is asked of others
KEEP_ALIVE_SECONDS = 5
LAST_SECONDS = 2.0  # after the others, to close what can be closed
TOLD_EVERY_SECONDS = 60.0  # of one and the same fault of the event loop
logger = logging.getLogger(__name__)


class Service(uvicorn.Server):
    """The service. It ends `stop_seconds` after it was told to, whatever hangs."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, stop_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._stop_seconds = stop_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Listen."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(SeldomTold())
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end: requests that run are finished, those that are still coming in are not waited for."""
        if not self.should_exit:
            ending = threading.Timer(self._stop_seconds + LAST_SECONDS, self._end_now)
            ending.daemon = True
            ending.start()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._app.state.bodies.stop)
        super().handle_exit(sig, frame)

    def _end_now(self) -> None:
        """End the process: a thread that hangs cannot be ended otherwise."""
        left = len(self.server_state.tasks)
        logger.warning("ended %g s after it was told to; %d requests were cut off", self._stop_seconds + LAST_SECONDS, left)
        logging.shutdown()
        os._exit(0)


class SeldomTold:
    """Logs what goes wrong in the event loop, each fault once a minute: out of descriptors it comes thousandfold."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log a fault, unless it was told a moment ago."""
        message = str(context.get("message", ""))
        now = time.monotonic()
        if now - self._told.get(message, -TOLD_EVERY_SECONDS) < TOLD_EVERY_SECONDS:
            return
        if len(self._told) > 100:  # messages with a number in them
            self._told.clear()
        self._told[message] = now
        error = context.get("exception")
        if isinstance(error, OSError):
            logger.error("%s: %s (told once in %g s)", message, error, TOLD_EVERY_SECONDS)
        else:
            loop.default_exception_handler(context)


def serve(app: FastAPI, host: str, port: int, config: ServeConfig, proxies: Sequence[str] = ()) -> None:
    """Serve an app until the process is told to end; what the `proxies`, by address, say of whom they forward is believed."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every form that breaks off
    protocol = timed_protocol(config.header_seconds, affordable_connections(config.connections))
    settings = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,
        ws="none",
        lifespan="on",
        log_level="error",  # it warns of every request that is no HTTP, which strangers may send by the thousand
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        backlog=BACKLOG_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, int(config.stop_seconds)),
        h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
    )
    Service(settings, app, config.stop_seconds).run()


def affordable_connections(wanted: int) -> int:
    """Return how many connections the system lets this process have, `wanted` at most; its limit is raised if it may be."""
    try:
        import resource
    except ImportError:  # not on Windows
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + KEPT_DESCRIPTORS
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    affordable = min(wanted, max(10, soft - KEPT_DESCRIPTORS))
    if affordable < wanted:
        logger.warning(
            "the system lets this process open %d files, so %d connections are taken at once, not %d; raise `ulimit -n`",
            soft,
            affordable,
            wanted,
        )
    return affordable
