"""What no reader of a document wants to find: interface words, repeated teasers, and what every file of a site repeats."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pes_search.ingest.types import Block

_INVISIBLE = re.compile(
    "["
    "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffc\ufffd"  # soft hyphens, marks of direction, fillers
    "\ud800-\udfff"  # halves of characters, which damaged PDFs yield
    "\ue000-\uf8ff"  # private use: the glyphs of icon fonts
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "]"
)
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LIGATURE = re.compile("[" + "".join(_LIGATURES) + "]")

_SPACED = re.compile(r" +([,.])(?= |$)")  # what is left of markup between a word and its comma
NAMED_COLUMNS = 6

# Words of web pages' controls, compared without case and punctuation. ALONE is dropped wherever it is a whole block;
# FORM only where three or more blocks in a row are such words, since "Comment" or "Subject" may also be a field's label.
ALONE = {
    "share this page", "share this", "share on facebook", "share on twitter", "share on linkedin", "share on x",
    "diese seite teilen", "seite teilen", "partager cette page", "compartir esta página", "condividi questa pagina",
    "udostępnij tę stronę", "deel deze pagina", "partilhar esta página",
    "skip to main content", "skip to content", "zum inhalt springen", "aller au contenu principal",
    "print this page", "print page", "back to top", "nach oben", "haut de page", "go to list page",
    "login", "log in", "sign in", "anmelden", "menu", "toggle navigation", "close menu", "you are here",
    "accept all cookies", "accept only essential cookies", "alle cookies akzeptieren", "accepter tous les cookies",
    "useful interesting tell us what you think", "was this page helpful", "subscribe to our newsletter",
    "save preview", "preparing to download the file this may take some time please wait",
}  # fmt: skip
FORM = {
    "your name", "name", "email", "e mail", "your email", "homepage", "subject", "comment", "your comment",
    "more information", "save", "preview", "submit", "send", "cancel", "about text formats", "captcha",
    "share", "print", "pdf", "email this page", "facebook", "twitter", "linkedin", "x", "whatsapp",
}  # fmt: skip
FORM_RUN = 3
_COOKIES = re.compile(
    r"(this|our) (web)?site uses cookies|we use cookies|wir verwenden cookies|diese website verwendet cookies|"
    r"ce site (web )?utilise des cookies|este sitio (web )?utiliza cookies|questo sito (web )?utilizza (i )?cookie|"
    r"ta (strona|witryna) (używa|korzysta z) plików cookie|deze (web)?site gebruikt cookies|este site utiliza cookies",
    re.IGNORECASE,
)
_CONTROLS = re.compile(
    r"(\W*\w+){0,2}\W*((welcomes|send us|give us|leave) (your )?feedback|tell us what you think)[^.]*\.?", re.IGNORECASE
)
CONTROL_CHARACTERS = 80
COOKIE_CHARACTERS = 500  # a longer block is not a banner
HEADING_CHARACTERS = 250  # a longer one is a paragraph in large letters
TEASER_CHARACTERS = 40  # shorter paragraphs ("Not applicable") may well repeat for a reason


def clean_text(text: str) -> str:
    """Return the text in Unicode NFC with single spaces, without invisible characters and typographic ligatures."""
    text = _LIGATURE.sub(lambda match: _LIGATURES[match[0]], _INVISIBLE.sub("", text))
    text = _SPACED.sub(r"\1", " ".join(text.split()))
    return unicodedata.normalize("NFC", text)  # last: letters and marks may have come together


def table_rows(rows: Sequence[Sequence[str]], header: bool = False) -> list[str]:
    """Return a table's rows as texts that can be read alone.

    Two cells become "label: value". In a table with a header row each value carries its column's name, since a passage may
    hold one row without the header; wide tables (more than six columns) are given as they stand, cells between bars.
    """
    cleaned = [[clean_text(cell) for cell in row] for row in rows]
    names = cleaned[0] if header and len(cleaned) > 1 and len(cleaned[0]) <= NAMED_COLUMNS else None
    texts = []
    if names:
        cleaned = cleaned[1:]
        if not any(len(row) == len(names) for row in cleaned):
            texts.append(" | ".join(filter(None, names)))  # no row can carry them
    for cells in cleaned:
        if names and len(cells) == len(names):
            parts = [f"{name.rstrip(':')}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell]
        elif len(filled := [cell for cell in cells if cell]) == 2 and not header:
            parts = [f"{filled[0].rstrip(':')}: {filled[1]}"]
        else:
            parts = filled
        texts.append(" | ".join(parts))
    return texts


def clean_blocks(blocks: Iterable[Block], *, has_forms: bool = True) -> list[Block]:
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
    return _without_repeats([block for block, drop in zip(cleaned, interface, strict=True) if not drop])


def interface_texts(texts: Sequence[str], *, has_forms: bool = True) -> list[bool]:
    """Tell for each text whether it is a page's control, a form's label or a cookie banner, and not content."""
    words = [_words(text) for text in texts]
    dropped = [
        word in ALONE or not word or _is_cookie_banner(text) or _is_control(text)
        for word, text in zip(words, texts, strict=True)
    ]
    start = 0
    for end in range(len(texts) + 1) if has_forms else ():
        if end < len(texts) and (dropped[end] or words[end] in FORM):
            continue
        # A symbol alone (a form's asterisk) does not make a run longer.
        if sum(word in FORM or word in ALONE for word in words[start:end]) >= FORM_RUN:
            dropped[start:end] = [True] * (end - start)
        start = end + 1
    return dropped


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _is_cookie_banner(text: str) -> bool:
    return len(text) <= COOKIE_CHARACTERS and _COOKIES.search(text) is not None


def _is_control(text: str) -> bool:
    return len(text) <= CONTROL_CHARACTERS and _CONTROLS.fullmatch(text) is not None


def _without_repeats(blocks: Sequence[Block]) -> list[Block]:
    """Drop a paragraph whose whole text stands in another one too: of equal ones the first stays, else the longer."""
    parts = _parts_of_longer(blocks)
    kept: list[Block] = []
    seen: set[str] = set()
    for block in blocks:
        if block.kind == "paragraph" and len(block.text) >= TEASER_CHARACTERS:
            if block.text in seen or block.text in parts:
                continue
            seen.add(block.text)
        kept.append(block)
    return kept


def _parts_of_longer(blocks: Sequence[Block]) -> set[str]:
    """Return the paragraphs that stand within a longer block, from the start of one of its words on."""
    by_start: dict[str, list[str]] = {}
    for text in {block.text for block in blocks if block.kind == "paragraph" and len(block.text) >= TEASER_CHARACTERS}:
        by_start.setdefault(text[:TEASER_CHARACTERS], []).append(text)
    parts: set[str] = set()
    for block in blocks:
        at = 0
        while at >= 0:
            for text in by_start.get(block.text[at : at + TEASER_CHARACTERS], ()):
                if len(text) < len(block.text) and block.text.startswith(text, at):
                    parts.add(text)
            at = block.text.find(" ", at) + 1 or -1
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
