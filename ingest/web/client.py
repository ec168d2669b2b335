"""One request after the other, as a polite visitor makes them, and with limits that hold whatever a server does."""

from __future__ import annotations

import email.utils
import importlib.metadata
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType

import httpcore2
import httpx2
from protego import Protego

from pes_search.ingest.errors import BusyHostError, FetchError
from pes_search.ingest.web.addresses import canonical, host_of, origin_of, site_of
from pes_search.ingest.web.config import FetchConfig
from pes_search.ingest.web.guard import Deadline, GuardedBackend

MOST_REDIRECTS = 10
TRIES = 3  # of a request that fails on the way, or that a server cannot answer just now
FAILURES_IN_A_ROW = 5  # of a host: then it is left alone
LONGEST_CRAWL_DELAY_SECONDS = 30.0  # that robots.txt may ask for
NAME = "pes-search"  # that robots.txt may call us by
GZIP_OR_ZLIB = 47  # zlib's number for both, told from the data
ROBOTS = "robots.txt"
MOST_ROBOTS_BYTES = 500_000  # of which RFC 9309 asks to read at least so much
LONGEST_NUMBER = 9  # digits of a time to wait
MOVED = frozenset({301, 308})  # for good
REDIRECTS = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({404, 410})
BUSY = frozenset({429, 503})
OK, NOT_MODIFIED, FIRST_SERVER_ERROR = 200, 304, 500

Check = Callable[[str], object]
"""Gets an address before it is asked for; raises `FetchError` where it is not to be."""

Conditions = Callable[[str], Mapping[str, str]]
"""Gets an address; returns the headers that say what is kept of it, as `If-None-Match`."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server sent. `status` is 200, 304, 404 or 410; all else is an error."""

    address: str  # in its one form, after redirects
    status: int
    headers: Mapping[str, str]  # by names in lower case
    body: bytes  # unpacked
    is_moved: bool = True  # no redirect that led here is for now only


class Client:
    """Fetches addresses. For one thread."""

    def __init__(
        self,
        config: FetchConfig,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.requests = 0
        self.bytes = 0  # as they came
        self._config = config
        self._sleep, self._now = sleep, now
        self._deadline = Deadline()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(), network_backend=GuardedBackend(config.private_hosts, self._deadline)
        )
        version = importlib.metadata.version("pes-search")
        self._agent = f"{NAME}/{version}" + (f" (+{config.contact})" if config.contact else "")
        self._robots: dict[str, Protego | FetchError] = {}  # by origin; why it cannot be had
        self._free_at: dict[str, float] = {}  # by host: when it may be asked again
        self._failures: dict[str, int] = {}  # in a row

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.close()

    def get(self, address: str, check: Check, conditions: Conditions | None = None) -> Response:
        """Return what is at an address, which has its one form.

        `check` is asked of the address and of each that a redirect leads to, and so are the `conditions`: the headers that say
        what is kept of it.

        Raises:
            BusyHostError: the host must be left alone for now.
            FetchError: it cannot be fetched, or must not be.
        """
        seen: list[str] = []
        is_moved = True
        while address not in seen:
            if len(seen) > MOST_REDIRECTS:
                raise FetchError(f"more than {MOST_REDIRECTS} redirects, the last to {address}")
            seen.append(address)
            check(address)
            if not self._rules(origin_of(address)).can_fetch(address, NAME):
                raise FetchError("its site's robots.txt does not allow it")
            told = conditions(address) if conditions else {}
            response = self._tried(address, told)
            if response.status == NOT_MODIFIED and not told:
                raise FetchError("the server says that it has not changed, although nothing of it is kept")
            if response.status not in REDIRECTS:
                return replace(response, is_moved=is_moved)
            is_moved &= response.status in MOVED
            address = canonical(response.headers.get("location", ""), base=address)
        raise FetchError(f"redirects in a circle, back to {address}")

    # ── Politeness ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _rules(self, origin: str) -> Protego:
        """Return what a site allows (RFC 9309): all where it has no robots.txt.

        Raises:
            FetchError: it cannot be had, so nothing is allowed.
        """
        if origin not in self._robots:
            try:
                self._robots[origin] = self._robots_of(origin)
            except FetchError as error:
                self._robots[origin] = error
        rules = self._robots[origin]
        if isinstance(rules, FetchError):
            raise rules
        return rules

    def _robots_of(self, origin: str) -> Protego:
        address = f"{origin}/{ROBOTS}"
        for _ in range(MOST_REDIRECTS):
            response = self._tried(address, {})
            if response.status not in REDIRECTS:
                break
            address = canonical(response.headers.get("location", ""), base=address)
            if not address.endswith(f"/{ROBOTS}") or site_of(host_of(address)) != site_of(host_of(origin)):
                return Protego.parse("")  # to a page for people: there is none
        text = response.body.decode("utf-8-sig", "replace") if response.status == OK else ""
        return Protego.parse(text)

    def _wait_for_turn(self, address: str) -> None:
        host = host_of(address)
        if (wait := self._free_at.get(host, 0.0) - time.monotonic()) > 0:
            self._sleep(wait)
        rules = self._robots.get(origin_of(address))
        delay = float(rules.crawl_delay(NAME) or 0.0) if isinstance(rules, Protego) else 0.0
        pause = max(self._config.seconds_between, min(delay, LONGEST_CRAWL_DELAY_SECONDS))
        self._free_at[host] = time.monotonic() + pause

    # ── A request ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _tried(self, address: str, headers: Mapping[str, str]) -> Response:
        """Ask, and ask again where that may help."""
        host, is_robots = host_of(address), address.endswith(f"/{ROBOTS}")
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(min(4.0**attempt * self._config.seconds_between, self._config.longest_wait_seconds))
            self._wait_for_turn(address)
            self.requests += 1
            try:
                response = self._once(address, headers)
            except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
                reason = _reason(error, self._config.seconds)
                continue
            if response.status < FIRST_SERVER_ERROR and response.status not in BUSY:
                self._failures[host] = 0
                if response.status in REDIRECTS or response.status in GONE or response.status in (OK, NOT_MODIFIED):
                    return response
                if is_robots:
                    return response  # refused to everybody: no rules
                raise FetchError(f"the server answered {response.status}")
            reason = f"the server answered {response.status}"
            if response.status in BUSY and (wait := _retry_after(response.headers.get("retry-after", ""), self._now())):
                if wait > self._config.longest_wait_seconds:
                    raise BusyHostError(f"{host} asks to be left alone for {wait:.0f} s; run the command again after that")
                self._sleep(wait)
        self._failures[host] = self._failures.get(host, 0) + 1
        if self._failures[host] >= FAILURES_IN_A_ROW or is_robots:
            raise BusyHostError(f"{host} does not answer ({reason}); run the command again later")
        raise FetchError(reason)

    def _once(self, address: str, headers: Mapping[str, str]) -> Response:
        self._deadline.start(self._config.seconds)
        sent: list[tuple[bytes | str, bytes | str]] = [
            ("host", host_of(address)),
            ("user-agent", self._agent),
            ("accept", "text/html, application/xhtml+xml, application/pdf, */*;q=0.8"),
            ("accept-encoding", "gzip"),
            *((name, value.encode("latin-1", "replace")) for name, value in headers.items()),
        ]
        with self._pool.stream("GET", address, headers=sent) as response:
            received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            body = b""
            if response.status == OK:
                is_robots = address.endswith(f"/{ROBOTS}")
                if not is_robots:
                    self._check_length(received.get("content-length", ""))
                most = MOST_ROBOTS_BYTES if is_robots else self._most_bytes
                packing = received.get("content-encoding", "")
                body = unpacked(self._counted(response.iter_stream()), packing, most, is_cut=is_robots)
            return Response(address, response.status, received, body)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._deadline.left(self._config.seconds)
            self.bytes += len(chunk)
            yield chunk

    @property
    def _most_bytes(self) -> int:
        return self._config.megabytes * 1_000_000

    def _check_length(self, stated: str) -> None:
        if stated.isascii() and stated.isdigit() and int(stated) > self._most_bytes:
            raise FetchError(
                f"too large: {int(stated) / 1e6:,.0f} MB, more than {self._config.megabytes} MB ([fetch] megabytes)"
            )


