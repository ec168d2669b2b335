"""Who sends a request: what they may do, and which documents they may read."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException, Request

from pes_search.service.records.roles import ROLES
from pes_search.service.records.roles import Role as Role  # of a visitor, as of a key


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request."""

    role: Role
    reads: frozenset[str] | None  # the visibility labels that they may read beside what is public; None: all
    key_id: str = ""  # of the key or account that they came with; empty: none
    name: str = ""  # as the pages greet them
    is_signed_in: bool = False  # in a session, which they can end

    def may(self, role: Role) -> bool:
        """Tell whether they may do what somebody of a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


EVERYTHING = Visitor("admin", None)  # whoever sits at the machine, as long as there are no keys
PUBLIC = Visitor("reader", frozenset())  # whoever comes to an open service


def visitor_of(request: Request) -> Visitor:
    """Return who sends a request. The guard (`service/api/guard.py`) has found that out before any route runs.

    Raises:
        HTTPException: 401, where nobody is known and a page that is open to all asks all the same.
    """
    visitor = visitor_or_none(request)
    if visitor is None:
        raise HTTPException(401, "give a key: Authorization: Bearer KEY", headers={"WWW-Authenticate": "Bearer"})
    return visitor


def visitor_or_none(request: Request) -> Visitor | None:
    """Return who sends a request, or None for a stranger."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return visitor
