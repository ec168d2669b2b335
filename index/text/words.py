"""The words of texts as they are counted and compared for spelling: whole, in lower case, not too short."""

from __future__ import annotations

import unicodedata

import regex

SHORTEST_WORD = 4  # letters of a word that is counted and looked at; shorter ones have too many neighbours
# Runs of letters that no digit or underscore touches.
WORD = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}_])\p{{L}}[\p{{L}}\p{{M}}]{{{SHORTEST_WORD - 1},}}(?![\p{{L}}\p{{M}}\p{{N}}_])"
)


def words_of(text: str) -> set[str]:
    """Return the words of a text as they are counted and compared."""
    return {folded(word) for word in WORD.findall(unicodedata.normalize("NFC", text))}


def folded(word: str) -> str:
    """Return a word in the form in which words are compared."""
    # Not casefold(), which writes ß as ss and a final ς as σ: these words are shown to people.
    return unicodedata.normalize("NFC", word).lower()
