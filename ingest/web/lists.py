"""What names other pages: sitemaps, feeds, lists of links, and the records of an OAI-PMH interface."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from pes_search.ingest.errors import FetchError
from pes_search.ingest.web.addresses import canonical
from pes_search.ingest.web.client import unpacked

OAI_IDENTIFIER = "oai_identifier"  # the field in which a page keeps the name of its record
MOST_LIST_BYTES = 60_000_000  # of a packed sitemap; the protocol allows 50 MB
GZIP = b"\x1f\x8b"
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(urlset|sitemapindex|rss|feed|RDF|OAI-PMH)[\s>]")
# What may stand before a file's first element: its declaration, comments …
_BEFORE_ROOT = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>", re.DOTALL | re.IGNORECASE)
_HEAD = 4_096
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
_OAI = "{http://www.openarchives.org/OAI/2.0/}"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list names."""

    pages: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # addresses, with what the list tells of each
    more: list[str] = field(default_factory=list)  # addresses of the list's further parts
    is_harvest: bool = False  # an answer of an OAI-PMH interface
    removed: list[str] = field(default_factory=list)  # OAI-PMH identifiers of records that are no more
    harvested: str = ""  # when an OAI-PMH interface gave its answer; empty until its last part


def read_list(body: bytes, media_type: str, address: str, since: str = "") -> Listed | None:
    """Return what a list names; None for what is none. `since` is until when an OAI-PMH interface was harvested before.

    Raises:
        FetchError: it is a list that cannot be read.
    """
    if body.startswith(GZIP):
        body = unpacked([body], "gzip", MOST_LIST_BYTES)
    kind = _root_of(body[:_HEAD])
    if kind in ("urlset", "sitemapindex"):
        return _sitemap(_tree(body), kind, address)
    if kind == "OAI-PMH":
        return _oai(_tree(body), address, since)
    if kind:
        return _feed(body, address)
    if media_type == "text/plain" and (links := links_of_text(body.decode("utf-8", "replace"))):
        return Listed([(link, {}) for link in _canonical(links, address)])
    return None


def _root_of(head: bytes) -> str:
    """Return the name of a file's first element, where it is that of a list; else nothing."""
    place = len(b"\xef\xbb\xbf") if head.startswith(b"\xef\xbb\xbf") else 0
    while before := _BEFORE_ROOT.match(head, place):
        place = before.end()
    root = _ROOT.match(head, place)
    return root[1].decode() if root else ""


def links_of_text(text: str) -> list[str]:
    """Return the addresses of a list of links, one a line, with comments after `#`; nothing for any other text."""
    lines = [line.split(" #")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    return lines if lines and all(_ADDRESS.fullmatch(line) for line in lines) else []


def _tree(body: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, remove_comments=True, remove_pis=True)
    try:
        tree = etree.fromstring(body, parser=parser)
    except etree.XMLSyntaxError as error:
        raise FetchError(f"a list that cannot be read: {error}") from error
    if tree is None:
        raise FetchError("a list that cannot be read: no XML in it")
    return tree


def _sitemap(tree: Any, kind: str, address: str) -> Listed:
    places = [
        str(text).strip() for text in tree.xpath("//*[local-name()='loc'][not(ancestor::*[local-name()='image'])]/text()")
    ]
    if kind == "sitemapindex":
        return Listed(more=list(_canonical(places, address)))
    return Listed([(place, {}) for place in _canonical(places, address)])


def _feed(body: bytes, address: str) -> Listed:
    import feedparser

    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    pages: list[tuple[str, Mapping[str, Any]]] = []
    for entry in parsed.entries:
        day = entry.get("published_parsed") or entry.get("updated_parsed")
        fields = {"date": time.strftime("%Y-%m-%d", day)} if day else {}
        pages += [(link, fields) for link in _canonical([entry.get("link", "")], address)]
    further = [link.get("href", "") for link in parsed.feed.get("links", ()) if link.get("rel") == "next"]
    return Listed(pages, more=list(_canonical(further, address)))


def _oai(tree: Any, address: str, since: str) -> Listed:
    """Read a part of the records; an answer to a question without a verb is answered with the question for all records."""
    base = address.partition("?")[0]
    parts = urlsplit(address)
    errors = [str(error.get("code")) for error in tree.iter(f"{_OAI}error")]
    if "verb=" not in parts.query or "badVerb" in errors:
        question = {"verb": "ListRecords", "metadataPrefix": "oai_dc"} | ({"from": since[:10]} if since else {})
        return Listed(more=[f"{base}?{urlencode(question)}"], is_harvest=True)
    if errors and errors != ["noRecordsMatch"]:
        raise FetchError(f"the OAI-PMH interface answered {', '.join(errors)}")
    pages: list[tuple[str, Mapping[str, Any]]] = []
    removed: list[str] = []
    for record in tree.iter(f"{_OAI}record"):
        identifier = record.findtext(f"{_OAI}header/{_OAI}identifier") or ""
        header = record.find(f"{_OAI}header")
        if header is not None and header.get("status") == "deleted":
            removed.append(identifier)
            continue
        fields = {**_described(record), OAI_IDENTIFIER: identifier}
        links = [text for text in _texts(record, "identifier") if _ADDRESS.fullmatch(text)]
        pages += [(link, fields) for link in list(_canonical(links, address))[:1]]
    token = next((element.text for element in tree.iter(f"{_OAI}resumptionToken") if element.text), "")
    more = [f"{base}?{urlencode({'verb': 'ListRecords', 'resumptionToken': token})}"] if token else []
    answered = tree.findtext(f"{_OAI}responseDate") or ""
    return Listed(pages, more, is_harvest=True, removed=removed, harvested="" if more else answered)


def _described(record: Any) -> dict[str, Any]:
    """Return what a record's Dublin Core tells, by the names of `Document`."""
    title = next(iter(_texts(record, "title")), "")
    date = next((text[:10] for text in _texts(record, "date") if re.match(r"\d{4}-\d\d-\d\d", text)), "")
    organisation = next(iter([*_texts(record, "publisher"), *_texts(record, "creator")]), "")
    stated = {"title": title, "date": date, "organisation": organisation}
    return {name: value for name, value in stated.items() if value}


def _texts(record: Any, name: str) -> list[str]:
    return [text for element in record.iter(f"{_DUBLIN_CORE}{name}") if (text := (element.text or "").strip())]


def _canonical(addresses: Iterable[str], base: str) -> Iterator[str]:
    """Yield the addresses of web pages in their one form; what is none is passed over."""
    for address in dict.fromkeys(addresses):
        try:
            yield canonical(address, base)
        except FetchError:
            continue
