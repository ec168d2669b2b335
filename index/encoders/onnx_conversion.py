"""The packaged model as files that onnxruntime and sentencepiece open, made once and checked before they are used.

    encoder.onnx       the layers, with int8 weights, or in float32 where a test on this machine speaks for it
    positions.npy      what is added to the token at each place of a text
    tokenizer.model …  the tokenizer (see `sentencepieces`)
    conversion.json    where the tokens' vectors lie, how near int8 comes to float32, how fast it is, and what was chosen

The tokens' vectors are not among them: they are read from the packed file itself, 4 bits each, as they are needed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.encoders.onnx_graph import InputRange, float_graph, inputs_of, int8_graph
from pes_search.index.encoders.onnx_session import GRAPH_FILE, POSITIONS_FILE, REPORT_FILE, Layers, Tokens
from pes_search.index.encoders.packaged import PROMPTS
from pes_search.index.encoders.packed_weights import PackedModel
from pes_search.index.encoders.sentencepieces import Tokenizer, write_tokenizer

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors

Calibration = Callable[[Tokenizer, int], list[list[int]]]
"""Gives the tokens of texts, at most so many each."""

CALIBRATION_FILE = Path(__file__).with_name("calibration.txt")
LEAST_COSINE = 0.995  # of an int8 vector with the float32 one; the worst of the calibration has .999
TIMED_RUNS, TIMED_EVERY = 3, 4  # every fourth text, three times


def calibration_texts(tokenizer: Tokenizer, most: int) -> list[list[int]]:
    """Return the tokens of the calibration's sentences, read as queries and as passages in turn."""
    texts = [PROMPTS[("query", "passage")[number % 2]] + sentence for number, sentence in enumerate(calibration_sentences())]
    return tokenizer.ids(texts, most)


def calibration_sentences() -> list[str]:
    """Return sentences in the languages and scripts that are promised."""
    return CALIBRATION_FILE.read_text(encoding="utf-8").splitlines()


def write_onnx(packed: PackedModel, folder: Path, calibration: Calibration = calibration_texts) -> None:
    """Write the model's files: the int8 graph if it is near float32 and not slower on this machine, else the float32 one.

    `calibration` gives the tokens of texts as the model is to read them.
    """
    weights = packed.weights
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    np.save(folder / POSITIONS_FILE, positions)
    write_tokenizer(packed, folder)
    tokenizer = Tokenizer(folder)
    ids = calibration(tokenizer, packed.positions)
    tokens = Tokens(packed.token_blocks, positions)
    graphs = {"int8": int8_graph(packed, _ranges(packed, ids, tokens)), "float32": float_graph(packed)}
    layers = {name: Layers(graph.SerializeToString(), threads=1) for name, graph in graphs.items()}
    vectors = {name: kind.vectors(ids, tokens) for name, kind in layers.items()}
    least_cosine = float(np.einsum("ij,ij->i", *vectors.values()).min())
    seconds = _seconds(layers, ids[::TIMED_EVERY], tokens)
    chosen = "int8" if least_cosine >= LEAST_COSINE and seconds["int8"] <= seconds["float32"] else "float32"
    (folder / GRAPH_FILE).write_bytes(graphs[chosen].SerializeToString())
    report = {
        "token_offset": packed.token_offset,
        "tokens": len(packed.token_blocks),
        "token_blocks": packed.token_blocks.shape[1],
        "weights": chosen,
        "least_cosine": round(least_cosine, 5),
        "time_ratio": round(seconds["int8"] / seconds["float32"], 3),
    }
    (folder / REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _ranges(packed: PackedModel, ids: list[list[int]], tokens: Tokens) -> Mapping[str, InputRange]:
    """Return what the inputs of the products are for these texts."""
    names = inputs_of(packed)
    layers = Layers(float_graph(packed, show_inputs=True).SerializeToString(), threads=1)
    sums: dict[str, Vectors] = {}
    largest: dict[str, Vectors] = {}
    for of_text in ids:
        for name, values in zip(names, layers.outputs(names, [of_text], tokens), strict=True):
            inputs = values[0]
            sums[name] = sums.get(name, 0) + inputs.sum(axis=0, dtype=np.float64)
            largest[name] = np.maximum(largest.get(name, 0), np.abs(inputs).max(axis=0))
    count = sum(map(len, ids))
    return {name: InputRange((sums[name] / count).astype(np.float32), largest[name]) for name in names}


def _seconds(layers: Mapping[str, Layers], ids: list[list[int]], tokens: Tokens) -> dict[str, float]:
    """Return the shortest time that each kind of layers took, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in layers}
    for _ in range(TIMED_RUNS):
        for name, kind in layers.items():
            started = time.perf_counter()
            kind.vectors(ids, tokens)
            taken[name].append(time.perf_counter() - started)
    return {name: min(times) for name, times in taken.items()}
