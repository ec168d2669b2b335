"""The sentences of a document that may be quoted: all but situations that somebody made up for those who search."""

from __future__ import annotations

from collections.abc import Iterator

from pes_search.index.types import DocumentText
from pes_search.ingest.passages import is_imagined, passage_sentences
from pes_search.service.answers.sentences import Headings, with_pointed_at
from pes_search.service.answers.types import Citation


def quotable_sentences(text: DocumentText) -> Iterator[tuple[Citation, str]]:
    """Yield each sentence as its quotation, with the heading above it; one that points at another takes that along."""
    pages, headings = {page.number: page for page in text.pages}, Headings([text])
    for passage in text.passages:
        for start, end in passage_sentences(passage, pages[passage.page]):
            heading = headings.above(passage, start)
            if not is_imagined(heading):
                yield Citation(passage, text.document, with_pointed_at(passage, start), end), heading
