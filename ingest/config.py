"""How documents are split."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassageConfig:
    """How long a passage may be, in the encoder's tokens, title and headings not counted."""

    __pydantic_config__ = {"extra": "forbid"}

    max_tokens: int = 220
    min_tokens: int = 60  # a section shorter than this may share its passage with the next one

    def __post_init__(self) -> None:
        if not 0 <= self.min_tokens <= self.max_tokens or self.max_tokens < 8:
            raise ValueError("needs 0 <= min_tokens <= max_tokens and max_tokens >= 8")
