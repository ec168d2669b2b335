"""The HTTP service: the API, health checks, the pages, and how every error is answered."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.middleware.gzip import GZipMiddleware

from pes_search.service.access.doorkeeper import Doorkeeper
from pes_search.service.access.oidc import provider_of
from pes_search.service.access.opening import Opening, listening
from pes_search.service.api import health, metrics_route, routes
from pes_search.service.api.guard import Guard, describe_access
from pes_search.service.api.problems import add_handlers, problem_schema
from pes_search.service.engine import Engine
from pes_search.service.operation.metrics import Metrics
from pes_search.service.operation.observing import observe
from pes_search.service.operation.readiness import checks, folders
from pes_search.service.operation.traces import open_traces
from pes_search.service.server.gate import add_gate
from pes_search.service.web.desk_pages import close_uploads
from pes_search.service.web.headers import ClosedPages
from pes_search.service.web.site import add_pages

SMALLEST_COMPRESSED_BYTES = 1_000  # of a response


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """End what the app began: a signal ends the process right after this."""
    yield
    close_uploads(app)
    if app.state.traces:
        await asyncio.to_thread(app.state.traces.close)


def create_app(engine: Engine, opening: Opening | None = None) -> FastAPI:
    """Return the service over an open engine; `opening` says who may come in, else `[serve] host` and the settings do."""
    app = FastAPI(
        title="pes-search",
        version=importlib.metadata.version("pes-search"),
        description="Search the good-practice documents of Europe's public employment services, in any EU language.",
        docs_url=None,  # the usual documentation pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # below
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.state.records = app.state.noted_index = None
    app.state.forget_at = 0.0
    app.state.description = None
    app.state.access = Doorkeeper(engine.settings, opening or listening(engine.settings, engine.settings.serve.host))
    app.state.provider = provider_of(engine.settings.access.oidc)
    app.openapi = lambda: describe_access(problem_schema(FastAPI.openapi(app)))  # type: ignore[method-assign]
    add_handlers(app)
    settings = engine.settings
    app.state.metrics = Metrics(engine, partial(checks, settings, engine), folders(settings))
    app.state.traces = open_traces(settings.telemetry)
    observe(app, app.state.metrics, settings.log, app.state.traces)
    app.include_router(metrics_route.router)
    app.include_router(routes.router)
    app.include_router(health.router)
    add_pages(app)
    # The last one comes first: every answer has the headers, and who is not let in takes no place from anybody.
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED_BYTES)  # leaves event streams alone
    add_gate(app, engine.settings, app.state.metrics)
    app.add_middleware(Guard, doorkeeper=app.state.access)
    app.add_middleware(ClosedPages)

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> Response:
        """Return the description of the API. It takes a second to make, so a worker does it, once."""
        if app.state.description is None:
            app.state.description = JSONResponse(app.openapi()).body
        return Response(app.state.description, media_type="application/json")

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> Response:
        return RedirectResponse("/static/icon.svg", status_code=308)

    return app
