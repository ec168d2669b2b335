r"""The service's log: one record a line on standard error, as text for people or as JSON for programs.

Every record that belongs to a request carries its id. Nothing that comes from outside can end a line or begin another: control
characters are written as \x0a. What people search and ask, and where they are, is left out unless the settings ask for it; that
is also why messages of unforeseen errors are: they like to quote the value that they stumbled over.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from pes_search.ingest.errors import PesSearchError
from pes_search.service.operation.notes import current_notes

if TYPE_CHECKING:
    from pes_search.service.settings import LogConfig

OURS = "pes_search"
SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
REQUESTS = "pes_search.requests"  # has a line for each request
_ENCODER = json.JSONEncoder(ensure_ascii=True, default=str)
TELLING_AGAIN_SECONDS = 600.0  # until a library that tries again and again may say the same once more
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)  # the last but one turn texts round
LEFT_OUT = "(message left out: it may quote what somebody typed; [log] queries = true shows it)"
# Whose messages tell of files, connections and the program, not of what was searched.
_TELLING = (PesSearchError, OSError, MemoryError, ImportError, AttributeError, NotImplementedError, sqlite3.Error)


def set_up_logging(config: LogConfig, stream: TextIO | None = None) -> logging.Handler:
    """Write all logs of this process, the server's too, in the form that the settings want; return what writes them."""
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, ServiceHandler):
            root.removeHandler(handler)
    handler = ServiceHandler(stream or sys.stderr)
    handler.setFormatter((JsonLines if config.format == "json" else TextLines)(with_messages=config.queries))
    handler.addFilter(_told_once)
    handler.addFilter(Rarely("opentelemetry", TELLING_AGAIN_SECONDS))
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(config.level.upper())
    for name in SERVERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    return handler


class ServiceHandler(logging.StreamHandler[TextIO]):
    """Writes the service's log; known by its class, so that setting up twice does not write twice."""


class Rarely(logging.Filter):
    """Lets a library say the same once in a while, and nothing that is less than an error."""

    def __init__(self, library: str, seconds: float) -> None:
        super().__init__()
        self._library = library
        self._seconds = seconds
        self._told: dict[str, float] = {}  # when, by the message as it is in the library's code

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write a record."""
        if record.name.partition(".")[0] != self._library:
            return True
        if record.levelno < logging.ERROR or record.created - self._told.get(str(record.msg), 0.0) < self._seconds:
            return False
        self._told[str(record.msg)] = record.created
        return True


class TextLines(logging.Formatter):
    """A line as people read it: time, level, logger, message, what else is known. A traceback follows, indented."""

    def __init__(self, *, with_messages: bool) -> None:
        """`with_messages`: of unforeseen errors too."""
        super().__init__()
        self._with_messages = with_messages

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        values = {**getattr(record, "fields", {}), **_request()}
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}" + "".join(
            f" {name}={value}" for name, value in values.items()
        )
        lines = [printable(line)]
        if error := _error(record):
            lines += ["    | " + printable(part) for part in _traceback(error, self._with_messages).split("\n")]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """A JSON object a line; a traceback is one of its values."""

    def __init__(self, *, with_messages: bool) -> None:
        """`with_messages`: of unforeseen errors too."""
        super().__init__()
        self._with_messages = with_messages

    def format(self, record: logging.LogRecord) -> str:
        """Return the object of a record, in ASCII, so that no letter can be taken for the end of a line."""
        values: dict[str, Any] = {
            "at": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_request(),
            **getattr(record, "fields", {}),
        }
        if error := _error(record):
            values["exception"] = _traceback(error, self._with_messages)
        return _ENCODER.encode(values)


def printable(text: str) -> str:
    """Return a text whose control characters, line ends among them, are written out."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request() -> dict[str, str]:
    """Return which request is being answered."""
    notes = current_notes()
    return {"request_id": notes.request_id} if notes else {}


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _told_once(record: logging.LogRecord) -> bool:
    """Leave out what the server says of an error that the service has told about with its request."""
    error = _error(record)
    if error is None:
        return True
    if record.name.startswith("uvicorn") and getattr(error, "is_told", False):
        return False
    if record.name.startswith(OURS):
        error.__dict__["is_told"] = True
    return True


def _traceback(error: BaseException, with_messages: bool) -> str:
    """Return an error with what led to it, the first cause first, as Python shows them."""
    parts = []
    for each, link in reversed(list(_chain(error))):
        message = str(each) if with_messages or isinstance(each, _TELLING) else LEFT_OUT if str(each) else ""
        module, name = type(each).__module__, type(each).__qualname__
        kind = name if module == "builtins" else f"{module}.{name}"
        stack = "".join(traceback.format_tb(each.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{stack}{kind}{': ' if message else ''}{message}")
        if link:
            parts.append(link)
    return "\n".join(parts)


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield an error and what caused it, each once, with what to say between it and the one that came of it."""
    seen: set[int] = set()
    each, link = error, ""
    while id(each) not in seen:
        seen.add(id(each))
        yield each, link
        if each.__cause__ is not None:
            each, link = each.__cause__, "\nThe above exception was the direct cause of the following exception:\n"
        elif each.__context__ is not None and not each.__suppress_context__:
            each, link = each.__context__, "\nDuring handling of the above exception, another exception occurred:\n"
