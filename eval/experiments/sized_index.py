"""Indexes of any size: real sentences, again and again, their vectors moved by noise so that no two are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from pes_search.index.arrays import unit_length
from pes_search.index.build import write_documents
from pes_search.index.encoders.base import Encoder
from pes_search.index.encoders.cache import VectorCache, cache_name, encode_cached
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.stores.files import FileStore
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.taxonomy import LABEL_VECTORS, read_taxonomy
from pes_search.ingest.types import Block, Document
from pes_search.service.settings import Settings

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors

SHORTEST_LINE_CHARACTERS = 61  # of a sentence, its line's end included, that makes a passage
PASSAGES_A_DOCUMENT = 10
NOISE = 0.35  # length of what moves a vector: its cosine with the original is then some .94, as of near neighbours


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file that are long enough to be passages."""
    with path.open(encoding="utf-8") as lines:
        return [line.strip() for line in lines if len(line) >= SHORTEST_LINE_CHARACTERS]


def sized_index(folder: Path, passages: int, lines: Sequence[str], encoder: Encoder, settings: Settings) -> OpenIndex:
    """Write an index of so many passages, ten a document, each under a heading of its own, and open it."""
    cache = VectorCache(settings.cache_dir / "vectors", cache_name(encoder, "passages"))
    try:
        vectors, _ = encode_cached(lines[:passages], encoder.encode_passages, encoder.dimensions, cache)
    finally:
        cache.close()
    known = _Known(encoder, lines, vectors)
    config = replace(settings.index_config(), passages=PassageConfig(min_tokens=0))
    store = FileStore(folder)
    writer = store.writer()
    try:
        write_documents(
            _documents(passages, lines),
            writer,
            known,
            cache_dir=folder / "cache",
            config=config,
            taxonomy=read_taxonomy(settings.taxonomy),
            known_vectors=[settings.taxonomy / LABEL_VECTORS],
        )
    finally:
        writer.discard()
    return open_index(store)


def _documents(passages: int, lines: Sequence[str]) -> Iterator[tuple[Document, list[Block]]]:
    for first in range(0, passages, PASSAGES_A_DOCUMENT):
        blocks = []
        for number in range(first, min(first + PASSAGES_A_DOCUMENT, passages)):
            turn, line = divmod(number, len(lines))
            blocks.append(Block("heading", f"Part {number}", level=2))
            blocks.append(Block("paragraph", f"{lines[line]} ({turn})" if turn else lines[line]))
        name = f"d{first // PASSAGES_A_DOCUMENT:07}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        yield Document(id=name, title=f"Document {name}", kind="report", language="en", sha256=digest, path=name), blocks


class _Known:
    """An encoder that has the lines' vectors, moved by noise that depends on the text, for all texts that end in a line."""

    def __init__(self, encoder: Encoder, lines: Sequence[str], vectors: Vectors) -> None:
        self.runtime = f"{encoder.runtime}-noise"
        self.model_id, self.adapter, self.dimensions = encoder.model_id, encoder.adapter, encoder.dimensions
        self.encode_queries, self.token_starts = encoder.encode_queries, encoder.token_starts
        self._rows = {line: row for row, line in enumerate(lines[: len(vectors)])}
        self._vectors = vectors

    def encode_passages(self, texts: Sequence[str], on_progress: Callable[[int], object] | None = None) -> Vectors:
        """Return a vector for each text."""
        rows = [self._row(text.rpartition("\n")[2]) for text in texts]  # below title and heading
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") for text in texts]
        noise = np.stack([np.random.default_rng(seed).standard_normal(self.dimensions, np.float32) for seed in seeds])
        moved = unit_length(self._vectors[rows] + NOISE * unit_length(noise))
        if on_progress:
            on_progress(len(texts))
        return moved

    def _row(self, line: str) -> int:
        for text in (line, line.rpartition(" (")[0]):  # as it was, or repeated
            if text in self._rows:
                return self._rows[text]
        return crc32(line.encode()) % len(self._vectors)  # a part of one