def unpacked(chunks: Iterable[bytes], encoding: str, most_bytes: int, *, is_cut: bool = False) -> bytes:
    """Return a body; one that is packed never takes more than `most_bytes` of memory. With `is_cut` a larger one is cut there.

    Raises:
        FetchError: it is larger, cut off on its way, damaged, or packed in a way that was not asked for.
    """
    packing = encoding.strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise FetchError(f"packed as {packing!r}, which was not asked for")
    body = bytearray()
    is_packed = packing not in ("", "identity")
    packed = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            rest = chunk
            while rest and len(body) <= most_bytes:
                if not is_packed:
                    body += rest
                    break
                if packed.eof:  # another member follows
                    packed = zlib.decompressobj(GZIP_OR_ZLIB)
                body += packed.decompress(rest, most_bytes + 1 - len(body))
                rest = packed.unused_data
            if len(body) > most_bytes:
                if is_cut:
                    return bytes(body[:most_bytes])
                raise FetchError(f"too large: more than {most_bytes // 1_000_000} MB ([fetch] megabytes)")
    except zlib.error as error:
        raise FetchError(f"damaged: {error}") from error
    if is_packed and body and not packed.eof:
        raise FetchError("cut off on the way")
    return bytes(body)


def _retry_after(value: str, now: datetime) -> float:
    """Return the seconds that a server asks to wait; 0 where it does not say."""
    stated = value.strip()
    if stated.isascii() and stated.isdigit():
        return float(stated[:LONGEST_NUMBER])
    try:
        until = email.utils.parsedate_to_datetime(value)
        return max((until - now).total_seconds(), 0.0) if until.tzinfo else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _reason(error: Exception, seconds: float) -> str:
    if isinstance(error, httpcore2.ConnectTimeout | httpcore2.ConnectError):
        return f"no connection: {error or 'no answer in time'}"
    if isinstance(error, httpcore2.TimeoutException):
        return f"silent, or slower than {seconds:g} s ([fetch] seconds)"
    return f"broke off: {error or type(error).__name__}"
