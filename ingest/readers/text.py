"""Plain text: paragraphs between blank lines, the title and date from its first lines."""

from __future__ import annotations

import re

from pes_search.ingest.cleaning.blocks import from_title
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line
from pes_search.ingest.readers.decode import decode
from pes_search.ingest.types import Block, FileContent

TITLE_CHARACTERS = 200
HEAD_PARAGRAPHS = 6  # a saved web page's site name and date stand above its title
_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s+")
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")


def read(data: bytes) -> FileContent:
    """Read plain text in any common encoding."""
    blocks: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", decode(data).replace("\r\n", "\n").replace("\r", "\n")):
        blocks.extend(_paragraph_blocks(paragraph.strip("\n")))
    blocks = [block for block in blocks if clean_text(block.text)]
    head = [clean_text(block.text) for block in blocks[:HEAD_PARAGRAPHS]]
    title = _title(head)
    fields: dict[str, object] = {"date": date_line(head)}
    if title:
        fields["title"] = title
        if any(re.match(r"news\b", line, re.IGNORECASE) for line in head if line != title and len(line) < 30):
            fields["kind"] = "news"
        blocks = [
            Block("heading", block.text, level=1) if clean_text(block.text) == title else block
            for block in from_title(blocks, title)
        ]
    return FileContent(blocks, fields)


def _paragraph_blocks(paragraph: str) -> list[Block]:
    """Return one block a list item, or one for the whole paragraph."""
    parts: list[tuple[bool, list[str]]] = []
    for line in paragraph.split("\n"):
        # After running text "27." is the day of a date that was wrapped.
        is_open = parts and not parts[-1][0] and not parts[-1][1][-1].rstrip().endswith((".", ":", ";", "!", "?"))
        if _ITEM.match(line) and not (is_open and _NUMBER.match(line)):
            parts.append((True, [line]))
        elif parts:
            parts[-1][1].append(line)
        else:
            parts.append((False, [line]))
    return [Block("item" if item else "paragraph", " ".join(line.strip() for line in lines)) for item, lines in parts]


def _title(head: list[str]) -> str | None:
    """Return the longest of the short lines above the first prose: shorter ones name the site, the section, the date."""
    above: list[str] = []
    for text in head:
        if len(text) > TITLE_CHARACTERS or text.endswith((".", ":", ";", ",")):
            break
        above.append(text)
    return max(above, key=len, default=None)
