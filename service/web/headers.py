"""What every answer of the service carries and every form must bring, and the page that says what went wrong."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse

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


def is_foreign(request: Request) -> bool:
    """Tell whether a form was sent by another site's page; the API asks itself where it changes anything."""
    if request.method in {"GET", "HEAD", "OPTIONS"} or request.url.path.startswith(API_PATH):
        return False
    return comes_from_elsewhere(request)


def comes_from_elsewhere(request: Request) -> bool:
    """Tell whether another site's page sent this, which browsers say; programs send neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


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
