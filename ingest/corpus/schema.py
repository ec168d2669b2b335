"""What the files of the corpus must hold: the front matter of practices and news items, and the facts behind them."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pes_search.ingest.readers.markdown import Country, Evidence, FrontMatter, Text, Year

SECTIONS = (
    "In short",
    "When to think of it",
    "Context",
    "What it does",
    "Who it reaches and how",
    "Partners and funding",
    "Results",
    "Lessons and criticism",
    "Transfer",
    "Sources",
)
REQUIRED_SECTIONS = {"In short", "When to think of it", "What it does", "Sources"}
NO_EVIDENCE = "none-stated"  # the strength that no sentence states

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
Line = Annotated[Text, Field(min_length=1, pattern=r"^\S(.*\S)?$")]


def _partial_date(value: str) -> str:
    parts = value.split("-")
    if not re.fullmatch(r"(19|20)\d\d(-\d\d){0,2}", value) or not _is_day("-".join([*parts, "01", "01"][:3])):
        raise ValueError(f"{value!r} is no date; write 2026-11-24, 2026-11 or 2026")
    if value > datetime.datetime.now(datetime.UTC).date().isoformat():
        raise ValueError(f"{value!r} lies in the future")
    return value


def _is_day(value: str) -> bool:
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


# A day, a month or a year.
PartialDate = Annotated[Text, AfterValidator(_partial_date)]


class CitedSource(BaseModel):
    """A source: `url` if the whole address is known, else `reference`, which says where to look."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^\s/.]+\.\S+$")] | None = None
    reference: Line | None = None
    date: PartialDate | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> CitedSource:
        if (self.url is None) == (self.reference is None):
            raise ValueError("give either `url`, the whole address, or `reference`")
        return self

    def __str__(self) -> str:
        return self.url or self.reference or ""


class StatedEvidence(Evidence):
    """How strong the evidence for a practice is: the strongest that its text states, in this sentence."""

    model_config = ConfigDict(extra="forbid")

    strength: Name
    sentence: Line | None = None

    @model_validator(mode="after")
    def _sentence_where_stated(self) -> StatedEvidence:
        if (self.sentence is None) != (self.strength == NO_EVIDENCE):
            raise ValueError(f"give the `sentence` that states the strength, and none with {NO_EVIDENCE!r}")
        return self


class _Item(FrontMatter):
    """The front matter that every document of the corpus has. Unlike in other Markdown files, unknown keys are faults."""

    model_config = ConfigDict(extra="forbid")

    id: Name
    title: Line
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    organisation: Line
    countries: Annotated[list[Country], Field(min_length=1)]
    target_groups: list[Name]
    measure_types: Annotated[list[Name], Field(min_length=1)]
    sources: Annotated[list[CitedSource], Field(min_length=1)]  # type: ignore[assignment]
    reviewed: PartialDate  # when somebody last held the text against its facts


class PracticeItem(_Item):
    """The front matter of a practice."""

    kind: Literal["practice"]
    region: Line
    channels: list[Name]
    evidence: StatedEvidence
    partners: list[Line]
    start: Year | None = None  # the first year; left out where not known
    end: Year | None = None  # the last year; left out while it runs or where not known

    @model_validator(mode="after")
    def _in_order(self) -> PracticeItem:
        if self.start and self.end and self.start > self.end:
            raise ValueError("`end` lies before `start`")
        return self


class NewsItem(_Item):
    """The front matter of a news item, which links practices."""

    kind: Literal["news"]
    date: PartialDate
    related: Annotated[list[Name], Field(min_length=2)]


Item = PracticeItem | NewsItem


class Facts(BaseModel):
    """What is known of a practice or news item, in notes: all that its write-up may say."""

    model_config = ConfigDict(extra="forbid")

    id: Name
    title: Line
    native_title: Line | None = None
    organisation: Line
    region: Line | None = None
    years: Text = ""  # "2014-" still runs, "2015-2018" has ended, "2022" says no more than that year
    target_groups: list[Line] = []  # free tags
    measure_types: list[Line] = []
    channel: Text = ""
    facts: list[Line]
    figures: list[Line] = []
    partners: list[Line] = []
    sources: Annotated[list[CitedSource], Field(min_length=1)]

    def texts(self) -> list[str]:
        """Return everything that is known, as texts."""
        lines = [self.title, self.native_title, self.organisation, self.region, self.years, self.channel]
        lists = [self.target_groups, self.measure_types, self.facts, self.figures, self.partners]
        sources = [part for source in self.sources for part in (source.reference, source.date) if part]
        return [*filter(None, lines), *(line for part in lists for line in part), *sources]
