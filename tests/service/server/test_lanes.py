"""Who gets a place, who waits, and who is turned away: with a clock that the test moves."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pes_search.service.server.lanes import FIRST_GUESS_SECONDS, BusyError, Lane


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Work:
    """Something that holds a place until it is told to end."""

    def __init__(self, lane: Lane, kind: str = "search") -> None:
        self.end = asyncio.Event()
        self.waited: float | None = None
        self.task = asyncio.create_task(self._do(lane, kind))

    async def _do(self, lane: Lane, kind: str) -> None:
        async with lane.place(kind) as self.waited:
            await self.end.wait()

    @property
    def is_refused(self) -> bool:
        return self.task.done() and isinstance(self.task.exception(), BusyError)


def run(test: Callable[[Lane, Clock], Awaitable[None]], *, places: int = 2, longest_wait: float = 1.0) -> None:
    clock = Clock()
    asyncio.run(test(Lane("search", places, longest_wait, clock), clock))  # type: ignore[arg-type]


def test_a_freed_place_goes_to_who_has_waited_longest() -> None:
    async def test(lane: Lane, clock: Clock) -> None:
        first, second, third, fourth = (Work(lane) for _ in range(4))
        await settled()
        assert (lane.running, lane.waiting) == (2, 2)
        clock.now = 3.0
        second.end.set()
        await settled()
        assert (third.waited, fourth.waited) == (3.0, None)
        assert (lane.running, lane.waiting) == (2, 1)
        for work in (first, third, fourth):
            work.end.set()
        await settled()
        assert (lane.running, lane.waiting) == (0, 0)

    run(test)


def test_as_many_as_there_are_places_may_wait_whatever_it_takes() -> None:
    async def test(lane: Lane, clock: Clock) -> None:
        slow = Work(lane, "desk")
        await settled()
        clock.now = 60.0  # now it is known that the desk takes a minute
        slow.end.set()
        await settled()
        works = [Work(lane, "desk") for _ in range(5)]
        await settled()
        assert [work.is_refused for work in works] == [False, False, False, False, True]
        for work in works:
            work.end.set()
        await settled()

    run(test)


def test_the_wait_is_that_of_those_ahead_by_how_long_their_kind_takes() -> None:
    async def test(lane: Lane, clock: Clock) -> None:
        known = Work(lane, "answer")
        await settled()
        clock.now = 4.0
        known.end.set()
        await settled()
        assert lane.expected_seconds("answer") == 4.0
        running, waiting = Work(lane, "answer"), Work(lane, "search")
        await settled()
        clock.now = 5.0  # one of the four seconds is over
        assert lane.wait_seconds() == (4.0 - 1.0) + FIRST_GUESS_SECONDS
        with pytest.raises(BusyError) as busy:
            await Work(lane).task
        assert busy.value.retry_after == 4  # whole seconds, not less than the 3.1
        running.end.set()
        waiting.end.set()
        await settled()

    run(test, places=1)


def test_who_leaves_the_queue_is_not_called() -> None:
    async def test(lane: Lane, clock: Clock) -> None:
        first, second, third = (Work(lane) for _ in range(3))
        await settled()
        second.task.cancel()
        await settled()
        first.end.set()
        await settled()
        assert third.waited == 0.0
        third.end.set()
        await settled()
        assert (lane.running, lane.waiting) == (0, 0)

    run(test, places=1, longest_wait=9.0)


def test_a_place_that_was_given_to_somebody_who_leaves_goes_to_the_next() -> None:
    async def test(lane: Lane, clock: Clock) -> None:
        first, second, third = (Work(lane) for _ in range(3))
        await settled()
        first.end.set()
        await asyncio.sleep(0)  # the place is the second's now, who has not begun
        second.task.cancel()
        await settled()
        assert third.waited == 0.0
        third.end.set()
        await settled()
        assert (lane.running, lane.waiting) == (0, 0)

    run(test, places=1, longest_wait=9.0)


def test_nobody_overtakes_between_a_call_and_its_answer() -> None:
    async def test(lane: Lane, clock: Clock) -> None:
        first, second = Work(lane), Work(lane)
        await settled()
        first.end.set()
        await asyncio.sleep(0)
        late = Work(lane)
        await settled()
        assert (lane.running, lane.waiting, late.waited) == (1, 1, None)
        second.end.set()
        late.end.set()
        await settled()

    run(test, places=1, longest_wait=9.0)
