"""How far a build is, with rate and time left: a bar in a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

LOG_EVERY_SECONDS = 10.0
UNITS = {"reading": "files", "labels": "labels", "encoding": "texts"}  # what each stage counts


class ProgressDisplay:
    """Shows one stage after the other, on stderr."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None
        self._is_terminal = sys.stderr.isatty()
        self._began = self._told = time.monotonic()

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of about `total` are done."""
        if stage != self._stage:
            if self._bar is not None:
                self._bar.close()
                self._bar = None
            self._stage, self._began = stage, time.monotonic()
        if self._is_terminal:
            self._show_bar(done, total)
        elif (now := time.monotonic()) - self._told >= LOG_EVERY_SECONDS:
            self._told = now
            print(f"pes: {log_line(stage, done, total, now - self._began)}", file=sys.stderr, flush=True)

    def _show_bar(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=total, desc=self._stage, unit=f" {UNITS.get(self._stage, '')}".rstrip(), leave=False)
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def log_line(stage: str, done: int, total: int, seconds: float) -> str:
    """Return how far a stage is, how fast it goes and how long it still takes, as one line."""
    unit = UNITS.get(stage, "")
    line = f"{stage}: {done:,} of {total:,} {unit}"
    rate = done / seconds if seconds else 0.0
    if not rate:
        return line
    left = max(total - done, 0) / rate
    minutes, rest = divmod(round(left), 60)
    return f"{line} ({done / total:.0%}), {rate:,.0f} a second, {f'{minutes} min ' if minutes else ''}{rest} s left"
