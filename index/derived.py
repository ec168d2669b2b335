"""What a build adds to a document's metadata from its sentences: the figures that they state, and how strong the evidence is.

Front matter is never overwritten. Where it is silent, evidence is inferred: the strongest that a sentence speaks of by one of
the list's labels ("control group"), in the document's language or in English; else monitoring figures, where people or shares
are counted. What is inferred has a confidence: how often its rule was right on practices whose strength somebody has judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pes_search.index.text.tokens import terms
from pes_search.index.text.words import without_brackets
from pes_search.ingest.languages import any_of, known_languages
from pes_search.ingest.passages import heading_above, is_imagined
from pes_search.ingest.stated_figures import stated_figures
from pes_search.ingest.taxonomy import EVIDENCE_LIST, Taxonomy, fold
from pes_search.ingest.types import PEOPLE, PER_CENT, Document, Page, Passage, StatedFigure

MONITORING = "monitoring-figures"
ORGANISATIONS = "organisations"  # the list
SHORTEST_NAME_LETTERS = 3  # of an organisation
# Documents whose evidence is judged: what tells of something that was done. News are about many things at once.
JUDGED_KINDS = frozenset({"practice", "project", "factsheet", "case study"})
FEWEST_PEOPLE = 10  # of a figure that counts what was done; fewer are a story or a team
# How often each rule is right on the corpus' 109 practices, rounded down (tests/index/test_derived.py): 5 of 6, 33 of 49.
NAMED_CONFIDENCE, FIGURES_CONFIDENCE = 0.8, 0.65


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


def with_derived(
    document: Document,
    pages: Sequence[Page],
    passages: Sequence[Passage],
    sentence_spans: Sequence[Sequence[tuple[int, int]]],
    taxonomy: Taxonomy,
) -> Document:
    """Return the document with its figures and, where nothing states it, the strength of its evidence."""
    sentences = list(_told(pages, passages, sentence_spans))
    figures = tuple(
        figure
        for sentence in sentences
        for figure in stated_figures(sentence.text, document.language, sentence.passage.id, sentence.start)
    )
    complete = replace(document, figures=figures, organisations=_organisations(document, taxonomy))
    return complete if complete.evidence else inferred_evidence(complete, [one.text for one in sentences], taxonomy)


def _organisations(document: Document, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return the organisations of the list whose names a document's organisation holds, in the list's order, else itself."""
    if not document.organisation:
        return ()
    held = f" {_fold_words(document.organisation)} "
    return tuple(
        concept.id
        for concept in taxonomy.lists.get(ORGANISATIONS, {}).values()
        if any(f" {name} " in held for label in concept.labels() if len(name := _fold_words(label)) >= SHORTEST_NAME_LETTERS)
    ) or (document.organisation,)


def _fold_words(text: str) -> str:
    """Return the words of a text with single spaces between them, as they are compared."""
    return " ".join(re.findall(r"\w+", fold(text)))


def inferred_evidence(document: Document, sentences: Iterable[str], taxonomy: Taxonomy) -> Document:
    """Return the document with the strongest evidence that its sentences speak of; as it is where they speak of none."""
    strengths = taxonomy.lists.get(EVIDENCE_LIST, {})
    if document.kind not in JUDGED_KINDS or not strengths:
        return document
    languages = dict.fromkeys([document.language or "en", "en"])
    labels = [
        (strength.id, words)
        for strength in strengths.values()
        for language in languages
        for several in (strength.terms, strength.plain)
        for label in several.get(language, ())
        if (words := terms(label, document.language))
    ]
    named: dict[str, str] = {}
    figure: str | None = None
    for sentence in sentences:
        words = terms(sentence, document.language)
        for strength_id, label in labels:
            if strength_id not in named and _holds(words, label) and not _is_denied(sentence, document.language):
                named[strength_id] = sentence
        if figure is None and any(map(_counts, stated_figures(sentence, document.language, "", 0))):
            figure = sentence
    for strength_id in strengths:  # the strongest first
        stating, confidence = named.get(strength_id), NAMED_CONFIDENCE
        if strength_id == MONITORING and stating is None:
            stating, confidence = figure, FIGURES_CONFIDENCE
        if stating is not None:
            return replace(document, evidence=strength_id, evidence_sentence=stating, evidence_confidence=confidence)
    return document


def _counts(figure: StatedFigure) -> bool:
    return figure.unit == PER_CENT or (figure.unit == PEOPLE and figure.value >= FEWEST_PEOPLE)


def _told(
    pages: Sequence[Page], passages: Sequence[Passage], sentence_spans: Sequence[Sequence[tuple[int, int]]]
) -> Iterator[_Sentence]:
    """Yield the sentences that tell of what a document is about: none of situations that somebody imagined."""
    page_of = {page.number: page for page in pages}
    for passage, spans in zip(passages, sentence_spans, strict=True):
        page = page_of[passage.page]
        for start, end in spans:
            if not is_imagined(heading_above(page, passage.start + start)):
                yield _Sentence(passage, start, end)


def _holds(words: Sequence[str], label: Sequence[str]) -> bool:
    """Tell whether words hold a label's, one right after the other."""
    size = len(label)
    return any(words[first : first + size] == label for first in range(len(words) - size + 1) if words[first] == label[0])


def _is_denied(sentence: str, language: str | None) -> bool:
    """Tell whether a sentence denies something, or says that it is not known: then it speaks of no evidence.

    What it lacks in brackets ("date not stated") does not matter.
    """
    sentence = without_brackets(sentence)
    known = known_languages().get(language or "en")
    if known is None:
        return False
    words = set(re.findall(r"[^\W\d_]+", sentence.lower()))
    return bool(words & known.negations or re.search(any_of(known.not_stated), sentence, re.IGNORECASE))
