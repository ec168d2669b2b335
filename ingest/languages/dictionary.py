"""Which words a language has, by simplemma's dictionaries."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from pes_search.ingest.languages import known_languages

if TYPE_CHECKING:
    from simplemma.strategies import DictionaryLookupStrategy

KEPT_WORDS = 50_000
OPEN_DICTIONARIES = 32


def has_dictionary(language: str) -> bool:
    """Tell whether the words of a language are known."""
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return _name(language) in SUPPORTED_LANGUAGES


@lru_cache(maxsize=KEPT_WORDS)
def is_word(word: str, language: str) -> bool:
    """Tell whether a language has a word, written as it is; False where its words are not known.

    The first look into a dictionary takes up to two seconds (Polish).
    """
    return has_dictionary(language) and _dictionaries().get_lemma(word, _name(language)) is not None


def _name(language: str) -> str:
    """Return simplemma's name of a language."""
    known = known_languages().get(language)
    return known.dictionary if known and known.dictionary else language


@cache
def _dictionaries() -> DictionaryLookupStrategy:
    """Return the dictionaries, read from their files as they lie.

    Polish takes 47 MB so, 354 MB unpacked; those of all the EU's languages together 273 MB.
    """
    from simplemma.strategies import DictionaryLookupStrategy
    from simplemma.strategies.dictionaries.stream_dictionary_factory import StreamDictionaryFactory

    return DictionaryLookupStrategy(StreamDictionaryFactory(cache_max_size=OPEN_DICTIONARIES))
