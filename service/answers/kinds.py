"""The kinds of questions, and what an answer to each looks like: one table.

What a sentence holds that answers is an expression (an amount, a year), of English where words tell it; where in a write-up it
stands is told by the heading above it. Which kind a question is of, `questions.understood` tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pes_search.index.text.words import without_brackets
from pes_search.ingest.languages import any_of, known_languages

_CURRENCY = r"(?:€|EUR|euros?|£|GBP|\$|USD|SEK|DKK|NOK|ISK|PLN|CZK|HUF|RON|BGN|HRK|kr(?:oner|onor)?|zł|Kč|Ft|lei|leva|kuna)"
_SCALE = r"(?:\s?(?:million|billion|thousand|m|bn|k)\b)?"
_AMOUNT = (
    rf"{_CURRENCY}\s?\d[\d.,\u00a0 ]*{_SCALE}|\d[\d.,\u00a0]*{_SCALE}\s?{_CURRENCY}(?!\w)"
    r"|\d+\s?% of (?:the )?(?:\w+ )?(?:\w+['’]s )?(?:gross |net )?(?:wages?|costs?|salary)"
)
_YEAR = r"(?<!\d)(?:19|20)\d\d(?!\d)"
_NUMBER = (
    r"(?<![\d.,])(?!(?:19|20)\d\d(?!\d))\d[\d.,\u00a0]*"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousands?|half|a third|a quarter)\b"
)
_MONTHS = (
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b\d+ (?:weeks?|months?|years?|days?)\b"
)
_DURATION = (
    r"\b(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|eighteen|half an?|an?)"
    r"(?:[- ](?:to|or|and)[- ]\w+|[-–]\d+)?[- ](?:hours?|days?|weeks?|months?|years?)\b"
    r"|\b(?:permanent|open[- ]ended|until|up to the end)\b"
)
_CONTACT = r"[\w.+-]+@[\w-]+\.\w+|https?://|www\.|\+\d\d[\d ()/-]{6,}"


def _words(*stems: str) -> str:
    """Return an expression for words that begin with a stem that ends in `-`, or are one of the others."""
    return r"\b(?:" + "|".join(stem[:-1] + r"\w*" if stem.endswith("-") else rf"{stem}\b" for stem in stems) + ")"


_EFFECT = _words(
    "evaluat-", "study", "studies", "trial", "experiment-", "randomi-", "control group", "comparison group", "compared with",
    "effect-", "impact", "survey-", "found that", "in work after", "in work one", "in work six", "found work", "found a job",
    "found jobs", "per cent", "satisf-", "result-", "higher", "lower", "more likely", "odds", "audit",
) + r"|\d ?%"  # fmt: skip
_ROLE = _words(
    "run", "runs", "ran", "managed", "led", "leads", "carried out", "carries out", "operat-", "financ-", "fund-", "pays",
    "paid", "co-financ-", "responsible", "partner-", "together with", "commission-", "ministry", "agency", "service",
    "belongs to", "criticis-", "developed by", "set up by", "launched", "organisation behind",
)  # fmt: skip
_PAYER = _words(
    "financ-", "co-financ-", "fund-", "pays", "paid", "pay", "money", "budget", "subsid-", "European Social Fund", "ESF", "EU",
    "Recovery and Resilience", "RRF", "contribut-", "cost", "costs",
)  # fmt: skip
_REASON = _words(
    "because", "since", "due to", "so that", "in order", "reason-", "aim-", "goal-", "response", "therefore", "after",
    "until then", "lack-", "shortage-", "problem-", "crisis", "pandemic", "Covid", "war", "few", "too", "before",
)  # fmt: skip
_PLACE = _words(
    "nation-", "region-", "municipal-", "county", "counties", "city", "cities", "town", "towns", "village-", "across",
    "district-", "local", "province-", "island-", "office-", "centre-", "site-", "everywhere", "capital",
)  # fmt: skip
_METHOD = _words(
    "reach-", "through", "by means of", "via", "visit-", "event-", "website", "campaign-", "contact-", "offer-", "combin-",
    "consist-", "includ-", "cover-", "works with", "use", "uses", "used", "send-", "goes", "went", "door", "call-", "letter-",
    "mediator-", "counsell-", "advis-", "mentor-", "training", "first", "then",
)  # fmt: skip
_GROUP = _words(
    "for", "meant", "aimed", "open to", "eligib-", "target group-", "who", "aged", "under", "over", "unemployed", "young",
    "women", "jobseeker-", "take part", "condition-",
)  # fmt: skip
_PROBLEM = _words(
    "critici-", "problem-", "difficult-", "barrier-", "obstacle-", "challeng-", "lack-", "lesson-", "learnt", "weak-", "risk-",
    "delay-", "fewer than", "however", "but",
)  # fmt: skip


@cache
def _silent() -> re.Pattern[str]:
    return re.compile(any_of(words for known in known_languages().values() for words in known.not_stated), re.IGNORECASE)


def is_silent(text: str) -> bool:
    """Tell whether a sentence says that something is not stated; what it lacks in brackets does not matter."""
    return _silent().search(without_brackets(text)) is not None


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """A kind of question. `looks` and `sections` are expressions, of which one match is enough."""

    name: str
    looks: str = ""  # in a sentence that answers; empty: nothing tells it
    sections: str = ""  # in a heading above it
    several: bool = False  # many documents answer, each with the sentence that says what it is
    of_one: bool = False  # asks for a detail of one practice: where none is meant, it must be asked which
    silent: str = ""  # in a sentence that says that it is not stated; such a sentence is an answer then
    is_certain: bool = False  # `looks` tells for sure: what has no amount does not say how much
    by_body: bool = False  # a sentence that names the body in charge may answer
    by_nearest: bool = False  # a document speaks with its sentence nearest to the question, not with what reads like an answer
    with_figures: bool = False  # lists of figures may lead
    best_first: bool = False  # the best sentences count, whosever they are, also where several documents could speak
    always: bool = False  # any document answers that is named: what it is, how it compares, whom to ask or else who runs it
    as_table: bool = False  # may ask for a list by a fact

    def fits(self, text: str) -> bool:
        """Tell whether a sentence looks like an answer of this kind; any does where nothing tells."""
        return not self.looks or re.search(self.looks, text, re.IGNORECASE) is not None

    def is_silent(self, text: str) -> bool:
        """Tell whether a sentence says that what is asked for is not stated."""
        return bool(self.silent) and is_silent(text) and re.search(self.silent, text, re.IGNORECASE) is not None

    def answers(self, text: str, language: str | None) -> bool:
        """Tell whether a sentence may be the answer, or says that the document does not state it.

        In other languages than English nothing but its meaning tells.
        """
        return not self.is_certain or language != "en" or self.fits(text) or self.is_silent(text)

    def is_in_section(self, heading: str) -> bool:
        """Tell whether a heading is one under which such answers stand."""
        return bool(self.sections) and re.search(self.sections, heading, re.IGNORECASE) is not None


KINDS: Mapping[str, AnswerKind] = {
    kind.name: kind
    for kind in (
        AnswerKind(
            "who", _ROLE, r"partners|funding|actors", of_one=True, by_body=True, silent=r"\bwho|fund|pa(?:id|ys)|author"
        ),
        AnswerKind(
            "who_pays", _PAYER, r"funding|partners|budget|financ", of_one=True, silent=r"who|fund|financ|\bpa(?:id|ys?)\b|money"
        ),
        AnswerKind(
            "how_much",
            _AMOUNT,
            r"funding|results|budget|cost|use of",
            of_one=True,
            is_certain=True,
            silent=r"cost|fund|budget|money|amount|price|\bpa(?:id|ys?)\b",
        ),
        AnswerKind(
            "how_many",
            _NUMBER,
            r"results|use of|outcomes",
            of_one=True,
            is_certain=True,
            silent=r"how many|number|figure|participants|result",
            as_table=True,
        ),
        AnswerKind(
            "when",
            rf"{_YEAR}|{_MONTHS}",
            r"in short|context|background",
            of_one=True,
            is_certain=True,
            silent=r"when|year|date|how long|start|period",
            as_table=True,
        ),
        AnswerKind(
            "how_long",
            rf"{_DURATION}|\bfrom {_YEAR} to {_YEAR}",
            r"what it does|content|in short",
            of_one=True,
            is_certain=True,
            silent=r"how long|date|year|period|duration|lasts?",
        ),
        AnswerKind("where", _PLACE, r"in short|context|who it reaches", of_one=True, silent=r"where|place|region"),
        AnswerKind("how", _METHOD, r"what it does|who it reaches|content|how", silent=r"\bhow\b"),
        AnswerKind("why", _REASON, r"context|background|lessons|criticism", silent=r"\bwhy\b|reason"),
        AnswerKind("which_countries", "", r"in short", several=True, by_nearest=True, with_figures=True, as_table=True),
        AnswerKind("which_practices", "", r"in short", several=True, by_nearest=True, with_figures=True, as_table=True),
        AnswerKind(
            "evidence",
            _EFFECT,
            r"results|lessons|evaluation|outcomes|views",
            silent=r"result|evaluat|outcome|effect|figure|\bwork\b",
            with_figures=True,
            best_first=True,
        ),
        AnswerKind(
            "contact",
            _CONTACT,
            r"in short|contact",
            of_one=True,
            is_certain=True,
            by_body=True,
            silent=r"contact|address",
            best_first=True,
            always=True,
        ),
        AnswerKind(
            "definition",
            r"\b(?:is|are|was|were|means|helps?|offers?|gives?)\b",
            r"in short",
            best_first=True,
            always=True,
        ),
        AnswerKind("for_whom", _GROUP, r"who it reaches|in short|target group", of_one=True),
        AnswerKind("problems", _PROBLEM, r"lessons|criticism|results"),
        AnswerKind("compare", "", r"in short|what it does", several=True, always=True),
        AnswerKind("keywords", "", r"in short", several=True, with_figures=True, as_table=True),
        AnswerKind("other", as_table=True),
    )
}
