"""Connections that never reach a private address, and that end when their time is up, however slowly a server drips.

The check is made where a connection is opened, on the very address that is connected to: so a redirect to a private host, and a
name that changes what it stands for between the check and the connection, are refused too (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2

from pes_search.ingest.errors import FetchError

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 20.0  # without a byte


class Deadline:
    """Until when the request that is running has to be done."""

    def __init__(self) -> None:
        self._end = 0.0

    def start(self, seconds: float) -> None:
        """Give the next request so long."""
        self._end = time.monotonic() + seconds

    def left(self, most: float) -> float:
        """Return the seconds that are left, `most` at most.

        Raises:
            httpcore2.ReadTimeout: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return min(left, most)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to public addresses, and to the private hosts that are named."""

    def __init__(self, private_hosts: Iterable[str], deadline: Deadline) -> None:
        self._private_hosts = {host.lower() for host in private_hosts}
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 – the deadline tells
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first of a host's addresses that answers.

        Raises:
            FetchError: one of them is private, and the host is none of those that may be.
            httpcore2.ConnectError: none answers.
        """
        addresses = self._addresses(host, port)
        failed: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.left(CONNECT_SECONDS), local_address, socket_options or ()
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failed

    def _addresses(self, host: str, port: int) -> list[str]:
        name = host.strip("[]")
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"the name {name} is not known") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if name.lower() not in self._private_hosts and (private := [one for one in addresses if not is_public(one)]):
            raise FetchError(f"{name} is at the private address {private[0]}; if it is meant, name it in [fetch] private_hosts")
        return addresses


class _TimedStream(httpcore2.NetworkStream):
    """A connection each of whose steps ends with the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._deadline.left(SILENCE_SECONDS))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._deadline.left(SILENCE_SECONDS))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(CONNECT_SECONDS)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet, also where IPv6 carries one of IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if carried is None and ip in NAT64:
            carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if carried is None:
            return ip in GLOBAL_IPV6 and ip.is_global
        ip = carried
    return ip.is_global and not ip.is_multicast


GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")  # all that is assigned for the open internet
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
