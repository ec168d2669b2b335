"""To whom a service opens, by where it listens and what the settings say."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from pes_search.service.access.credentials import Credentials
from pes_search.service.settings import Settings, SettingsError, is_loopback

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Opening:
    """Who may come in without a key, and by which names the service is called."""

    is_loopback: bool  # whether only this machine reaches it
    is_open: bool | None  # what the settings say; None: nothing
    hosts: frozenset[str]  # in lower case, addresses of version 6 in brackets
    any_address: bool  # whether it may be called by any number too: browsers take no foreign site for one

    def admits(self, host: str) -> bool:
        """Tell whether the service is called by a name; the port does not matter."""
        host = host.lower().removesuffix(".")
        return host in self.hosts or (self.any_address and _is_address(host))


def listening(settings: Settings, host: str) -> Opening:
    """Return the opening of a service that listens on a host.

    Without `[access] hosts` or `url` a service on all addresses answers to every number and to the machine's own names.
    """
    access = settings.access
    named = {*access.hosts, *([_name(access.url)] if access.url else [])}
    own = set() if _is_wildcard(host) else {f"[{host}]" if ":" in host else host.lower()}
    if not named and not is_loopback(host):
        own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Opening(
        is_loopback=is_loopback(host),
        is_open=access.open,
        hosts=frozenset(named | own | LOOPBACK_NAMES),
        any_address=not named and not is_loopback(host),
    )


def opening_of(settings: Settings, host: str) -> Opening:
    """Return the opening of a service that is about to listen on a host.

    Raises:
        SettingsError: others would reach it, and it is not said who may come in.
        DatabaseError: the keys cannot be read.
    """
    opening = listening(settings, host)
    known = Credentials(settings.database.path).count_valid()
    if not (opening.is_loopback or opening.is_open or known or settings.desk.key or settings.access.oidc.issuer):
        raise SettingsError(
            f"others could reach the service on {host}, and it has no keys: make one with `pes keys add --role admin`, "
            "or let everybody read with `pes serve --open`, or serve this machine only with `--host 127.0.0.1`"
        )
    return opening


def _is_wildcard(host: str) -> bool:
    return host in {"", "0.0.0.0", "::"}  # noqa: S104


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _name(url: str) -> str:
    """Return the name in an address, as Host headers have it."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name
