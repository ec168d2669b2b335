"""Who may begin now, who waits, and who is turned away: work of a kind has a lane of its own, with few places.

More at once than there are cores makes everybody slower and nobody sooner done, so a place is given to few; a queue longer than
its people are willing to wait serves nobody. How long a new one would wait is known from how long the others took. Lanes do not
share places: what waits for a language model holds no search up.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

LATEST_SHARE = 0.2  # that the latest duration has in the mean; the last dozen decide
FIRST_GUESS_SECONDS = 0.1  # for a kind of work that has not been done yet


class BusyError(Exception):
    """There is no place, and too many wait already."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"{wait_seconds:.1f} s")
        self.retry_after = max(1, math.ceil(wait_seconds))  # seconds


@dataclass(slots=True)
class _Waiting:
    """Somebody in the queue."""

    kind: str
    called: asyncio.Future[int]  # gives the number of its place


class Lane:
    """Places for one kind of work, and the queue before them. Used from one event loop."""

    def __init__(
        self, name: str, places: int, longest_wait_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.places = places
        self.longest_wait_seconds = longest_wait_seconds
        self._clock = clock
        self._expected: dict[str, float] = {}  # seconds, by kind
        self._running: dict[int, tuple[str, float]] = {}  # by a number of its own: what, and since when
        self._queue: deque[_Waiting] = deque()
        self._number = 0

    @property
    def running(self) -> int:
        """Return how many have a place."""
        return len(self._running)

    @property
    def is_full(self) -> bool:
        """Tell whether a new one would have to wait."""
        return len(self._running) >= self.places or bool(self._queue)

    @property
    def waiting(self) -> int:
        """Return how many are in the queue."""
        return len(self._queue)

    def expected_seconds(self, kind: str) -> float:
        """Return how long work of a kind takes, going by the last ones."""
        return self._expected.get(kind, FIRST_GUESS_SECONDS)

    def wait_seconds(self) -> float:
        """Return how long a new one would wait."""
        if len(self._running) < self.places:
            return 0.0
        now = self._clock()
        ahead = sum(max(0.0, self.expected_seconds(kind) - (now - since)) for kind, since in self._running.values())
        for kind, count in Counter(one.kind for one in self._queue).items():
            ahead += count * self.expected_seconds(kind)
        return ahead / self.places

    @asynccontextmanager
    async def place(self, kind: str) -> AsyncIterator[float]:
        """Hold a place while the work is done; gives the seconds that were waited for it.

        Raises:
            BusyError: it would take too long to come to it. As many as there are places may always wait.
        """
        began = self._clock()
        number = await self._enter(kind)
        since = self._running[number][1]
        try:
            yield since - began
        finally:
            self._leave(number)

    async def _enter(self, kind: str) -> int:
        if not self.is_full:
            return self._begin(kind)
        wait = self.wait_seconds()
        if len(self._queue) >= self.places and wait > self.longest_wait_seconds:
            raise BusyError(wait)
        waiting = _Waiting(kind, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        try:
            return await waiting.called
        except asyncio.CancelledError:
            if waiting.called.done() and not waiting.called.cancelled():  # it had been given its place just then
                self._free(waiting.called.result())
            elif waiting in self._queue:
                self._queue.remove(waiting)
            raise

    def _begin(self, kind: str) -> int:
        self._number += 1
        self._running[self._number] = (kind, self._clock())
        return self._number

    def _leave(self, number: int) -> None:
        kind, since = self._running[number]
        took = self._clock() - since
        known = self._expected.get(kind)
        self._expected[kind] = took if known is None else known + LATEST_SHARE * (took - known)
        self._free(number)

    def _free(self, number: int) -> None:
        """Give a place to the next one that still waits; it has it at once, so that nobody else takes it meanwhile."""
        del self._running[number]
        while self._queue:
            waiting = self._queue.popleft()
            if not waiting.called.done():
                waiting.called.set_result(self._begin(waiting.kind))
                return
