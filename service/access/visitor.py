"""Who sends a request: what they may do, and which documents they may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import Request

Role = Literal["reader", "editor", "admin"]
"""What somebody may do, each more than the one before: search; the editor's desk; what runs the service."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request."""

    role: Role
    reads: frozenset[str] | None  # the visibility labels that they may read beside what is public; None: all


EVERYTHING = Visitor("admin", None)


def visitor_of(request: Request) -> Visitor:  # noqa: ARG001
    """Return who sends a request."""
    return EVERYTHING
