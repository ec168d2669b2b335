"""What stands at the edges of many files or pages: a site's header and footer, running headers, page numbers."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from pes_search.ingest.types import Block

# ── What the files of one folder share ──────────────────────────────────────────────────────────────────────────────

EDGE_BLOCKS = 80  # how far into a file a site's header or footer reaches
SHARED_FILES = 3  # a text at the edge of fewer files may be a coincidence …
SHARED_PART = 0.1  # … and of a smaller part of them too


def _edge_key(text: str) -> bytes:
    # Figures count here: "Budget: 5 million" and "Budget: 7 million" are not the site's. Hashes, since they are many.
    return hashlib.blake2b("".join(text.casefold().split()).encode("utf-8", "replace"), digest_size=8).digest()


def edge_texts(blocks: Sequence[Block]) -> set[bytes]:
    """Return the keys of the texts at both ends of a file, to be counted over the files of its folder."""
    return {_edge_key(block.text) for block in (*blocks[:EDGE_BLOCKS], *blocks[-EDGE_BLOCKS:])}


def shared_edges(counts: Counter[bytes], files: int) -> set[bytes]:
    """Return the keys of the texts that many of a folder's files carry."""
    enough = max(SHARED_FILES, SHARED_PART * files)
    return {text for text, count in counts.items() if count >= enough}


def without_shared_edges(blocks: Sequence[Block], shared: set[bytes]) -> list[Block]:
    """Drop what other files of the folder carry too, from both ends inwards up to the first text of the file's own.

    Labels that every factsheet has ("Target groups") stand between texts of its own and stay.
    """
    start = _shared_length(blocks, shared)
    end = len(blocks) - _shared_length(blocks[start:][::-1], shared)
    return list(blocks[start:end])


def _shared_length(blocks: Sequence[Block], shared: set[bytes]) -> int:
    """Return how many blocks, from the first on, are shared."""
    return next((i for i, block in enumerate(blocks) if _edge_key(block.text) not in shared), len(blocks))


def running_lines(pages: Sequence[Sequence[str]], edge: int = 3, least_pages: int = 3, part: float = 0.4) -> set[str]:
    """Return the keys of lines that stand at the top or bottom of many pages: running headers, footers, page numbers.

    Odd and even pages often differ, so a bit less than half of the pages (and at least three) is enough. Digits are
    masked in the keys (`line_key`), so "Page 3 of 12" is one text on every page.
    """
    counts: Counter[str] = Counter()
    for lines in pages:
        counts.update({line_key(line) for line in (*lines[:edge], *lines[-edge:])})
    return {key for key, count in counts.items() if count >= max(least_pages, part * len(pages))}


def line_key(line: str) -> str:
    """Return a line as it is compared between pages: without digits, case and spaces."""
    return re.sub(r"\s+", "", re.sub(r"\d+", "#", line.casefold()))
