"""Which words of a passage a query's words match: places to mark.

A word is marked in the passage's own language only: French "pays" (country) is not English "pay". A query in another language
marks what both have as it is written, and no dictionary of the passage's language has: names, numbers, terms of the trade.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from pes_search.index.text.tokens import term_spans, terms
from pes_search.index.text.words import words_of
from pes_search.ingest.languages.dictionary import has_dictionary, is_word
from pes_search.ingest.types import Passage

# A matched word is marked unless it is this much more common than the query's rarest ("in", "the").
MARKED_IDF_SHARE = 0.35
# In a small collection "the" may be missing from many passages: short words are mostly such.
SHORT_WORD_LETTERS, SHORT_IDF_SHARE = 3, 0.75
Spans = tuple[tuple[int, int], ...]


def _least_share(term: str) -> float:
    return SHORT_IDF_SHARE if len(term) <= SHORT_WORD_LETTERS and term.isalpha() else MARKED_IDF_SHARE


class Highlighter:
    """Marks a query's words in passages."""

    def __init__(
        self,
        query: str,
        query_language: str | None,
        terms_of: Mapping[str | None, Sequence[str]],
        idf: Mapping[str, float],
        words_in: Callable[[str | None], Container[str]],
    ) -> None:
        """`terms_of` has the query's terms as each language has them, `idf` how rare each is.

        `words_in` gives the collection's words in a language: a query of nothing else is in that language, whatever it seems.
        """
        self._query_language = query_language
        self._typed = words_of(query)
        self._words_in = words_in
        self._spoken: dict[str, bool] = {}  # languages of passages, and whether the query is in them too
        self._words = {word.casefold() for word in query.split()} | set(terms(query, None))
        highest = {language: max((idf[term] for term in several), default=0.0) for language, several in terms_of.items()}
        self._marked = {
            language: {term for term in several if idf[term] >= _least_share(term) * highest[language]}
            for language, several in terms_of.items()
        }

    def spans(self, passage: Passage) -> Spans:
        """Return the places in the passage's text, in their order and apart from each other."""
        marked = self._marked.get(passage.language, set())
        found = [
            (start, end)
            for start, end, term in term_spans(passage.text, passage.language)
            if term in marked and self._is_same_word(passage.text[start:end], passage.language)
        ]
        spans: list[tuple[int, int]] = []
        for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
            if not spans or start >= spans[-1][1]:
                spans.append((start, end))
        return tuple(spans)

    def _is_same_word(self, word: str, language: str | None) -> bool:
        """Tell whether a word of a passage that a term matches is the query's, not another language's that looks like it."""
        if self._query_language is None or language is None or self._query_language == language:
            return True
        if language not in self._spoken:
            known = self._words_in(language)
            self._spoken[language] = bool(self._typed) and all(typed in known for typed in self._typed)
        if self._spoken[language]:
            return True
        if word.casefold() not in self._words:
            return False
        return any(c.isdigit() for c in word) or not has_dictionary(language) or not is_word(word.lower(), language)
