"""What requests may carry, for the API and the pages alike."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator

from pes_search.index.search import LARGEST_K, QueryError
from pes_search.index.types import Filters
from pes_search.service.engine import Engine
from pes_search.service.records.database import Database

DAY_SECONDS = 24 * 3600
FILTERS = [field.name for field in dataclasses.fields(Filters)]
Values = list[str] | None
# A form sends an empty value for a field that was left open.
Year = Annotated[int | None, BeforeValidator(lambda value: None if value == "" else value)]


def engine_of(request: Request) -> Engine:
    """Return the engine that the app was made with."""
    engine: Engine = request.app.state.engine
    return engine


def database_of(request: Request) -> Database:
    """Return the app's database. It knows when the index's documents came, and once a day it forgets what its retention says.

    Raises:
        DatabaseError: it cannot be used. Searching goes on without it, so it is opened by the first request that needs it.
    """
    state = request.app.state
    if state.database is None:
        state.database = Database(engine_of(request).settings.database)
    database: Database = state.database
    index = engine_of(request).index()
    if state.noted_index != index.manifest.index_id:
        database.note_arrivals(index.manifest.index_id, (document.id for document in index.documents(Filters())))
        state.noted_index = index.manifest.index_id
    if time.monotonic() >= state.forget_at:
        state.forget_at = time.monotonic() + DAY_SECONDS
        database.forget()
    return database


def filters_of(
    country: Annotated[Values, Query(description="ISO 3166-1 alpha-2, or a name", examples=[["DE"]])] = None,
    language: Annotated[Values, Query(description="of the document, ISO 639-1", examples=[["en"]])] = None,
    kind: Annotated[Values, Query(description="practice, news …", examples=[["practice"]])] = None,
    target_group: Annotated[Values, Query(description="id or label in any language", examples=[["women-returners"]])] = None,
    measure_type: Annotated[Values, Query(description="id or label in any language", examples=[["outreach"]])] = None,
    channel: Annotated[Values, Query(description="id or label in any language", examples=[["events"]])] = None,
    year_from: Annotated[Year, Query(description="a document's year is a practice's first", examples=[2000])] = None,
    year_to: Annotated[Year, Query(examples=[2026])] = None,
) -> Filters:
    """Read the filters of a request; empty values do not restrict."""

    def chosen(values: Values) -> tuple[str, ...]:
        return tuple(value for value in values or () if value.strip())

    return Filters(
        country=chosen(country),
        language=chosen(language),
        kind=chosen(kind),
        target_group=chosen(target_group),
        measure_type=chosen(measure_type),
        channel=chosen(channel),
        year_from=year_from,
        year_to=year_to,
    )


def filters_from(values: Mapping[str, Sequence[str]]) -> Filters:
    """Read filters that were kept as texts.

    Raises:
        QueryError: a year is no number.
    """
    years = {}
    for name in ("year_from", "year_to"):
        text = next(iter(values.get(name, ())), "")
        if text and not (text.isascii() and text.isdigit()):
            raise QueryError(f"{name} must be a year, not {text!r}")
        years[name] = int(text[:9]) if text else None
    lists = {name: tuple(own) for name, own in values.items() if name in FILTERS and name not in years}
    return Filters(**lists, **years)  # type: ignore[arg-type]


EngineOf = Annotated[Engine, Depends(engine_of)]
FiltersOf = Annotated[Filters, Depends(filters_of)]
K = Annotated[int, Query(ge=1, le=LARGEST_K, description="how many hits")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="how many hits to skip")]
DocumentId = Annotated[str, Path(examples=["de-power-m"])]
DatabaseOf = Annotated[Database, Depends(database_of)]
