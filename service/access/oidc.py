"""Signing in with an organisation's account: OpenID Connect, authorization code with PKCE. Authlib does the protocol."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pes_search.service.access.visitor import Visitor
from pes_search.service.records.roles import ROLES
from pes_search.service.records.sessions import Pending
from pes_search.service.settings import OidcConfig, SettingsError

TIMEOUT_SECONDS = 10.0  # for each question to the organisation's service
LEEWAY_SECONDS = 60  # that its clock may be off
LONGEST_TEXT_CHARACTERS = 100  # of an account's id or name
NAME_CLAIMS = ("name", "preferred_username", "email")
# Signatures that anybody can check and only the organisation can make: neither none nor such as the client's secret makes.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"})
logger = logging.getLogger(__name__)


Trouble = Literal["not begun here", "not reached", "not proven", "no role"]


class SignInError(Exception):
    """A sign-in with an account came to nothing."""

    def __init__(self, trouble: Trouble, logged: str) -> None:
        super().__init__(logged)
        self.trouble = trouble
        self.logged = logged


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that is about to be sent to the organisation."""

    address: str
    state: str
    nonce: str
    verifier: str


def provider_of(config: OidcConfig) -> Provider | None:
    """Return the organisation's sign-in, if the settings name one.

    Raises:
        SettingsError: what it needs is not installed.
    """
    return Provider(config) if config.issuer else None


class Provider:
    """The organisation's service that people sign in at."""

    def __init__(self, config: OidcConfig) -> None:
        try:
            from authlib.integrations.starlette_client import StarletteOAuth2App
        except ImportError as error:
            raise SettingsError(
                f"[access.oidc] needs what is not installed ({error}): pip install 'pes-search[oidc]', or take the section out"
            ) from error
        self._issuer = str(config.issuer)
        secret = config.client_secret.get_secret_value() if config.client_secret else None
        self._client = StarletteOAuth2App(
            None,  # the framework keeps what waits in signed cookies; here the database does
            client_id=config.client_id,
            client_secret=secret,
            server_metadata_url=self._issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": config.scopes,
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
                **({} if secret else {"token_endpoint_auth_method": "none"}),
            },
        )

    async def begin(self, redirect_uri: str) -> Begun:
        """Return where a visitor signs in, and what the answer is held against.

        Raises:
            SignInError: the organisation's service cannot be reached, or is not the one that the settings name.
        """
        await self._metadata()
        address = await self._client.create_authorization_url(redirect_uri)
        return Begun(address["url"], address["state"], address["nonce"], address["code_verifier"])

    async def claims(self, code: str, issuer: str, redirect_uri: str, pending: Pending) -> Mapping[str, Any]:
        """Return what the organisation says of a visitor, with its signature, issuer, audience, time and nonce checked.

        Raises:
            SignInError: it says nothing, or nothing that holds.
        """
        from authlib.common.errors import AuthlibBaseError
        from httpx2 import HTTPError
        from joserfc.errors import JoseError

        if not code:
            raise SignInError("not proven", "an answer without a code")
        if issuer and issuer != self._issuer:  # RFC 9207: of another organisation's service
            raise SignInError("not proven", "an answer of another issuer")
        await self._metadata()
        try:
            token = await self._client.fetch_access_token(redirect_uri, code=code, code_verifier=pending.verifier)
            claims = await self._client.parse_id_token(
                token,
                nonce=pending.nonce,
                claims_options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client.client_id},
                },
                leeway=LEEWAY_SECONDS,
            )
        except HTTPError as error:
            raise self._not_reached(error) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            raise SignInError("not proven", f"an account that is not proven ({type(error).__name__})") from error
        if claims is None:
            raise SignInError("not proven", "an answer without an id token")
        return dict(claims)

    async def _metadata(self) -> None:
        """See that it is known where the organisation's service answers what."""
        from httpx2 import HTTPError

        try:
            metadata = await self._client.load_server_metadata()
        except (HTTPError, ValueError) as error:
            raise self._not_reached(error) from error
        if metadata.get("issuer") != self._issuer:
            metadata.pop("_loaded_at", None)  # so that it is asked again
            raise self._not_reached(f"it says that it is {metadata.get('issuer')!r:.200}, not what [access.oidc] issuer has")
        supported = metadata.get("id_token_signing_alg_values_supported") or []
        metadata["id_token_signing_alg_values_supported"] = [name for name in supported if name in ALGORITHMS] or ["RS256"]

    def _not_reached(self, fault: object) -> SignInError:
        told = fault if isinstance(fault, str) else type(fault).__name__
        logger.error("nobody can sign in with %s: %s", self._issuer, told)
        return SignInError("not reached", told)


def visitor_from(claims: Mapping[str, Any], config: OidcConfig, prefix: str) -> Visitor | None:
    """Return who comes with an account by what the organisation says of it, or None where it may do nothing here."""
    values = _values(claims, config.roles_claim)
    roles = [config.roles[value] for value in values if value in config.roles]
    role = max(roles, key=ROLES.index, default=config.default_role)
    subject = claims.get("sub")
    if role is None or not isinstance(subject, str) or not subject:
        return None
    reads = frozenset(label for value in values for label in config.reads.get(value, ())) if role == "reader" else None
    name = next((value for field in NAME_CLAIMS if isinstance(value := claims.get(field), str) and value.strip()), subject)
    return Visitor(role, reads, prefix + _printable(subject), _printable(name), is_signed_in=True)


def _values(claims: Mapping[str, Any], path: str) -> list[str]:
    """Return the texts of a claim, one or several; a path with dots leads into it where no claim is called so."""
    value: object = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    several = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, str)]


def _printable(text: str) -> str:
    """Return a text from outside as logs and pages may have it."""
    return "".join(character for character in text if character.isprintable())[:LONGEST_TEXT_CHARACTERS]
