"""Addresses of documents and of places in them, as answers and pages give them."""

from __future__ import annotations

from urllib.parse import quote, urldefrag, urlsplit

from pes_search.ingest.readers import PAGES, READERS
from pes_search.ingest.types import Document
from pes_search.service.answers.types import Citation

PDF = READERS.rows["pdf"].media_type
FRAGMENT_WORDS = 12  # a longer one is given by its ends


def deep_link(document: Document, page: int | None) -> str | None:
    """Return the address of the original, at the page for a PDF; None where there is none that a browser should follow."""
    try:
        if document.url is None or urlsplit(document.url).scheme not in ("http", "https"):
            return None
    except ValueError:  # such as http://[foo
        return None
    if page is not None and document.media_type == PDF:
        return f"{urldefrag(document.url).url}#page={page}"
    return document.url


def place_name(document: Document, page: int | None) -> str | None:
    """Return what a page of a document is called: page 3, slide 3, or the minute in which it begins; None where it has none."""
    if page is None:
        return None
    pages_are = PAGES.get(document.media_type, "page")
    return clock(page) if pages_are == "minute" else f"{pages_are} {page}"


def clock(page: int) -> str:
    """Return when a page of a transcript begins, as a player shows it."""
    hours, minutes = divmod(page - 1, 60)
    return f"{hours}:{minutes:02}:00" if hours else f"{minutes}:00"


def recognition_of(document: Document, page: int | None) -> float | None:
    """Return how sure the words of a page are where they were recognised in a picture (OCR), from 0 to 1; None elsewhere."""
    return document.recognition_confidence if page in document.recognised_pages else None


def place_link(citation: Citation) -> str:
    """Return the address of what is quoted: the page of a PDF, the text in a web page, else the place in our own page.

    A corpus file in Markdown or text is our own write-up: its `url` is a source about the practice, where the words are not.
    """
    document, passage = citation.document, citation.passage
    original = deep_link(document, passage.page)
    if original and document.media_type == PDF:
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
