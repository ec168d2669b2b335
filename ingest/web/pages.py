"""What a web page tells who fetches it: the pages that it leads to, its own address, and whether it wants to be kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pes_search.ingest.errors import FetchError, UnreadableFileError
from pes_search.ingest.readers.html import decoded, parsed
from pes_search.ingest.web.addresses import canonical, host_of, path_of

MOST_LINKS = 5_000  # of a page
_NO_PAGE = re.compile(r"\s*(?:javascript|mailto|tel|data|sms|ftp|file|blob|about):", re.IGNORECASE)
_FRAGMENT = re.compile(r"#.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PageSigns:
    """What a page tells who fetches it."""

    links: tuple[str, ...] = ()  # in their one form, none twice
    address: str = ""  # that it calls its own, on the same host; empty where it does not say
    may_be_kept: bool = True
    may_be_followed: bool = True


def page_signs(body: bytes, address: str, headers: Mapping[str, str]) -> PageSigns:
    """Return what a page of this address tells; nothing where it cannot be parsed."""
    wishes = headers.get("x-robots-tag", "").lower()
    try:
        tree, _ = parsed(decoded(body))
    except UnreadableFileError:
        return PageSigns(may_be_kept="noindex" not in wishes)
    wishes += " " + " ".join(
        str(element.get("content", "")).lower()
        for element in tree.iter("meta")
        if str(element.get("name", "")).lower() in ("robots", "pes-search")
    )
    base = next((str(element.get("href")) for element in tree.iter("base") if element.get("href")), "")
    base = _canonical(base, address) or address
    links: dict[str, None] = {}
    for element in tree.iter("a", "area", "iframe"):
        target = _FRAGMENT.sub("", str(element.get("href") or element.get("src") or ""))
        if not target.strip() or _NO_PAGE.match(target) or "nofollow" in str(element.get("rel", "")).lower():
            continue
        if link := _canonical(target, base):
            links[link] = None
        if len(links) >= MOST_LINKS:
            break
    own = next(
        (str(link.get("href", "")) for link in tree.iter("link") if "canonical" in str(link.get("rel", "")).lower().split()), ""
    )
    own = _canonical(own, base) if own else ""
    # Some templates name the site's first page for all of them.
    is_own = bool(own) and host_of(own) == host_of(address) and path_of(own) != "/"
    return PageSigns(
        links=tuple(links),
        address=own if is_own else "",
        may_be_kept="noindex" not in wishes and "none" not in re.findall(r"\w+", wishes),
        may_be_followed="nofollow" not in wishes and "none" not in re.findall(r"\w+", wishes),
    )


def _canonical(address: str, base: str) -> str:
    try:
        return canonical(address, base)
    except FetchError:
        return ""
