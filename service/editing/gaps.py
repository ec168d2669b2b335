"""What a collection lacks: documents that nothing links to, and practices whose write-up leaves something out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.types import DocumentText
from pes_search.ingest.passages import is_source_heading
from pes_search.ingest.types import Document, Page
from pes_search.service.answers.sentence_scorers import FieldScorer
from pes_search.service.answers.types import Citation
from pes_search.service.editing.comparison import field_questions, stated_fields

Missing = Literal["results", "source", "country", "year", "target_group", "measure_type", "organisation"]

RESULT_FIELDS = ("outputs", "outcomes")  # of a comparison
_ADDRESS = re.compile(r"https?://\S")


@dataclass(frozen=True, slots=True)
class Gap:
    """A practice with what its write-up lacks."""

    document: Document
    missing: tuple[Missing, ...]


def unlinked(index: OpenIndex) -> list[Document]:
    """Return the documents that no other document cites or names, by id."""
    documents = index.stored.documents(EVERYTHING)
    return [document for document in documents if not any(one.is_by_other for one in index.relations.of(document.id))]


def incomplete(index: OpenIndex, encoder: Encoder, field_scorer: FieldScorer) -> list[Gap]:
    """Return the practices that lack something, by id.

    "results": no sentence states how many took part or what came of it. "source": there is no address, neither in the
    metadata nor in the text, and no list of sources. The others: the metadata do not tell.
    """
    practices = index.stored.documents(Filters(kind=("practice",)))
    texts = index.stored.texts([document.id for document in practices])
    stated = stated_fields(texts, index, field_questions(encoder), field_scorer)
    gaps = (Gap(text.document, _missing(text, fields)) for text, fields in zip(texts, stated, strict=True))
    return [gap for gap in gaps if gap.missing]


def _missing(text: DocumentText, stated: Mapping[str, tuple[Citation, ...]]) -> tuple[Missing, ...]:
    """Return what a practice lacks; `stated` are the quotations by field."""
    document = text.document
    has: dict[Missing, bool] = {
        "results": any(stated[name] for name in RESULT_FIELDS),
        "source": bool(document.url) or any(_names_source(page) for page in text.pages),
        "country": document.states("countries"),
        "year": document.year is not None,
        "target_group": document.states("target_groups"),
        "measure_type": document.states("measure_types"),
        "organisation": document.states("organisation"),
    }
    return tuple(name for name, there in has.items() if not there)


def _names_source(page: Page) -> bool:
    """Tell whether a page has a web address, or a list of sources with something in it."""
    if _ADDRESS.search(page.text):
        return True
    nexts = [*(start for start, _, _ in page.headings), len(page.text)][1:]
    return any(
        is_source_heading(page.text[start:end]) and page.text[end:following].strip() != ""
        for (start, end, _), following in zip(page.headings, nexts, strict=False)  # a page without headings has one end
    )
