"""Rich text: striprtf takes the text out; a line is a paragraph, an item or, with bars between its cells, a row of a table."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.types import Block, FileContent

LARGEST_BYTES = 50_000_000  # striprtf takes about a second a megabyte; pictures are left out before
TITLE_CHARACTERS = 200
HEAD_BLOCKS = 15  # among which a date may stand on a line of its own
_PICTURE = re.compile(
    r"\{\\(?:\*\\)?(?:pict|shppict|nonshppict|objdata|themedata|colorschememapping|datastore)\b"
    r"[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
)
_TITLE = re.compile(r"\{\\title ([^{}]*)\}")
_HEX = re.compile(r"\\'([0-9a-fA-F]{2})")
_UNICODE = re.compile(r"\\u(-?\d+) ?\??")
_ROW = re.compile(r"[^|\n]*\|.*\|\s*")
_ITEM = re.compile(r"\t|\s*(?:[-*•–·]|\d{1,2}[.)])\s+")


def read(data: bytes) -> FileContent:
    """Read a rich text file.

    Raises:
        UnreadableFileError: it is too large or damaged.
    """
    markup = _PICTURE.sub("", data.decode("latin-1"))
    if len(markup) > LARGEST_BYTES:
        raise UnreadableFileError(f"too large: more than {LARGEST_BYTES // 1_000_000} MB without its pictures; save it as DOCX")
    if not markup.lstrip().startswith("{\\rtf"):
        raise UnreadableFileError("wrong suffix or damaged: the content is not an RTF file")
    try:
        plain = str(rtf_to_text(markup, encoding="cp1252", errors="ignore"))
    except MemoryError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"damaged or no rich text: {type(error).__name__}: {error}") from error
    blocks = [block for line in plain.split("\n") if (block := _block(line))]
    title = clean_text(_stated_title(markup))
    if (
        blocks
        and blocks[0].kind == "paragraph"
        and len(blocks[0].text) <= TITLE_CHARACTERS
        and blocks[0].text[-1] not in ".:;,"
    ):
        blocks[0] = Block("heading", blocks[0].text, level=1)
        title = title or blocks[0].text
    fields = {"title": title, "date": date_line(block.text for block in blocks[:HEAD_BLOCKS])}
    return FileContent(blocks, {key: value for key, value in fields.items() if value})


def _block(line: str) -> Block | None:
    if _ROW.fullmatch(line):
        cells = [cell for part in line.split("|") if (cell := clean_text(part))]
        text = f"{cells[0].rstrip(':')}: {cells[1]}" if len(cells) == 2 else " | ".join(cells)
        return Block("row", text) if text else None
    text = clean_text(line)
    return Block("item" if _ITEM.match(line) else "paragraph", text) if text else None


def _stated_title(markup: str) -> str:
    match = _TITLE.search(markup)
    if match is None:
        return ""
    letters = _UNICODE.sub(lambda code: chr(int(code[1]) % 0x10000), match[1])
    return _HEX.sub(lambda code: bytes.fromhex(code[1]).decode("cp1252", "replace"), letters)
