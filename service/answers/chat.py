"""A language model behind an OpenAI-compatible service: a conversation goes there, a text comes back piece by piece."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
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
        reply = Reply(f"{self.base_url.rstrip('/')}/chat/completions", body, headers, self.timeout_seconds)
        try:
            chunks = reply.chunks()
            yield from _contents(_limited(chunks), reply.content_type)
        finally:
            reply.close()


class Reply:
    """A reply that is on its way, received by a thread of its own.

    One deadline counts for all of it: name, connection, headers and body, however slowly any of it drips. So it is received by
    an event loop, where waiting can be ended at any point. Nobody waits for the thread, so the process can end meanwhile.
    """

    def __init__(self, address: str, body: object, headers: dict[str, str], seconds: float) -> None:
        """Ask at once."""
        self._address = address
        self._body = body
        self._headers = headers
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._received: queue.SimpleQueue[bytes | str | WriterError | None] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        threading.Thread(target=self._run, name="language model", daemon=True).start()

    @cached_property
    def content_type(self) -> str:
        """Return what the reply's headers say that it is.

        Raises:
            WriterError: the service fails, or nothing came in time.
        """
        return str(self._next())

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes; the headers come before it.

        Raises:
            WriterError: the service fails, or it was not done in time.
        """
        _ = self.content_type
        while (chunk := self._next()) is not None:
            yield chunk if isinstance(chunk, bytes) else chunk.encode()

    def close(self) -> None:
        """Receive no more."""
        self._is_closed = True
        with suppress(RuntimeError):  # it is over already
            self._loop.call_soon_threadsafe(self._cancel)

    def _next(self) -> bytes | str | None:
        try:
            part = self._received.get(timeout=max(0.0, self._deadline - time.monotonic()))
        except queue.Empty:
            raise self._late() from None
        if isinstance(part, WriterError):
            raise part
        return part

    def _late(self) -> WriterError:
        return WriterError(f"it was not done after {self._seconds:g} s")

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._receive())
            if not self._is_closed:
                self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            return
        except WriterError as error:
            self._received.put(error)
        finally:
            self._loop.close()

    async def _receive(self) -> None:
        import httpx2

        try:
            async with (
                asyncio.timeout(self._deadline - time.monotonic()),
                httpx2.AsyncClient(timeout=None) as client,
                client.stream("POST", self._address, json=self._body, headers=self._headers) as response,
            ):
                if response.status_code != httpx2.codes.OK:
                    raise WriterError(f"it answered with status {response.status_code}")
                self._received.put(response.headers.get("content-type", ""))
                async for chunk in response.aiter_bytes():
                    self._received.put(chunk)
                self._received.put(None)
        except TimeoutError:
            raise self._late() from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            # The error's own words may hold an address or a header; they go to the log by its chain.
            raise WriterError(f"the connection failed ({type(error).__name__})") from error


def chat_service(config: AnswerConfig) -> ChatService:
    """Return the service as the settings have it."""
    key = config.api_key.get_secret_value() if config.api_key else None
    return ChatService(config.base_url, config.model, key, config.timeout_seconds)


def _limited(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what comes in, unless it is too much."""
    size = 0
    for chunk in chunks:
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
