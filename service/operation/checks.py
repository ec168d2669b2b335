"""A check of an installation: whether something is as it should be, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CheckStatus = Literal["ok", "warning", "failing"]
"""Failing: the service cannot do its work. Warning: it can, and somebody should look."""
ORDER: tuple[CheckStatus, ...] = ("ok", "warning", "failing")


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found."""

    name: str
    status: CheckStatus
    detail: str = ""  # what is so; it may name paths, as the remedy may
    remedy: str = ""  # the next command to type, or what to set; empty where nothing is to be done


def worst(checks: Iterable[Check]) -> CheckStatus:
    """Return the worst status; `ok` of no checks."""
    return max((check.status for check in checks), key=ORDER.index, default="ok")
