"""All pages together, with the style sheet and the script."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

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
from pes_search.service.web.view import render

PAGES = (search_page, answer_box, document_page, compare_page, map_page, saved_pages, desk_pages, sign_in_page)
router = APIRouter(include_in_schema=False)


def add_pages(app: FastAPI) -> None:
    """Add the pages to the service."""
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for page in PAGES:
        app.include_router(page.router)
    app.include_router(router)


@router.get("/about")
def about_page(request: Request) -> HTMLResponse:
    """Say what this is, how answers come about, what is stored, and how accessible it is."""
    settings = request.app.state.engine.settings
    return render(request, "about.html", {"database": settings.database, "writer": settings.answer.writer})
