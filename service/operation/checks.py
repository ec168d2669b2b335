"""A check of an installation: whether something is as it should be, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CheckStatus = Literal["ok", "warning", "failing"]
ORDER: tuple[CheckStatus, ...] = ("ok", "warning", "failing")


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found."""

    name: str
    status: CheckStatus
    detail: str  # what is so
    remedy: str = ""  # the next command to type, or what to set; empty where nothing is to be done


def worst(checks: Iterable[Check]) -> CheckStatus:
    """Return the worst status; `ok` of no checks."""
    return max((check.status for check in checks), key=ORDER.index, default="ok")
