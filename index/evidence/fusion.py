"""Every kind of evidence for a passage or document, and the one score that they become.

    meaning = (1 - v) · cosine of the whole passage + v · cosine of its closest sentence
    score   = (1 - t) · meaning + t · topic + w · lexical + c · agreement + n · labels + p · questions

with BM25 bounded to 0…1 (see `bm25`), topic the cosine of the document's mean vector, agreement the share of the query's
concepts that the document holds (see `concepts`), labels what the query shares with the names of the document's concepts in
the query's language (see `concept_labels`), and questions how near it is to those that the document is known to answer (see
`questions`). For a document each kind counts with the highest among its passages. Every part is
bounded, so none can outvote the others where it has no evidence; reciprocal rank fusion gives words half the vote always,
which ruins cross-language search (`docs/retrieval.md`).

To add a kind: a field of `types.Scores`, a weight in `config.FusionConfig`, a line in `scores_of`, a file for what it computes.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.config import FusionConfig
from pes_search.index.types import PassageRows, Query, Scores

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors

DECIMALS = 6  # of scores, so that ties are ties on every machine
# From .05 to .25 the 16 development questions of editors gain .22 to .28 of nDCG@10 (docs/retrieval.md).
CONCEPTS_OF_RELATED = 0.15
KINDS = tuple(kind.name for kind in fields(Scores))
_VALUES = operator.attrgetter(*KINDS)


def scores_of(query: Query, rows: PassageRows, config: FusionConfig, of_documents: Mapping[str, Vectors]) -> list[Scores]:
    """Return what each kind of evidence says of each passage, rounded; `of_documents` has the kinds that speak of documents."""
    if not rows.languages:
        return []
    queries = np.stack([query.vectors.get(language, query.vector) for language in rows.languages])
    columns = {
        "lexical": rows.lexical,
        "dense": _meaning(rows, queries, config.sentence_weight),
        "topic": np.einsum("ij,ij->i", rows.means, queries),
        **of_documents,
    }
    # In double precision, or what is rounded would not be.
    values = zip(*(np.round(columns[kind].astype(np.float64), DECIMALS).tolist() for kind in KINDS), strict=True)
    return [Scores(*row) for row in values]


def _meaning(rows: PassageRows, queries: Vectors, sentence_weight: float) -> Vectors:
    """Return the cosine of each passage mixed with that of its closest sentence; of one without sentences it is its own."""
    whole = np.einsum("ij,ij->i", rows.vectors, queries)
    counts = np.asarray(rows.sentence_counts)
    closest = whole.copy()
    if len(rows.sentences):
        cosines = np.einsum("ij,ij->i", rows.sentences, np.repeat(queries, counts, axis=0))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[counts > 0]
        closest[counts > 0] = np.maximum.reduceat(cosines, starts)
    # In double precision, as scores are rounded at the end.
    meaning: Vectors = (1 - sentence_weight) * whole.astype(np.float64) + sentence_weight * closest.astype(np.float64)
    return meaning


def fused(scores: Scores, config: FusionConfig) -> float:
    """Return the score of a passage, or of a document by the best of its passages."""
    return fused_each([scores], config)[0]


def fused_each(several: Iterable[Scores], config: FusionConfig) -> list[float]:
    """Return the score of each passage or document."""
    weights = config.weights()
    in_order = [weights[kind] for kind in KINDS]
    return [round(sum(map(operator.mul, in_order, _VALUES(scores))), DECIMALS) for scores in several]


def dense_score(scores: Scores, config: FusionConfig) -> float:
    """Return what the vectors alone say."""
    return fused(Scores(dense=scores.dense, topic=scores.topic), config)


def rounded(scores: Scores) -> Scores:
    """Return the scores as they are shown."""
    return Scores(*(round(value, DECIMALS) for value in _VALUES(scores)))


def best_of(several: Sequence[Scores]) -> Scores:
    """Return of each kind of evidence the highest: a document takes each from whichever of its passages has it."""
    return several[0] if len(several) == 1 else Scores(*map(max, zip(*map(_VALUES, several), strict=True)))


def related_score(cosine: float, overlap: float) -> float:
    """Return how near two documents are: the cosine of their mean vectors, and that of the concepts that they hold."""
    return round((1 - CONCEPTS_OF_RELATED) * cosine + CONCEPTS_OF_RELATED * overlap, DECIMALS)
