"""Texts become vectors by a sentence-transformers model."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pes_search.index.encoders.adapter import NONE, PACKAGED, adapter_folder, adapter_hash
from pes_search.index.encoders.packaged import CONVERSION, MODEL_NAME, PACKED_SHA256, default_model_folder
from pes_search.index.errors import EncoderError

if TYPE_CHECKING:
    import numpy.typing as npt
    from sentence_transformers import SentenceTransformer

    Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Which model, and how it runs."""

    __pydantic_config__ = {"extra": "forbid"}

    model: str = MODEL_NAME  # the packaged default, or any sentence-transformers name or folder
    adapter: str = PACKAGED  # what is merged into the packaged model: `packaged`, `none`, or a folder in PEFT's format
    query_prompt: str | None = None  # None: the model's own, if it has one
    passage_prompt: str | None = None
    # More threads than free cores make torch crawl on a busy machine, so the default leaves room on large ones.
    threads: int = min(4, os.cpu_count() or 1)
    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.threads < 1 or self.batch_size < 1:
            raise ValueError("threads and batch_size must be at least 1")
        if self.model != MODEL_NAME and self.adapter not in {PACKAGED, NONE}:
            raise ValueError(f"adapter is for the model {MODEL_NAME!r}; leave it out beside another model")


class Encoder(Protocol):
    """What an index needs of a model. Vectors are float32, of unit length, row i for text i."""

    model_id: str  # changes with the weights, the tokenizer and the prompts
    adapter: str  # SHA-256 of what is merged into the weights, or `none`
    dimensions: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the queries' vectors."""

    def encode_passages(self, texts: Sequence[str], on_progress: Callable[[int], object] | None = None) -> Vectors:
        """Return the passages' vectors; `on_progress` gets the number of texts done since its last call."""

    def token_starts(self, text: str) -> list[int]:
        """Return the character at which each of the text's tokens starts, ascending."""


class SentenceTransformerEncoder:
    """Any sentence-transformers model, with separate prompts for queries and passages."""

    def __init__(self, model: SentenceTransformer, model_id: str, config: EncoderConfig, adapter: str = NONE) -> None:
        self.model = model
        self.adapter = adapter
        self._config = config
        # Calls from several threads at once would each start their own team of torch threads.
        self._lock = threading.Lock()
        self.query_prompt = _prompt(config.query_prompt, model, "query")
        self.passage_prompt = _prompt(config.passage_prompt, model, "passage", "document")
        digest = hashlib.sha256(repr((model_id, self.query_prompt, self.passage_prompt)).encode()).hexdigest()
        self.model_id = f"{Path(config.model).name}-{digest[:12]}"
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
        for at in range(0, len(texts), self._config.batch_size):
            batch = longest_first[at : at + self._config.batch_size]
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


def load_encoder(config: EncoderConfig, cache_dir: Path) -> SentenceTransformerEncoder:
    """Load the configured model; the default one is converted first where that has not been done.

    Raises:
        EncoderError: the model cannot be converted, found or loaded.
    """
    adapter = _adapter(config)
    folder = str(default_model_folder(cache_dir, adapter)) if config.model == MODEL_NAME else config.model
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if Path(folder).is_dir():
        # A local folder needs no network; without this, a missing optional file would be looked for on the hub.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with _quiet():
        from sentence_transformers import SentenceTransformer
        from threadpoolctl import threadpool_limits

        try:
            model = SentenceTransformer(folder, device="cpu")
        except (OSError, ValueError, RuntimeError) as error:
            raise EncoderError(
                f"cannot load the model {config.model!r}: {str(error).splitlines()[0]}; set [encoder] model in pes.toml to "
                f"{MODEL_NAME!r}, a sentence-transformers folder, or a name that this machine can download"
            ) from error
    # numpy's threads wait by spinning and take the cores from torch's: a search took twice as long with them.
    threadpool_limits(limits=1, user_api="blas")
    if not model.tokenizer.is_fast:
        raise EncoderError(f"the model {config.model!r} has no fast tokenizer, which passages need; choose another model")
    return SentenceTransformerEncoder(model, _weights_id(Path(folder), config.model), config, adapter_hash(adapter))


def model_fingerprint(config: EncoderConfig) -> str:
    """Return what changes when the configuration names another model, without loading it."""
    folder = Path(config.model)
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in _weight_files(folder)]
    prompts = config.query_prompt, config.passage_prompt
    return repr((config.model, *prompts, PACKED_SHA256, CONVERSION, adapter_hash(_adapter(config)), stats))


def _adapter(config: EncoderConfig) -> Path | None:
    return adapter_folder(config.adapter) if config.model == MODEL_NAME else None


def _weight_files(folder: Path) -> list[Path]:
    """Return all files of a model's folder that its vectors depend on; none where the model is given by name."""
    suffixes = {".safetensors", ".bin", ".json", ".model", ".txt"}
    return sorted(file for file in folder.rglob("*") if file.suffix in suffixes and file.is_file()) if folder.is_dir() else []


def _prompt(configured: str | None, model: SentenceTransformer, *names: str) -> str:
    if configured is not None:
        return configured
    return next((prompt for name in names if (prompt := model.prompts.get(name))), "")


def _weights_id(folder: Path, name: str) -> str:
    """Return what tells one model from another: a hash of a folder's weights and tokenizer, else the name."""
    files = _weight_files(folder)
    if not files:
        return name
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


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
