"""More is asked than the service can answer: who is let in, how long that takes, and whether it still says that it lives.

    python -m pes_search.eval.experiments.overload [--soak MINUTES]

The rate that it can sustain is measured first, by as many askers as it has places, each asking on when it has its answer. Then
requests come at multiples of that rate whether or not the ones before are answered (an open loop), three searches over the API
for each page with an answer. The askers run on the same cores. `--soak` asks at half the rate and looks at the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pes_search.eval.collections.questions import PROJECT_QUESTIONS, read_questions
from pes_search.eval.experiments.timed_service import Service, running_service
from pes_search.service.cli.frame import print_table
from pes_search.service.settings import cores, read_settings

MULTIPLES = (1, 2, 4, 8)
WARM_SECONDS, STEP_SECONDS, REST_SECONDS = 10.0, 20.0, 3.0
PAGE_EVERY = 4  # requests, one is a page with an answer
HEALTH_PAUSE_SECONDS = 0.1
REQUEST_SECONDS = 120.0
SOAK_SHARE = 0.5  # of the sustainable rate
SOAK_STEPS = 10  # in which the memory is told


@dataclass(slots=True)
class Seen:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)  # 0: nothing
    admitted: list[float] = field(default_factory=list)  # seconds
    refused: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)

    def take(self, status: int, seconds: float) -> None:
        """Add an answer."""
        self.statuses[status] += 1
        (self.admitted if status == 200 else self.refused).append(seconds)


def main() -> int:
    """Print what became of the requests; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="ask for so long at half the rate, too")
    minutes: float = parser.parse_args().soak
    settings = read_settings()
    with tempfile.TemporaryDirectory() as folder, running_service(settings.index_dir, Path(folder)) as service:
        asyncio.run(_measure(service, minutes))
    return 0


async def _measure(service: Service, minutes: float) -> None:
    paths = _paths()
    await _sustained(service, paths, WARM_SECONDS)
    rate = await _sustained(service, paths, STEP_SECONDS)
    print(f"sustained by {cores()} askers: {rate:.1f} requests a second\n")
    head = (
        "times that rate", "asked a second", "answered a second", "answered p50, ms", "p99, ms", "refused",
        "told so in p99, ms", "others", "worst health check, ms", "memory, MB",
    )  # fmt: skip
    rows = []
    for multiple in MULTIPLES:
        seen = await _open_loop(service, paths, multiple * rate, STEP_SECONDS)
        rows.append(_row(multiple, seen, service, STEP_SECONDS))
        await asyncio.sleep(REST_SECONDS)
    print_table(head, rows)
    if minutes:
        print()
        await _soak(service, paths, SOAK_SHARE * rate, minutes)


def _row(multiple: float, seen: Seen, service: Service, seconds: float) -> tuple[object, ...]:
    total = sum(seen.statuses.values())
    others = {status: count for status, count in seen.statuses.items() if status not in {200, 503}}
    return (
        multiple,
        f"{total / seconds:.1f}",
        f"{seen.statuses[200] / seconds:.1f}",
        *(f"{_percentile(seen.admitted, share):.0f}" for share in (50, 99)),
        f"{seen.statuses[503] / max(1, total):.0%}",
        f"{_percentile(seen.refused, 99):.0f}",
        others or "none",
        f"{max(seen.health, default=0.0) * 1000:.0f}",
        f"{service.resident_mb():.0f}",
    )


def _percentile(seconds: list[float], share: float) -> float:
    """Return a percentile in milliseconds."""
    return float(np.percentile(seconds, share)) * 1000 if seconds else 0.0


async def _sustained(service: Service, paths: Iterator[str], seconds: float) -> float:
    """Return how many requests a second are answered when each asker waits for its answer."""
    seen, end = Seen(), time.monotonic() + seconds

    async def asker() -> None:
        while time.monotonic() < end:
            await _ask(service, next(paths), seen)

    await asyncio.gather(*(asker() for _ in range(cores())))
    return seen.statuses[200] / seconds


async def _open_loop(service: Service, paths: Iterator[str], rate: float, seconds: float) -> Seen:
    """Ask at a rate, whatever comes back, and look meanwhile whether the service lives."""
    seen, began = Seen(), time.monotonic()
    looking = asyncio.create_task(_look(service, seen))
    asked = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        asked.append(asyncio.create_task(_ask(service, next(paths), seen)))
    await asyncio.gather(*asked)
    looking.cancel()
    return seen


async def _soak(service: Service, paths: Iterator[str], rate: float, minutes: float) -> None:
    head = ("minutes", "requests", "answered p99, ms", "not answered", "worst health check, ms", "memory, MB")
    rows: list[tuple[object, ...]] = [(0, 0, "", "", "", f"{service.resident_mb():.0f}")]
    total = 0
    seconds = minutes * 60 / SOAK_STEPS
    for step in range(1, SOAK_STEPS + 1):
        seen = await _open_loop(service, paths, rate, seconds)
        total += sum(seen.statuses.values())
        failed = sum(count for status, count in seen.statuses.items() if status != 200)
        p99, health = f"{_percentile(seen.admitted, 99):.0f}", f"{max(seen.health, default=0.0) * 1000:.0f}"
        rows.append((round(step * seconds / 60, 1), total, p99, str(failed), health, f"{service.resident_mb():.0f}"))
    print_table(head, rows)


async def _look(service: Service, seen: Seen) -> None:
    """Look whether the service lives, over and over."""
    while True:
        began = time.monotonic()
        status = await _status(service, "/healthz")
        seen.health.append(time.monotonic() - began if status == 200 else REQUEST_SECONDS)
        await asyncio.sleep(HEALTH_PAUSE_SECONDS)


async def _ask(service: Service, path: str, seen: Seen) -> None:
    began = time.monotonic()
    status = await _status(service, path)
    seen.take(status, time.monotonic() - began)


async def _status(service: Service, path: str) -> int:
    """Return the status of an answer that came whole; 0 where none came."""
    place = urllib.parse.urlsplit(service.base)
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.read(-1)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0
    words = answer[:20].split()
    return int(words[1]) if len(words) > 1 else 0


def _paths() -> Iterator[str]:
    """Yield the addresses of questions, over and over, every fourth of a page with an answer."""
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl")
    for number, question in enumerate(itertools.cycle(questions)):
        value = urllib.parse.quote_plus(question.text)
        yield f"/?q={value}" if number % PAGE_EVERY == 0 else f"/api/v1/search?q={value}"


if __name__ == "__main__":
    raise SystemExit(main())
