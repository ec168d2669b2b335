"""What requests may carry, for the API and the pages alike."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import BeforeValidator

from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, YEARS, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.query.filter_values import check_values, nearest
from pes_search.index.search import LARGEST_K
from pes_search.service.access.visitor import visitor_of
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.api.bounds import LONGEST_ID_CHARACTERS, Values
from pes_search.service.engine import Engine
from pes_search.service.records.file import DatabaseError
from pes_search.service.records.records import Records, open_records

FORGET_SECONDS = 3600  # after which it is looked whether a day has been lived through
logger = logging.getLogger(__name__)
# A form sends an empty value for a field that was left open.
Year = Annotated[int | None, BeforeValidator(lambda value: None if value == "" else value)]


def engine_of(request: Request) -> Engine:
    """Return the engine that the app was made with."""
    engine: Engine = request.app.state.engine
    return engine


def index_of(request: Request) -> OpenIndex:
    """Return the index as who sends the request may see it."""
    return engine_of(request).index_for(visitor_of(request).reads)


def records_of(request: Request) -> Records:
    """Return the app's records. They know when the index's documents came, and once a day they forget what is old enough.

    Raises:
        DatabaseError: their file cannot be used. Searching goes on without it, so the first request that needs it opens it.
    """
    state = request.app.state
    if state.records is None:
        state.records = open_records(engine_of(request).settings.database)
    records: Records = state.records
    index = engine_of(request).index()  # whole: what comes is noted for everybody
    if state.noted_index != index.manifest.index_id:
        records.arrivals.note(index.manifest.index_id, (document.id for document in index.stored.documents(EVERYTHING)))
        state.noted_index = index.manifest.index_id
    if time.monotonic() >= state.forget_at:
        state.forget_at = time.monotonic() + FORGET_SECONDS
        try:
            records.forget()
        except DatabaseError as error:
            logger.warning("nothing was forgotten: %s", error)
    return records


def filters_of(request: Request, **values: Any) -> Filters:
    """Read the filters of a request, one parameter for each of `FILTER_FIELDS`; empty values do not restrict.

    Raises:
        QueryError: the collection does not know a value; the message names the nearest.
    """
    chosen = {name: [value for value in values[name] or () if value.strip()] for name in FILTER_FIELDS}
    filters = Filters(chosen, **{name: values[name] for name in YEARS})
    if filters.chosen:
        check_values(filters, index_of(request).stored)
    return filters


def allowed_writer(engine: Engine, writer: WriterName | None) -> WriterName | None:
    """Return the writer that a request asks for: a language model only where the settings have one write, as it costs them.

    Raises:
        QueryError: they have not.
    """
    if writer == "llm" and engine.settings.answer.writer != "llm":
        raise QueryError('no language model writes here; leave writer out (the settings have not [answer] writer = "llm")')
    return writer


def only_known_parameters(request: Request) -> None:
    """Check that a request has no parameter in its address that would be ignored.

    Raises:
        QueryError: it has one; the message names the nearest.
    """
    known = list(_query_names(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            near = nearest(name, known)
            raise QueryError(
                f"no parameter {name!r}; " + (f"did you mean {' or '.join(near)}?" if near else f"choose of {', '.join(known)}")
            )


def _query_names(dependant: Dependant) -> Iterator[str]:
    """Yield the names of the address's parameters that a route and what it depends on read."""
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _query_names(other)


def _filter_parameters() -> Iterator[inspect.Parameter]:
    """Yield what FastAPI reads of a function's signature: the request, and the filters as parameters of the address."""
    yield inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    for field in FILTER_FIELDS.values():
        examples = [[field.example]] if field.example else None
        values = Annotated[Values | None, Query(description=field.about, examples=examples)]
        yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=values)
    for name, about in YEARS.items():
        year = Annotated[Year, Query(description=about)]
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=year)


filters_of.__signature__ = inspect.Signature(list(_filter_parameters()))  # type: ignore[attr-defined]


def filters_from(values: Mapping[str, Sequence[str]]) -> Filters:
    """Read filters that were kept as texts.

    Raises:
        QueryError: a year is no number.
    """
    years: dict[str, int | None] = {}
    for name in YEARS:
        text = next(iter(values.get(name, ())), "")
        if text and not (text.isascii() and text.isdigit()):
            raise QueryError(f"{name} must be a year, not {text!r}")
        years[name] = int(text[:9]) if text else None
    chosen = {name: several for name, several in values.items() if name in FILTER_FIELDS}
    return Filters(chosen, year_from=years["year_from"], year_to=years["year_to"])


EngineOf = Annotated[Engine, Depends(engine_of)]
IndexOf = Annotated[OpenIndex, Depends(index_of)]
FiltersOf = Annotated[Filters, Depends(filters_of)]
K = Annotated[int, Query(ge=1, le=LARGEST_K, description="how many hits")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="how many hits to skip")]
DocumentId = Annotated[str, Path(examples=["de-power-m"], max_length=LONGEST_ID_CHARACTERS)]
RecordsOf = Annotated[Records, Depends(records_of)]
