"""What a build adds to a document's metadata from its sentences: the figures that they state, and what no field states.

Front matter is never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pes_search.index.inferred import ORGANISATIONS, SHORTEST_NAME_LETTERS, Inferrer, Told
from pes_search.ingest.passages import heading_above, is_imagined
from pes_search.ingest.stated_figures import stated_figures
from pes_search.ingest.taxonomy import Taxonomy, fold
from pes_search.ingest.types import Document, Page, Passage


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


def with_derived(
    document: Document,
    pages: Sequence[Page],
    passages: Sequence[Passage],
    sentence_spans: Sequence[Sequence[tuple[int, int]]],
    inferrer: Inferrer,
) -> Document:
    """Return the document with its figures and, where nothing states them, the values that its sentences say."""
    sentences = list(_told(pages, passages, sentence_spans))
    figures = tuple(
        figure
        for sentence in sentences
        for figure in stated_figures(sentence.text, document.language, sentence.passage.id, sentence.start)
    )
    told = [Told(one.text, one.passage.id, is_first=one.passage is passages[0]) for one in sentences]
    complete = inferrer.complete(document, told)
    return replace(complete, figures=figures, organisations=_organisations(complete, inferrer.taxonomy))


def _organisations(document: Document, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return the organisations of the list whose names a document's organisation holds, in the list's order, else itself."""
    if not document.organisation:
        return ()
    held = f" {_fold_words(document.organisation)} "
    return tuple(
        concept.id
        for concept in taxonomy.lists.get(ORGANISATIONS, {}).values()
        if any(f" {name} " in held for label in concept.labels() if len(name := _fold_words(label)) >= SHORTEST_NAME_LETTERS)
    ) or (document.organisation,)


def _fold_words(text: str) -> str:
    """Return the words of a text with single spaces between them, as they are compared."""
    return " ".join(re.findall(r"\w+", fold(text)))


def _told(
    pages: Sequence[Page], passages: Sequence[Passage], sentence_spans: Sequence[Sequence[tuple[int, int]]]
) -> Iterator[_Sentence]:
    """Yield the sentences that tell of what a document is about: none of situations that somebody imagined."""
    page_of = {page.number: page for page in pages}
    for passage, spans in zip(passages, sentence_spans, strict=True):
        page = page_of[passage.page]
        for start, end in spans:
            if not is_imagined(heading_above(page, passage.start + start)):
                yield _Sentence(passage, start, end)
