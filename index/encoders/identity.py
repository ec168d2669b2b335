"""What tells one model from another, whatever runs it.

The packaged model is known by what it is made of, not by the bytes that were made: so it has the same name on every machine, an
index that one machine built opens on another, and no half gigabyte has to be read to know which model it is.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pes_search.index.encoders.adapter import adapter_folder, adapter_hash
from pes_search.index.encoders.base import PACKAGED_MODEL, EncoderConfig
from pes_search.index.encoders.packaged import CONVERSION, PACKED_SHA256, PROMPTS

FILES_OF_A_MODEL = {".safetensors", ".bin", ".json", ".model", ".txt"}  # by their endings: what its vectors depend on


def model_id(config: EncoderConfig, weights: str, query_prompt: str, passage_prompt: str) -> str:
    """Return a model's name in indexes and caches: its own, and a hash of its weights' identity and its prompts."""
    digest = hashlib.sha256(repr((weights, query_prompt, passage_prompt)).encode()).hexdigest()
    return f"{Path(config.model).name}-{digest[:12]}"


def weights_identity(config: EncoderConfig) -> str:
    """Return what tells the configured model's weights and tokenizer from others.

    Of the packaged model: the hashes of the packed file and of the adapter, and the conversion's number. Of a folder: a hash of
    its files. Of a model that is given by name: the name.

    Raises:
        EncoderError: there is no such adapter.
    """
    if config.model == PACKAGED_MODEL:
        return f"{PACKED_SHA256}-{adapter_hash(configured_adapter(config))}-{CONVERSION}"
    folder = Path(config.model)
    files = _files(folder)
    if not files:
        return config.model
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def packaged_model_id(config: EncoderConfig) -> str | None:
    """Return the name of the configured model in indexes without loading it; None of another than the packaged one.

    Raises:
        EncoderError: there is no such adapter.
    """
    if config.model != PACKAGED_MODEL:
        return None
    query = PROMPTS["query"] if config.query_prompt is None else config.query_prompt
    passage = PROMPTS["passage"] if config.passage_prompt is None else config.passage_prompt
    return model_id(config, weights_identity(config), query, passage)


def model_fingerprint(config: EncoderConfig) -> str:
    """Return what changes when the configuration names another model, without loading it or reading its weights.

    Raises:
        EncoderError: there is no such adapter.
    """
    if config.model == PACKAGED_MODEL:
        weights = weights_identity(config)
    else:
        stats = [(file, file.stat()) for file in _files(Path(config.model))]
        weights = repr([(file.name, stat.st_size, stat.st_mtime_ns) for file, stat in stats])
    return repr((config.chosen_runtime(), config.model, config.query_prompt, config.passage_prompt, weights))


def configured_adapter(config: EncoderConfig) -> Path | None:
    """Return the folder of the adapter that is merged into the configured model, or None.

    Raises:
        EncoderError: there is no such adapter.
    """
    return adapter_folder(config.adapter) if config.model == PACKAGED_MODEL else None


def _files(folder: Path) -> list[Path]:
    """Return a folder's files of a model; none where the model is given by name."""
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.rglob("*") if file.suffix in FILES_OF_A_MODEL and file.is_file())
