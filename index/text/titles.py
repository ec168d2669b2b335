"""Titles as a text names them, and what a title tells of a series: which edition, which part."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pes_search.ingest.languages import NEVER, any_of, known_languages

TITLE_WORDS = 3  # at least, of a title that a text may name: two words are often a phrase
TITLE_CHARACTERS = 15
LONG_TITLE_WORDS = 6  # so many in the same order with the same capitals are no phrase
SERIES_WORDS = 3  # of a title without its edition and part: "annual report" is that of many
QUOTES = "\"“”„»«‘’‹›'*"
WORD = re.compile(r"[^\W_]+")
_ABBREVIATION = re.compile(r"\([A-Z][A-Z0-9-]+(?=\))")
_YEARS = re.compile(r"\b((?:19|20)\d\d)(?:\s?[-–/]\s?((?:19|20)?\d\d))?\b")
_OF_PARTS = re.compile(r"\((\d{1,2})\s?/\s?\d{1,2}\)")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}
_ORDINALS = ((2, ("second", "zweite", "deuxième", "seconde", "segunda", "seconda", "drug")),
             (3, ("third", "dritte", "troisième", "tercera", "terza", "trzeci")))  # fmt: skip


def words_of_title(title: str) -> tuple[str, ...]:
    """Return the words of a title as they are compared, if they are enough to tell it from a phrase; else none."""
    words = tuple(WORD.findall(title.casefold()))
    return words if len(words) >= TITLE_WORDS and len(title) >= TITLE_CHARACTERS else ()


class Titles:
    """Finds titles in texts, in one pass over a text's words however many titles there are."""

    def __init__(self, titles: Iterable[tuple[str, ...]]) -> None:
        """Each title as `words_of_title` gives it."""
        self._by_start: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for words in titles:
            self._by_start.setdefault(words[:TITLE_WORDS], set()).add(words)

    def found_in(self, text: str, own: Container[tuple[str, ...]] = ()) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Yield the titles whose words stand in a text, with their places, but for its own and those within longer ones.

        What takes the time is done for all words at once; each word is looked at again only where a title begins.
        """
        words = WORD.findall(text.casefold())
        runs = list(zip(*(words[place:] for place in range(TITLE_WORDS)), strict=False))
        begun = self._by_start.keys() & runs
        found: list[tuple[int, tuple[str, ...]]] = []
        end_before = 0
        for first in (place for place, run in enumerate(runs) if run in begun) if begun else ():
            starting = self._by_start[runs[first]]
            longest = max(
                (title for title in starting if tuple(words[first : first + len(title)]) == title), key=len, default=()
            )
            if longest and first + len(longest) > end_before:
                end_before = first + len(longest)
                found.append((first, longest))
        if all(title in own for _, title in found):
            return
        places = [match.span() for match in WORD.finditer(text)]
        if len(places) == len(words):  # a letter whose small form is two may part a word
            for first, title in found:
                if title not in own:
                    yield title, places[first][0], places[first + len(title) - 1][1]


def is_named(title: str, text: str, start: int, end: int, language: str | None, *, is_heading: bool = False) -> bool:
    """Tell whether a text names a title where its words stand, and does not use them as a phrase.

    They have the title's capitals, and it is long, or has a name in it, or stands in quotation marks, on a line of its own or,
    if it has four words, with a capital within a sentence. Or they have its abbreviation in brackets behind them.
    """
    found = text[start:end]
    ours, theirs = WORD.findall(title), WORD.findall(found)
    if ours != theirs and not title.isupper() and not found.isupper():
        return any(match[0] in found for match in _ABBREVIATION.finditer(title))  # the place ends within the bracket
    if len(ours) >= LONG_TITLE_WORDS:
        return True
    before, after = text[:start].rstrip(" "), text[end:].lstrip(" ")
    if before[-1:] and before[-1] in QUOTES and after[:1] and after.lstrip(".,)?! ")[:1] in {*QUOTES}:
        return True
    known = known_languages().get(language or "")
    are_capitals_usual = title.isupper() or (known is not None and known.nouns_capitalised)
    if not are_capitals_usual and any(word[0].isupper() or word[0].isdigit() for word in ours[1:]):
        return True
    line = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    if len(WORD.findall(line)) == len(ours):
        return not is_heading
    is_within_sentence = bool(before) and before[-1] not in ".!?:;\n–—-•|("
    return is_within_sentence and title[:1].isupper() and not are_capitals_usual and len(ours) > TITLE_WORDS


# ── Series ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class InSeries:
    """A title's place in a series of documents."""

    words: tuple[str, ...]  # that all titles of it have
    edition: tuple[int, int] | None  # its years, else its number
    part: int | None


def in_series(title: str, language: str | None) -> InSeries | None:
    """Return a title's place in a series, if there is enough in it to tell one from others."""
    edition_of, part_of = _expressions(language)
    rest, part, edition = title.casefold(), None, None
    if match := part_of.search(rest) or _OF_PARTS.search(rest):
        part = int(match[1]) if match[1].isdecimal() else _ROMAN.get(match[1])
        rest = rest[: match.start()] + " " + rest[match.end() :] if part else rest
    if match := edition_of.search(rest):
        digits = re.search(r"\d+", match[0])
        ordinal = next((number for number, words in _ORDINALS if any(word in match[0] for word in words)), 2)
        edition = (0, int(digits[0]) if digits else ordinal)
        rest = rest[: match.start()] + " " + rest[match.end() :]
    if years := [*_YEARS.finditer(rest)]:
        first, last = years[-1][1], years[-1][2] or years[-1][1]
        edition = (int(first[:2] + last if len(last) == 2 else last), int(first))
        rest = rest[: years[-1].start()] + " " + rest[years[-1].end() :]
    words = tuple(WORD.findall(rest))
    return InSeries(words, edition, part) if len(words) >= SERIES_WORDS else None


@cache
def _expressions(language: str | None) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what tells an edition and a part, in a language and in English."""
    known = [one for code in dict.fromkeys([language or "en", "en"]) if (one := known_languages().get(code))]
    edition = any_of(one.edition for one in known if one.edition != NEVER)
    part = any_of(one.part for one in known if one.part != NEVER)
    return (
        re.compile(rf"(?<!\w)(?:{edition})(?!\w)"),
        re.compile(rf"(?<!\w)(?:{part})\s{{0,2}}(\d{{1,3}}|[ivx]{{1,4}})(?!\w)"),
    )
