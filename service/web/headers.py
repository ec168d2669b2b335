"""What every answer of the service carries and every form must bring, and the page that says what went wrong."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pes_search.service.web.languages import interface_of
from pes_search.service.web.view import render

# Everything that a page needs comes from this service; scripts and styles are files of it, never written into a page.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without it browsers send forms with the origin "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STATIC_CACHE = "public, max-age=31536000, immutable"  # of an address that names its version
API_PATH = "/api/"


def comes_from_elsewhere(request: Request) -> bool:
    """Tell whether another site's page sent this, which browsers say; programs send neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def foreign_form_page(request: Request) -> HTMLResponse:
    """Return what is answered to a form that another site's page sent."""
    text = interface_of(request).text("This form was sent from another site. Open the page here and send it again.")
    return error_page(request, HTTPStatus.FORBIDDEN, text)


class ClosedPages:
    """Puts the headers on every answer, as ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_versioned = request.url.path.startswith("/static/") and "v" in request.query_params

        async def closed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if is_versioned and message["status"] == HTTPStatus.OK:
                    headers["Cache-Control"] = STATIC_CACHE
            await send(message)

        await self._app(scope, receive, closed)


def is_asked_here(request: Request) -> bool:
    """Tell whether somebody asked for this on purpose: on a page of this service, by its address, or with a program.

    An address that another site's page embeds, links or opens counts as that site's doing, and what a browser fetches ahead as
    nobody's. Such a request is answered like any other; only nothing is kept of it.
    """
    headers = request.headers
    ahead = "sec-purpose", "purpose", "x-moz", "x-purpose"
    if request.method == "HEAD" or any("pre" in headers.get(name, "") for name in ahead):  # prefetch, prerender, preview
        return False
    if comes_from_elsewhere(request):
        return False
    origin = urlsplit(headers.get("referer", ""))  # of browsers that do not send Sec-Fetch-Site
    return "sec-fetch-site" in headers or not origin.netloc or origin.netloc == headers.get("host")


def error_page(request: Request, status: int, detail: str) -> HTMLResponse:
    """Return a page that says what went wrong."""
    context = {"detail": detail, "status": status, "q": request.query_params.get("q", "")[:200]}
    return render(request, "error.html", context, status)
