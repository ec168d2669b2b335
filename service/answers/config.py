"""How questions are answered: the settings of `[answer]`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from pes_search.service.answers.writer_name import WriterName


class AnswerConfig(BaseModel):
    """How questions are answered, and when they are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    writer: WriterName = "extractive"
    # Below it a question is refused. docs/answers.md has the share answered and the share of wrong answers at each value.
    threshold: float = Field(default=0.5, ge=0, le=1)
    sentences: int = Field(default=5, ge=1)  # quoted at most
    reader: Path | None = None  # folder of a reader that `make train-reader` wrote; it chooses sentences too
    base_url: str | None = None  # of an OpenAI-compatible service, such as http://127.0.0.1:8080/v1
    model: str | None = None  # its name there
    api_key: SecretStr | None = None
    timeout_seconds: float = Field(default=30, gt=0)  # for the whole text; then the extractive answer takes over
    passages: int = Field(default=6, ge=1)  # shown to the language model

    @field_validator("api_key")
    @classmethod
    def _one_word(cls, key: SecretStr | None) -> SecretStr | None:
        """Take off the newline that files of secrets end in; what no header can carry is refused without being shown."""
        value = key.get_secret_value().strip() if key else ""
        if not (value.isascii() and value.isprintable()):
            raise ValueError("must be printable ASCII; correct PES_ANSWER__API_KEY")
        return SecretStr(value) if value else None
