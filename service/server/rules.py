"""What each request may take: how many bytes it may send, how long it may last, and whose places it uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pes_search.service.editing.uploads import LARGEST_UPLOAD_BYTES
from pes_search.service.settings import Settings

LaneName = Literal["search", "language_model", "uploads", "rest"]
PLACES: dict[LaneName, int] = {"language_model": 4, "uploads": 2, "rest": 16}  # `search` has those of [serve] searches
# Of forms and of the API. What is taken has a quarter of it; a text that is pasted by mistake is told that it is too long.
LARGEST_FORM_BYTES = 200_000
# Of an address: two questions of the greatest length, every letter escaped, have 48,000, and a hundred values for each filter
# have as many parameters.
LARGEST_QUERY_BYTES, MOST_PARAMETERS = 64_000, 1_500
LARGEST_UPLOAD_FORM_BYTES = LARGEST_UPLOAD_BYTES + 1_000_000  # the file and the form around it
UPLOAD_TIMES = 4  # as long as another form may an upload take
LIGHT = ("/static/", "/favicon.ico", "/about", "/language", "/feedback", "/saved", "/sign-", "/desk/sign-", "/openapi.json")
NEVER_WAITING = ("/healthz", "/readyz", "/metrics")
ASKING = ("/answer", "/api/v1/ask")
UPLOAD = "/desk/upload"
API = "/api/v1/"
# What takes a time of its own, by the first part of its path (of the API after the version); all else is measured together.
KINDS = {"", "answer", "ask", "compare", "desk", "documents", "duplicates", "map", "passages", "saved", "search"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a request may take."""

    lane: LaneName | None  # None: it never waits
    body_bytes: int
    body_seconds: float
    seconds: float  # from its first byte to the last of its answer


def rule_of(method: str, path: str, settings: Settings) -> Rule:
    """Return what a request may take."""
    serve = settings.serve
    if path.startswith(NEVER_WAITING):
        return Rule(None, 0, serve.header_seconds, serve.search_seconds)
    if path == UPLOAD and method == "POST":
        body_seconds, reading = UPLOAD_TIMES * serve.body_seconds, settings.desk.upload_seconds
        return Rule("uploads", LARGEST_UPLOAD_FORM_BYTES, body_seconds, body_seconds + reading + serve.search_seconds)
    if path.startswith(ASKING) and settings.answer.writer == "llm":
        seconds = serve.search_seconds + settings.answer.timeout_seconds
        return Rule("language_model", LARGEST_FORM_BYTES, serve.body_seconds, seconds)
    is_light = path.startswith(LIGHT) and not path.endswith("/feed")
    return Rule("rest" if is_light else "search", LARGEST_FORM_BYTES, serve.body_seconds, serve.search_seconds)


def kind_of(path: str) -> str:
    """Return which work a request is, among those whose time is measured."""
    first = path.removeprefix(API).lstrip("/").partition("/")[0]
    return first if first in KINDS else "other"
