"""What no field of a document states, from the sentences that say so, each value with a confidence.

What is stated is never overwritten, and a rule has to be exact before it is broad:

- countries and organisation: the one that nearly all sentences speak of which name any, and that the text begins with or comes
  back to; an organisation only where a sentence says that it runs something.
- target groups: what the title names, or what stands right behind "aimed at" and the text comes back to.
- measure types: what the title names, or what many of the sentences name.
- evidence: the strongest that a sentence speaks of by one of the list's labels ("control group"), in the document's language or
  in English; else monitoring figures, where people or shares are counted.

A sentence that denies something says nothing here. News and reports are of many things: only their titles and countries count.
Each confidence is how often its rule was right where the truth is known (docs/inferred.md).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from pes_search.index.text.tokens import terms
from pes_search.index.text.words import without_brackets
from pes_search.ingest.languages import NEVER, any_of, known_languages
from pes_search.ingest.stated_figures import stated_figures
from pes_search.ingest.stated_terms import named_terms, term_labels
from pes_search.ingest.taxonomy import EVIDENCE_LIST, FIELDS, Taxonomy
from pes_search.ingest.types import PEOPLE, PER_CENT, Document, InferredValue, StatedFigure

SINGLE = ("organisation", "evidence")  # fields of one value
COUNTRIES, ORGANISATIONS = "countries", "organisations"  # the lists
NO_COUNTRY = "EU"  # in the list of countries, but beside its members
MONITORING = "monitoring-figures"
# Documents that tell of something that was done, which evidence is judged of.
JUDGED_KINDS = frozenset({"practice", "project", "factsheet", "case study"})
DIGESTS = frozenset({"news", "report"})  # that are about many things at once
SHORTEST_NAME_LETTERS = 3  # of an organisation
FEWEST_PEOPLE = 10  # of a figure that counts what was done; fewer are a story or a team
FOREMOST_SHARE = 0.9  # of the sentences that name any country or organisation
COMES_BACK = 2  # sentences that name it, where the first passage does not
AIMED_WORDS = 4  # behind "aimed at"
AIMED_SENTENCES = 3  # that name the group somewhere
OFTEN_SENTENCES, OFTEN_SHARE = 3, 0.15  # of a document's, that name the measure
BEFORE_CHARACTERS = 40  # of what is looked at before a country's name
# How often each rule was right, rounded down (docs/inferred.md).
COUNTRY_CONFIDENCE, ORGANISATION_CONFIDENCE = 0.95, 0.9
TITLE_CONFIDENCE = {"target_groups": 0.85, "measure_types": 0.9}
TEXT_CONFIDENCE = {"target_groups": 0.75, "measure_types": 0.75}
NAMED_CONFIDENCE, FIGURES_CONFIDENCE = 0.8, 0.7


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, or the title, that tells of what a document is about."""

    text: str
    passage_id: str | None  # None for the title
    is_first: bool  # the title, or of the first passage


class _Mention(NamedTuple):
    value: str
    sentence: Told


