"""Texts become vectors by the packaged model in onnxruntime: the default. Neither torch nor transformers is needed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.encoders.adapter import adapter_hash
from pes_search.index.encoders.base import PACKAGED_MODEL, EncoderConfig
from pes_search.index.encoders.identity import configured_adapter, model_id, weights_identity
from pes_search.index.encoders.onnx_session import UNREADABLE, opened
from pes_search.index.encoders.packaged import PROMPTS, converted_folder
from pes_search.index.encoders.sentencepieces import Tokenizer
from pes_search.index.errors import EncoderError
from pes_search.index.stages import count

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.index.encoders.packed_weights import PackedModel

KIND = "onnx2"  # of the folder; another number when other files are in it, though what they compute stays
KEPT_QUERIES = 1_024  # whose vectors are remembered: paging, filtering and answering ask for the same one again


class OnnxEncoder:
    """The packaged model. Safe to use from several threads."""

    runtime = "onnx"

    def __init__(self, folder: Path, config: EncoderConfig) -> None:
        """Open a folder that `onnx_conversion` wrote."""
        self.query_prompt = PROMPTS["query"] if config.query_prompt is None else config.query_prompt
        self.passage_prompt = PROMPTS["passage"] if config.passage_prompt is None else config.passage_prompt
        self.adapter = adapter_hash(configured_adapter(config))
        self.model_id = model_id(config, weights_identity(config), self.query_prompt, self.passage_prompt)
        self._tokenizer = Tokenizer(folder)
        self._tokens, self._layers = opened(folder, config.threads)
        self._most_tokens = self._tokens.most
        self.dimensions = self._layers.dimensions
        self._queries: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the queries' vectors, shape (len(texts), dimensions)."""
        with self._lock:
            known = {text: self._queries[text] for text in texts if text in self._queries}
            for text in known:
                self._queries.move_to_end(text)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        count("query vectors", "kept", times=len(known))
        count("query vectors", "computed", times=len(missing))
        if missing:
            known.update(zip(missing, self._encode(missing, self.query_prompt), strict=True))
            with self._lock:
                self._queries.update((text, known[text]) for text in missing[-KEPT_QUERIES:])
                while len(self._queries) > KEPT_QUERIES:
                    self._queries.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else np.empty((0, self.dimensions), np.float32)

    def encode_passages(self, texts: Sequence[str], on_progress: Callable[[int], object] | None = None) -> Vectors:
        """Return the passages' vectors, shape (len(texts), dimensions); `on_progress` gets the size of each finished batch."""
        return self._encode(texts, self.passage_prompt, on_progress)

    def token_starts(self, text: str) -> list[int]:
        """Return the character at which each of the text's tokens starts, ascending."""
        return self._tokenizer.starts(text)

    def _encode(self, texts: Sequence[str], prompt: str, on_progress: Callable[[int], object] | None = None) -> Vectors:
        ids = self._tokenizer.ids([prompt + text for text in texts], self._most_tokens)
        return self._layers.vectors(ids, self._tokens, on_progress)


def load_onnx(config: EncoderConfig, cache_dir: Path) -> OnnxEncoder:
    """Load the packaged model; it is converted first where that has not been done.

    Raises:
        EncoderError: another model is configured, or the model cannot be converted or opened.
    """
    if config.model != PACKAGED_MODEL:
        raise EncoderError(
            f"the runtime 'onnx' is for the model {PACKAGED_MODEL!r} only, not for {config.model!r}; "
            "leave out [encoder] runtime, or set it to 'sentence-transformers'"
        )
    folder = converted_folder(cache_dir, configured_adapter(config), KIND, _write)
    try:
        return OnnxEncoder(folder, config)
    except (OSError, ValueError, KeyError, RuntimeError, *UNREADABLE) as error:
        raise EncoderError(
            f"cannot open the model in {folder}: {str(error).splitlines()[0]}; delete that folder, it is made anew"
        ) from error


def packaged_tokenizer(cache_dir: Path) -> Tokenizer:
    """Return the tokenizer of the packaged model, which is converted first where that has not been done.

    Raises:
        EncoderError: the model cannot be converted.
    """
    return Tokenizer(converted_folder(cache_dir, configured_adapter(EncoderConfig()), KIND, _write))


def _write(packed: PackedModel, folder: Path) -> None:
    from pes_search.index.encoders.onnx_conversion import write_onnx  # with the library of graphs, needed once

    write_onnx(packed, folder)
