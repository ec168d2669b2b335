"""Texts become the terms of the lexical index: words in the text's own language, without their endings.

A number is one term whatever separates its thousands (12500, 12,500, 12 500). A word with a hyphen gives its parts; where one
of them is short, the joined word stands for it: "e-mail" gives "mail" and "email", "start-up" gives "start" and "startup".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import regex

from pes_search.ingest.languages import known_languages
from pes_search.ingest.numbers import NUMBER, plain_number

if TYPE_CHECKING:
    from Stemmer import Stemmer

# A word is a run of letters, marks and digits: marks keep the vowels of Devanagari and of decomposed accents together.
_RUN = r"[\p{L}\p{M}\p{N}]+"
_HYPHENS = "-\u2010\u2011"
_WORD = regex.compile(rf"{NUMBER.pattern}|{_RUN}(?:[{_HYPHENS}]{_RUN})*")
_PART = regex.compile(_RUN)
# Scripts that write no spaces between words are indexed by overlapping pairs of characters.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")

SHORT_PART_LETTERS = 3  # of a word with a hyphen; such parts say little by themselves: e-, co-, ex-, -up
KEPT_WORDS = 65_536  # whose terms are remembered


def terms(text: str, language: str | None) -> list[str]:
    """Return the text's terms in order, repeats included."""
    return [term for _, _, term in term_spans(text, language)]


def term_spans(text: str, language: str | None) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and term of every word."""
    for match in _WORD.finditer(text):
        word = match[0]
        if not word.isascii() and _UNSPACED.search(word):
            yield from _pairs(word, match.start())
        elif word[0].isdigit() and NUMBER.fullmatch(word):
            yield match.start(), match.end(), plain_number(word)
        elif word.isalnum():
            yield match.start(), match.end(), _term(word, language)
        else:
            yield from _of_compound(word, match.start(), language)


def _of_compound(word: str, offset: int, language: str | None) -> Iterator[tuple[int, int, str]]:
    """Yield the parts of a word with hyphens; for short ones, but not acronyms ("EU-funded"), the joined word."""
    parts = list(_PART.finditer(word))
    is_joined = len(parts) > 1 and any(map(_is_short, (part[0] for part in parts))) and not any(c.isdigit() for c in word)
    if is_joined:
        yield offset, offset + len(word), _term("".join(part[0] for part in parts), language)
    for part in parts:
        if not (is_joined and _is_short(part[0])):
            yield offset + part.start(), offset + part.end(), _term(part[0], language)


def _is_short(part: str) -> bool:
    return len(part) <= SHORT_PART_LETTERS and (len(part) == 1 or not part.isupper())


# The words of the passages on a page of results are stemmed again with every search: most of its time without this.
@lru_cache(maxsize=KEPT_WORDS)
def _term(word: str, language: str | None) -> str:
    # Turkish has two letters i: folded, the capital with a dot keeps that as a mark, and the small one without is another.
    word = unicodedata.normalize("NFKC", word).casefold().replace("i\u0307", "i")
    stemmer = _stemmer(language)
    return (stemmer.stemWord(word) if stemmer else word).replace("ı", "i")


def _pairs(word: str, offset: int) -> Iterator[tuple[int, int, str]]:
    position = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > position:
            yield offset + position, offset + run.start(), word[position : run.start()].casefold()
        for i in range(run.start(), max(run.end() - 1, run.start() + 1)):
            end = min(i + 2, run.end())
            yield offset + i, offset + end, word[i:end]
        position = run.end()
    if position < len(word):
        yield offset + position, offset + len(word), word[position:].casefold()


@cache
def _stemmer(language: str | None) -> Stemmer | None:
    """Return Snowball's algorithm for a language (PyStemmer 3.1 has 33), or None: then words stay whole."""
    from Stemmer import Stemmer

    known = known_languages().get(language or "")
    return Stemmer(known.stemmer) if known and known.stemmer else None
