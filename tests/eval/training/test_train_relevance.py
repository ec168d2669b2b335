"""What is fitted from scores tells what matches from what only comes next."""

import numpy as np

from pes_search.eval.training.train_relevance import LEAST_KEPT, Example, fitted, told
from pes_search.index.evidence.relevance import LogOdds, Relevance


def examples(source: str, highest: float, relevant: int, seed: int) -> list[Example]:
    """Twenty documents a query: the relevant ones around the highest score, the others .1 to .3 lower."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(60):
        near = highest - rng.uniform(0, 0.05, relevant)
        scores = np.concatenate([near, 0.7 - rng.uniform(0.0, 0.1, 20 - relevant)])
        is_relevant = np.arange(20) < relevant
        order = np.argsort(-scores)
        made.append(Example(source, scores[order], is_relevant[order], other_language=False, questions=True))
    return made


def test_the_fit_keeps_what_is_relevant_and_sees_where_nothing_is() -> None:
    several = [*examples("own", 1.0, 3, 1), *examples("other", 0.95, 1, 2), *examples("about something else", 0.72, 0, 3)]
    values = fitted(several)
    odds = {name: LogOdds(**each) for name, each in values.items()}
    relevance = Relevance(odds["document"], odds["anything"])
    counts = [relevance.count(one.scores.tolist(), other_language=False, questions=True) for one in several]
    assert np.mean([count >= 3 for count in counts[:60]]) >= LEAST_KEPT - 0.02
    assert max(counts[:60]) < 20
    assert np.mean([count == 0 for count in counts[120:]]) > 0.9
    lines = list(told(several, odds))
    assert lines[1].startswith("| own | 60 | ")
    assert lines[3].endswith("| – | 1.000 |")
