"""The query with its misspelled words put right: "traning vouchers" for a person who meant "training vouchers".

A word is right if the collection has it or a form of it, if a label of the controlled lists has it in any language, or if a
dictionary of the query's language or of English does. Any other word is replaced by the nearest one that a search of this
collection can use, and stays where none is near. The distance is that of optimal string alignment: letters added, left out,
exchanged, or swapped with their neighbour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property

import regex

from pes_search.index.stores.base import StoredIndex
from pes_search.index.text.tokens import terms
from pes_search.index.text.words import WORD, folded, without_accents, words_of
from pes_search.ingest.languages import EU_LANGUAGES, known_languages
from pes_search.ingest.languages.dictionary import has_dictionary, is_word
from pes_search.ingest.taxonomy import Taxonomy

TWO_FAULTS_LETTERS = 8  # of a word from which on it may have two faults
# The same in a language of the labels only, which say less about what is right: Italian maternità is not maturità.
TWO_FAULTS_LABEL_LETTERS = 12
# In a query neither parts of addresses ("www.ams.at", "a@b.eu", "a/b") nor elided words ("aujourd'hui", "dell'anno").
_OF_QUERY = regex.compile(rf"(?<![@/\\.#]){WORD.pattern}(?![@/\\]|[.'’]\p{{L}})")
GUESSED_LANGUAGE_WORDS = 3  # of a query whose language is a guess, at most
ENDING_LETTERS = 3  # at the end of a word that its forms may differ in


class Speller:
    """Puts the words of queries right, by what one generation of an index holds."""

    def __init__(self, index: StoredIndex) -> None:
        self.index = index
        self._languages = [language or None for language in index.manifest.languages]
        # Made when a query in the language comes.
        self._labels: dict[str, set[str]] = {}
        self._stems: dict[str | None, set[str]] = {}
        self._suggested: dict[str, tuple[list[str], Mapping[str, int]]] = {}

    @cached_property
    def _label_words(self) -> set[str]:
        """The words of the labels in any language."""
        return {word for label in _labels(self.index.taxonomy) for word in words_of(label)}

    def _of_labels(self, language: str) -> set[str]:
        """Return the words of the labels in one language."""
        if language not in self._labels:
            self._labels[language] = {word for label in _labels(self.index.taxonomy, language) for word in words_of(label)}
        return self._labels[language]

    def suggestion(self, query: str, language: str | None) -> str | None:
        """Return the query with its misspelled words put right, or None where there is nothing to put right.

        `language` is the query's, as identified. All but the replaced words stays as it was typed.
        """
        if all(any(folded(word) in self.index.words(code) for code in self._languages) for word in _OF_QUERY.findall(query)):
            return None  # most queries: nothing of what follows has to be read
        if (accented := self._with_accents(query, language)) is not None:
            return accented
        corrections = (self._corrected(query, possible) for possible in self._languages_of(query, language))
        return next((corrected for corrected in corrections if corrected != query), None)

    def _with_accents(self, query: str, identified: str | None) -> str | None:
        """Return a query that was typed without accents with them; None where that is not what is wrong with it.

        Its words are those of one language, by the labels or the collection, but for the accents. So no dictionary is needed.
        """
        words = [folded(word) for word in _OF_QUERY.findall(query) if not word.isupper()]
        plain = {word: without_accents(word) for word in words}
        best: tuple[int, dict[str, str]] = (0, {})
        for language, accented in self._accented.items():
            found = {word: accented.get(plain[word], "") for word in words}
            held = sum(bool(other) for other in found.values())
            changed = {word: other for word, other in found.items() if other and other != word and word == plain[word]}
            if changed and (2 * held > len(words) or language == identified) and held > best[0]:
                best = held, changed
        changed = best[1]
        if not changed or any(self._is_right(word, identified) for word in changed):
            return None
        # One word alone may as well be a word of the collection with a slip: "traning" is no Swedish "träning".
        if best[0] == 1 and any(self._nearest(word, code) for word in changed for code in self._languages if code):
            return None
        return str(_OF_QUERY.sub(lambda match: _in_case(changed.get(folded(match[0]), match[0]), match[0]), query))

    @cached_property
    def _accented(self) -> dict[str, dict[str, str]]:
        """By language each word of the labels and the collection by its form without accents."""
        words: dict[str, dict[str, str]] = {}
        for language in dict.fromkeys([*EU_LANGUAGES, *filter(None, self._languages)]):
            for word in [*self.index.words(language), *sorted(self._of_labels(language))]:
                words.setdefault(language, {}).setdefault(without_accents(word), word)
        return words

    def _is_right(self, word: str, identified: str | None) -> bool:
        """Tell whether the collection, the labels in the query's language, or English has a word as it was typed."""
        return (
            any(word in self.index.words(code) for code in self._languages)
            or (bool(identified) and word in self._of_labels(identified or ""))
            or is_word(word, "en")
        )

    def _corrected(self, query: str, language: str) -> str:
        return str(_OF_QUERY.sub(lambda match: self._put_right(match[0], language), query))

    def _languages_of(self, query: str, identified: str | None) -> list[str]:
        """Return the languages that a query may be in, the likelier first; none where nobody can say which words are right.

        A few misspelled words are easily misread ("trainig vouchers" as French): where a language of the collection, or
        English, holds more of the words than the identified one does, it is that; where neither holds half of them, it may be.
        """
        words = [folded(word) for word in _OF_QUERY.findall(query)]
        counts = {language: self._count_held(words, language) for language in (*filter(None, self._languages), "en")}
        likeliest = max(counts, key=counts.__getitem__)
        likely = _read_as().get(identified or "", identified or "")
        count = self._count_held(words, likely)
        if counts[likeliest] > count or not likely or not (likely in self._languages or self._of_labels(likely)):
            return [likeliest]
        possible = [likely] if likely in self._languages or has_dictionary(likely) else []
        is_guess = 2 * count < len(words) <= GUESSED_LANGUAGE_WORDS
        return [*possible, likeliest] if is_guess else possible

    def _count_held(self, words: Sequence[str], language: str) -> int:
        return sum(self._stems_in(language).issuperset(terms(word, language)) for word in words)

    def _put_right(self, typed: str, language: str) -> str:
        word = folded(typed)
        if typed.isupper() or self._is_held(word, language):  # capitals are an acronym
            return typed
        nearest = self._nearest(word, language)
        # The dictionaries come last: the first look into one takes up to two seconds (Polish), and few words have a neighbour.
        if nearest is None or _is_known(typed, language):
            return typed
        return _in_case(nearest, typed)

    def _is_held(self, word: str, language: str) -> bool:
        """Tell whether the labels have a word, or the collection has it or a form of it.

        The labels include the acronyms and former names that `index.expand` writes out.
        """
        return (
            any(word in self.index.words(code) for code in self._languages)
            or any(self._stems_in(code).issuperset(terms(word, code)) for code in dict.fromkeys([*self._languages, language]))
            or word in self._label_words
        )

    def _stems_in(self, language: str | None) -> set[str]:
        """Return the stems of the collection's and the labels' words in a language."""
        if language not in self._stems:
            words = self._of_labels(language or "").union(self.index.words(language))
            self._stems[language] = {stem for word in words for stem in terms(word, language)}
        return self._stems[language]

    def _nearest(self, word: str, language: str) -> str | None:
        """Return the nearest word, of equally near ones the more frequent; None where all are too far."""
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract_iter

        candidates, frequencies = self._candidates(language)
        most_faults = 2 if len(word) >= (TWO_FAULTS_LETTERS if language in self._languages else TWO_FAULTS_LABEL_LETTERS) else 1
        neighbours = [
            (distance, -frequencies[candidate], candidate)
            for candidate, distance, _ in extract_iter(word, candidates, scorer=OSA.distance, score_cutoff=most_faults)
            if (candidate[0] == word[0] or candidate[:2] == word[1::-1])  # few people mistake the first letter
            and (language in self._languages or not _differ_in_ending(word, candidate))
        ]
        return min(neighbours)[2] if neighbours else None

    def _candidates(self, language: str) -> tuple[list[str], Mapping[str, int]]:
        """Return the words of the collection and of the labels in a language, with the number of passages that have each."""
        if language not in self._suggested:
            frequencies = Counter(dict.fromkeys(self._of_labels(language), 0))
            frequencies.update(self.index.words(language))
            self._suggested[language] = list(frequencies), frequencies
        return self._suggested[language]


