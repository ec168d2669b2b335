"""Work that ends when nobody waits for it any more: the client has left, or the service is stopped."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from fastapi import Request

Done = TypeVar("Done")


class ClientLeftError(Exception):
    """Whoever sent the request has hung up; an answer would reach nobody."""


async def unless_left(request: Request, threads: Executor, work: Callable[[threading.Event], Done]) -> Done:
    """Return what `work` returns, done by one of the threads; it is given what is set once nobody waits for it.

    The request's body has to be read before. When this ends, so has the work.

    Raises:
        ClientLeftError: the client has left.
    """
    left = threading.Event()
    loop = asyncio.get_running_loop()
    working = loop.run_in_executor(threads, contextvars.copy_context().run, work, left)
    leaving = asyncio.create_task(_has_left(request))
    try:
        first: set[asyncio.Future[Any]] = {working, leaving}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeftError
        return working.result()
    finally:
        left.set()
        leaving.cancel()
        working.cancel()  # where it has not begun
        if not working.done():
            await asyncio.wait({working})
        if not working.cancelled():
            working.exception()  # that it was ended is no fault to be logged


async def _has_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
