"""Tokens become vectors: the tokens' own, the layers run by onnxruntime, and their mean."""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
from onnxruntime.capi import onnxruntime_pybind11_state as states

from pes_search.index.arrays import unit_length
from pes_search.index.encoders.packaged import packed_file
from pes_search.index.encoders.packed_weights import BLOCK, token_vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.arrays import Vectors

GRAPH_FILE = "encoder.onnx"
POSITIONS_FILE = "positions.npy"
REPORT_FILE = "conversion.json"
# Of a batch, padding included. 256 to 4,096 were tried on passages and on sentences: below 512 and above 2,048 a tenth to a
# quarter slower, as what one layer hands to the next has to fit into the processor's cache.
BATCH_TOKENS = 1_024
LEAST_FULL = 0.9  # of a batch's longest text: a shorter one begins the next batch, so that little is spent on padding
ERRORS_ONLY = 3  # onnxruntime's log level
UNREADABLE = (states.Fail, states.InvalidGraph, states.InvalidProtobuf, states.NoSuchFile)  # what a graph can be


class Tokens:
    """The tokens' vectors with their places in the text; looked up in the packed file and unpacked when asked for."""

    def __init__(self, blocks: npt.NDArray[Any], positions: Vectors) -> None:
        self._blocks = blocks
        self._positions = positions

    @property
    def most(self) -> int:
        """How many tokens a text may have."""
        return len(self._positions)

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """Return the vectors of a text's tokens, shape (tokens, hidden)."""
        return token_vectors(self._blocks[ids]) + self._positions[: len(ids)]


def mapped_tokens(offset: int, blocks: int, count: int, positions: Vectors) -> Tokens:
    """Return the vectors of `count` tokens, mapped from the installed packed file: what is not used takes no memory."""
    with packed_file().open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return Tokens(np.frombuffer(data, BLOCK, count * blocks, offset).reshape(count, blocks), positions)


class Layers:
    """The model's layers. Safe to use from several threads."""

    def __init__(self, graph: bytes | Path, threads: int) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that wait by spinning take the cores from others; the graph is written as it is to be run.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = ERRORS_ONLY
        source = str(graph) if isinstance(graph, Path) else graph
        self._session = InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])

    def vectors(
        self, ids: Sequence[Sequence[int]], tokens: Tokens, on_progress: Callable[[int], object] | None = None
    ) -> Vectors:
        """Return the texts' vectors, unit length, shape (texts, dimensions); `ids` are their tokens."""
        result = np.empty((len(ids), self.dimensions), np.float32)
        for batch in _batches([len(of_text) for of_text in ids]):
            (last,) = self.outputs(None, [ids[row] for row in batch], tokens)
            for row, of_text in zip(batch, last, strict=True):
                result[row] = of_text[: len(ids[row])].mean(axis=0)
            if on_progress:
                on_progress(len(batch))
        return unit_length(result)

    def outputs(self, names: Sequence[str] | None, ids: Sequence[Sequence[int]], tokens: Tokens) -> list[Vectors]:
        """Return outputs of the graph for texts that share a batch, shape (texts, longest text, inputs)."""
        longest = max(map(len, ids))
        mask = np.zeros((len(ids), longest), np.int32)
        inputs: Vectors | None = None
        for row, of_text in enumerate(ids):
            vectors = tokens.vectors(of_text)
            if inputs is None:
                inputs = np.zeros((len(ids), longest, vectors.shape[1]), np.float32)
            inputs[row, : len(of_text)] = vectors
            mask[row, : len(of_text)] = 1
        outputs: list[Vectors] = self._session.run(names, {"tokens": inputs, "mask": mask})
        return outputs


def opened(folder: Path, threads: int) -> tuple[Tokens, Layers]:
    """Open a folder that `onnx_conversion` wrote."""
    report = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    positions = np.load(folder / POSITIONS_FILE)
    tokens = mapped_tokens(report["token_offset"], report["token_blocks"], report["tokens"], positions)
    return tokens, Layers(folder / GRAPH_FILE, threads)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield rows of texts of like length, the longest first."""
    batch: list[int] = []
    longest = 0
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        if batch and ((len(batch) + 1) * longest > BATCH_TOKENS or lengths[row] < LEAST_FULL * longest):
            yield batch
            batch = []
        if not batch:
            longest = lengths[row]
        batch.append(row)
    if batch:
        yield batch
