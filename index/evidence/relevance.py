"""Which of the ranked documents match a query, and whether any does: calibrated log-odds over their scores.

    match(d)   = a·score(d) - b·min(highest score - score(d), g) + c·other language + e·questions + f
    nothing(q) = the same form over the highest score alone

Scores are no probabilities: a question in another language than the collection's scores lower, and one in a collection that
brings questions higher. Both are fitted to judged questions and to questions about other things, from four collections
(`make train-relevance` writes relevance.json); docs/retrieval.md has what they keep and what they let through. They cut a list
and do not rank it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "relevance.json"


@dataclass(frozen=True, slots=True)
class LogOdds:
    """A logistic regression over what is known of a score, with the least log-odds that count."""

    score: float
    behind: float  # of the score's distance behind the highest one
    most_behind: float  # of that distance: what one document has beyond the others' measure takes nothing from them
    other_language: float
    questions: float
    intercept: float
    least: float

    def holds(self, score: float, highest: float, *, other_language: bool, questions: bool) -> bool:
        """Tell whether a score is high enough."""
        odds = self.intercept + self.score * score - self.behind * min(highest - score, self.most_behind)
        return odds + self.other_language * other_language + self.questions * questions >= self.least


@dataclass(frozen=True, slots=True)
class Relevance:
    """What tells the documents that match from those that only come next."""

    document: LogOdds
    anything: LogOdds

    def count(self, scores: Sequence[float], *, other_language: bool, questions: bool) -> int:
        """Return how many of the scores, the highest first, are of documents that match; 0 where nothing does.

        `other_language`: the query is not in the collection's main language; `questions`: the collection brings questions.
        """
        if not scores or not self.anything.holds(scores[0], scores[0], other_language=other_language, questions=questions):
            return 0
        matching = (
            self.document.holds(score, scores[0], other_language=other_language, questions=questions) for score in scores
        )
        return next((rank for rank, holds in enumerate(matching) if not holds), len(scores)) or 1


@cache
def packaged_relevance() -> Relevance:
    """Return what the package brings."""
    values = json.loads(FILE.read_text(encoding="utf-8"))
    return Relevance(LogOdds(**values["document"]), LogOdds(**values["anything"]))
