"""The strength of the evidence for a practice, as its front matter has it: the sentence that says so, in its place."""

from __future__ import annotations

import re

from pes_search.index.types import DocumentText
from pes_search.ingest.types import Document
from pes_search.service.answers.types import Citation

EVIDENCE = "evidence"  # the field of a comparison


def stated_term(field: str, document: Document) -> str | None:
    """Return the term of a controlled list by which a document's front matter states a field: only evidence has one."""
    return document.evidence if field == EVIDENCE else None


def evidence_quotation(text: DocumentText) -> tuple[Citation, ...]:
    """Return the sentence that states a document's evidence where it stands in the text; none where no sentence does."""
    words = (text.document.evidence_sentence or "").split()
    sentence = re.compile(r"\s+".join(map(re.escape, words)))
    found = ((passage, sentence.search(passage.text)) for passage in text.passages) if words else ()
    return tuple(Citation(passage, text.document, *match.span()) for passage, match in found if match)[:1]
