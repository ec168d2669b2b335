"""What both retrievers, words and vectors, read of a passage: its own text under its document's title and headings."""

from __future__ import annotations

import re

from pes_search.ingest.types import Document, Passage

# Words inside a web address ("/familie-und-job-…") make a list of sources look like an answer in the address's language.
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")


def sentence_text(sentence: str) -> str:
    """Return what is read of a sentence: itself alone, without web addresses."""
    return _ADDRESS.sub(" ", sentence)


def full_text(document: Document, passage: Passage) -> str:
    """Return the title, the headings that the passage's own text does not show, and the text, each on its line.

    Web addresses are left out.
    """
    lines = [document.title, *passage.headings]
    shown = passage.text[: sum(map(len, lines)) + 2 * len(lines)]
    above = [line for line in dict.fromkeys(lines) if line not in shown]
    return _ADDRESS.sub(" ", "\n".join([*above, passage.text]))
