"""A progress bar with rate and remaining time, for people: none where stderr is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Any


class ProgressBar:
    """One bar a stage, shown one after the other."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        from tqdm import tqdm

        if stage != self._stage:
            if self._bar is not None:
                self._bar.close()
            unit = {"reading": " files", "encoding": " passages"}.get(stage, "")
            self._bar = tqdm(total=total, desc=stage, unit=unit, disable=None, leave=False)
            self._stage = stage
        self._bar.total = total
        self._bar.update(done - self._bar.n)
