"""The vectors of controlled lists' labels as a file beside the lists, so that a first build has the documents to encode only.

    LISTS/label_vectors.npz     model_id, and for each label: the start of its text's SHA-256, and its vector in 8 bits

A vector is known by its label's text and the model: what changed in the lists is encoded anew, and with another model all is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import EightBitVectors
from pes_search.ingest.taxonomy import LABEL_VECTORS

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


def write_label_vectors(folder: Path, model_id: str, texts: Sequence[str], vectors: Vectors) -> None:
    """Write the vectors of labels beside their lists; row i is that of text i."""
    distinct = {_key(text): row for row, text in enumerate(texts)}
    keys = sorted(distinct)
    np.savez(
        folder / LABEL_VECTORS,
        model_id=np.array(model_id),
        keys=np.array(keys, np.uint64),
        vectors=EightBitVectors.of(vectors[[distinct[key] for key in keys]]).numbers,
    )


def read_label_vectors(folder: Path | None, model_id: str, texts: Sequence[str]) -> dict[str, Vectors]:
    """Return the vectors of those texts that the folder has for this model, of unit length; none where it has no file."""
    if folder is None or not (folder / LABEL_VECTORS).is_file():
        return {}
    with np.load(folder / LABEL_VECTORS, allow_pickle=False) as file:
        if str(file["model_id"]) != model_id:
            return {}
        keys, vectors = file["keys"], EightBitVectors(file["vectors"])
    distinct = list(dict.fromkeys(texts))
    wanted = np.array([_key(text) for text in distinct], np.uint64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = np.flatnonzero(keys[places] == wanted)
    return dict(zip([distinct[row] for row in found.tolist()], vectors.take(places[found]), strict=True))


def _key(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
