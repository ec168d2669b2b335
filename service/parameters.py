"""What requests may carry, for the API and the pages alike."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator

from pes_search.index.search import LARGEST_K
from pes_search.index.types import Filters
from pes_search.service.engine import Engine

Values = list[str] | None
# A form sends an empty value for a field that was left open.
Year = Annotated[int | None, BeforeValidator(lambda value: None if value == "" else value)]


def engine_of(request: Request) -> Engine:
    """Return the engine that the app was made with."""
    engine: Engine = request.app.state.engine
    return engine


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


EngineOf = Annotated[Engine, Depends(engine_of)]
FiltersOf = Annotated[Filters, Depends(filters_of)]
K = Annotated[int, Query(ge=1, le=LARGEST_K, description="how many hits")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="how many hits to skip")]
DocumentId = Annotated[str, Path(examples=["de-power-m"])]
