"""What an index needs of an encoder, and the settings that choose one. Imports neither numpy nor a model's library."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors

PACKAGED_MODEL = "multilingual-e5-small"
PACKAGED_ADAPTER = "packaged"
NO_ADAPTER = "none"


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Which model, and how it runs."""

    __pydantic_config__ = {"extra": "forbid"}

    # What runs the model, a name of `index.encoders.ENCODERS`; None: onnx for the packaged model, else sentence-transformers.
    runtime: str | None = None
    model: str = PACKAGED_MODEL  # the packaged default, or any sentence-transformers name or folder
    adapter: str = PACKAGED_ADAPTER  # what is merged into the packaged model: `packaged`, `none`, or a folder in PEFT's format
    query_prompt: str | None = None  # None: the model's own, if it has one
    passage_prompt: str | None = None
    device: str = "cpu"  # that sentence-transformers runs on: cpu, cuda, mps
    # More threads than free cores make a runtime crawl on a busy machine, so the default leaves room on large ones.
    threads: int = min(4, os.cpu_count() or 1)
    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.threads < 1 or self.batch_size < 1:
            raise ValueError("threads and batch_size must be at least 1")
        if self.model != PACKAGED_MODEL and self.adapter not in {PACKAGED_ADAPTER, NO_ADAPTER}:
            raise ValueError(f"adapter is for the model {PACKAGED_MODEL!r}; leave it out beside another model")

    def chosen_runtime(self) -> str:
        """Return the name of what runs the model."""
        return self.runtime or ("onnx" if self.model == PACKAGED_MODEL else "sentence-transformers")


class Encoder(Protocol):
    """What an index needs of a model. Vectors are float32, of unit length, row i for text i."""

    runtime: str  # the name in `index.encoders.ENCODERS`: the same model's vectors differ a little from one to another
    model_id: str  # changes with the weights, the tokenizer and the prompts; of the packaged model the same on every machine
    adapter: str  # SHA-256 of what is merged into the weights, or `none`
    dimensions: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the queries' vectors."""

    def encode_passages(self, texts: Sequence[str], on_progress: Callable[[int], object] | None = None) -> Vectors:
        """Return the passages' vectors; `on_progress` gets the number of texts done since its last call."""

    def token_starts(self, text: str) -> list[int]:
        """Return the character at which each of the text's tokens starts, ascending."""
