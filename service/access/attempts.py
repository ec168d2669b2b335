"""How many wrong keys are looked at: few from one address, and not many from all together.

What this protects is a key that people thought up (`[desk] key`): while there are too many wrong ones it is not even compared.
A key that `pes keys add` made is 256 random bits, so nobody guesses it however often they try: it always opens, and nobody can
lock its owner out. An address that a right key came from is held by its own wrong ones only, so that a guess from many
addresses does not lock those out who were in before.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

ADDRESS_ATTEMPTS, ADDRESS_SECONDS = 10, 10.0  # so many at once, then one in so many seconds: 8,640 a day
ALL_ATTEMPTS, ALL_SECONDS = 100, 2.0
MOST_ADDRESSES = 10_000  # remembered; the limit for all holds where somebody has more
IPV6_NETWORK_BITS = 64  # that one customer has, and may choose of


@dataclass(slots=True)
class _Bucket:
    """Attempts that are left, and when they were counted."""

    left: float
    at: float


class Attempts:
    """Wrong keys, by who gave them. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._all = _Bucket(ALL_ATTEMPTS, clock())
        self._by_address: OrderedDict[str, _Bucket] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """Return in how many seconds another key from an address is looked at; 0: now."""
        with self._lock:
            return self._wait(place_of(address))

    def note_wrong(self, address: str) -> int:
        """Count a wrong key. Return 0, or in how many seconds the next is looked at if there were too many before it."""
        place = place_of(address)
        with self._lock:
            if wait := self._wait(place):
                return wait
            self._bucket(place).left -= 1
            if place not in self._known:
                self._all.left -= 1
            return 0

    def note_right(self, address: str) -> None:
        """Remember that a right key came from an address."""
        with self._lock:
            self._known[place_of(address)] = None
            self._known.move_to_end(place_of(address))
            while len(self._known) > MOST_ADDRESSES:
                self._known.popitem(last=False)

    def _wait(self, place: str) -> int:
        waits = [_fill(self._bucket(place), ADDRESS_ATTEMPTS, ADDRESS_SECONDS, self._clock())]
        if place not in self._known:
            waits.append(_fill(self._all, ALL_ATTEMPTS, ALL_SECONDS, self._clock()))
        return max(waits)

    def _bucket(self, place: str) -> _Bucket:
        if place not in self._by_address:
            self._by_address[place] = _Bucket(ADDRESS_ATTEMPTS, self._clock())
            while len(self._by_address) > MOST_ADDRESSES:
                self._by_address.popitem(last=False)
        self._by_address.move_to_end(place)
        return self._by_address[place]


def place_of(address: str) -> str:
    """Return what an address counts as: of version 6 its network."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, IPV6_NETWORK_BITS), strict=False))
    return str(ip)


def _fill(bucket: _Bucket, most: int, seconds: float, now: float) -> int:
    """Give back what time has given back; return in how many seconds there is one."""
    bucket.left = min(most, bucket.left + (now - bucket.at) / seconds)
    bucket.at = now
    return 0 if bucket.left >= 1 else math.ceil((1 - bucket.left) * seconds) or 1
