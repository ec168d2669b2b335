"""A language model behind an OpenAI-compatible service: a conversation goes there, a text comes back piece by piece."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pes_search.service.answers.config import AnswerConfig
from pes_search.service.answers.types import WriterError

MOST_REPLY_CHARACTERS = 6_000  # of a reply; a model that writes on and on is stopped
MOST_REPLY_BYTES = 1_000_000
MOST_REPLY_TOKENS = 500


@dataclass(frozen=True, slots=True)
class ChatService:
    """Where a language model is asked."""

    base_url: str | None
    model: str | None
    api_key: str | None
    timeout_seconds: float

    def pieces(self, conversation: Sequence[dict[str, str]], most_tokens: int = MOST_REPLY_TOKENS) -> Iterator[str]:
        """Yield the reply as the service streams it.

        Raises:
            WriterError: no service is set, or it fails, stalls, or talks nonsense.
        """
        import httpx2

        if not self.base_url or not self.model:
            raise WriterError("no language model is set; give [answer] base_url and model in pes.toml")
        body = {
            "model": self.model,
            "messages": conversation,
            "stream": True,
            "temperature": 0,
            "max_tokens": most_tokens,
        }
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        deadline = time.monotonic() + self.timeout_seconds
        try:
            with (
                httpx2.Client(timeout=self.timeout_seconds) as client,
                client.stream("POST", f"{self.base_url.rstrip('/')}/chat/completions", json=body, headers=headers) as response,
            ):
                if response.status_code != httpx2.codes.OK:
                    raise WriterError(f"it answered with status {response.status_code}")
                kind = response.headers.get("content-type", "")
                yield from _contents(_limited(response.iter_bytes(), deadline, self.timeout_seconds), kind)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            # The error's own words may hold an address or a header; they go to the log by its chain.
            raise WriterError(f"the connection failed ({type(error).__name__})") from error


def chat_service(config: AnswerConfig) -> ChatService:
    """Return the service as the settings have it."""
    key = config.api_key.get_secret_value() if config.api_key else None
    return ChatService(config.base_url, config.model, key, config.timeout_seconds)


def _limited(chunks: Iterator[bytes], deadline: float, seconds: float) -> Iterator[bytes]:
    """Yield what comes in until the deadline; a service that only keeps the connection alive meets it as well."""
    size = 0
    for chunk in chunks:
        if time.monotonic() > deadline:
            raise WriterError(f"it was not done after {seconds:g} s")
        size += len(chunk)
        if size > MOST_REPLY_BYTES:
            raise WriterError("it sent too much")
        yield chunk


def _contents(chunks: Iterator[bytes], kind: str) -> Iterator[str]:
    """Yield the contents of a stream of server-sent events, or of the one JSON object of a service that does not stream."""
    if "text/event-stream" not in kind:
        yield _content(_json(b"".join(chunks)), "message")
        return
    length = 0
    for line in _lines(chunks):
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or not data:
            continue
        if data == b"[DONE]":
            return
        content = _content(_json(data), "delta")
        length += len(content)
        if length > MOST_REPLY_CHARACTERS:
            raise WriterError(f"it wrote more than {MOST_REPLY_CHARACTERS} characters")
        yield content


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    yield rest


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise WriterError("its reply is no JSON") from error


def _content(value: Any, name: str) -> str:
    try:
        choices = value["choices"]
        content = choices[0][name].get("content") if choices else ""  # the last event may hold the usage alone
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise WriterError("its reply is not what the chat interface of OpenAI gives") from error
    if content is not None and not isinstance(content, str):
        raise WriterError("its reply is not text")
    return (content or "").encode("utf-8", "replace").decode("utf-8")  # JSON can carry halves of characters
