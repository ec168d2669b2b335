"""What an editor of the collection should look at: documents that say the same, that nothing links to, that lack something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pes_search.index.encoders.sentence_transformer import Encoder
from pes_search.index.evidence.fusion import related_score
from pes_search.index.stores.base import OpenIndex
from pes_search.index.types import Filters
from pes_search.ingest.passages import REFERENCE_SECTIONS
from pes_search.ingest.types import Document, Page
from pes_search.service.answers.sentences import Reader
from pes_search.service.editing.comparison import field_questions, stated_fields

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

Missing = Literal["results", "source", "country", "year", "target_group", "measure_type", "organisation"]

# Chosen with the packaged encoder on the 113 documents of the corpus and eleven versions of two of them, which is few: small
# edits .9999, half of the text without metadata .938, rewritten .945, translated to German and French .928 to .957 with the
# metadata and .915 to .949 (cosine) without. Of the corpus's own pairs only two employment pacts, Czech and Hungarian, reach
# .917, the next .909; the nearest other practice in another language has a cosine of .897.
DEFAULT_LEAST = 0.91
# Neighbours that are looked at, at least: one without metadata is further down by score than by cosine.
LEAST_NEIGHBOURS = 20
RESULT_FIELDS = ("outputs", "outcomes")  # of a comparison
_ADDRESS = re.compile(r"https?://\S")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents that are near to each other, in the order of their ids."""

    first: Document
    second: Document
    score: float  # near 1 they say the same: that of `search.related`; between two languages the cosine where it is higher
    is_translation: bool  # their languages are known and differ, and their countries do not contradict it


@dataclass(frozen=True, slots=True)
class Gap:
    """A practice with what its write-up lacks."""

    document: Document
    missing: tuple[Missing, ...]


def near_duplicates(index: OpenIndex, *, least: float = DEFAULT_LEAST, most: int = 50) -> list[Pair]:
    """Return the pairs of documents whose score is at least `least`, each once, the nearest first, at most `most`.

    Every document is compared with every other one, so the time grows with the square of their number.
    """
    everything = Filters()
    pairs: dict[tuple[str, str], Pair] = {}
    for document in index.documents(everything):
        for cosine, overlap, passage in index.nearest(document.id, everything, max(most, LEAST_NEIGHBOURS)):
            other = index.document(passage.document_id)
            score = _score(document, other, cosine, overlap)
            if score >= least:
                first, second = sorted((document, other), key=lambda one: one.id)
                pairs.setdefault((first.id, second.id), Pair(first, second, score, _is_translation(first, second)))
    return sorted(pairs.values(), key=lambda pair: (-pair.score, pair.first.id, pair.second.id))[:most]


def unlinked(index: OpenIndex) -> list[Document]:
    """Return the documents that no other document names in its `related`, by id."""
    documents = index.documents(Filters())
    named = {own for document in documents for own in document.related if own != document.id}
    return [document for document in documents if document.id not in named]


def incomplete(index: OpenIndex, encoder: Encoder, reader: Reader) -> list[Gap]:
    """Return the practices that lack something, by id.

    "results": no sentence states how many took part or what came of it. "source": there is no address, neither in the
    metadata nor in the text, and no list of sources. The others: the metadata do not tell.
    """
    questions = field_questions(encoder)
    gaps = (
        Gap(document, _missing(document, index, questions, reader)) for document in index.documents(Filters(kind=("practice",)))
    )
    return [gap for gap in gaps if gap.missing]


def _score(first: Document, second: Document, cosine: float, overlap: float) -> float:
    score = related_score(cosine, overlap)
    # A translation often comes without the tags of its original, and its concepts are then guessed.
    return max(score, round(cosine, 6)) if _languages_differ(first, second) else score


def _languages_differ(first: Document, second: Document) -> bool:
    return bool(first.language and second.language) and first.language != second.language


def _is_translation(first: Document, second: Document) -> bool:
    same_place = not (first.countries and second.countries) or bool({*first.countries} & {*second.countries})
    return _languages_differ(first, second) and same_place


def _missing(document: Document, index: OpenIndex, questions: Vectors, reader: Reader) -> tuple[Missing, ...]:
    stated = stated_fields(document, index, questions, reader)
    has: dict[Missing, bool] = {
        "results": any(stated[name] for name in RESULT_FIELDS),
        "source": bool(document.url) or any(_names_source(page) for page in index.pages(document.id)),
        "country": bool(document.countries),
        "year": document.year is not None,
        "target_group": bool(document.target_groups),
        "measure_type": bool(document.measure_types),
        "organisation": bool(document.organisation),
    }
    return tuple(name for name, there in has.items() if not there)


def _names_source(page: Page) -> bool:
    """Tell whether a page has a web address, or a list of sources with something in it."""
    if _ADDRESS.search(page.text):
        return True
    nexts = [*(start for start, _, _ in page.headings), len(page.text)][1:]
    return any(
        _is_reference(page.text[start:end]) and page.text[end:following].strip() != ""
        for (start, end, _), following in zip(page.headings, nexts, strict=False)  # a page without headings has one end
    )


def _is_reference(heading: str) -> bool:
    return re.sub(r"[\W\d_]+", " ", heading).strip().casefold() in REFERENCE_SECTIONS
