"""Signing in, with a key or an organisation's account, and signing out."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pes_search.service.access.doorkeeper import ACCOUNT_PREFIX, AccessError, Doorkeeper, cookie_name
from pes_search.service.access.hosts import base_of, is_https
from pes_search.service.access.oidc import Provider, SignInError, Trouble, visitor_from
from pes_search.service.access.visitor import visitor_or_none
from pes_search.service.api.requests import RecordsOf, records_of
from pes_search.service.records.records import Records
from pes_search.service.records.sessions import PENDING_SECONDS, SESSION_SECONDS, new_token
from pes_search.service.web.headers import comes_from_elsewhere
from pes_search.service.web.languages import _, interface_of
from pes_search.service.web.links import is_local
from pes_search.service.web.view import render

CALLBACK_PATH = "/sign-in/callback"
WAITING_COOKIE = "pes_sign_in"  # that the organisation's answer has to come back to
WRONG_KEY = _("This is no key of this service. Ask whoever runs it.")
TOO_MANY = _("Too many wrong keys were given. Try again in a minute.")
TROUBLES: dict[Trouble, tuple[str, int]] = {
    "not begun here": (_("This sign-in was not begun here, or took too long. Please begin again."), 400),
    "not reached": (_("Your organisation’s sign-in cannot be reached at the moment."), 503),
    "not proven": (_("Your organisation’s sign-in could not be verified. Please begin again."), 403),
    "no role": (_("Your account may not use this service. Ask whoever runs it."), 403),
}
router = APIRouter(include_in_schema=False)


@router.get("/desk/sign-in")
def sign_in_page_of_before(next: str = "/desk") -> Response:  # noqa: A002
    """Lead to where one signs in now."""
    return RedirectResponse("/sign-in?" + urlencode({"next": next}), status_code=308)


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002
    """Ask for a key, or lead to the organisation's sign-in."""
    return _page(request, next)


@router.post("/sign-in")
@router.post("/desk/sign-in")
def sign_in(
    request: Request,
    records: RecordsOf,
    key: Annotated[str, Form(max_length=1_000)] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in with a key."""
    try:
        token = _doorkeeper(request).sign_in(request, key, records.sessions)
    except AccessError as error:
        fault, status = (TOO_MANY, 429) if error.status == 429 else (WRONG_KEY, 403)
        response: Response = _page(request, next, fault, status)
        if error.retry_seconds:
            response.headers["Retry-After"] = str(error.retry_seconds)
        return response
    return _signed_in(request, records, token, next)


@router.post("/sign-out")
@router.post("/desk/sign-out")
def sign_out(request: Request, records: RecordsOf) -> Response:
    """End the session, so that its cookie opens nothing any more wherever it was copied to."""
    if token := request.cookies.get(cookie_name(request)):
        records.sessions.end(token)
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(cookie_name(request), secure=is_https(request), httponly=True, samesite="lax")
    return response


@router.get("/sign-in/account")
async def begin_with_account(request: Request, next: str = "/") -> Response:  # noqa: A002
    """Send the visitor to the organisation's sign-in."""
    provider = _provider(request)
    if provider is None or comes_from_elsewhere(request):  # nobody is signed in by another site's page
        return RedirectResponse("/sign-in", status_code=303)
    try:
        begun = await provider.begin(base_of(request) + CALLBACK_PATH)
    except SignInError as error:
        return _refused(request, error)
    records = await run_in_threadpool(records_of, request)
    browser = new_token()
    await run_in_threadpool(
        records.sessions.wait,
        state=begun.state,
        browser=browser,
        nonce=begun.nonce,
        verifier=begun.verifier,
        next=next if is_local(next) else "/",
    )
    response = RedirectResponse(begun.address, status_code=303)
    # Lax: the answer comes from the organisation's site.
    response.set_cookie(
        WAITING_COOKIE,
        browser,
        max_age=PENDING_SECONDS,
        path="/sign-in",
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    return response


@router.get(CALLBACK_PATH)
async def come_back_with_account(request: Request, state: str = "", code: str = "", iss: str = "") -> Response:
    """Take the organisation's answer, once, and sign in who it says."""
    provider, doorkeeper = _provider(request), _doorkeeper(request)
    if provider is None:
        return RedirectResponse("/sign-in", status_code=303)
    records = await run_in_threadpool(records_of, request)
    browser = request.cookies.get(WAITING_COOKIE, "")
    pending = await run_in_threadpool(records.sessions.come_back, state=state, browser=browser) if state and browser else None
    try:
        if pending is None:
            raise SignInError("not begun here", "an answer that belongs to no sign-in")
        claims = await provider.claims(code, iss, base_of(request) + CALLBACK_PATH, pending)
        visitor = visitor_from(claims, doorkeeper.settings.access.oidc, ACCOUNT_PREFIX)
        if visitor is None:
            raise SignInError("no role", "an account without a role")
    except SignInError as error:
        return _refused(request, error)
    token = await run_in_threadpool(doorkeeper.sign_in_account, request, visitor, records.sessions)
    response = await run_in_threadpool(_signed_in, request, records, token, pending.next)
    response.delete_cookie(WAITING_COOKIE, path="/sign-in")
    return response


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _doorkeeper(request: Request) -> Doorkeeper:
    doorkeeper: Doorkeeper = request.app.state.access
    return doorkeeper


def _provider(request: Request) -> Provider | None:
    provider: Provider | None = request.app.state.provider
    return provider


def _signed_in(request: Request, records: Records, token: str, next: str) -> Response:  # noqa: A002
    """Lead a visitor on with a new session in place of the one that the browser had."""
    if before := request.cookies.get(cookie_name(request)):
        records.sessions.end(before)
    response = RedirectResponse(next if is_local(next) else "/", status_code=303)
    # Lax, so that links to the service from elsewhere find who is signed in; forms from elsewhere are refused anyway.
    response.set_cookie(
        cookie_name(request), token, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=is_https(request)
    )
    return response


def _refused(request: Request, error: SignInError) -> Response:
    """Return the sign-in page with what went wrong, which counts as a wrong key where the visitor is to blame for it."""
    wrong = _doorkeeper(request).note_wrong(request, error.logged) if error.trouble != "not reached" else None
    if wrong is not None and wrong.status == 429:
        response = _page(request, "/", TOO_MANY, 429)
        response.headers["Retry-After"] = str(wrong.retry_seconds)
        return response
    return _page(request, "/", *TROUBLES[error.trouble])


def _page(request: Request, next: str, fault: str = "", status: int = 200) -> HTMLResponse:  # noqa: A002
    """Return the sign-in page."""
    doorkeeper, visitor = _doorkeeper(request), visitor_or_none(request)
    to = next if is_local(next) else "/"
    context: dict[str, Any] = {
        "next": to,
        "fault": interface_of(request).text(fault) if fault else "",
        "has_accounts": doorkeeper.has_accounts,
        "organisation": doorkeeper.settings.access.oidc.name,
        # Somebody is signed in and was sent here all the same: the page asks for more than they may.
        "lacks_role": visitor is not None and visitor.is_signed_in and to != "/" and not fault,
    }
    return render(request, "sign_in.html", context, status)
