"""Two legs, one score.

    score = dense + w · lexical

with the cosine as it is and BM25 bounded to 0…1 (see `bm25`), a convex combination up to scale. Reciprocal rank fusion is
not used: it gives the lexical leg half the vote even where it has no evidence, which ruins cross-language search
(`docs/architecture.md` has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """How much the lexical leg counts."""

    __pydantic_config__ = {"extra": "forbid"}

    lexical_weight: float = 0.2

    def __post_init__(self) -> None:
        if self.lexical_weight < 0:
            raise ValueError("lexical_weight must not be negative")


def fused(dense: float, lexical: float, config: FusionConfig) -> float:
    """Return the score, rounded so that ties are ties on every machine."""
    return round(dense + config.lexical_weight * lexical, 6)
