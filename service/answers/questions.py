"""What a question asks: its kind, the practices that it names, its parts, and what of the question before it goes on from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pes_search.index.search import QUERY_CHARACTERS
from pes_search.index.text.tokens import terms
from pes_search.ingest.languages import Language, any_of, known_languages
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.taxonomy import EVIDENCE_LIST, Taxonomy
from pes_search.service.answers.kinds import KINDS, AnswerKind
from pes_search.service.answers.names import countries_of, plain_text
from pes_search.service.answers.practice_names import PracticeNames

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.service.answers.confidence import QuestionModels

FOLLOW_UP_WORDS = 6  # of a question that goes on from another, at most
PART_WORDS = 2  # of each part of a question, at least
KEYWORDS = 3  # so many words that hold no question word are a search, no question
NO_EVALUATION = ("monitoring-figures", "none-stated")  # strengths of evidence that nobody asks for by their names
LEAST_REST_WORDS = 3  # of a question without the field's name
_WORD = re.compile(r"\w+")
_FIELD = re.compile(r"\b(?:PES|(?:public )?employment services?)\b(?! (?:staff|network))", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Part:
    """A question, or one of two in one."""

    text: str
    kind: AnswerKind
    is_told: bool  # by its words, not by its vector alone
    vector: Vectors = field(compare=False)  # of the text as a query
    detail: Vectors = field(compare=False)  # of the text without the practices that it names: what is asked of them


@dataclass(frozen=True, slots=True)
class YearCondition:
    """That a practice began or ended before, after or in a year."""

    relation: str  # before, after, since, until or in
    year: int
    of_end: bool  # asks when practices ended, not when they began


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question was understood to ask."""

    text: str  # what it says, with what it goes on from
    searched: str  # what is searched for
    language: str | None
    parts: tuple[Part, ...]  # one, or two
    named: tuple[str, ...]  # documents that it names
    countries: frozenset[str]  # that it names, ISO 3166-1 alpha-2
    years: frozenset[int]
    condition: YearCondition | None
    extreme: str | None  # `most` or `least`: asks which practices have the largest or smallest figures
    is_of_money: bool  # the figures that it asks for
    is_vague: bool  # asks for a detail of a practice and does not say of which
    is_open: bool  # goes on from a question before that is not given
    shown: str | None  # what was understood, where that differs from what was typed
    strengths: frozenset[str] = frozenset()  # of evidence, that it asks for by their names ("control group")

    @property
    def kind(self) -> AnswerKind:
        """The kind of the first part."""
        return self.parts[0].kind


def understood(
    question: str,
    previous: str | None,
    names: PracticeNames,
    models: QuestionModels,
    encode: Callable[[Sequence[str]], Vectors],
) -> Understood:
    """Return what a question asks; `encode` gives the vectors of queries."""
    typed = " ".join(question.split())
    language = detect_language(typed)
    goes_on = _goes_on(typed, language) and not names.named_in(typed, language)
    text, shown = typed, None
    if previous and (goes_on or not _says_something(typed, language)):
        joined = _joined(" ".join(previous.split()), typed, names)
        if len(joined) <= QUERY_CHARACTERS:
            text = shown = joined
            language = detect_language(text)
    texts = parts_of(text, language)
    details = [_without_names(part, names, language) for part in texts]
    distinct = list(dict.fromkeys([*texts, *details]))
    vectors = dict(zip(distinct, encode(distinct), strict=True))
    parts = tuple(
        Part(part, *kind_of(part, language, models, vectors[part]), vectors[part], vectors[detail])
        for part, detail in zip(texts, details, strict=True)
    )
    named, countries = tuple(names.named_in(text, language)), frozenset(countries_of(text, language))
    says_of_what = bool(named or countries) or models.names_practice.logit(parts[0].vector) >= 0
    return Understood(
        text=text,
        searched=text if named else _without_field(text),
        language=language,
        parts=parts,
        named=named,
        countries=countries,
        years=frozenset(int(year) for year in _YEAR.findall(text)),
        condition=_condition(text, language),
        extreme=_extreme(text, language) if parts[0].kind.several else None,
        is_of_money=_is_of_money(text, language),
        is_vague=len(parts) == 1 and parts[0].kind.of_one and not says_of_what,
        is_open=goes_on and not previous,
        shown=shown,
    )


# ── Kinds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def kind_of(question: str, language: str | None, models: QuestionModels, vector: Vectors) -> tuple[AnswerKind, bool]:
    """Return a question's kind, by the words of its language that tell it, else by its vector; and whether words told it."""
    plain = plain_text(question)
    found = {
        name: match
        for name, expression in _kind_words(language).items()
        if name in KINDS and (match := expression.search(plain))
    }
    if found:
        return KINDS[min(found, key=lambda name: (found[name].start(), -len(found[name][0])))], True
    if len(_WORD.findall(question)) <= KEYWORDS and not question.rstrip().endswith("?"):
        return KINDS["keywords"], False
    return KINDS[models.kind(vector)], False


@cache
def _kind_words(language: str | None) -> dict[str, re.Pattern[str]]:
    known = _known(language)
    return {name: re.compile(any_of(words)) for name, words in known.question_kinds.items()} if known else {}


