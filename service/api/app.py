"""The HTTP service: the API, health checks, the pages, and how every error is answered."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from pes_search.service.api import metrics_route, routes
from pes_search.service.api.problems import add_handlers, problem_schema
from pes_search.service.api.requests import engine_of
from pes_search.service.engine import Engine
from pes_search.service.operation.installation_checks import folders, standing_checks
from pes_search.service.operation.metrics import Metrics
from pes_search.service.operation.observing import observe
from pes_search.service.operation.traces import open_traces
from pes_search.service.web.site import add_pages


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """End what the app began: a signal ends the process right after this."""
    yield
    if app.state.traces:
        await asyncio.to_thread(app.state.traces.close)


def create_app(engine: Engine) -> FastAPI:
    """Return the service over an open engine."""
    app = FastAPI(
        title="pes-search",
        version=importlib.metadata.version("pes-search"),
        description="Search the good-practice documents of Europe's public employment services, in any EU language.",
        docs_url=None,  # the usual documentation pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.state.records = app.state.noted_index = None
    app.state.forget_at = 0.0
    app.openapi = lambda: problem_schema(FastAPI.openapi(app))  # type: ignore[method-assign]
    add_handlers(app)
    settings = engine.settings
    app.state.metrics = Metrics(engine, partial(standing_checks, settings), folders(settings))
    app.state.traces = open_traces(settings.telemetry)
    observe(app, app.state.metrics, settings.log, app.state.traces)
    app.include_router(metrics_route.router)
    app.include_router(routes.router)
    add_pages(app)

    @app.get("/healthz", tags=["health"])
    def healthz() -> dict[str, str]:
        """Tell that the process runs."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    def readyz(request: Request) -> dict[str, str]:
        """Tell that an index is open and can be searched."""
        return {"status": "ready", "index_id": engine_of(request).index().manifest.index_id}

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> Response:
        return RedirectResponse("/static/icon.svg", status_code=308)

    return app
