"""A file's blocks without interface words, cookie banners, repeated teasers and what stands above the title."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.types import Block

FORM_RUN = 3  # form words in a row that are a form
CONTROL_CHARACTERS = 80  # a longer line says more than what it asks for
COOKIE_CHARACTERS = 500  # a longer block is not a banner
HEADING_CHARACTERS = 250  # a longer one is a paragraph in large letters
NO_HEADING = ""  # of what stands above the first one: a teaser of all below
TEASER_CHARACTERS = 40  # shorter paragraphs ("Not applicable") may well repeat for a reason


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Blocks that were cleaned."""

    blocks: list[Block]
    left_out: Mapping[str, int]  # by kind, with the characters


def clean_blocks(blocks: Iterable[Block], *, has_forms: bool = True) -> Cleaned:
    """Return the blocks with clean text, without empty ones, interface words, cookie banners and repeated teasers.

    Runs of form and share words go only where there may be forms (`has_forms`): in a write-up "Facebook", "WhatsApp" and
    "E-mail" may be the channels that it is about.
    """
    cleaned = [replace(block, text=text) for block in blocks if (text := clean_text(block.text))]
    cleaned = [
        replace(block, kind="paragraph", level=0) if block.kind == "heading" and len(block.text) > HEADING_CHARACTERS else block
        for block in cleaned
    ]
    interface = interface_texts([block.text for block in cleaned], has_forms=has_forms)
    content = [block for block, drop in zip(cleaned, interface, strict=True) if not drop]
    kept = _without_repeats(content)
    lengths = [sum(len(block.text) for block in several) for several in (cleaned, content, kept)]
    left_out = {"buttons, forms and banners": lengths[0] - lengths[1], "repeated paragraphs": lengths[1] - lengths[2]}
    return Cleaned(kept, {what: characters for what, characters in left_out.items() if characters})


def interface_texts(texts: Sequence[str], *, has_forms: bool = True) -> list[bool]:
    """Tell for each text whether it is a page's control, a form's label or a cookie banner, and not content."""
    controls, form_words = _interface_words()
    words = [_words(text) for text in texts]
    dropped = [
        word in controls or not word or _is_cookie_banner(text) or _is_feedback_request(text)
        for word, text in zip(words, texts, strict=True)
    ]
    start = 0
    for end in range(len(texts) + 1) if has_forms else ():
        if end < len(texts) and (dropped[end] or words[end] in form_words):
            continue
        # A symbol alone (a form's asterisk) does not make a run longer.
        if sum(word in form_words or word in controls for word in words[start:end]) >= FORM_RUN:
            dropped[start:end] = [True] * (end - start)
        start = end + 1
    return dropped


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _is_cookie_banner(text: str) -> bool:
    return len(text) <= COOKIE_CHARACTERS and _cookie_banner().search(text) is not None


def _is_feedback_request(text: str) -> bool:
    return len(text) <= CONTROL_CHARACTERS and _feedback_request().fullmatch(text) is not None


@cache
def _interface_words() -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of controls, and those of forms, in every language."""
    languages = known_languages().values()
    return (
        frozenset(word for language in languages for word in language.controls),
        frozenset(word for language in languages for word in language.form_words),
    )


@cache
def _cookie_banner() -> re.Pattern[str]:
    expressions = (banner for language in known_languages().values() for banner in language.cookie_banners)
    return re.compile(any_of(expressions), re.IGNORECASE)


@cache
def _feedback_request() -> re.Pattern[str]:
    expressions = (request for language in known_languages().values() for request in language.feedback_requests)
    # Two words may stand before it: "The team welcomes your feedback".
    return re.compile(rf"(\W*\w+){{0,2}}\W*({any_of(expressions)})[^.]*\.?", re.IGNORECASE)


def _without_repeats(blocks: Sequence[Block]) -> list[Block]:
    """Drop a paragraph whose whole text stands in another one too: of equal ones the first stays, else the longer.

    What is repeated under another heading is meant there too ("Cost: free of charge for both sides" of two schemes) and stays.
    """
    headings = _headings(blocks)
    parts = _parts_of_longer(blocks, headings)
    kept: list[Block] = []
    seen: dict[str, set[str]] = {}  # each text's headings
    for block, heading in zip(blocks, headings, strict=True):
        if block.kind == "paragraph" and len(block.text) >= TEASER_CHARACTERS:
            above = seen.setdefault(block.text, set()) | parts.get(block.text, set())
            if above and (not heading or heading in above or NO_HEADING in above):
                continue
            seen[block.text].add(heading)
        kept.append(block)
    return kept


def _headings(blocks: Sequence[Block]) -> list[str]:
    """Return the heading that each block stands under."""
    heading, headings = NO_HEADING, []
    for block in blocks:
        heading = block.text if block.kind == "heading" else heading
        headings.append(heading)
    return headings


def _parts_of_longer(blocks: Sequence[Block], headings: Sequence[str]) -> dict[str, set[str]]:
    """Return the paragraphs that stand within a longer block, from the start of one of its words on, with its headings."""
    by_start: dict[str, list[str]] = {}
    for text in {block.text for block in blocks if block.kind == "paragraph" and len(block.text) >= TEASER_CHARACTERS}:
        by_start.setdefault(text[:TEASER_CHARACTERS], []).append(text)
    parts: dict[str, set[str]] = {}
    for block, heading in zip(blocks, headings, strict=True):
        start = 0
        while start >= 0:
            for text in by_start.get(block.text[start : start + TEASER_CHARACTERS], ()):
                if len(text) < len(block.text) and block.text.startswith(text, start):
                    parts.setdefault(text, set()).add(heading)
            start = block.text.find(" ", start) + 1 or -1
    return parts


def from_title(blocks: Sequence[Block], title: str, furniture_characters: int = 400) -> list[Block]:
    """Return the blocks from the title on, where the title is a block and little text stands above it (a site's header).

    Where no prose follows, nothing is dropped: then the lines above are as good as those below.
    """
    above = 0
    wanted = _words(title)
    for i, block in enumerate(blocks):
        if _words(block.text) == wanted:
            if not any(below.text.endswith((".", "!", "?")) for below in blocks[i + 1 :]):
                break
            return list(blocks[i:])
        above += len(block.text)
        if above > furniture_characters:
            break
    return list(blocks)
