"""Who is who: the key, the session, or the openness of the service become a visitor; wrong keys are counted and logged."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import time
from functools import cached_property

import anyio
from anyio.to_thread import run_sync
from fastapi import Request

from pes_search.ingest.errors import PesSearchError
from pes_search.service.access.attempts import Attempts
from pes_search.service.access.credentials import Credentials, Known
from pes_search.service.access.hosts import came_through_proxy, is_https
from pes_search.service.access.opening import Opening
from pes_search.service.access.visitor import EVERYTHING, PUBLIC, Visitor
from pes_search.service.records.file import DatabaseError
from pes_search.service.records.keys import KEY_PREFIX, Key
from pes_search.service.records.sessions import Session, SessionRecords, later, new_token
from pes_search.service.settings import Settings

DESK_KEY_ID = "desk"  # of `[desk] key`, as lists and logs name it
ACCOUNT_PREFIX = "account:"  # of what an organisation's accounts are called by
LONGEST_KEY_CHARACTERS = 1_000
CLOCK_SLACK_SECONDS = 300  # that the clock may have been put back since a session began
READERS = 4  # threads that read the database for the guard: apart from those that search, so that it never waits for them
LOG_SECONDS = 60.0  # between two lines about the same trouble
logger = logging.getLogger(__name__)


class AccessError(PesSearchError):
    """A request is not let in, for a reason that says what to do."""

    def __init__(self, status: int, detail: str, retry_seconds: int = 0) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_seconds = retry_seconds


class Doorkeeper:
    """Knows who may come in. One for each app."""

    def __init__(self, settings: Settings, opening: Opening) -> None:
        self.settings = settings
        self.opening = opening
        self.attempts = Attempts()
        self.credentials = Credentials(settings.database.path)
        self._told: dict[str, float] = {}

    @cached_property
    def _readers(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(READERS)

    async def visitor(self, request: Request) -> Visitor | None:
        """Return who sends a request, or None for a stranger to a closed service.

        Raises:
            AccessError: the key is wrong, there were too many wrong ones, or it cannot be told who is who.
        """
        key, session = _key_of(request), request.cookies.get(cookie_name(request), "")
        try:
            known = self.credentials.remembered(key or "", session)
            if known is None:
                known = await run_sync(self.credentials.read, key or "", session, limiter=self._readers)
        except DatabaseError as error:
            if self._may_tell("database"):
                logger.error("nobody is let in: %s", error)
            raise AccessError(503, "who may use the service cannot be told at the moment; its log says why") from error
        if key is not None:
            return self._by_key(key, known.key, address_of(request))
        visitor = self._by_session(session, known) if session else None
        return visitor or self._without_key(request, known.has_keys)

    def sign_in(self, request: Request, text: str, sessions: SessionRecords) -> str:
        """Return the token of a new session for who has a key.

        Raises:
            AccessError: the key is wrong, or there were too many wrong ones.
            DatabaseError: sessions cannot be kept.
        """
        text, address = text.strip(), address_of(request)
        visitor = self._by_key(text, self.credentials.read(text, "").key, address)
        token = new_token()
        bound = self._bound_to_desk_key(token) if visitor.key_id == DESK_KEY_ID else ""
        sessions.start(token=token, key_id=visitor.key_id, role=visitor.role, name=visitor.name, bound=bound)
        logger.info("key %s (%s) signed in from %s", visitor.key_id, visitor.role, address)
        return token

    def sign_in_account(self, request: Request, visitor: Visitor, sessions: SessionRecords) -> str:
        """Return the token of a new session for who came with an account of the organisation."""
        token = new_token()
        sessions.start(
            token=token,
            key_id=visitor.key_id,
            role=visitor.role,
            reads=visitor.reads or (),
            name=visitor.name,
            bound=self._bound_to_accounts,
        )
        logger.info("%s (%s) signed in from %s", visitor.key_id, visitor.role, address_of(request))
        return token

    def note_wrong(self, request: Request, what: str) -> AccessError:
        """Count and log something wrong that was given; return how to answer it."""
        return self._wrong(address_of(request), what)

    @property
    def has_accounts(self) -> bool:
        """Whether people may sign in with an organisation's accounts."""
        return self.settings.access.oidc.issuer is not None

    # ── Who is who ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _by_key(self, text: str, key: Key | None, address: str) -> Visitor:
        now = self.credentials.time()
        if key is not None and key.is_valid(now):
            self.attempts.note_right(address)
            return _visitor(key)
        if key is not None:
            raise self._wrong(address, f"key {key.id}, which is {'revoked' if key.revoked else 'expired'},")
        desk_key = self.settings.desk.key
        if desk_key is not None:
            # Not compared at all while there are too many wrong ones: somebody thought it up, so somebody may guess it.
            if wait := self.attempts.wait_seconds(address):
                raise self._too_many(address, wait)
            if _same(text, desk_key.get_secret_value()):
                self.attempts.note_right(address)
                return Visitor("editor", None, DESK_KEY_ID)
        raise self._wrong(address, "an unknown key")

    def _by_session(self, token: str, known: Known) -> Visitor | None:
        session, now = known.session, self.credentials.time()
        if session is None or not session.made <= later(now, CLOCK_SLACK_SECONDS) or now >= session.expires:
            return None
        if not session.bound:
            key = known.session_key
            if key is None or not key.is_valid(now) or key.role != session.role:
                return None
            return _visitor(key, is_signed_in=True)
        if session.key_id == DESK_KEY_ID:
            is_bound = hmac.compare_digest(session.bound, self._bound_to_desk_key(token))
        else:
            is_bound = self.has_accounts and hmac.compare_digest(session.bound, self._bound_to_accounts)
        return _of_session(session) if is_bound else None

    def _without_key(self, request: Request, has_keys: bool) -> Visitor | None:
        opening, is_direct = self.opening, not came_through_proxy(request)
        has_keys = has_keys or self.settings.desk.key is not None or self.has_accounts
        if opening.is_loopback and opening.is_open is None and not has_keys:
            if not is_direct:
                raise AccessError(
                    403,
                    "this request came through a proxy, so others may reach the service, and it has no keys: make one with "
                    "`pes keys add --role admin`, or let everybody read with `pes serve --open`",
                )
            return EVERYTHING
        is_open = opening.is_loopback and is_direct if opening.is_open is None else opening.is_open
        return PUBLIC if is_open else None

    def _bound_to_desk_key(self, token: str) -> str:
        """Return what only who has the token and the key can make: the database tells nothing of the key by it."""
        key = self.settings.desk.key
        return hmac.new(token.encode(), key.get_secret_value().encode(), hashlib.sha256).hexdigest() if key else ""

    @cached_property
    def _bound_to_accounts(self) -> str:
        """Return what changes with the settings that say what accounts may do: then they sign in anew."""
        return hashlib.sha256(self.settings.access.oidc.model_dump_json(exclude={"client_secret", "name"}).encode()).hexdigest()

    # ── Wrong ones ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _wrong(self, address: str, what: str) -> AccessError:
        if wait := self.attempts.note_wrong(address):
            return self._too_many(address, wait)
        logger.warning("%s was given from %s", what, address)
        return AccessError(401, "this is no key of the service; ask whoever runs it for one")

    def _too_many(self, address: str, wait: int) -> AccessError:
        if self._may_tell(f"attempts {address}") and self._may_tell("attempts", LOG_SECONDS / 60):
            logger.warning("too many wrong keys: those from %s are not looked at for now", address)
        return AccessError(429, f"too many wrong keys were given; try again in {wait} seconds", wait)

    def _may_tell(self, trouble: str, seconds: float = LOG_SECONDS) -> bool:
        """Tell whether a line about a trouble belongs in the log now: not one for every request."""
        now = time.monotonic()
        if now - self._told.get(trouble, -seconds) < seconds:
            return False
        if len(self._told) > 1_000:  # troubles, of as many addresses
            self._told.clear()
        self._told[trouble] = now
        return True


