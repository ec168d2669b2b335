"""Countries, years and languages that a query names in plain words: each a filter that may be meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property

from pes_search.index.text.words import without_accents
from pes_search.index.types import Facets, NamedFilter
from pes_search.ingest.languages import EU_LANGUAGES
from pes_search.ingest.taxonomy import Taxonomy

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_YEAR = re.compile(r"(?<![\d.,/-])(?:19|20)\d\d(?![\d/]|[.,-]\d)")
LONGEST_NAME_WORDS = 4
SHORTEST_STEM_LETTERS, LONG_NAME_LETTERS = 5, 8  # of a country's name before its ending; a long one may lose two letters
LONGEST_ENDING_LETTERS = 5
# Languages that put names into cases. In others an ending makes another word: "Romani", "franchise".
CASES = frozenset({"bg", "cs", "el", "et", "fi", "ga", "hr", "hu", "lt", "lv", "pl", "sk", "sl"})
SHORTEST_NAME_LETTERS = 4  # of a country: shorter ones are codes, and words ("in", "de")


class FilterNames:
    """Finds the names of filters' values. Countries are those of the collection's list: without one there are none."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._countries = taxonomy.lists.get("countries", {})
        self._stems: dict[str, list[tuple[str, str]]] = {}  # by language, made when a query in it comes

    def named_in(self, query: str, language: str | None, facets: Facets) -> tuple[NamedFilter, ...]:
        """Return the filters that a query names, with the documents that each would leave; none that leaves nothing."""
        found = {(name, value): word for name, value, word in self._named(query, language)}
        return tuple(
            NamedFilter(name, value, word, count)
            for (name, value), word in found.items()
            if (count := facets[name].get(value, 0))
        )

    def _named(self, query: str, language: str | None) -> Iterator[tuple[str, str, str]]:
        """Yield filter, value and the words that name it."""
        words = _WORD.findall(query)
        start = 0
        while start < len(words):
            for length in range(min(LONGEST_NAME_WORDS, len(words) - start), 0, -1):
                name = " ".join(words[start : start + length])
                if length == 1 and (spoken := _language_names(language).get(name.casefold())):
                    yield "language", spoken, name
                if code := self._country(name, language):
                    yield "country", code, name
                    start += length - 1
                    break
            start += 1
        for match in _YEAR.finditer(query):
            yield "year", match[0], match[0]

    def _country(self, name: str, language: str | None) -> str | None:
        """Return the code of the country that words name, with an ending of the query's language too: "Ausztriában"."""
        if len(name) < SHORTEST_NAME_LETTERS:
            return None
        plain = without_accents(name)
        if code := self._names.get(plain):
            return code
        if " " in name or language not in CASES:
            return self._names.get(plain.removesuffix("s"))
        for stem, code in self._stems_in(str(language)):
            if plain.startswith(stem) and len(plain) - len(stem) <= LONGEST_ENDING_LETTERS:
                return code
        return None

    @cached_property
    def _names(self) -> dict[str, str]:
        """The countries' codes by their names in any language, as they are typed without accents."""
        return {without_accents(label): country.id for country in self._countries.values() for label in country.labels()}

    def _stems_in(self, language: str) -> list[tuple[str, str]]:
        """Return the beginnings of the countries' names in a language that its endings leave as they are, with the codes."""
        if language not in self._stems:
            names = [
                (without_accents(label), country.id)
                for country in self._countries.values()
                for label in country.terms.get(language, ())
            ]
            self._stems[language] = [
                (name[: max(SHORTEST_STEM_LETTERS, len(name) - (1 if len(name) < LONG_NAME_LETTERS else 2))], code)
                for name, code in names
                if len(name) > SHORTEST_STEM_LETTERS and " " not in name
            ]
        return self._stems[language]


@cache
def _language_names(language: str | None) -> dict[str, str]:
    """Return the codes of the EU's languages by their names in a language, and in English."""
    from babel import Locale, UnknownLocaleError

    names: dict[str, str] = {}
    for code in dict.fromkeys([language or "en", "en"]):
        try:
            known = Locale(code).languages
        except (UnknownLocaleError, ValueError):
            continue
        names |= {known[spoken].casefold(): spoken for spoken in EU_LANGUAGES if spoken in known}
    return names
