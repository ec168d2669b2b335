"""What is known of a request while it is answered, for its log line, its metrics and its trace."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

from pes_search.index.stages import Watch

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # anybody can send any word as one
REQUEST_ID_HEADER = b"x-request-id"
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")  # a proxy's or a client's own; anything else could forge log lines
_ID_BYTES = 8  # of the ids that are made here: among a thousand million requests two are the same at odds of 1 in 37


@dataclass(slots=True)
class RequestNotes:
    """Notes about a request. Whoever learns something about it on its way in writes it here."""

    request_id: str
    watch: Watch = field(default_factory=Watch)  # over all that is done for it
    lane: str = ""  # of admission
    waited_seconds: float = 0.0  # in the lane's queue
    question: str = ""  # that its body brought; logged only where the settings ask for it


_notes: ContextVar[RequestNotes | None] = ContextVar("request_notes", default=None)


def current_notes() -> RequestNotes | None:
    """Return the notes about the request that is being answered, here and in the threads that work for it."""
    return _notes.get()


def take_notes(notes: RequestNotes) -> None:
    """Let what is done from here on belong to a request. Each is a task of its own, so nothing has to be undone."""
    _notes.set(notes)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id that a request brings (`X-Request-ID`), if that is well-formed and short, else a new one."""
    for name, value in headers:
        if name == REQUEST_ID_HEADER and _GIVEN_ID.fullmatch(value):
            return value.decode("ascii")
    return secrets.token_hex(_ID_BYTES)
