"""Documents of a collection that cite, update or continue each other, or name each other as something else to read.

A document speaks of another by its address, path or file name, by its full title, or by its id in the metadata; words right
before that tell what it is to it, and so do the titles of a series: "…, second edition", "… (2/3)". Every document is looked
through once, by dictionaries of all addresses and titles, so that the time grows with the text and not with pairs of documents.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from itertools import pairwise
from textwrap import shorten
from typing import TypeVar

from pes_search.index.copy_groups import Copies
from pes_search.index.text.addresses import addresses_in, keys_of, keys_of_target
from pes_search.index.text.titles import Titles, in_series, is_named, words_of_title
from pes_search.index.types import FoundBy, Relation, RelationKind, RelationRow
from pes_search.ingest.cleaning.links import is_see_also
from pes_search.ingest.disk import Spool
from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.passages import heading_above, sentence_spans
from pes_search.ingest.types import Document, Page

MOST_RELATIONS = 200  # of a document
# What more documents name than this share, and than so many, is no citation: a page in the frame of all others, a phrase.
MOST_NAMING, MOST_NAMING_SHARE = 10, 0.05
WORDS_BEFORE = 60  # characters before a document's name, in which words tell the kind …
GAP = 30  # … that end so many characters before it at most
SENTENCE_CHARACTERS = 300
FIRST_EDITION = (0, 1)  # where others have numbers
STRENGTH: Sequence[RelationKind] = ("see_also", "cites", "continues", "updates")  # of two documents the last one is kept
# By the name of the words that tell it: the kind, and whether it is the other document that updates or continues.
KINDS: Sequence[tuple[str, RelationKind, bool]] = (
    ("updates", "updates", False),
    ("updated_by", "updates", True),
    ("continues", "continues", False),
    ("continued_by", "continues", True),
)
T = TypeVar("T")
_BEGINS = re.compile(r"[\n(;]")  # behind which "see also" may begin
_END = re.compile(r"[.!?]\s(?!\s*$)")


@dataclass(frozen=True, slots=True)
class _Known:
    """What a document is known by."""

    titles: tuple[str, ...]
    language: str | None
    year: int | None  # that it tells of, or in which it was published
    is_closed: bool  # not for everybody
    series_of: tuple[object, ...]  # what all documents of a series have in common beside their titles


@dataclass(frozen=True, slots=True)
class _Mention:
    """A place where a document speaks of another."""

    target: str
    found_by: FoundBy
    kind: RelationKind
    is_reversed: bool = False  # the other one updates or continues this one
    sentence: str = ""


class RelationFinder:
    """Takes documents one by one, and tells their relations at the end. Their texts wait on disk until then."""

    def __init__(self) -> None:
        self._spool = Spool("the texts of the documents")
        self._known: dict[str, _Known] = {}
        self._by_key: dict[str, list[str]] = {}  # ids by addresses, paths and file names
        self._by_title: dict[tuple[str, ...], list[str]] = {}

    def add(self, document: Document, pages: Sequence[Page]) -> None:
        """Add a document with its whole text, lists of sources too."""
        year = document.year or (int(document.date[:4]) if document.date else None)
        common = (document.language, document.countries, document.organisation)
        titles = tuple(title for title in (document.title, document.native_title) if title and not title.endswith("…"))  # cut
        self._known[document.id] = _Known(titles, document.language, year, bool(document.visibility), common)
        for key in dict.fromkeys(keys_of(document)):
            self._by_key.setdefault(key, []).append(document.id)
        for words in dict.fromkeys(map(words_of_title, titles)):
            if words:
                self._by_title.setdefault(words, []).append(document.id)
        self._spool.put((document, pages))

    def close(self) -> None:
        """Forget the texts."""
        self._spool.close()

    def rows(self, copies: Copies) -> list[RelationRow]:
        """Return the relations, by source and target, as the manifest keeps them; copies of each other have none."""
        self._titles = Titles(self._by_title)
        found: dict[str, list[_Mention]] = {}
        for document, pages in self._spool.values():
            own = set(copies.group_of(document.id))
            mentions = [*self._named(document), *self._linked(document, pages, copies), *self._told(document, pages, copies)]
            found[document.id] = [one for one in mentions if one.target not in own]
        relations: dict[tuple[str, str], Relation] = {}
        common = self._common(found)
        for source, mentions in found.items():
            for mention in mentions:
                if (mention.found_by, mention.target) not in common:
                    pair = (mention.target, source) if mention.is_reversed else (source, mention.target)
                    _keep(relations, Relation(*pair, mention.kind, mention.found_by, mention.sentence))
        for relation in self._in_series(copies):
            _keep(relations, relation)
        counts = Counter[str]()
        rows: list[RelationRow] = []
        for pair in sorted(relations):
            counts[pair[0]] += 1
            if counts[pair[0]] <= MOST_RELATIONS:
                rows.append(astuple(self._possible(relations[pair], relations)))
        return rows

    # ── What a document speaks of ───────────────────────────────────────────────────────────────────────────────────

    def _named(self, document: Document) -> Iterator[_Mention]:
        """Yield the documents that the metadata name."""
        for target in document.related:
            if target in self._known:
                yield _Mention(target, "metadata", "see_also")

    def _linked(self, document: Document, pages: Sequence[Page], copies: Copies) -> Iterator[_Mention]:
        """Yield the documents that links lead to, and those whose addresses are written out."""
        for link in document.links:
            target = self._one_of(keys_of_target(link.target, document), document.id, copies)
            if target is None:
                continue
            place = _place_of(link.text, pages) if not link.is_aside else None
            if place:
                yield _mention(target, "address", *place, document.language)
            else:
                yield _Mention(target, "address", "see_also" if link.is_aside else "cites", sentence=_short(link.text))
        for page in pages:
            for address, start, end in addresses_in(page.text):
                if target := self._one_of(keys_of_target(address, document), document.id, copies):
                    yield _mention(target, "address", page, start, end, document.language)

    def _told(self, document: Document, pages: Sequence[Page], copies: Copies) -> Iterator[_Mention]:
        """Yield the documents whose titles the text holds."""
        own = {words_of_title(title) for title in self._known[document.id].titles}
        for page in pages:
            for words, start, end in self._titles.found_in(page.text, own):
                target = self._one(self._by_title[words], document.id, copies)
                is_heading = any(first <= start < last for first, last, _ in page.headings)
                titles = (title for one in self._by_title[words] for title in self._known[one].titles)
                title = next(title for title in titles if words_of_title(title) == words)
                if target and is_named(title, page.text, start, end, document.language, is_heading=is_heading):
                    yield _mention(target, "title", page, start, end, document.language)

    def _one_of(self, keys: Iterable[str], own: str, copies: Copies) -> str | None:
        """Return the document that the first known of several keys is one of."""
        return next((self._one(self._by_key[key], own, copies) for key in keys if key in self._by_key), None)

    def _one(self, ids: Sequence[str], own: str, copies: Copies) -> str | None:
        """Return the document that an address or a title is one of; none where it is that of several, or the document's own."""
        if own in ids:
            return None
        different = copies.without_others(ids)
        # Of several copies one that everybody may read, or else nobody would see what is said of it: `StatedRelations` knows
        # which of them stands for all.
        return min(ids, key=lambda one: (self._known[one].is_closed, one != different[0])) if len(different) == 1 else None

    def _common(self, found: dict[str, list[_Mention]]) -> set[tuple[str, str]]:
        """Return the documents that too many others name in one way."""
        counts = Counter(pair for mentions in found.values() for pair in {(one.found_by, one.target) for one in mentions})
        most = max(MOST_NAMING, MOST_NAMING_SHARE * len(found))
        return {pair for pair, count in counts.items() if count > most and pair[0] in ("address", "title")}

    # ── What titles tell ────────────────────────────────────────────────────────────────────────────────────────────

    def _in_series(self, copies: Copies) -> Iterator[Relation]:
        """Yield what the titles of series tell: a later edition updates the one before, a part continues the one before."""
        editions: dict[object, list[tuple[tuple[int, int] | None, str]]] = defaultdict(list)
        parts: dict[object, list[tuple[int, str]]] = defaultdict(list)
        for document_id in copies.without_others(self._known):
            known = self._known[document_id]
            if known.titles and (place := in_series(known.titles[0], known.language)):
                editions[place.words, place.part, known.series_of].append((place.edition, document_id))
                if place.part is not None:
                    parts[place.words, place.edition, known.series_of].append((place.part, document_id))
        for several in editions.values():
            is_of_years = any(edition and edition[0] for edition, _ in several)
            ordered = sorted((edition or FIRST_EDITION, one) for edition, one in several if edition or not is_of_years)
            if any(edition != FIRST_EDITION for edition, _ in ordered):
                yield from (Relation(later[1], one[1], "updates", "series") for one, later in _steps(ordered))
        for numbered in parts.values():
            steps = _steps(sorted(numbered))
            yield from (Relation(later[1], one[1], "continues", "series") for one, later in steps if later[0] == one[0] + 1)

    def _possible(self, relation: Relation, relations: Mapping[tuple[str, str], Relation]) -> Relation:
        """Return a relation; as a citation where two update each other, or one a later document."""
        if relation.kind not in ("updates", "continues") or relation.found_by == "series":
            return relation
        back = relations.get((relation.target, relation.source))
        year, other_year = (self._known[one].year for one in (relation.source, relation.target))
        is_older = year is not None and other_year is not None and year < other_year
        return replace(relation, kind="cites") if is_older or (back and back.kind == relation.kind) else relation


