"""All pages together, with the style sheet, the script and the headers that keep them closed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware

from pes_search.service.web import (
    answer_box,
    compare_page,
    desk_pages,
    document_page,
    map_page,
    saved_pages,
    search_page,
    sign_in_page,
)
from pes_search.service.web.headers import HEADERS, STATIC_CACHE, error_page, is_foreign
from pes_search.service.web.languages import interface_of
from pes_search.service.web.view import render

LARGEST_FORM_BYTES = 51_000_000  # an upload of the largest size, and the form around it
SMALLEST_COMPRESSED_BYTES = 1_000  # of a response
PAGES = (search_page, answer_box, document_page, compare_page, map_page, saved_pages, desk_pages, sign_in_page)
router = APIRouter(include_in_schema=False)


def add_pages(app: FastAPI) -> None:
    """Add the pages to the service."""
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for page in PAGES:
        app.include_router(page.router)
    app.include_router(router)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED_BYTES)  # leaves event streams alone

    @app.middleware("http")
    async def closed(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if is_foreign(request):
            text = interface_of(request).text("This form was sent from another site. Open the page here and send it again.")
            response: Response = error_page(request, 403, text)
        elif "transfer-encoding" in request.headers:  # of unknown length
            response = error_page(request, 411, "say how long the form is (Content-Length)")
        elif int(request.headers.get("content-length") or 0) > LARGEST_FORM_BYTES:  # read whole before anybody's key is asked
            response = error_page(request, 413, f"more than {LARGEST_FORM_BYTES // 1_000_000} MB; send a smaller file")
        else:
            response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith("/static/") and "v" in request.query_params and response.status_code == 200:
            response.headers["Cache-Control"] = STATIC_CACHE
        return response


@router.get("/about")
def about_page(request: Request) -> HTMLResponse:
    """Say what this is, how answers come about, what is stored, and how accessible it is."""
    settings = request.app.state.engine.settings
    return render(request, "about.html", {"database": settings.database, "writer": settings.answer.writer})
