"""The settings that an index depends on, beside its encoder."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from pes_search.index.evidence.bm25 import Bm25Config
from pes_search.ingest.passages import PassageConfig


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """How passages are made and their words scored; kept in the index's manifest."""

    passages: PassageConfig = field(default_factory=PassageConfig)
    bm25: Bm25Config = field(default_factory=Bm25Config)

    def values(self) -> dict[str, dict[str, float]]:
        """Return the settings as plain values, by stage."""
        return {"passages": dataclasses.asdict(self.passages), "bm25": dataclasses.asdict(self.bm25)}
