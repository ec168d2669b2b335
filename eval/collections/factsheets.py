"""A test set of web pages that have a title and, right below it, one in the country's language: find the page by either.

The titles are taken out of the pages' texts, so that a page is found by what it says and not by its own name.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pes_search.ingest.cleaning.edges import edge_texts, shared_edges, without_shared_edges
from pes_search.ingest.documents import read_document
from pes_search.ingest.sources import find_files
from pes_search.ingest.types import Block

TITLES = ("title", "native")


def write_factsheet_sets(source: Path, folder: Path) -> dict[str, Path]:
    """Write the pages of `source` as a collection in BEIR format, once for each kind of title; return the folders by kind.

    All pages are in both collections. Pages of the same title are all relevant to it; a page without a native title of its
    own is asked for in the first only.

    Raises:
        SourceNotFoundError: the source holds no file.
        UnreadableFileError: a page cannot be read.
    """
    pages = [read_document(file) for file in find_files([str(source)]) if file.path.suffix == ".html"]
    counts: Counter[bytes] = Counter()
    for page in pages:
        counts.update(edge_texts(page.blocks))
    shared = shared_edges(counts, len(pages))
    texts: list[Mapping[str, str]] = []
    title_of: dict[str, dict[str, str]] = {kind: {} for kind in TITLES}  # by kind, then by page
    for page in pages:
        titles = _titles(page.blocks)
        blocks = without_shared_edges(page.blocks, shared) or page.blocks
        texts.append({"_id": page.document.id, "title": "", "text": _without(blocks, titles)})
        for kind, title in zip(TITLES, titles, strict=False):
            title_of[kind][page.document.id] = title
    folders = {kind: folder / f"factsheets-{kind}" for kind in TITLES}
    for kind, place in folders.items():
        place.mkdir(parents=True, exist_ok=True)
        _write_lines(place / "corpus.jsonl", texts)
        titled = title_of[kind].items()
        _write_lines(place / "queries.jsonl", [{"_id": f"q-{page_id}", "text": title} for page_id, title in titled])
        pairs = [(page_id, other_id) for page_id, title in titled for other_id, other_title in titled if other_title == title]
        rows = ["query-id\tcorpus-id\tscore", *(f"q-{page_id}\t{other_id}\t1" for page_id, other_id in pairs)]
        (place / "qrels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folders


def _titles(blocks: Sequence[Block]) -> list[str]:
    """Return the page's title, and the native one where the next block is a heading with other words."""
    title_row = next((i for i, block in enumerate(blocks) if block.kind == "heading" and block.level == 1), None)
    if title_row is None:
        return []
    below = blocks[title_row + 1] if title_row + 1 < len(blocks) else None
    native = below is not None and below.kind == "heading" and below.text.casefold() != blocks[title_row].text.casefold()
    return [blocks[title_row].text, *([below.text] if below is not None and native else [])]


def _without(blocks: Sequence[Block], titles: Sequence[str]) -> str:
    """Return the text of the blocks, a paragraph each, without the titles wherever they stand."""
    pattern = re.compile(
        "|".join(re.escape(title) for title in sorted(titles, key=len, reverse=True)) or r"(?!)", re.IGNORECASE
    )
    return "\n\n".join(text for block in blocks if (text := pattern.sub(" ", block.text).strip()))


def _write_lines(path: Path, records: Iterable[Mapping[str, str]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
