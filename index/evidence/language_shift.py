"""A query's vector moved to the language of the passages that it is compared with.

A multilingual encoder keeps texts of one language a little apart from the others, so a question in Maltese is nearer to
anything that resembles Maltese than it should be. The labels of the controlled lists say the same in every language: the
difference of their mean vectors m is the languages' distance.

    q(l) = (q + s · (m(l) - m(the query's language))) / its length      for passages in language l
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


def shifted(
    vector: Vectors,
    language: str | None,
    languages: Iterable[str | None],
    mean_of: Callable[[str], Vectors | None],
    shift: float,
) -> dict[str | None, Vectors]:
    """Return a query's vector as passages in each of these languages are compared with, of unit length.

    `mean_of` gives a language's mean vector; where it is not known, the vector stays as the encoder gave it.
    """
    moved: dict[str | None, Vectors] = {}
    for other in languages:
        moved[other] = vector
        if other == language or not shift:
            continue
        query_mean, mean = mean_of(language or ""), mean_of(other or "")
        if query_mean is not None and mean is not None:
            sum_of_both = vector + np.float32(shift) * (mean - query_mean)
            moved[other] = sum_of_both / np.linalg.norm(sum_of_both)
    return moved