# ── What requests bring ─────────────────────────────────────────────────────────────────────────────────────────────


def address_of(request: Request) -> str:
    """Return the address that a request came from, as the log may have it."""
    host = request.client.host if request.client else "unknown"
    return "".join(character if character.isprintable() else "?" for character in host)[:45] or "unknown"


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie; over TLS one that no other site of the domain can set."""
    return "__Host-pes_session" if is_https(request) else "pes_session"


def _key_of(request: Request) -> str | None:
    """Return the key that a program gives, or None. What another password is for (a proxy's, say) is none.

    Readers of feeds can often send a name and a password only: then the password is the key.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip()
    if scheme.casefold() == "bearer":
        return given[:LONGEST_KEY_CHARACTERS]
    if scheme.casefold() == "basic":
        try:
            password = base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
        return password[:LONGEST_KEY_CHARACTERS] if password.startswith(KEY_PREFIX) else None
    return None


def _visitor(key: Key, *, is_signed_in: bool = False) -> Visitor:
    reads = key.reads if key.role == "reader" else None
    return Visitor(key.role, reads, key.id, key.name or key.id, is_signed_in)


def _of_session(session: Session) -> Visitor:
    reads = session.reads if session.role == "reader" else None
    return Visitor(session.role, reads, session.key_id, session.name, is_signed_in=True)


def _same(given: str, key: str) -> bool:
    """Compare in a time that tells neither where they differ nor how long the key is."""
    digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, key))
    return hmac.compare_digest(*digests)
