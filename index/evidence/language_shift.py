"""A query's vector moved to the language of the passages that it is compared with.

A multilingual encoder keeps texts of one language a little apart from the others, so a question in Maltese is nearer to
anything that resembles Maltese than it should be. The labels of the controlled lists say the same in every language: the
difference of their mean vectors m is the languages' distance.

    q(l) = (q + s · (m(l) - m(the query's language))) / its length      for passages in language l
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


def shifted(
    vector: Vectors, language: str | None, languages: Iterable[str | None], means: Mapping[str, Vectors], shift: float
) -> dict[str | None, Vectors]:
    """Return a query's vector as passages in each of these languages are compared with, of unit length.

    Where a language's mean is not known it is the encoder's own.
    """
    query_mean = means.get(language or "")
    moved: dict[str | None, Vectors] = {}
    for other in languages:
        mean = means.get(other or "")
        if query_mean is None or mean is None or other == language or not shift:
            moved[other] = vector
        else:
            sum_of_both = vector + np.float32(shift) * (mean - query_mean)
            moved[other] = sum_of_both / np.linalg.norm(sum_of_both)
    return moved
