"""The names by which questions mean a document: its title, what its title is known by, and its native title.

A name binds: who asks about "MAGMA" wants to hear of no other practice. So a name of words that anybody may use ("Career
consultations") counts only where it is written as a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.languages import known_languages
from pes_search.ingest.languages.dictionary import is_word
from pes_search.ingest.types import Document
from pes_search.service.answers.names import plain_text

LEAST_CHARACTERS = 3
MOST_WORDS = 6  # of a name; a longer title is typed by nobody
COMMON_PASSAGES = 5  # a word in more of them is one that anybody may use
LONGEST_ENDING, LEAST_INFLECTED = 4, 5  # letters of an ending, and of a name that may have one
NAMED_KINDS = ("practice", "project", "factsheet")  # of documents; a news item or report is about several
_PARTS = re.compile(r"\s+[–—-]\s+|[():/“”\"]|,\s|\s+and\s+|\s+for\s+|\s+with\s+")
_WORD = re.compile(r"[^\W_][\w@.&-]*[\w@]|[^\W_]|§\w+")
_UNLIKE_WORDS = re.compile(r"[A-ZÀ-Þ]{2,}|[_@\d§]|\w\.\w|[a-z][A-Z]")  # in a name that no dictionary has


@dataclass(frozen=True, slots=True)
class _Name:
    words: tuple[str, ...]  # plain
    document: str
    is_common: bool  # of words that anybody may use


@dataclass(frozen=True, slots=True)
class PracticeNames:
    """The names of a collection's documents, by their first words."""

    by_word: dict[str, tuple[_Name, ...]]

    def named_in(self, question: str, language: str | None) -> list[str]:
        """Return the ids of the documents that a question names, in its order."""
        return list(self.places(question, language))

    def places(self, question: str, language: str | None) -> dict[str, tuple[int, int]]:
        """Return the documents that a question names, in its order, with the characters of their names."""
        words = list(_WORD.finditer(question))
        plain = [plain_text(word[0]) for word in words]
        plain = [self._without_ending(word) for word in plain]
        found: dict[str, tuple[int, int]] = {}  # a document's longest name: its first word, and the one after its last
        for first in range(len(words)):
            for name in self.by_word.get(plain[first], ()):
                end = first + len(name.words)
                if tuple(plain[first:end]) != name.words:
                    continue
                typed = [word[0] for word in words[first:end]]
                is_common = name.is_common or all(_is_word_in(word, language) for word in typed)
                if is_common and not _is_written_as_name(typed, language, is_first=first == 0):
                    continue
                if name.document not in found or len(name.words) > found[name.document][1] - found[name.document][0]:
                    found[name.document] = first, end
        longest = {
            document: (first, end)
            for document, (first, end) in found.items()
            if not any(other[0] <= first and end <= other[1] and other != (first, end) for other in found.values())
        }
        ordered = sorted(longest.items(), key=lambda item: item[1])
        return {document: (words[first].start(), words[end - 1].end()) for document, (first, end) in ordered}

    def _without_ending(self, word: str) -> str:
        """Return a name without the ending that many languages hang on: "az OTT-t", "Ohjaamossa"."""
        if word in self.by_word:
            return word
        stems = [word.rpartition("-")[0]]
        stems += [word[:-cut] for cut in range(1, LONGEST_ENDING + 1) if len(word) - cut >= LEAST_INFLECTED]
        return next((stem for stem in stems if stem in self.by_word), word)


def practice_names(index: OpenIndex) -> PracticeNames:
    """Return the names of an index's documents."""
    by_language = map(index.stored.words, index.manifest.languages)
    passages_with = {word: count for words in by_language for word, count in words.items()}
    return names_of_documents(index.stored.documents(EVERYTHING), passages_with)


def names_of_documents(documents: Iterable[Document], passages_with: Mapping[str, int]) -> PracticeNames:
    """Return the names of documents; one that several share is none's. `passages_with` has how many passages hold a word."""
    common = {plain_text(word) for word, passages in passages_with.items() if passages > COMMON_PASSAGES}
    names: dict[tuple[str, ...], set[str]] = {}
    for document in documents:
        if document.kind in NAMED_KINDS:
            for name in _names(document):
                names.setdefault(name, set()).add(document.id)
    by_word: dict[str, list[_Name]] = {}
    for name, ids in names.items():
        if len(ids) == 1:
            by_word.setdefault(name[0], []).append(_Name(name, next(iter(ids)), common.issuperset(name)))
    return PracticeNames({word: tuple(several) for word, several in by_word.items()})


def _names(document: Document) -> Iterable[tuple[str, ...]]:
    short = document.id.split("-")[1:]  # "fr-tzcld" is known as TZCLD
    if len(short) == 1 and len(short[0]) >= LEAST_CHARACTERS and not short[0].isdigit():
        yield (plain_text(short[0]),)
    for title in filter(None, (document.title, document.native_title)):
        whole = tuple(plain_text(word) for word in _WORD.findall(title))
        if 1 < len(whole) <= MOST_WORDS:
            yield whole
        for part in _PARTS.split(title):
            words = _WORD.findall(part)
            if (
                words
                and len(words) <= MOST_WORDS
                and len("".join(words)) >= LEAST_CHARACTERS
                and words[0][:1] == words[0][:1].upper()
            ):
                yield tuple(map(plain_text, words))
            for word in words:  # "MAGMA" of "MAGMA job guarantee Marienthal"
                if len(word) >= LEAST_CHARACTERS and _UNLIKE_WORDS.search(word):
                    yield (plain_text(word),)


def _is_written_as_name(words: Sequence[str], language: str | None, *, is_first: bool) -> bool:
    """Tell whether words stand with capitals where others would have none."""
    if any(word.isupper() and len(word) > 1 for word in words):
        return True
    known = known_languages().get(language or "")
    if known and known.nouns_capitalised:
        return len(words) > 1 and words[0][:1].isupper() and not is_first
    capitals = sum(word[:1].isupper() for word in words[is_first:])
    return capitals >= min(2, len(words) - is_first) > 0


def _is_word_in(word: str, language: str | None) -> bool:
    """Tell whether a word in small letters is one of the question's language: "acceder" in a Spanish question is no name."""
    return language is not None and word.islower() and is_word(word, language)