def _steps(ordered: Sequence[tuple[T, str]]) -> Iterator[tuple[tuple[T, str], tuple[T, str]]]:
    """Yield each two that follow each other, where no two stand at one place."""
    if len({place for place, _ in ordered}) == len(ordered):
        yield from pairwise(ordered)


def _keep(relations: dict[tuple[str, str], Relation], relation: Relation) -> None:
    """Keep a relation, if it says more than what is known of its two documents."""
    pair = relation.source, relation.target
    kept = relations.get(pair)
    if kept is None or STRENGTH.index(relation.kind) > STRENGTH.index(kept.kind):
        relations[pair] = relation


# ── A place in a text ───────────────────────────────────────────────────────────────────────────────────────────────


def _place_of(words: str, pages: Sequence[Page]) -> tuple[Page, int, int] | None:
    """Return where a link's words stand; a single one that stands in several places may be the link in any of them: "here"."""
    places = [
        (page, match.start(), match.end()) for page in pages for match in re.finditer(re.escape(words), page.text) if words
    ]
    return places[0] if len(places) == 1 or (places and " " in words) else None


def _mention(target: str, found_by: FoundBy, page: Page, start: int, end: int, language: str | None) -> _Mention:
    """Return what a text says of a document whose name stands at a place in it."""
    text = page.text
    before = _END.split(text[max(0, start - WORDS_BEFORE) : start])[-1]
    kind, is_reversed = _told_before(before, language)
    if kind == "cites" and (is_see_also(_BEGINS.split(before.strip())[-1]) or is_see_also(heading_above(page, start))):
        kind = "see_also"
    line = text.rfind("\n", 0, start) + 1, end + len(text[end:].partition("\n")[0])
    within = [span for span in sentence_spans(text, *line, language) if span[0] < end and span[1] > start] or [line]
    return _Mention(target, found_by, kind, is_reversed, _short(text[within[0][0] : within[-1][1]]))


