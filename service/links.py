"""Addresses of documents and of places in them, as answers and pages give them."""

from __future__ import annotations

from urllib.parse import quote, urldefrag, urlsplit

from pes_search.ingest.types import Document
from pes_search.service.answers.types import Citation

FRAGMENT_WORDS = 12  # a longer one is given by its ends


def deep_link(document: Document, page: int | None) -> str | None:
    """Return the address of the original, at the page for a PDF; None where there is none that a browser should follow."""
    try:
        if document.url is None or urlsplit(document.url).scheme not in ("http", "https"):
            return None
    except ValueError:  # such as http://[foo
        return None
    if page is not None and document.media_type == "application/pdf":
        return f"{urldefrag(document.url).url}#page={page}"
    return document.url


def place_link(citation: Citation) -> str:
    """Return the address of what is quoted: the page of a PDF, the text in a web page, else the place in our own page.

    A corpus file in Markdown or text is our own write-up: its `url` is a source about the practice, where the words are not.
    """
    document, passage = citation.document, citation.passage
    original = deep_link(document, passage.page)
    if original and document.media_type == "application/pdf":
        return original
    if original and document.media_type == "text/html":
        return f"{urldefrag(original).url}#:~:text={_fragment(citation.quote)}"
    return f"/documents/{quote(document.id)}#{quote(passage.id)}:~:text={_fragment(citation.quote)}"


def _fragment(text: str) -> str:
    """Return a text as a text fragment of a web address: whole where it is short, else its first and last words."""
    words = text.split()
    parts = [words] if len(words) <= FRAGMENT_WORDS else [words[:5], words[-5:]]
    # A hyphen or comma would be read as part of the fragment's own syntax.
    return ",".join(quote(" ".join(part), safe="").replace("-", "%2D") for part in parts)
