"""One address for one page, however it is written: without tracking, sessions and what only changes the frame around it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import urljoin, urlsplit, urlunsplit

from pes_search.ingest.addresses import telling_parameters
from pes_search.ingest.errors import FetchError

USUAL_PORTS = {"http": 80, "https": 443}
LONGEST_ADDRESS = 2_000  # characters; longer ones are traps or data
SLUG_CHARACTERS = 60
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)


def canonical(address: str, base: str = "") -> str:
    """Return the one form of an address, relative to the page `base` that names it.

    Raises:
        FetchError: it is no address of a web page.
    """
    import httpx2

    written = address.strip()
    try:
        url = httpx2.URL(urljoin(base, _SESSION.sub("", written)))
        port = url.port
    except (httpx2.InvalidURL, ValueError, UnicodeError) as error:
        raise FetchError(f"{written!r} is no address of a web page: {error}") from error
    if url.scheme not in USUAL_PORTS or not url.host or url.userinfo:
        raise FetchError(f"{written!r} is no address of a web page; it needs http:// or https:// and a host, and no password")
    host = f"[{url.host}]" if ":" in url.host else url.raw_host.decode("ascii")
    place = f"{host}:{port}" if port and port != USUAL_PORTS[url.scheme] else host
    path = url.raw_path.decode("ascii").partition("?")[0]
    whole = urlunsplit((url.scheme, place, path or "/", "&".join(telling_parameters(path, url.query.decode("ascii"))), ""))
    if len(whole) > LONGEST_ADDRESS:
        raise FetchError(f"{whole[:80]}… is longer than {LONGEST_ADDRESS:,} characters")
    return whole


def host_of(address: str) -> str:
    """Return the host that an address names, with its port where that is none of the usual ones."""
    return urlsplit(address).netloc


def site_of(host: str) -> str:
    """Return a host without the `www.` that most sites answer with and without."""
    return host.removeprefix("www.")


def origin_of(address: str) -> str:
    """Return scheme and host of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(address: str) -> str:
    """Return path and query of an address, as patterns are compared with."""
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def file_name(address: str, suffix: str) -> str:
    """Return where a page is kept: its host, the words of its path and a hash of all of it, so that no two share a name."""
    parts = urlsplit(address)
    last = parts.path.rstrip("/").rpartition("/")[2].rpartition(".")[0] or parts.path.rstrip("/").rpartition("/")[2]
    words = unicodedata.normalize("NFKD", f"{last} {parts.query}").encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:SLUG_CHARACTERS].rstrip("-") or "page"
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9.-]', '-', parts.netloc)}/{slug}-{digest}{suffix}"
