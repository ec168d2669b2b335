"""Sentences of the found passages, chosen as the answer: verbatim, without repetition, of several documents where asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pes_search.service.evidence import Evidence, lead_in
from pes_search.service.types import Citation, Reading, Sentence

# Of two sentences of like meaning the second is repetition, unless it states another number. Cosines of the packaged
# encoder; sentences of different meaning in one document lie between .80 and .93.
SAME = 0.96
DATED = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


# Another sentence of a document that has spoken already must be better by this much (in the reader's log-odds): with it
# .723 of the development questions got their answer within five sentences, without it .709, with 1.0 .719.
SPOKEN = 0.5
# Asked for several, documents this near to the best one speak, once each: 95 % of those that answer such development questions
# are (and 65 % of the others among the first ten).
NEAR = 0.05
# A sentence this far below the best one (log-odds) is left out.
FAR = 4.0


@dataclass(frozen=True, slots=True)
class ExtractiveWriter:
    """Answers with the found sentences themselves; needs no language model."""

    most: int  # sentences

    def sentences(self, reading: Reading) -> Iterator[Sentence]:
        """Yield the chosen sentences, each as a quotation."""
        for one in chosen(reading.found, several=reading.several, most=self.most):
            yield sentence_of(one)


def chosen(found: Sequence[Evidence], *, several: bool, most: int) -> list[Evidence]:
    """Return the sentences of the answer; `found` has the best first."""
    return _one_a_document(found, most) if several else _best(found, most)


def _one_a_document(found: Sequence[Evidence], most: int) -> list[Evidence]:
    """Return the best sentence of each of the documents that are near, in the documents' order."""
    best: dict[str, Evidence] = {}
    for one in found:
        if one.behind <= NEAR and not any(_repeats(one, other) for other in best.values()):
            best.setdefault(one.hit.document.id, one)
    return sorted(best.values(), key=lambda one: (one.behind, one.hit.document.id))[:most]


def _best(found: Sequence[Evidence], most: int) -> list[Evidence]:
    """Return the best sentences; what disagrees with a chosen figure comes right after it.

    A sentence's score sinks with each one that its document has already.
    """
    picked: list[Evidence] = []
    times: Counter[str] = Counter()
    left = [one for one in found if one.score >= found[0].score - FAR]
    while left and len(picked) < most:
        best = max(left, key=lambda one: one.score - SPOKEN * times[one.hit.document.id])
        left.remove(best)
        if any(_repeats(best, other) for other in picked):
            continue
        for one in (best, *_disagreeing(best, found)):
            if one not in picked and len(picked) < most:
                picked.append(one)
                times[one.hit.document.id] += 1
    return picked


def sentence_of(one: Evidence) -> Sentence:
    """Return a chosen sentence as its quotation; an item of a list has the line that introduces the list before it.

    A figure in a list is dated by that line, so it would be worth little without it.
    """
    passage, document = one.hit.passage, one.hit.document
    own = Citation(passage, document, one.start, one.end)
    lead = lead_in(passage.text, one.start)
    if lead is None:
        return Sentence(own.quote, (own,))
    introduction = Citation(passage, document, *lead)
    return Sentence(f"{introduction.quote} {own.quote}", (introduction, own))


def _repeats(one: Evidence, other: Evidence) -> bool:
    if one.text == other.text:
        return True
    return float(one.vector @ other.vector) >= SAME and one.numbers == other.numbers


def _disagreeing(one: Evidence, found: Sequence[Evidence]) -> list[Evidence]:
    """Return what states other figures for the same thing: the items beside it in a list, and sentences of like meaning."""
    if not one.numbers:
        return []
    return [other for other in found if other.numbers - one.numbers and _same_matter(one, other)]


def _same_matter(one: Evidence, other: Evidence) -> bool:
    """Tell whether two sentences with figures speak of one thing: dated items of one list, or nearly the same words."""
    if one.hit.passage.id == other.hit.passage.id:
        lead = lead_in(one.hit.passage.text, one.start)
        if lead is not None and lead == lead_in(one.hit.passage.text, other.start):
            # A list of figures of several dates is one quantity told several times; without dates it is several quantities.
            return bool(DATED.search(other.text)) and bool(DATED.search(one.text))
    return float(one.vector @ other.vector) >= SAME
