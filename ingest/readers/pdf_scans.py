"""Pages of a PDF that are pictures of text: recognised where Tesseract is installed, named where not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.pdf_text import PdfiumFile
from pes_search.ingest.readers.pictures import ADVICE, Recognised, blocks_of, is_installed, recognise, recognised_fields
from pes_search.ingest.types import FileContent

DOTS_PER_INCH = 200  # as scanners of offices are set; 300 takes twice as long
SECONDS = 45  # for a file's scans, of the 60 that it may take in all
PAGES_NAMED = 20  # in one warning


def with_recognised(content: FileContent, pdf: PdfiumFile, scanned: Sequence[int]) -> FileContent:
    """Return a PDF's content with the text of its scanned pages, which are counted from 0, at their places."""
    if not is_installed():
        return _warned(content, f"{_named(scanned)} of pictures and no text: scanned? {ADVICE}")
    started = time.monotonic()
    pages: dict[int | None, Recognised] = {}
    without: list[int] = []  # text
    left: list[int] = []
    for number in scanned:
        if time.monotonic() - started > SECONDS:
            left.append(number)
            continue
        try:
            found = recognise(pdf.picture(number, DOTS_PER_INCH))
        except UnreadableFileError:
            found = None
        if found:
            pages[number + 1] = found
        else:
            without.append(number)
    if pages:
        # Sorting is stable, so the blocks of a page keep their order.
        blocks = sorted([*content.blocks, *blocks_of(pages)], key=lambda block: block.page or 0)
        content = replace(content, blocks=blocks, fields={**content.fields, **recognised_fields(pages)})
    if left:
        content = _warned(content, f"{_named(left)} of pictures, not recognised within {SECONDS} s; run it through OCR first")
    if without:
        content = _warned(content, f"{_named(without)} of pictures, in which no text was recognised (OCR)")
    return content


def _named(numbers: Sequence[int]) -> str:
    named = ", ".join(str(number + 1) for number in numbers[:PAGES_NAMED]) + (" …" if len(numbers) > PAGES_NAMED else "")
    return f"page {named} consists" if len(numbers) == 1 else f"pages {named} consist"


def _warned(content: FileContent, warning: str) -> FileContent:
    return replace(content, warnings=(*content.warnings, warning))
