"""The stages of a search or an answer: how long each took, what happened in them, and until when all must be done.

Whoever starts the work says until when (`watched`); each stage looks at the clock before it begins, so that work which nobody
waits for any more ends at the next one. Without a watch nothing is counted and nothing ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from pes_search.ingest.errors import VisitorError


class TooLateError(VisitorError):
    """The work is not done when it has to be."""


@dataclass(slots=True)
class Watch:
    """What is known of a piece of work: until when it has to be done, and how long its stages took."""

    deadline: float | None = None  # of time.monotonic(); None: none
    seconds: dict[str, float] = field(default_factory=dict)  # by stage
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)  # what happened, how often (`count`)
    times: list[tuple[str, float, float]] | None = None  # of each stage, its beginning and end (monotonic); None: not kept

    def left(self) -> float | None:
        """Return the seconds that are left, 0 or less where none are; None without a deadline."""
        return None if self.deadline is None else self.deadline - time.monotonic()


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def current_watch() -> Watch | None:
    """Return the watch over what is being done, if there is one."""
    return _watch.get()


@contextmanager
def watched(watch: Watch) -> Iterator[Watch]:
    """Watch what is done within."""
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def check_deadline() -> None:
    """Go on only while there is time.

    Raises:
        TooLateError: there is none left.
    """
    watch = _watch.get()
    if watch is not None and watch.deadline is not None and time.monotonic() >= watch.deadline:
        raise TooLateError("this took too long and was given up; try again in a moment, or with fewer words")


def count(what: str, *labels: str, times: int = 1) -> None:
    """Note that something happened, for whoever watches: a service makes metrics of it. Never a text that somebody wrote."""
    watch = _watch.get()
    if watch is not None and times:
        key = (what, *labels)
        watch.counts[key] = watch.counts.get(key, 0) + times


Part = TypeVar("Part")


def each_in_stage(name: str, parts: Iterator[Part]) -> Iterator[Part]:
    """Yield what comes, and count the time that making each takes, not that of who takes it.

    Raises:
        TooLateError: there is no time left for the next one.
    """
    while True:
        with stage(name):
            try:
                part = next(parts)
            except StopIteration:
                return
        yield part


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the time of a stage; a stage within another counts for both.

    Raises:
        TooLateError: there is no time left for it.
    """
    check_deadline()
    watch = _watch.get()
    if watch is None:
        yield
        return
    began = time.monotonic()
    try:
        yield
    finally:
        ended = time.monotonic()
        watch.seconds[name] = watch.seconds.get(name, 0.0) + ended - began
        if watch.times is not None:
            watch.times.append((name, began, ended))
