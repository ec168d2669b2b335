"""Vectors of texts as a file beside them, so that a first build has the documents to encode only.

    LISTS/label_vectors.npz            of the labels of controlled lists
    QUESTIONS/question_vectors.npz     of the questions that documents answer

Each holds the model's id, and for each text the start of its SHA-256 and its vector, in 8 bits those of labels, in 4 those of
questions: as many as there are speak for each other (docs/retrieval.md). A vector is known by its text
and the model: what changed is encoded anew, and with another model all is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from pes_search.index.arrays import EightBitVectors, packed, unpacked

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.arrays import Rows, Vectors


def write_text_vectors(path: Path, model_id: str, texts: Sequence[str], vectors: Vectors, *, bits: Literal[4, 8] = 8) -> None:
    """Write the vectors of texts, of so many bits a number; row i is that of text i."""
    distinct = {_key(text): row for row, text in enumerate(texts)}
    keys = sorted(distinct)
    in_order = vectors[[distinct[key] for key in keys]]
    kept = {"vectors": EightBitVectors.of(in_order).numbers} if bits == 8 else {"packed": packed(in_order)}
    np.savez(
        path,
        model_id=np.array(model_id),
        keys=np.array(keys, np.uint64),
        dimensions=np.array(vectors.shape[1]),
        **kept,
    )


def read_text_vectors(path: Path, model_id: str, texts: Sequence[str]) -> dict[str, Vectors]:
    """Return the vectors of those texts that the file has for this model, of unit length; none where there is no file."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as file:
        if str(file["model_id"]) != model_id:
            return {}
        keys = file["keys"]
        if "packed" in file:
            vectors_at: Callable[[Rows], Vectors] = partial(_unpacked, file["packed"], int(file["dimensions"]))
        else:
            vectors_at = EightBitVectors(file["vectors"]).take
    distinct = list(dict.fromkeys(texts))
    wanted = np.array([_key(text) for text in distinct], np.uint64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = np.flatnonzero(keys[places] == wanted)
    return dict(zip([distinct[row] for row in found.tolist()], vectors_at(places[found]), strict=True))


def _unpacked(halves: npt.NDArray[np.uint8], dimensions: int, rows: Rows) -> Vectors:
    return unpacked(halves[rows], dimensions)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
