"""Arrays by what they hold. For annotations import it where types are checked only: numpy takes a while to load."""

from __future__ import annotations

from dataclasses import dataclass
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


LARGEST_NUMBER = 127  # of 8 bits, with a sign
SUMMED_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class EightBitVectors:
    """Vectors as whole numbers: row i, divided by its length, is vector i.

    A quarter of the size, and no inner product of two of unit length moves by more than .0005, the mean by .00004.
    """

    numbers: npt.NDArray[np.int8]

    @classmethod
    def of(cls, vectors: Vectors) -> EightBitVectors:
        """Return vectors so, each with its largest number as 127."""
        largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
        scaled = np.divide(vectors * LARGEST_NUMBER, largest, out=np.zeros_like(vectors), where=largest > 0)
        return cls(np.rint(scaled).astype(np.int8))

    def take(self, rows: slice | Rows) -> Vectors:
        """Return some of the vectors, unit length."""
        vectors = self.numbers[rows].astype(np.float32)
        squares = np.einsum("ij,ij->i", vectors, vectors)
        vectors *= (1 / np.sqrt(np.maximum(squares, 1)))[:, None]  # whole numbers: the square of all but zeros is 1 at least
        return vectors


LARGEST_OF_FOUR = 7  # of 4 bits, with a sign
CUT_DEVIATIONS = 3.5  # standard deviations of a vector's numbers; without the few that are larger the rest is told finer


def packed(vectors: Vectors) -> npt.NDArray[np.uint8]:
    """Return vectors in 4 bits a number, two numbers a byte: their cosine with themselves is .995 on average."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    largest = np.minimum(largest, CUT_DEVIATIONS * vectors.std(axis=1, keepdims=True))
    scaled = np.divide(vectors * LARGEST_OF_FOUR, largest, out=np.zeros_like(vectors), where=largest > 0)
    numbers = (np.clip(np.rint(scaled), -LARGEST_OF_FOUR, LARGEST_OF_FOUR) + LARGEST_OF_FOUR).astype(np.uint8)
    numbers = np.pad(numbers, ((0, 0), (0, numbers.shape[1] % 2)), constant_values=LARGEST_OF_FOUR)
    halves: npt.NDArray[np.uint8] = numbers[:, ::2] << 4 | numbers[:, 1::2]
    return halves


def unpacked(halves: npt.NDArray[np.uint8], dimensions: int) -> Vectors:
    """Return the vectors that were packed, of unit length."""
    numbers = np.stack([halves >> 4, halves & 15], axis=2).reshape(len(halves), 2 * halves.shape[1])[:, :dimensions]
    return unit_length(numbers.astype(np.float32) - LARGEST_OF_FOUR)


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


def highest(values: Vectors, count: int) -> Rows:
    """Return the rows of the `count` highest values, ascending; of equal values the first rows."""
    if len(values) <= count:
        return np.arange(len(values))
    least = np.partition(values, len(values) - count)[len(values) - count] if count else np.inf
    above = np.flatnonzero(values > least)
    equal = np.flatnonzero(values == least)[: count - len(above)]
    return np.sort(np.concatenate([above, equal]))
