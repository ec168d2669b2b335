"""Texts become the terms of the lexical index: words in the text's own language, without their endings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import regex

from pes_search.ingest.languages import known_languages

if TYPE_CHECKING:
    from Stemmer import Stemmer

# A word is a run of letters, marks and digits: marks keep the vowels of Devanagari and of decomposed accents together.
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# Scripts that write no spaces between words are indexed by overlapping pairs of characters.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")

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
        else:
            yield match.start(), match.end(), _term(word, language)


# The words of the passages on a page of results are stemmed again with every search: most of its time without this.
@lru_cache(maxsize=KEPT_WORDS)
def _term(word: str, language: str | None) -> str:
    word = unicodedata.normalize("NFKC", word).casefold()
    stemmer = _stemmer(language)
    return stemmer.stemWord(word) if stemmer else word


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
