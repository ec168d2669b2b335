"""Arrays by what they hold. For annotations import it where types are checked only: numpy takes a while to load."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]
"""Vectors as rows, or one number for each row."""
HalfVectors: TypeAlias = npt.NDArray[np.float16]
"""Vectors as they are kept: half the size, and no inner product of two of unit length moves by more than .0005."""
Rows: TypeAlias = npt.NDArray[np.int64]
"""Positions of rows."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""Which rows are meant."""


SUMMED_ROWS = 50_000


def unit_length(vectors: Vectors) -> Vectors:
    """Return the rows at unit length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


def mean_vectors(vectors: Vectors | HalfVectors, owners: Rows, count: int) -> Vectors:
    """Return the mean vector of each of `count` owners, of unit length; zeros for one without vectors.

    Row i of `vectors` is of the owner with the number `owners[i]`.
    """
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    for start in range(0, len(vectors), SUMMED_ROWS):  # the vectors may be on disk
        rows = slice(start, start + SUMMED_ROWS)
        np.add.at(sums, owners[rows], vectors[rows].astype(np.float32))
    return unit_length(sums)
