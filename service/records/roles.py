"""What keys allow."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["reader", "editor", "admin"]
"""What somebody may do, each more than the one before: search; the editor's desk; what runs the service."""

ROLES: tuple[Role, ...] = get_args(Role)
