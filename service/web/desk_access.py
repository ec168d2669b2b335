"""Who may open the editor's desk: everybody where no key is set, else who signed in with it."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from urllib.parse import urlencode

from fastapi import HTTPException, Request
from fastapi.responses import Response
from pydantic import SecretStr

from pes_search.service.web.headers import comes_from_elsewhere

EDITOR_COOKIE = "editor"
SESSION_SECONDS = 12 * 3600


def editor_only(request: Request) -> None:
    """Let an editor through and send everybody else to the page where one signs in."""
    if not is_editor(request):
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        here = address if request.method == "GET" else "/desk"
        raise HTTPException(303, "sign in first", headers={"Location": "/desk/sign-in?" + urlencode({"next": here})})


def editor_with_key(request: Request) -> None:
    """Let a program's request through that brings the editor's key, or an editor's own; no other site's page."""
    if comes_from_elsewhere(request):
        raise HTTPException(403, "this was sent from another site's page")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not is_editor(request) and not (scheme.casefold() == "bearer" and _is_key(request, given)):
        raise HTTPException(
            401, "give the editor's key: Authorization: Bearer KEY ([desk] key)", headers={"WWW-Authenticate": "Bearer"}
        )


def is_editor(request: Request) -> bool:
    """Tell whether a request comes from an editor."""
    key = _key(request)
    if key is None:
        return True
    expires, _, proof = request.cookies.get(EDITOR_COOKIE, "").partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", expires) or int(expires) < time.time():
        return False
    return hmac.compare_digest(proof.encode(), _proof(key, expires).encode())


def has_key(request: Request) -> bool:
    """Tell whether a key is set."""
    return _key(request) is not None


def sign_in(request: Request, response: Response, given: str) -> bool:
    """Mark the visitor as an editor if the key is right; return whether it is."""
    key = _key(request)
    if key is None or not _is_key(request, given):
        return key is None
    expires = str(int(time.time()) + SESSION_SECONDS)
    secure = request.url.scheme == "https"
    response.set_cookie(
        EDITOR_COOKIE,
        f"{expires}.{_proof(key, expires)}",
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return True


def _key(request: Request) -> SecretStr | None:
    key: SecretStr | None = request.app.state.engine.settings.desk.key
    return key


def _is_key(request: Request, given: str) -> bool:
    key = _key(request)
    return key is not None and hmac.compare_digest(given.strip().encode(), key.get_secret_value().encode())


def _proof(key: SecretStr, expires: str) -> str:
    """Return what only who knows the key can make: a changed key ends every session."""
    return hmac.new(key.get_secret_value().encode(), f"editor until {expires}".encode(), hashlib.sha256).hexdigest()
