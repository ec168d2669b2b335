"""What a document's metadata tell of the fields of a comparison, beside what sentences do: stated, or inferred and marked."""

from __future__ import annotations

import re

from babel import Locale

from pes_search.index.filters import DATED_KINDS
from pes_search.index.types import DocumentText
from pes_search.ingest.types import Document, InferredValue
from pes_search.service.answers.types import Citation

EVIDENCE = "evidence"  # the field of a comparison
# The fields of a comparison whose values may be inferred, with the document's.
INFERRED_FIELDS = {"organisation": "organisation", "country": "countries", EVIDENCE: "evidence"}


def stated_term(field: str, document: Document) -> str | None:
    """Return the term of a controlled list that a field has, stated by front matter or inferred: only evidence has one."""
    return document.evidence if field == EVIDENCE else None


def stated_value(field: str, document: Document, language: str = "en") -> str | None:
    """Return the organisation, partners, place or years of a document's metadata; countries by their names."""
    if field == "organisation":
        return document.organisation
    if field == "partners":
        return ", ".join(document.partners) or None
    if field == "country" and document.countries:
        names = [Locale(language).territories.get(code, code) for code in document.countries]
        return " · ".join([", ".join(names), *([document.region] if document.region else [])])
    if field == "period" and document.year and document.kind in DATED_KINDS:
        return f"{document.year}–{document.end_year or ''}"
    return None


def inferred_of(field: str, document: Document) -> tuple[InferredValue, ...]:
    """Return what of the term or value of a field was inferred."""
    return document.inferred_in(INFERRED_FIELDS[field]) if field in INFERRED_FIELDS else ()


def evidence_quotation(text: DocumentText) -> tuple[Citation, ...]:
    """Return the sentence that states a document's evidence where it stands in the text; none where no sentence does."""
    words = (text.document.saying_evidence or "").split()
    sentence = re.compile(r"\s+".join(map(re.escape, words)))
    found = ((passage, sentence.search(passage.text)) for passage in text.passages) if words else ()
    return tuple(Citation(passage, text.document, *match.span()) for passage, match in found if match)[:1]
