"""What the packaged model's file holds: sizes, the tokenizer's pieces, and the weights in 4 bits."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.encoders.adapter import Weights

_BLOCK_WEIGHTS = 32
# Of so many weights: one half-precision scale, and a nibble each.
BLOCK = np.dtype([("scale", "<f2"), ("quants", "u1", _BLOCK_WEIGHTS // 2)])


def token_vectors(blocks: npt.NDArray[Any]) -> Weights:
    """Return packed rows as vectors, shape (rows, hidden); `blocks` has shape (rows, blocks)."""
    nibbles = blocks["quants"]
    quants = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8
    weights: Weights = quants * blocks["scale"].astype(np.float32)[..., None]
    return weights.reshape(len(blocks), -1)


@dataclass(frozen=True, slots=True)
class PackedModel:
    """What the packed file holds: sizes, the tokenizer's pieces and scores, and the weights by their BERT names.

    The tokens' vectors, nine tenths of the whole, stay packed: `token_vectors` unpacks those that are wanted.
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    types: int
    epsilon: float
    specials: Mapping[str, int]
    pieces: list[tuple[str, float]]
    weights: dict[str, Weights]
    token_blocks: npt.NDArray[Any]  # shape (tokens, blocks)
    token_offset: int  # bytes of the file before them


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def values(self, layout: str) -> tuple[Any, ...]:
        result = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return result

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        result = np.frombuffer(self.data, dtype, count, self.position)
        self.position += result.nbytes
        return result

    def take(self, count: int) -> bytes:
        self.position += count
        return self.data[self.position - count : self.position]


def parsed(data: bytes) -> PackedModel:
    """Parse the file: header, tokenizer, normalisation table (unused: the tokenizers library has it), tensor table."""
    cursor = _Cursor(data)
    cursor.take(4)  # magic "E5S1", covered by the hash
    _version, hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.values("Iiiiiiii")
    (epsilon,) = cursor.values("f")
    cursor.values("i")  # quantisation kind, always 4 bits in this file
    count, bos, eos, pad, unk = cursor.values("iiiii")
    (blob_size,) = cursor.values("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.take(blob_size)
    pieces = [(blob[offsets[i] : offsets[i + 1]].decode("utf-8"), float(scores[i])) for i in range(count)]
    _, normaliser_size = cursor.values("iI")
    cursor.take(normaliser_size)

    places: dict[str, int] = {}
    (tensors,) = cursor.values("i")
    for _ in range(tensors):
        (length,) = cursor.values("H")
        name = cursor.take(length).decode("ascii")
        _dtype, _count, offset, _size = cursor.values("BIQQ")
        places[name] = offset

    def full(name: str, *shape: int) -> Weights:
        return np.frombuffer(data, "<f4", int(np.prod(shape)), places[name]).reshape(shape).copy()

    def blocks(name: str, rows: int, columns: int) -> npt.NDArray[Any]:
        count = rows * columns // _BLOCK_WEIGHTS
        return np.frombuffer(data, BLOCK, count, places[name]).reshape(rows, columns // _BLOCK_WEIGHTS)

    def quantised(name: str, rows: int, columns: int) -> Weights:
        return token_vectors(blocks(name, rows, columns))

    weights: dict[str, Weights] = {
        "embeddings.position_embeddings.weight": full("emb.pos", positions, hidden),
        "embeddings.token_type_embeddings.weight": full("emb.type", types, hidden),
        "embeddings.LayerNorm.weight": full("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": full("emb.ln.b", hidden),
    }
    dense = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", feed_forward, hidden),
        "output.dense": ("fo", hidden, feed_forward),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(layers):
        for name, (short, rows, columns) in dense.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = quantised(f"l{layer}.{short}.w", rows, columns)
            weights[f"encoder.layer.{layer}.{name}.bias"] = full(f"l{layer}.{short}.b", rows)
        for name, short in norms.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = full(f"l{layer}.{short}.w", hidden)
            weights[f"encoder.layer.{layer}.{name}.bias"] = full(f"l{layer}.{short}.b", hidden)
    return PackedModel(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        positions=positions,
        types=types,
        epsilon=epsilon,
        specials={"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        pieces=pieces,
        weights=weights,
        token_blocks=blocks("emb.word", vocabulary, hidden),
        token_offset=places["emb.word"],
    )
