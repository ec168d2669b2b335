"""A query's vector moved to the language of the passages that it is compared with.

A multilingual encoder keeps texts of one language a little apart from the others, so a question in Maltese is nearer to
anything that resembles Maltese than it should be. The labels of the controlled lists say the same in every language: the
difference of their mean vectors m is the languages' distance.

    q(l) = (q + s · (m(l) - m(the query's language))) / its length      for passages in language l
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """A query's vector as the encoder gave it, and as each passage language is compared with; unit length."""

    own: Vectors
    by_language: Mapping[str | None, Vectors]


def aligned(
    vector: Vectors, language: str | None, languages: Iterable[str | None], means: Mapping[str, Vectors], shift: float
) -> QueryVectors:
    """Return the query's vectors for passages in these languages; one whose mean is not known keeps the encoder's."""
    own = vector.reshape(-1)
    start = means.get(language or "")
    moved: dict[str | None, Vectors] = {}
    for other in languages:
        mean = means.get(other or "")
        if start is None or mean is None or other == language or not shift:
            moved[other] = own
        else:
            there = own + np.float32(shift) * (mean - start)
            moved[other] = there / np.linalg.norm(there)
    return QueryVectors(own, moved)
