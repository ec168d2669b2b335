"""A low-rank adapter (LoRA; Hu et al. 2021) in PEFT's format, added to a model's weights once, when the model is converted.

    W + (alpha / rank) · B A      for each weight W that the adapter has an A and a B for

So a search costs what it costs without. `make train-encoder` makes the packaged one (docs/encoder.md).

The sum is the same, bit for bit, on every machine: B A is added up one outer product after the other, elementwise in float64,
and the result is rounded once. IEEE 754 fixes what one multiplication or addition gives; a matrix product of BLAS adds in
another order from one processor to the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pes_search.index.encoders.base import NO_ADAPTER, PACKAGED_ADAPTER
from pes_search.index.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Weights = npt.NDArray[np.float32]

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
_PREFIX = "base_model.model."
_A, _B = ".lora_A.weight", ".lora_B.weight"


def adapter_folder(name: str) -> Path | None:
    """Return the folder of the adapter that a setting names: the packaged one, none, or a folder of that name.

    Raises:
        EncoderError: there is no adapter in the folder.
    """
    if name == NO_ADAPTER:
        return None
    folder = Path(__file__).with_name("packaged_adapter") if name == PACKAGED_ADAPTER else Path(name)
    missing = [file for file in (WEIGHTS_FILE, CONFIG_FILE) if not (folder / file).is_file()]
    if missing:
        setting = f"set [encoder] adapter to {PACKAGED_ADAPTER!r}, {NO_ADAPTER!r} or a folder"
        advice = "install pes-search anew" if name == PACKAGED_ADAPTER else setting
        raise EncoderError(f"the adapter {folder} has no {' and no '.join(missing)}; {advice}")
    return folder


def adapter_hash(folder: Path | None) -> str:
    """Return the SHA-256 of an adapter's weights and configuration; `none` where there is no adapter."""
    if folder is None:
        return NO_ADAPTER
    return hashlib.sha256((folder / WEIGHTS_FILE).read_bytes() + (folder / CONFIG_FILE).read_bytes()).hexdigest()


def merge(weights: dict[str, Weights], folder: Path) -> None:
    """Add an adapter to weights, given by the names that transformers has for them.

    Raises:
        EncoderError: the adapter cannot be read, or is one of another model.
    """
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        factor = float(config["lora_alpha"] / config["r"])
        tensors: Mapping[str, npt.NDArray[np.generic]] = load_file(folder / WEIGHTS_FILE)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, SafetensorError) as error:
        raise EncoderError(f"cannot read the adapter {folder}: {error!r}; train it anew with `make train-encoder`") from error
    firsts = {name.removesuffix(_A): matrix for name, matrix in tensors.items() if name.endswith(_A)}
    seconds = {name.removesuffix(_B): matrix for name, matrix in tensors.items() if name.endswith(_B)}
    strange = [name for name in tensors if not name.endswith((_A, _B))] + sorted(firsts.keys() ^ seconds.keys())
    for name, first in firsts.items():
        weight = weights.get(f"{name.removeprefix(_PREFIX)}.weight")
        second = seconds.get(name)
        if weight is None or second is None or not _fits(weight, first, second):
            strange.append(name)
            continue
        change = np.zeros(weight.shape, np.float64)
        for column, row in zip(second.T.astype(np.float64), first.astype(np.float64), strict=True):
            change += column[:, np.newaxis] * row
        weight[:] = weight + factor * change
    if strange or not firsts:
        what = f"its {strange[0]} does not fit" if strange else "it holds no matrices"
        raise EncoderError(
            f"the adapter {folder} is not one of this model: {what}; set [encoder] adapter to {PACKAGED_ADAPTER!r}"
        )


def _fits(weight: Weights, first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> bool:
    same_rank = first.ndim == second.ndim == 2 and second.shape[1] == first.shape[0]
    return same_rank and weight.shape == (second.shape[0], first.shape[1])
