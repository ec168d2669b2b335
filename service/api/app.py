"""The HTTP service: the API, health checks, the pages, and how every error is answered."""

from __future__ import annotations

import importlib.metadata

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from pes_search.service.access.doorkeeper import Doorkeeper
from pes_search.service.access.oidc import provider_of
from pes_search.service.access.opening import Opening, listening
from pes_search.service.api import routes
from pes_search.service.api.guard import Guard, describe_access
from pes_search.service.api.problems import add_handlers, problem_schema
from pes_search.service.api.requests import engine_of
from pes_search.service.engine import Engine
from pes_search.service.web.site import add_pages


def create_app(engine: Engine, opening: Opening | None = None) -> FastAPI:
    """Return the service over an open engine; `opening` says who may come in, else `[serve] host` and the settings do."""
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
    app.state.access = Doorkeeper(engine.settings, opening or listening(engine.settings, engine.settings.serve.host))
    app.state.provider = provider_of(engine.settings.access.oidc)
    app.openapi = lambda: describe_access(problem_schema(FastAPI.openapi(app)))  # type: ignore[method-assign]
    app.add_middleware(Guard, doorkeeper=app.state.access)
    add_handlers(app)
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
