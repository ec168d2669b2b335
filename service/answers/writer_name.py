"""The names of the writers, which settings, command line and HTTP interface take. `writers` has who they are."""

from __future__ import annotations

from typing import Literal

WriterName = Literal["extractive", "llm"]
