"""Plain text: paragraphs between blank lines, the title and date from its first lines, words broken at a line's end mended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, cached_property

from pes_search.ingest.cleaning.blocks import from_title
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.dates import date_line
from pes_search.ingest.languages import known_languages
from pes_search.ingest.languages.dictionary import is_word
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.readers.decode import decode
from pes_search.ingest.types import Block, FileContent

TITLE_CHARACTERS = 200
HEAD_PARAGRAPHS = 6  # a saved web page's site name and date stand above its title
_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s+")
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
LONGEST_WORD = 80  # letters
LEAST_PART = 3  # letters of a part of a compound: "re" and "er" are in dictionaries too, for other reasons
_BROKEN = re.compile(r"(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)(?P<hyphen>[-\u2010\u00ad])$")
_BROKEN_NUMBER = re.compile(r"\w-$")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
OTHER_CONJUNCTIONS = frozenset({"bzw", "eller", "lub", "nebo", "o", "of", "oder", "or", "ou", "sowie", "tai"})


def read(data: bytes) -> FileContent:
    """Read plain text in any common encoding."""
    blocks = blocks_of(decode(data))
    head = [clean_text(block.text) for block in blocks[:HEAD_PARAGRAPHS]]
    title, above = _title(head), 0
    fields: dict[str, object] = {"date": date_line(head)}
    if title:
        fields["title"] = title
        if any(re.match(r"news\b", line, re.IGNORECASE) for line in head if line != title and len(line) < 30):
            fields["kind"] = "news"
        whole, blocks = blocks, from_title(blocks, title)
        above = sum(len(clean_text(block.text)) for block in whole[: len(whole) - len(blocks)])
        blocks = [Block("heading", block.text, level=1) if clean_text(block.text) == title else block for block in blocks]
    return FileContent(blocks, fields, left_out={"lines above the title": above} if above else {})


def blocks_of(text: str) -> list[Block]:
    """Return all paragraphs and list items of a text, none of them taken for its title."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    words = _Words(text)
    blocks: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", text):
        blocks.extend(_paragraph_blocks(paragraph.strip("\n"), words))
    return [block for block in blocks if clean_text(block.text)]


def _paragraph_blocks(paragraph: str, words: _Words) -> list[Block]:
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
    return [Block("item" if item else "paragraph", words.joined(lines)) for item, lines in parts]


def _title(head: list[str]) -> str | None:
    """Return the longest of the short lines above the first prose: shorter ones name the site, the section, the date."""
    above: list[str] = []
    for text in head:
        if len(text) > TITLE_CHARACTERS or text.endswith((".", ":", ";", ",")):
            break
        above.append(text)
    return max(above, key=len, default=None)


class _Words:
    """Joins lines to running text; the document's own words and a dictionary say which hyphens at their ends are real."""

    def __init__(self, text: str) -> None:
        self._text = text

    def joined(self, lines: Sequence[str]) -> str:
        """Return the lines as one, a word that was broken between two of them whole again."""
        pieces = [lines[0].strip()]
        for line in map(str.strip, lines[1:]):
            end, start = pieces[-1][-LONGEST_WORD:], line[:LONGEST_WORD]
            broken, rest = _BROKEN.search(end), _WORD.match(start)
            if broken and rest and not self._is_left_open(rest[0]):
                is_in_compound = end[: broken.start()].endswith("-")  # "one-stop-|shop"
                if broken["hyphen"] == "\u00ad" or not (is_in_compound or self._is_compound(broken["word"], rest[0])):
                    pieces[-1] = pieces[-1][:-1]
            elif not (_BROKEN_NUMBER.search(end) and start[:1].isalnum() and not rest):  # "2019-|2020", "Covid-|19"
                pieces.append(" ")
            pieces.append(line)
        return "".join(pieces)

    @staticmethod
    def _is_left_open(rest: str) -> bool:
        """Tell whether a word after a hyphen joins two ("Aus- und Weiterbildung"), so that the line was broken at a space."""
        return rest in _conjunctions()

    def _is_compound(self, left: str, right: str) -> bool:
        """Tell whether the hyphen between two parts is the word's own."""
        if (right[0].isupper() and not left.isupper()) or (left.isupper() and right[0].islower()) or len(left) == 1:
            return True  # "Nordrhein-Westfalen", "EU-funded", "e-learning"
        joined, compound = left + right, f"{left}-{right}"
        if joined.lower() in self._own_words or compound.lower() in self._own_words:
            return compound.lower() in self._own_words
        first, *others = right.split("-")
        if len(left) < LEAST_PART or not (self._is_known(left) and self._is_known(first)):
            return self._is_known(compound) and not self._is_known(joined)
        if others or self._is_known(compound):
            return True  # "long-term": dictionaries have "longterm" too
        return len(first) >= LEAST_PART and not self._joins_nouns and not self._is_known(joined)

    @cached_property
    def _own_words(self) -> frozenset[str]:
        """The words within lines, and the compounds of them, in lower case."""
        inner = re.sub(r"(?<![^\W\d_])[^\W\d_]+[-\u2010\u00ad][^\S\n]*\n\s*[^\W\d_]+", " ", self._text.lower())
        return frozenset(word.replace("\u2010", "-") for word in _WORD.findall(inner))

    @cached_property
    def _language(self) -> str | None:
        return detect_language(self._text)

    @property
    def _joins_nouns(self) -> bool:
        """Whether the language writes compounds as one word, so that no dictionary has them all."""
        known = known_languages().get(self._language or "")
        return known is not None and known.nouns_capitalised

    def _is_known(self, word: str) -> bool:
        language = self._language or ""
        return is_word(word, language) or is_word(word.lower(), language)


@cache
def _conjunctions() -> frozenset[str]:
    return OTHER_CONJUNCTIONS | {language.conjunction for language in known_languages().values() if language.conjunction}