def _in_case(word: str, typed: str) -> str:
    """Return a word with a capital where what was typed has one."""
    return word[0].upper() + word[1:] if typed[0].isupper() and word else word


def _differ_in_ending(word: str, other: str) -> bool:
    """Tell whether two words may be forms of one: they differ in their last letters, which are not merely swapped."""
    same_until = min(len(word), len(other)) - ENDING_LETTERS
    return word[:same_until] == other[:same_until] and word[-2:] != other[-2:] and sorted(word) != sorted(other)


def _labels(taxonomy: Taxonomy, language: str | None = None) -> Iterator[str]:
    """Yield the labels of a language, or all of them.

    Earlier names of organisations, which are of no language, come with all and with "".
    """
    for concepts in taxonomy.lists.values():
        for concept in concepts.values():
            for field in (concept.short, concept.terms, concept.plain):
                for labels in [field.get(language, ())] if language is not None else field.values():
                    yield from labels
            if not language:
                yield from (former.name for former in concept.earlier)


def _is_known(word: str, language: str) -> bool:
    """Tell whether a dictionary of the language, or of English, has a word."""
    return any(is_word(word, code) for code in dict.fromkeys((language, "en")))


@cache
def _read_as() -> Mapping[str, str]:
    """Return the languages that the identifier takes others for, each with the one that is meant."""
    return {taken: language.code for language in known_languages().values() for taken in language.taken_for}
