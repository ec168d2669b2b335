"""Names in a text: words with a capital inside a sentence, words of capitals alone, and countries."""

from __future__ import annotations

import unicodedata
from functools import cache

import regex

from pes_search.ingest.languages import known_languages

WORD = regex.compile(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’-]*")


def names_of(text: str, language: str | None) -> list[str]:
    """Return the words of a text that are names; the first word of a sentence is left out, as any may stand there."""
    words = [(match.start(), match[0]) for match in WORD.finditer(text)]
    capitals = [word for _, word in words if len(word) > 1 and word.isupper()]
    known = known_languages().get(language or "")
    if known and known.nouns_capitalised:  # a capital does not tell a name
        return capitals
    inner = [word for start, word in words if start and text[:start].rstrip()[-1:] not in "?!.:"]
    return capitals + [word for word in inner if word[0].isupper() and not word.isupper()]


def plain_text(text: str) -> str:
    """Return a text without accents and case: Munchen finds München."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def countries_of(text: str, language: str | None, *, names: bool = False) -> set[str]:
    """Return the codes of the countries that a text names in its language; with `names` their plain names there."""
    words = f" {' '.join(WORD.findall(plain_text(text)))} "
    codes_by_name = {name: code for name, code in country_names(language or "en").items() if f" {name} " in words}
    return set(codes_by_name) if names else set(codes_by_name.values())


@cache
def country_names(language: str) -> dict[str, str]:
    """Return the countries' codes by their names in a language, as CLDR has them, without accents and case."""
    from babel import Locale, UnknownLocaleError

    try:
        territories = Locale(language).territories
    except (UnknownLocaleError, ValueError):
        territories = Locale("en").territories
    return {plain_text(name): code for code, name in territories.items() if len(code) == 2 and code.isalpha()}
