"""How much a request may say: every list and every text has an end, so that looking at one takes no time to speak of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LATEST_YEAR = 9999
MOST_VALUES = 100  # of one filter, or documents named at once
LONGEST_VALUE_CHARACTERS = 300  # of a filter's value; names of organisations are the longest
LONGEST_ID_CHARACTERS = 500  # ids are made of names of files

Value = Annotated[str, Field(max_length=LONGEST_VALUE_CHARACTERS)]
Id = Annotated[str, Field(max_length=LONGEST_ID_CHARACTERS)]
