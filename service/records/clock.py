"""Two clocks: the one on the wall, which people read and which may jump, and one that only goes forward.

The second counts the seconds of one run of the machine, for all its processes alike, so that what several services and
commands count over one file is the same time and not twice that. Time asleep does not count.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux; another after each start of the machine
# Between two runs of the machine only the wall's clock can tell how long it was off, and nobody knows whether that is right.
# So it is believed up to a weekend's length, which shortens no retention by much however far it jumps.
MOST_BELIEVED_SECONDS = 2 * 24 * 3600


class Clock(Protocol):
    """What tells the time."""

    @property
    def run(self) -> str:
        """Which run of the machine `seconds` are of."""

    def now(self) -> datetime:
        """Return the time on the wall."""

    def seconds(self) -> float:
        """Return seconds that only go forward within one run."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clocks."""

    run: str = field(default_factory=lambda: _this_run())

    def now(self) -> datetime:
        """Return the time on the wall."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Return the seconds since this run of the machine began."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Reading:
    """What both clocks told at one time."""

    run: str
    seconds: float
    wall_seconds: float  # since 1970


def read(clock: Clock) -> Reading:
    """Return what both clocks tell now."""
    return Reading(clock.run, clock.seconds(), clock.now().timestamp())


def seconds_between(earlier: Reading, later: Reading) -> float:
    """Return how much time has passed for sure: within one run of the machine exactly, else what may be believed."""
    if earlier.run == later.run:
        return max(0.0, later.seconds - earlier.seconds)
    return min(max(0.0, later.wall_seconds - earlier.wall_seconds), MOST_BELIEVED_SECONDS)


def _this_run() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:  # where the system does not tell, each process counts for itself
        return secrets.token_hex(16)