class Inferrer:
    """Fills the fields that documents leave empty; made once for many documents."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        """Take the lists whose labels are looked for."""
        self.taxonomy = taxonomy
        self._organisations = _Names(
            {
                label: concept.id
                for concept in taxonomy.lists.get(ORGANISATIONS, {}).values()
                for label in concept.labels()
                if len(label) >= SHORTEST_NAME_LETTERS
            }
        )
        self._countries = cache(self._names_of_countries)
        self._labels = cache(lambda field, language: term_labels(taxonomy, FIELDS[field], language))
        self._strengths = cache(self._labels_of_strengths)

    def complete(self, document: Document, sentences: Sequence[Told]) -> Document:
        """Return the document with what its sentences say of its empty fields; `sentences` tell of what it is about."""
        told = [sentence for sentence in sentences if not _is_denied(sentence.text, document.language)]
        title = Told(document.title, None, is_first=True)
        titled = told if _is_denied(title.text, document.language) else [title, *told]
        found = {
            "countries": self._country(document, titled),
            "organisation": self._organisation(document, told),
            "target_groups": self._groups(document, titled),
            "measure_types": self._measures(document, titled),
            "evidence": self._evidence(document, told),
        }
        inferred = {
            field: several for field, values in found.items() if not getattr(document, field) and (several := [*values])
        }
        filled: dict[str, Any] = {field: tuple(one.value for one in several) for field, several in inferred.items()}
        filled |= {field: filled[field][0] for field in SINGLE if field in filled}
        values = [value for several in inferred.values() for value in several]
        return replace(document, **filled, inferred=(*document.inferred, *values))

    # ── Countries and organisations ─────────────────────────────────────────────────────────────────────────────────

    def _country(self, document: Document, sentences: Sequence[Told]) -> Iterator[InferredValue]:
        names = self._countries(document.language)
        elsewhere = _elsewhere(document.language)
        of_organisations = self.taxonomy.lists.get(ORGANISATIONS, {})
        mentions = []
        for sentence in sentences:
            named = {
                names.meant(match)
                for match in names.found(sentence.text)
                if not elsewhere.search(sentence.text[max(0, match.start() - BEFORE_CHARACTERS) : match.start()])
            }
            runners = (self._organisations.meant(match) for match in self._organisations.found(sentence.text))
            named |= {str(of_organisations[runner].country) for runner in runners}
            mentions += [_Mention(country, sentence) for country in sorted(named - {NO_COUNTRY, "None"})]
        if foremost := _foremost(mentions):
            yield _value("countries", foremost.value, COUNTRY_CONFIDENCE, foremost.sentence)

    def _organisation(self, document: Document, sentences: Sequence[Told]) -> Iterator[InferredValue]:
        if document.kind in DIGESTS:
            return
        names = self._organisations
        named = [(sentence, list(names.found(sentence.text))) for sentence in sentences]
        mentions = [
            _Mention(value, sentence)
            for sentence, matches in named
            for value in dict.fromkeys(names.meant(match) for match in matches)
        ]
        foremost = _foremost(mentions)
        if foremost is None:
            return
        runs = _of_language(document.language, "runs")
        for sentence, matches in named:
            is_of_it = bool(matches) and all(names.meant(match) == foremost.value for match in matches)
            if is_of_it and runs.search(sentence.text):
                yield _value("organisation", matches[0][0], ORGANISATION_CONFIDENCE, sentence)
                return

    def _names_of_countries(self, language: str | None) -> _Names:
        codes = dict.fromkeys([language or "en", "en"])
        listed = self.taxonomy.lists.get(COUNTRIES, {})
        names = {
            label: concept.id
            for concept in listed.values()
            for code in codes
            for label in (*concept.terms.get(code, ()), *concept.plain.get(code, ()))
        }
        spoken = [known_languages()[code] for code in codes if code in known_languages()]
        adjectives = {adjective: code for known in spoken for adjective, code in known.country_adjectives.items()}
        return _Names({name: code for name, code in (adjectives | names).items() if code in listed})

    # ── Terms of the controlled lists ───────────────────────────────────────────────────────────────────────────────

    def _groups(self, document: Document, sentences: Sequence[Told]) -> Iterator[InferredValue]:
        field = "target_groups"
        aimed_at = _of_language(document.language, "aimed_at")
        named = self._named(field, document, sentences)
        counts = Counter(mention.value for mention in named)
        aimed = [
            _Mention(value, sentence)
            for sentence in sentences
            for match in aimed_at.finditer(sentence.text)
            for value in self._terms(field, document, _words_behind(sentence.text, match.end()))
            if counts[value] >= AIMED_SENTENCES
        ]
        yield from self._narrowest(field, document, named, aimed)

    def _measures(self, document: Document, sentences: Sequence[Told]) -> Iterator[InferredValue]:
        field = "measure_types"
        named = self._named(field, document, sentences)
        counts = Counter(mention.value for mention in named)
        least = max(OFTEN_SENTENCES, OFTEN_SHARE * len(sentences))
        often = [mention for mention in named if counts[mention.value] >= least]
        yield from self._narrowest(field, document, named, often)

    def _narrowest(
        self, field: str, document: Document, named: Sequence[_Mention], in_text: Sequence[_Mention]
    ) -> Iterator[InferredValue]:
        """Yield what the title names, then what the text tells; none that includes another."""
        found: dict[str, InferredValue] = {}
        for mention in named:
            if mention.sentence.passage_id is None:
                found[mention.value] = _value(field, mention.value, TITLE_CONFIDENCE[field], mention.sentence)
        for mention in in_text if document.kind not in DIGESTS else ():
            found.setdefault(mention.value, _value(field, mention.value, TEXT_CONFIDENCE[field], mention.sentence))
        broader = {above for value in found for above in self.taxonomy.with_broader(FIELDS[field], [value]) if above != value}
        yield from (value for value in found.values() if value.value not in broader)

    def _named(self, field: str, document: Document, sentences: Sequence[Told]) -> list[_Mention]:
        return [_Mention(value, sentence) for sentence in sentences for value in self._terms(field, document, sentence.text)]

    def _terms(self, field: str, document: Document, text: str) -> tuple[str, ...]:
        return named_terms([text], self._labels(field, document.language))

    # ── Evidence ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _evidence(self, document: Document, sentences: Sequence[Told]) -> Iterator[InferredValue]:
        strengths = self.taxonomy.lists.get(EVIDENCE_LIST, {})
        if document.kind not in JUDGED_KINDS or not strengths:
            return
        labels = self._strengths(document.language)
        named: dict[str, Told] = {}
        figure: Told | None = None
        for sentence in sentences:
            words = terms(sentence.text, document.language)
            for strength_id, label in labels:
                if strength_id not in named and _holds(words, label):
                    named[strength_id] = sentence
        for sentence in sentences:
            if any(map(_counts, stated_figures(sentence.text, document.language, "", 0))):
                figure = sentence
                break
        for strength_id in strengths:  # the strongest first
            stating, confidence = named.get(strength_id), NAMED_CONFIDENCE
            if strength_id == MONITORING and stating is None:
                stating, confidence = figure, FIGURES_CONFIDENCE
            if stating is not None:
                yield _value("evidence", strength_id, confidence, stating)
                return

    def _labels_of_strengths(self, language: str | None) -> list[tuple[str, list[str]]]:
        return [
            (strength.id, words)
            for strength in self.taxonomy.lists.get(EVIDENCE_LIST, {}).values()
            for code in dict.fromkeys([language or "en", "en"])
            for several in (strength.terms, strength.plain)
            for label in several.get(code, ())
            if (words := terms(label, language))
        ]


class _Names:
    """Names as texts write them, and what each means."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = meanings
        longest_first = sorted(meanings, key=lambda name: (-len(name), name))
        self._pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first)) or NEVER})(?![\w-])")

    def found(self, text: str) -> Iterator[re.Match[str]]:
        return self._pattern.finditer(text)

    def meant(self, match: re.Match[str]) -> str:
        return self._meanings[match[0]]


