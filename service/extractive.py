"""Sentences of the found passages, chosen as the answer: verbatim, without repetition, of several documents where asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pes_search.service.evidence import Evidence, lead_in
from pes_search.service.types import Citation, Reading, Sentence

# Of two sentences of like meaning the second is repetition, unless it states another number. Cosines of the packaged
# encoder; sentences of different meaning in one document lie between .80 and .93.
SAME = 0.96
DATED = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class ExtractiveWriter:
    """Answers with the found sentences themselves; needs no language model."""

    focused: int  # sentences for a question about one thing
    most: int  # where several are asked for, or figures disagree

    def sentences(self, reading: Reading) -> Iterator[Sentence]:
        """Yield the chosen sentences, each as a quotation."""
        for one in chosen(reading.found, several=reading.several, most=self.most, focused=self.focused):
            yield sentence_of(one)


def chosen(found: Sequence[Evidence], *, several: bool, most: int, focused: int) -> list[Evidence]:
    """Return the sentences of the answer.

    Asked for several, the best of each of `most` documents in the order of the documents; else the `focused` best
    wherever they stand. `found` has the best first.
    """
    picked: list[Evidence] = []
    for one in found:
        if len(picked) == (most if several else focused):
            break
        if several and any(other.hit.document.id == one.hit.document.id for other in picked):
            continue
        if not any(_repeats(one, other) for other in picked):
            picked.append(one)
    return picked if several else _with_conflicts(picked, found, most)


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


def _with_conflicts(picked: Sequence[Evidence], found: Sequence[Evidence], most: int) -> list[Evidence]:
    """Add what states another figure for the same thing: the items beside a chosen one, and sentences of like meaning."""
    answer = list(picked)
    for one in picked:
        if not one.numbers:
            continue
        for other in found:
            if len(answer) == most:
                return answer
            if other not in answer and other.numbers - one.numbers and _same_matter(one, other):
                answer.append(other)
    return answer


def _same_matter(one: Evidence, other: Evidence) -> bool:
    """Tell whether two sentences with figures speak of one thing: dated items of one list, or nearly the same words."""
    if one.hit.passage.id == other.hit.passage.id:
        lead = lead_in(one.hit.passage.text, one.start)
        if lead is not None and lead == lead_in(one.hit.passage.text, other.start):
            # A list of figures of several dates is one quantity told several times; without dates it is several quantities.
            return bool(DATED.search(other.text)) and bool(DATED.search(one.text))
    return float(one.vector @ other.vector) >= SAME
