"""By what addresses, paths and file names documents are known, whichever way they are written."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote, urljoin, urlsplit

from pes_search.ingest.addresses import telling_parameters
from pes_search.ingest.documents import WITHIN, is_within
from pes_search.ingest.types import Document

ADDRESS_CHARACTERS = 2_000
NAME_LETTERS = 6  # and a digit, or …
NAME_WORDS = 3  # … so many words make a file name that no other file has by chance
_PAGE_SUFFIX = re.compile(r"(?:(?:^|/)(?:index|default))?\.(?:x?html?|php|aspx?)$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"“”„»«|]{4,2000}", re.IGNORECASE)
_DOI = re.compile(r"\bdoi:?\s{0,2}(10\.\d{4,9}/[^\s<>\"“”|]{2,200})", re.IGNORECASE)
_CLOSING = {")": "(", "]": "[", "}": "{"}


def address_key(address: str) -> str:
    """Return what all forms of an address have in common; nothing for one of a whole site, or that is none.

    Scheme, `www.`, case, `index.html`, the suffix of a page, a slash at the end, the place on the page and what counts visitors
    do not matter.
    """
    try:
        parts = urlsplit(address.strip()[:ADDRESS_CHARACTERS])
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    host = "doi.org" if host == "dx.doi.org" else host
    path = _PAGE_SUFFIX.sub("", unquote(parts.path)).strip("/")
    query = unquote("&".join(telling_parameters(parts.path, parts.query)))
    if parts.scheme not in ("http", "https") or not host or not (path or query):
        return ""
    return f"{host}/{path}{'?' if query else ''}{query}".casefold()


def keys_of(document: Document) -> Iterator[str]:
    """Yield the keys by which a document's address, path and file name are known."""
    if document.url and (key := address_key(document.url)):
        yield key
    if not is_within(document.path):
        yield f"path:{posixpath.normpath(document.path)}"
        if name := _name_key(document.path):
            yield name


def keys_of_target(target: str, document: Document) -> Iterator[str]:
    """Yield the keys by which what a document links to may be known, the surest first."""
    try:
        absolute = urljoin(document.url or "https:", target)
        parts = urlsplit(target)
    except ValueError:
        return
    if key := address_key(absolute):
        yield key
    if not parts.netloc and parts.path:
        file = document.path.partition(WITHIN)[0] if is_within(document.path) else document.path
        yield f"path:{posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(parts.path)))}"
    if name := _name_key(unquote(parts.path)):
        yield name


def _name_key(path: str) -> str:
    """Return the key of a file's name, if no two are called so by chance: `report.pdf` is no such name."""
    name = posixpath.basename(path).casefold()
    stem, suffix = posixpath.splitext(name)
    is_numbered = len(re.sub(r"[\W_]", "", stem)) >= NAME_LETTERS and any(letter.isdigit() for letter in stem)
    return f"name:{name}" if suffix and (is_numbered or len(re.findall(r"[^\W\d_]{2,}", stem)) >= NAME_WORDS) else ""


def addresses_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the addresses that are written out in a text, with their places."""
    if "://" in text or "www." in text:
        for match in _ADDRESS.finditer(text):
            address = _without_end(match[0])
            yield address if "://" in address else f"https://{address}", match.start(), match.start() + len(address)
    if "doi" in text or "DOI" in text:
        for match in _DOI.finditer(text):
            yield f"https://doi.org/{_without_end(match[1])}", match.start(), match.end()


def _without_end(address: str) -> str:
    """Return an address without what follows it in a sentence: a stop, a bracket that was opened before it."""
    while address and (address[-1] in ".,;:!?'’*" or (address[-1] in _CLOSING and _CLOSING[address[-1]] not in address)):
        address = address[:-1]
    return address