def _known(language: str | None) -> Language | None:
    return known_languages().get(language or "")


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def parts_of(question: str, language: str | None) -> list[str]:
    """Return the two questions that one asks ("What does it cost and who pays?"), or the question itself."""
    known = _known(language)
    if known is None or not known.conjunction or not known.question_words:
        return [question]
    words = any_of(re.escape(word) for word in sorted(known.question_words, key=len, reverse=True))
    plain = "".join(_plain_letter(letter) for letter in question)  # as long as the question
    opening = re.compile(rf"[,;?]?\s+(?:{re.escape(plain_text(known.conjunction))})\s+(?=(?:\w+\s+)?(?:{words})\b)|\?\s+(?=\w)")
    for match in opening.finditer(plain):
        first, second = question[: match.start()].rstrip(" ?,"), question[match.end() :].rstrip()
        if min(len(_WORD.findall(first)), len(_WORD.findall(second))) >= PART_WORDS and re.search(
            rf"\b(?:{words})\b", plain[: match.start()]
        ):
            return [first + "?", second]
    return [question]


def _plain_letter(letter: str) -> str:
    plain = plain_text(letter)
    return plain if len(plain) == 1 else letter.lower()[:1] or " "


# ── Questions that go on from another ───────────────────────────────────────────────────────────────────────────────


def _goes_on(question: str, language: str | None) -> bool:
    if len(_WORD.findall(question)) > FOLLOW_UP_WORDS:
        return False
    plain = plain_text(question)
    # Of so few words the language is often not told.
    languages = [known for known in (_known(language), *known_languages().values()) if known]
    return any(_follow_ups(known.code).search(plain) for known in languages)


@cache
def _follow_ups(language: str) -> re.Pattern[str]:
    return re.compile(any_of(known_languages()[language].follow_ups))


def _says_something(question: str, language: str | None) -> bool:
    """Tell whether a question names what it asks about, and does not only point at it ("What does it cost?")."""
    known = _known(language)
    if known is None or not known.unnamed:
        return True
    return re.search(rf"\b(?:{any_of(known.unnamed)})\b", plain_text(question)) is None


def _joined(previous: str, question: str, names: PracticeNames) -> str:
    """Return a question with what it goes on from: the practice that was named before, or else the whole question before."""
    language = detect_language(previous)
    named = names.places(previous, language)
    if len(named) == 1:
        ((start, end),) = named.values()
        return f"{question.rstrip(' ?')} – {previous[start:end]}?"
    return f"{previous.rstrip('?')} – {question}"


def _without_names(question: str, names: PracticeNames, language: str | None) -> str:
    """Return a question without the practices that it names, or as it is where hardly anything else is in it."""
    rest = question
    for start, end in sorted(names.places(question, language).values(), reverse=True):
        rest = f"{rest[:start]} {rest[end:]}"
    rest = " ".join(rest.split())
    return rest if len(_WORD.findall(rest)) >= PART_WORDS else question


def _without_field(question: str) -> str:
    """Return a question without the name of the field, which every document is about: "How do PES deal with mass layoffs?"."""
    rest = " ".join(_FIELD.sub(" ", question).split())
    return rest if len(_WORD.findall(rest)) >= LEAST_REST_WORDS else question


# ── Evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def named_strengths(question: str, language: str | None, taxonomy: Taxonomy) -> frozenset[str]:
    """Return the strengths of evidence that a question names, in its language or in English: "with a control group"."""
    found = set()
    for strength, concept in taxonomy.lists.get(EVIDENCE_LIST, {}).items():
        for code in dict.fromkeys((language or "en", "en")):
            asked = terms(question, code)
            labels = (terms(label, code) for labels in (concept.terms, concept.plain) for label in labels.get(code, ()))
            if strength not in NO_EVALUATION and any(label and _stands_in(label, asked) for label in labels):
                found.add(strength)
    return frozenset(found)


def _stands_in(words: Sequence[str], text: Sequence[str]) -> bool:
    """Tell whether words stand in a text one after the other."""
    return any(list(text[first : first + len(words)]) == list(words) for first in range(len(text) - len(words) + 1))


# ── Years ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _extreme(question: str, language: str | None) -> str | None:
    known = _known(language)
    relations = known.year_relations if known else {}
    plain = plain_text(question)
    return next((name for name in ("most", "least") if re.search(any_of(relations.get(name, ())), plain)), None)


def _is_of_money(question: str, language: str | None) -> bool:
    expression = _kind_words(language).get("how_much")
    return expression is not None and expression.search(plain_text(question)) is not None


def _condition(question: str, language: str | None) -> YearCondition | None:
    """Return what a question asks of the years of practices ("that ended before 2020")."""
    known = _known(language)
    plain = plain_text(question)
    year = _YEAR.search(plain)
    if known is None or year is None:
        return None
    around = plain[: year.start()].rstrip(), plain[year.end() :].lstrip()
    relation = next(
        (
            relation
            for relation in ("before", "after", "since", "until", "in")
            if re.search(rf"(?:{any_of(known.year_relations.get(relation, ()))})(?:\s+\w+)?$", around[0])
            or re.match(rf"(?:{any_of(known.year_relations.get(relation, ()))})", around[1])  # Hungarian: "2020 után"
        ),
        None,
    )
    verbs = {verb: re.search(any_of(known.year_relations.get(verb, ())), plain) for verb in ("started", "ended")}
    if relation is None or not any(verbs.values()):
        return None
    return YearCondition(relation, int(year[0]), of_end=verbs["ended"] is not None)
