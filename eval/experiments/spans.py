"""How much of the exact gold text the best passages hold: recall and precision in characters.

The folder is laid out as Smith and Troynikov's chunking evaluation (2024): `corpora/<name>.md`, and `queries.jsonl` with
`text`, `corpus` and `references`, each with the `content` that answers and its `start_index` in the corpus. All corpora are
searched together. Only letters and digits count, so that markup and line breaks, which reading changes, do not.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pes_search.eval.collections.files import raise_faults, read_records
from pes_search.eval.measures import Estimate, estimate
from pes_search.index.build import build_index
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import open_index
from pes_search.index.search import search
from pes_search.index.stores.files import FileStore
from pes_search.ingest.faults import Fault
from pes_search.service.settings import Settings

GIVEN_PASSAGES = 5  # that a reader is given


@dataclass(frozen=True, slots=True)
class SpanFigures:
    """Means over the questions, with intervals."""

    questions: int
    passages: int  # of the whole collection
    longest: int  # characters of the longest passage
    lost: int  # gold stretches that reading the corpora did not keep; they count as not found
    recall: Estimate  # share of the gold characters that the first passages hold
    precision: Estimate  # share of those passages' characters that is gold


@dataclass(frozen=True, slots=True)
class _Squeezed:
    """A text's letters and digits alone, and where each stands in it."""

    text: str
    places: Sequence[int]


def span_figures(folder: Path, encoder: Encoder, settings: Settings, model: str) -> SpanFigures:
    """Index the corpora and search every question.

    Raises:
        InputError: the questions do not fit.
        SourceNotFoundError: there are no corpora.
    """
    path = folder / "queries.jsonl"
    faults: list[Fault] = []
    questions = [record for _, record in read_records(path, faults)]
    raise_faults(faults)
    with tempfile.TemporaryDirectory() as name:
        store = FileStore(Path(name))
        build_index(
            [str(folder / "corpora")],
            store,
            lambda: encoder,
            model=model,
            cache_dir=settings.cache_dir,
            config=settings.index_config(),
        )
        index = open_index(store)
    texts = index.stored.texts([document.id for document in index.stored.documents(EVERYTHING)])
    documents = {Path(text.document.path).stem: text.document.id for text in texts}
    pages = {page.document_id: page for text in texts for page in text.pages}
    squeezed = {document_id: _squeezed(page.text) for document_id, page in pages.items()}
    raw = {stem: (folder / "corpora" / f"{stem}.md").read_text(encoding="utf-8") for stem in documents}
    before = {stem: _squeezed(text) for stem, text in raw.items()}
    recalls, precisions, lost = [], [], 0
    for question in questions:
        document_id = documents[question["corpus"]]
        gold: set[int] = set()  # places in the squeezed text
        wanted = 0
        for reference in question["references"]:
            content = _squeezed(reference["content"]).text
            wanted += len(content)
            expected = _place(before[question["corpus"]], reference["start_index"])
            start = _nearest(squeezed[document_id].text, content, expected)
            lost += start < 0
            gold.update(range(start, start + len(content)) if start >= 0 else ())
        hits = search(question["text"], index, encoder, settings.search, k=GIVEN_PASSAGES, group="passage").hits
        gold_read, read = 0, 0
        for hit in hits:
            page = squeezed[hit.document.id]
            first, end = _place(page, hit.passage.start), _place(page, hit.passage.end)
            read += end - first
            gold_read += len(gold.intersection(range(first, end))) if hit.document.id == document_id else 0
        recalls.append(gold_read / wanted if wanted else 0.0)
        precisions.append(gold_read / read if read else 0.0)
    passages = [passage for text in texts for passage in text.passages]
    longest = max(len(passage.text) for passage in passages)
    return SpanFigures(len(questions), len(passages), longest, lost, estimate(recalls), estimate(precisions))


def _squeezed(text: str) -> _Squeezed:
    places = [place for place, character in enumerate(text) if character.isalnum()]
    return _Squeezed("".join(text[place] for place in places), places)


def _place(text: _Squeezed, character: int) -> int:
    """Return how many letters and digits stand before a character of the whole text."""
    return bisect_left(text.places, character)


def _nearest(text: str, part: str, expected: int) -> int:
    """Return where the part stands in the text, of several places the nearest to the expected one; -1 for none."""
    places = []
    start = text.find(part) if part else -1
    while start >= 0:
        places.append(start)
        start = text.find(part, start + 1)
    return min(places, key=lambda place: abs(place - expected), default=-1)
