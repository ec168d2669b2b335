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


@dataclass(frozen=True, slots=True)
class ReadingConfig:
    """How files are read: by processes of their own, so that a file which takes too much costs itself only."""

    __pydantic_config__ = {"extra": "forbid"}

    processes: int | None = None  # None: one for each core; 0: none, all is read in this process and without limits
    seconds: float = 60.0  # for one file
    megabytes: int = 2_000  # of memory for one process

    def __post_init__(self) -> None:
        if (self.processes is not None and self.processes < 0) or self.seconds <= 0 or self.megabytes < 500:
            raise ValueError("needs processes >= 0, seconds > 0 and megabytes >= 500")


IN_THIS_PROCESS = ReadingConfig(processes=0)
