"""The name that a request calls the service by, and the address that its links begin with.

A page of another site can have its own name lead to this machine (DNS rebinding), and then reads what the service answers.
It cannot choose the name in the Host header: that is the site's own, which no setting has.
"""

from __future__ import annotations

import re

from fastapi import Request

from pes_search.service.access.opening import Opening

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,255})(:[0-9]{1,5})?")


def host_fault(request: Request, opening: Opening) -> str | None:
    """Return what is wrong with the name that a request calls the service by, or None."""
    given = request.headers.getlist("host")
    if len(given) != 1:
        return "give one Host header"
    match = _HOST.fullmatch(given[0])
    if match is None or not opening.admits(match[1]):
        return "the service is not called by this name; whoever runs it can add the name to [access] hosts"
    return None


def base_of(request: Request) -> str:
    """Return what links begin with that are read elsewhere: the public address, or the one that the request came to.

    The guard has looked at its name, so it is one of the service's.
    """
    url: str | None = request.app.state.access.settings.access.url
    return url or str(request.base_url).rstrip("/")


def is_https(request: Request) -> bool:
    """Tell whether a visitor's browser speaks to the service, or the proxy before it, over TLS."""
    url: str = request.app.state.access.settings.access.url or ""
    return request.url.scheme == "https" or url.startswith("https:")


def came_through_proxy(request: Request) -> bool:
    """Tell whether a request was passed on by a proxy: then who sent it may be anywhere.

    Version 1.0 of HTTP is what nginx speaks to a service, with no other sign, where nobody told it more.
    """
    return request.scope.get("http_version") == "1.0" or any(
        name in {"forwarded", "via", "x-real-ip"} or name.startswith("x-forwarded-") for name in request.headers
    )
