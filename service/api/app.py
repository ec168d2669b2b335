"""The HTTP service: the API, health checks, the pages, and how every error is answered."""

from __future__ import annotations

import importlib.metadata

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from pes_search.service.api import health, routes
from pes_search.service.api.problems import add_handlers, problem_schema
from pes_search.service.engine import Engine
from pes_search.service.web.site import add_pages


def create_app(engine: Engine) -> FastAPI:
    """Return the service over an open engine."""
    app = FastAPI(
        title="pes-search",
        version=importlib.metadata.version("pes-search"),
        description="Search the good-practice documents of Europe's public employment services, in any EU language.",
        docs_url=None,  # the usual documentation pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.engine = engine
    app.state.records = app.state.noted_index = None
    app.state.forget_at = 0.0
    app.openapi = lambda: problem_schema(FastAPI.openapi(app))  # type: ignore[method-assign]
    add_handlers(app)
    app.include_router(routes.router)
    app.include_router(health.router)
    add_pages(app)

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> Response:
        return RedirectResponse("/static/icon.svg", status_code=308)

    return app