def _value(field: str, value: str, confidence: float, sentence: Told) -> InferredValue:
    return InferredValue(field, value, confidence, sentence.text, sentence.passage_id)


def _foremost(mentions: Sequence[_Mention]) -> _Mention | None:
    """Return the first mention of what nearly all sentences speak of, if the text begins with it or comes back to it."""
    counts = Counter(mention.value for mention in mentions)
    for value, count in counts.most_common(1):
        own = [mention for mention in mentions if mention.value == value]
        is_told = count >= COMES_BACK or any(mention.sentence.is_first for mention in own)
        if is_told and count >= FOREMOST_SHARE * counts.total():
            return own[0]
    return None


def _words_behind(text: str, place: int) -> str:
    """Return the few words behind a place, not beyond the end of its clause."""
    clause = re.split(r"[.;:()]", text[place:])[0]
    return " ".join(clause.split()[:AIMED_WORDS])


@cache
def _of_language(language: str | None, key: str) -> re.Pattern[str]:
    known = known_languages().get(language or "en")
    return re.compile(rf"(?<!\w)(?:{getattr(known, key) if known else NEVER})(?!\w)", re.IGNORECASE)


@cache
def _elsewhere(language: str | None) -> re.Pattern[str]:
    """Return what stands right before a country that the text is not about, an article between them or not."""
    known = known_languages().get(language or "en")
    return re.compile(rf"(?<!\w)(?:{known.elsewhere if known else NEVER})\s+(?:[^\W\d_]{{1,3}}\s+)?$", re.IGNORECASE)


def _counts(figure: StatedFigure) -> bool:
    return figure.unit == PER_CENT or (figure.unit == PEOPLE and figure.value >= FEWEST_PEOPLE)


def _holds(words: Sequence[str], label: Sequence[str]) -> bool:
    """Tell whether words hold a label's, one right after the other."""
    size = len(label)
    return any(words[first : first + size] == label for first in range(len(words) - size + 1) if words[first] == label[0])


def _is_denied(sentence: str, language: str | None) -> bool:
    """Tell whether a sentence denies something, or says that it is not known: then it tells nothing.

    What it lacks in brackets ("date not stated") does not matter.
    """
    sentence = without_brackets(sentence)
    known = known_languages().get(language or "en")
    if known is None:
        return False
    words = set(re.findall(r"[^\W\d_]+", sentence.lower()))
    return bool(words & known.negations or re.search(any_of(known.not_stated), sentence, re.IGNORECASE))
