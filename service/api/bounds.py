"""How much a request may say: every list and every text has an end, so that looking at one takes no time to speak of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST_VALUES = 100  # of one filter, or documents named at once
LONGEST_VALUE_CHARACTERS = 300  # of a filter's value; names of organisations are the longest
LONGEST_ID_CHARACTERS = 500  # ids are made of names of files

Value = Annotated[str, Field(max_length=LONGEST_VALUE_CHARACTERS)]
# A list of thousands of wrong values is told of by the first: each fault takes longer to tell than a right value to read.
Values = Annotated[list[Value], Field(fail_fast=True, max_length=MOST_VALUES)]
Id = Annotated[str, Field(max_length=LONGEST_ID_CHARACTERS)]
Ids = Annotated[list[Id], Field(fail_fast=True, min_length=1, max_length=MOST_VALUES)]


def _no_text(value: Any) -> Any:
    """Refuse "5" and true where a number is wanted, as the description says; an address has texts only, a body has both."""
    if isinstance(value, str | bool):
        raise ValueError("must be a number")  # which pydantic takes for a fault of the request
    return value


Number = Annotated[int, BeforeValidator(_no_text)]


class Body(BaseModel):
    """What a request sends as JSON."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _only_known_fields(cls, values: Any) -> Any:
        """Name the first field that there is not, not each of thousands."""
        unknown = next((name for name in values if name not in cls.model_fields), None) if isinstance(values, dict) else None
        if unknown is not None:
            raise ValueError(f"no field {unknown[:LONGEST_VALUE_CHARACTERS]!r}; choose of {', '.join(cls.model_fields)}")
        return values
