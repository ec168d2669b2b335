"""Lines joined to a text, with the words that were broken at their ends mended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from pes_search.ingest.languages import known_languages
from pes_search.ingest.languages.dictionary import is_word

LEAST_PART, LEAST_REST = 3, 2  # letters of what is before the hyphen, and behind it, where both may be words by themselves
ADDRESS_CHARACTERS = 300  # of a line's end, among which an address may be
WORD_CHARACTERS = 60
AROUND_WORDS = ".,;:!?()[]‘’“”„«»'\"-–—/*"
HYPHENS = "-\u2010\u00ad"
_BROKEN = re.compile(rf"([^\W\d_]+(?:['’][^\W\d_]+)?)[{HYPHENS}]$")
_START = re.compile(rf"^([^\W\d_]+(?:[{HYPHENS}][^\W\d_]+)*)")
_ADDRESS = re.compile(r"(https?://|www\.)\S*$")
_ADDRESS_PART = re.compile(r"[\w/?=&%.#~:+-]+$")
_ADDRESS_SIGNS = re.compile(r"[/?=&%#_]|\.\w|\w-\w")


class Hyphens:
    """Joins lines; decides for a word broken at a hyphen whether the hyphen belongs to it.

    The document is its own dictionary: "employ-|ment" loses its hyphen if "employment" stands elsewhere, "work-|related"
    keeps it if "work-related" does. Then the language's words speak, and for what they do not have the majority of the
    document's decided words.
    """

    def __init__(self, texts: Iterable[str], language: Callable[[], str | None] = lambda: None) -> None:
        lines = list(texts)
        broken = _broken(lines)
        self._language = language
        if not broken:
            self._words, self._drop, self._is_undecided = set[str](), False, True
            return
        self._words = {word.strip(AROUND_WORDS) for word in " ".join(lines).lower().split()}
        decided = [self._own(left, right) for left, right in broken]
        self._drop = decided.count(True) > decided.count(False)
        self._is_undecided = decided.count(True) == decided.count(False)

    def join(self, lines: Sequence[str]) -> str:
        """Return lines as one text."""
        text = lines[0].rstrip()
        for line in lines[1:]:
            line = line.strip()
            left = _BROKEN.search(text[-WORD_CHARACTERS:]) if text[-1:] in HYPHENS else None
            right = _START.match(line) if left else None
            if left and right and not _is_address_going_on(text, line):
                text = (text[:-1] if self._drops(left[1], right[1]) else text.rstrip("\u00ad")) + line
            elif text.endswith("/") or _is_address_going_on(text, line):
                text += line
            else:
                text += f" {line}"
        return text

    def _own(self, left: str, right: str) -> bool | None:
        """Tell by the document's other words whether the hyphen goes; None where they do not say."""
        if (left + right).lower() in self._words:
            return True
        return False if f"{left}-{right}".lower() in self._words else None

    def _drops(self, left: str, right: str) -> bool:
        if any(hyphen in right for hyphen in HYPHENS):  # "end-|of-life"
            return bool(self._own(left, right))
        if not right[0].islower() and right[0].upper() != right[0].lower():
            # "Nordrhein-|Westfalen" keeps its hyphen; a word all in capitals may be broken like any other.
            return left.isupper() and right.isupper() and len(right) > 1 and bool(self._own(left, right))
        own = self._own(left, right)
        if own is not None:
            return own
        language = self._language()
        if not language:
            return self._drop
        known = known_languages().get(language)
        if _is_word(f"{left}-{right}", language):
            return False  # "long-term": dictionaries have "longterm" too
        if _is_word(left + right, language) or (known and known.nouns_capitalised):
            return True  # where all nouns have capitals, a second one after the word's own hyphen would have one
        if len(left) >= LEAST_PART and len(right) >= LEAST_REST and _is_word(left, language) and _is_word(right, language):
            return self._drop  # "buying-in"
        return self._drop or self._is_undecided


def _broken(lines: Sequence[str]) -> list[tuple[str, str]]:
    return [
        (left[1], right[1])
        for a, b in pairwise(lines)
        if a[-1:] in HYPHENS and (left := _BROKEN.search(a[-WORD_CHARACTERS:])) and (right := _START.match(b))
    ]


def _is_address_going_on(text: str, line: str) -> bool:
    if not _ADDRESS.search(text[-ADDRESS_CHARACTERS:]):
        return False
    return text[-1:] in "-_=?&" or bool(_ADDRESS_PART.match(line) and _ADDRESS_SIGNS.search(line))


def _is_word(word: str, language: str) -> bool:
    """Tell whether a language has a word, whatever the case of its letters here."""
    return any(is_word(form, language) for form in dict.fromkeys((word, word.lower(), word.capitalize())))
