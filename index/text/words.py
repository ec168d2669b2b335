"""The words of texts as they are counted and compared: whole, in lower case, not too short; without accents or brackets."""

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


_BRACKETS = regex.compile(r"\([^()]*\)")
# Letters that Unicode does not take apart, and what people type for them.
_PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "ġ": "g"})


def without_accents(word: str) -> str:
    """Return a word as it is typed on a keyboard without its accents: "mlodzi" for "młodzi"."""
    plain = unicodedata.normalize("NFKD", word.lower().translate(_PLAIN_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def only_accents_differ(text: str, other: str) -> bool:
    """Tell whether two texts are the same but for accents and case."""
    return without_accents(text) == without_accents(other)


def without_brackets(text: str) -> str:
    """Return a text without what it says in brackets, such as "(date not stated)"."""
    return str(_BRACKETS.sub(" ", text))
