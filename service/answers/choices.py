"""What a question may mean that does not say of which practice it asks: the practices to choose from."""

from __future__ import annotations

from collections.abc import Iterator

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.types import Document
from pes_search.service.answers.questions import Understood
from pes_search.service.answers.sentences import DIGESTS
from pes_search.service.answers.types import JudgedSearch

MOST_CHOICES = 6


def choices_for(asked: Understood, judged_search: JudgedSearch, index: OpenIndex, filters: Filters) -> list[Document]:
    """Return the practices that a question may mean, those first that state what it asks for."""
    if asked.is_open and asked.countries:
        chosen = {**filters.chosen, "country": sorted(asked.countries)}
        of_country = Filters(chosen, year_from=filters.year_from, year_to=filters.year_to)
        found = [document for document in index.stored.documents(of_country) if document.kind not in DIGESTS]
        return found[:MOST_CHOICES]
    return list(dict.fromkeys(_stating(asked, judged_search)))[:MOST_CHOICES]


def _stating(asked: Understood, judged_search: JudgedSearch) -> Iterator[Document]:
    practices = [sentence for sentence in judged_search.sentences if sentence.hit.document.kind not in DIGESTS]
    yield from (sentence.hit.document for sentence in practices if asked.kind.looks and asked.kind.fits(sentence.text))
    yield from (sentence.hit.document for sentence in practices)
