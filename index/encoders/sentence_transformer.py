"""Texts become vectors by a sentence-transformers model."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sentence_transformers  # noqa: F401 – missed here, by its name, where the extra is not installed

from pes_search.index.encoders.adapter import adapter_hash
from pes_search.index.encoders.base import NO_ADAPTER, PACKAGED_MODEL, EncoderConfig
from pes_search.index.encoders.identity import configured_adapter, model_id, weights_identity
from pes_search.index.encoders.transformer_folder import default_model_folder
from pes_search.index.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from pes_search.index.arrays import Vectors


class SentenceTransformerEncoder:
    """Any sentence-transformers model, with separate prompts for queries and passages.

    `weights` tells the model's weights and tokenizer from others; `model_id` is made of it and the prompts.
    """

    runtime = "sentence-transformers"

    def __init__(self, model: SentenceTransformer, weights: str, config: EncoderConfig, adapter: str = NO_ADAPTER) -> None:
        self.model = model
        self.adapter = adapter
        self._config = config
        # Calls from several threads at once would each start their own team of torch threads.
        self._lock = threading.Lock()
        self.query_prompt = _prompt(config.query_prompt, model, "query")
        self.passage_prompt = _prompt(config.passage_prompt, model, "passage", "document")
        self.model_id = model_id(config, weights, self.query_prompt, self.passage_prompt)
        self.dimensions = int(model.get_embedding_dimension() or 0)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the queries' vectors, shape (len(texts), dimensions)."""
        return self._encode(texts, self.query_prompt)

    def encode_passages(self, texts: Sequence[str], on_progress: Callable[[int], object] | None = None) -> Vectors:
        """Return the passages' vectors, shape (len(texts), dimensions).

        Texts of like length share a batch, so little is spent on padding. `on_progress` gets the size of each finished batch.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        longest_first = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        for start in range(0, len(texts), self._config.batch_size):
            batch = longest_first[start : start + self._config.batch_size]
            vectors[batch] = self._encode([texts[i] for i in batch], self.passage_prompt)
            if on_progress:
                on_progress(len(batch))
        return vectors

    def token_starts(self, text: str) -> list[int]:
        """Return the character at which each of the text's tokens starts, ascending."""
        encoded = self.model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False, verbose=False
        )
        # SentencePiece counts the space before a word as part of its token.
        return [
            start + text[start].isspace() for start, end in encoded["offset_mapping"] if end > start + text[start].isspace()
        ]

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        import torch

        with self._lock:
            torch.set_num_threads(self._config.threads)
            vectors = self.model.encode(
                list(texts),
                prompt=prompt,
                batch_size=self._config.batch_size,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return np.ascontiguousarray(vectors, dtype=np.float32)


def load_sentence_transformer(config: EncoderConfig, cache_dir: Path) -> SentenceTransformerEncoder:
    """Load the configured model; the packaged one is converted first where that has not been done.

    Raises:
        EncoderError: the model cannot be converted, found or loaded.
    """
    adapter = configured_adapter(config)
    folder = default_model_folder(cache_dir, adapter) if config.model == PACKAGED_MODEL else Path(config.model)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if folder.is_dir():
        # A local folder needs no network; without this, a missing optional file would be looked for on the hub.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with _quiet():
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(str(folder), device=config.device)
        except (OSError, ValueError, RuntimeError, AssertionError) as error:
            raise EncoderError(
                f"cannot load the model {config.model!r}: {str(error).splitlines()[0]}; set [encoder] model in pes.toml to "
                f"{PACKAGED_MODEL!r}, a sentence-transformers folder, or a name that this machine can download"
            ) from error
    if not model.tokenizer.is_fast:
        raise EncoderError(f"the model {config.model!r} has no fast tokenizer, which passages need; choose another model")
    return SentenceTransformerEncoder(model, weights_identity(config), config, adapter_hash(adapter))


def _prompt(configured: str | None, model: SentenceTransformer, *names: str) -> str:
    if configured is not None:
        return configured
    return next((prompt for name in names if (prompt := model.prompts.get(name))), "")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loaders' reports and bars off the terminal; they speak of unused pooling weights and confuse people."""
    from transformers.utils import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with contextlib.redirect_stderr(io.StringIO()) as captured:
            yield
    except BaseException:
        sys.stderr.write(captured.getvalue())
        raise
    finally:
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()
