"""Server-sent events, as the API and the pages send them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from fastapi import Request
from fastapi.sse import EventSourceResponse, format_sse_event

from pes_search.service.answers.types import Event

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy that collects would undo the streaming


def begun(events: Iterator[Event]) -> Iterator[Event]:
    """Return the events of an answer, the first of which is there already.

    A question that cannot be asked is so answered with its status, before a stream has begun.
    """
    return chain([next(events)], events)


def message(name: str, values: Any) -> bytes:
    """Return an event of a name, with JSON values as its data. It has an id, so that a browser tells when it asks again."""
    return format_sse_event(event=name, id=name, data_str=json.dumps(values, ensure_ascii=False))


def asks_again(request: Request) -> bool:
    """Tell whether this is a stream's second request: browsers send it by themselves when a stream has ended, or broke off.

    An answer is not gone on with, and not given twice. 204 tells a browser to ask no more.
    """
    return "last-event-id" in request.headers


def event_stream(messages: Iterable[bytes]) -> EventSourceResponse:
    """Return a response that sends each message as it comes, for a route whose `response_class` is `StreamingResponse`.

    Of a route of the class `EventSourceResponse` FastAPI expects that it yields; such a stream has begun before a question is
    known to be one, and may be stored (`no-cache`).
    """
    return EventSourceResponse(messages, headers=HEADERS)
