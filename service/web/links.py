"""The addresses of the pages, so that every template and route writes them alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from pes_search.ingest.types import Passage
from pes_search.service.answers.types import Citation


def search_url(query: str = "", chosen: Mapping[str, object] | None = None, offset: int = 0, path: str = "/") -> str:
    """Return the address of a page of results; without a query it lists what the filters leave."""
    parameters = ({"q": query} if query else {}) | dict(chosen or {}) | ({"offset": offset} if offset else {})
    return path + ("?" + urlencode(parameters, doseq=True) if parameters else "")


def filter_url(**chosen: str) -> str:
    """Return the address of the documents that filters leave."""
    return search_url("", chosen)


def document_url(document_id: str) -> str:
    """Return the address of a document's page."""
    return f"/documents/{quote(document_id, safe='')}"


def passage_url(passage: Passage, start: int | None = None, end: int | None = None) -> str:
    """Return the address of a passage in its document's page, with the characters of it that are to be marked."""
    marked = {"passage": passage.id} | ({"start": start, "end": end} if start is not None and end is not None else {})
    return f"{document_url(passage.document_id)}?{urlencode(marked)}#{quote(passage.id)}"


def quotation_url(citation: Citation) -> str:
    """Return the address of a quotation in its document's page."""
    return passage_url(citation.passage, citation.start, citation.end)


def compare_url(ids: Sequence[str], country: str = "") -> str:
    """Return the address of a comparison."""
    return "/compare?" + urlencode({"ids": list(ids)} | ({"country": country} if country else {}), doseq=True)


def is_local(address: str) -> bool:
    """Tell whether an address is a path of this service; one that begins with two slashes leads elsewhere."""
    return address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