def _told_before(before: str, language: str | None) -> tuple[RelationKind, bool]:
    """Return the kind that the words before a document's name tell, and whether it is the other that updates or continues."""
    ends: list[tuple[int, bool, RelationKind]] = []
    for name, kind, is_reversed in KINDS:
        last = max((match.end() for match in _words_of(name, language).finditer(before)), default=0)
        if last and last >= len(before) - GAP:
            ends.append((last, is_reversed, kind))
    _, is_reversed, kind = max(ends, default=(0, False, "cites"))
    return kind, is_reversed


@cache
def _words_of(name: str, language: str | None) -> re.Pattern[str]:
    """Return what tells a kind, in a language and in English."""
    known = [one for code in dict.fromkeys([language or "en", "en"]) if (one := known_languages().get(code))]
    return re.compile(any_of(words for one in known for words in one.relation_words.get(name, ())), re.IGNORECASE)


def _short(text: str) -> str:
    return shorten(text, SENTENCE_CHARACTERS, placeholder=" …")


# ── Looking up ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RelationTo:
    """A document's relation to another."""

    kind: RelationKind
    is_by_other: bool  # the other one cites, updates or continues this one
    document_id: str  # of the other
    found_by: FoundBy
    sentence: str


def relations_among(rows: Iterable[RelationRow], ids: Collection[str]) -> list[RelationRow]:
    """Return the relations of some documents with each other."""
    return [row for row in rows if row[0] in ids and row[1] in ids]


class StatedRelations:
    """The relations of an index, by document. Copies of a document have them in common."""

    def __init__(self, rows: Iterable[RelationRow], copies: Copies) -> None:
        self._copies = copies
        self._of: dict[str, list[Relation]] = {}  # by the document that stands for its copies
        for row in rows:
            relation = Relation(*row)  # type: ignore[arg-type]
            for one in dict.fromkeys(copies.group_of(end)[0] for end in (relation.source, relation.target)):
                self._of.setdefault(one, []).append(relation)

    def of(self, document_id: str) -> list[RelationTo]:
        """Return a document's relations, each other document once in each of the two directions, the strongest kind first."""
        group = self._copies.group_of(document_id)
        found: dict[tuple[bool, str], RelationTo] = {}
        ordered = sorted(self._of.get(group[0], ()), key=lambda relation: -STRENGTH.index(relation.kind))
        for relation in ordered:
            is_by_other = relation.source not in group
            other = self._copies.group_of(relation.source if is_by_other else relation.target)[0]
            key = is_by_other, other
            found.setdefault(key, RelationTo(relation.kind, is_by_other, other, relation.found_by, relation.sentence))
        return list(found.values())

    def newest(self, document_id: str) -> str | None:
        """Return the id of the newest version of a document; None where it is that itself."""
        seen = {self._copies.group_of(document_id)[0]}
        newest = None
        while later := self._later(newest or document_id):
            if self._copies.group_of(later)[0] in seen:
                break
            seen.add(self._copies.group_of(later)[0])
            newest = later
        return newest

    def _later(self, document_id: str) -> str | None:
        """Return the document that updates one."""
        return next((one.document_id for one in self.of(document_id) if one.kind == "updates" and one.is_by_other), None)
