"""Where what people leave is kept: the settings of `[database]`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

LONGEST_RETENTION_DAYS = 36_500  # a hundred years; dates do not go back for ever


class DatabaseConfig(BaseModel):
    """Where it is kept what people leave, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Path("var/pes.sqlite3")
    # Feedback that was handled, questions, and saved searches that nobody opened for so long are forgotten.
    retention_days: int = Field(default=180, ge=1, le=LONGEST_RETENTION_DAYS)
    log_questions: bool = True
