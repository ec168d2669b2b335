"""An adapter is added to the weights that it names, and to no others; what does not fit is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pes_search.index.encoders.adapter import adapter_folder, adapter_hash, merge
from pes_search.index.encoders.base import NO_ADAPTER, PACKAGED_ADAPTER, Encoder, EncoderConfig
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.index.errors import EncoderError

LARGEST_BYTES = 4_000_000
NAME = "base_model.model.encoder.layer.0.attention.self.query"


def write(folder: Path, tensors: dict[str, np.ndarray], config: object = None) -> Path:
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 6} if config is None else config))
    return folder


def pair(first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{NAME}.lora_A.weight": first, f"{NAME}.lora_B.weight": second}


def weights() -> dict[str, np.ndarray]:
    return {
        "encoder.layer.0.attention.self.query.weight": np.ones((3, 4), np.float32),
        "encoder.layer.0.attention.self.key.weight": np.ones((3, 4), np.float32),
    }


def test_the_product_is_added_with_its_factor(tmp_path: Path) -> None:
    first = np.array([[1, 0, 0, 0], [0, 0, 0, 2]], np.float16)
    second = np.array([[1, 0], [0, 1], [0, 0]], np.float16)
    values = weights()
    merge(values, write(tmp_path, pair(first, second)))
    assert values["encoder.layer.0.attention.self.query.weight"].tolist() == [[4, 1, 1, 1], [1, 1, 1, 7], [1, 1, 1, 1]]
    assert (values["encoder.layer.0.attention.self.key.weight"] == 1).all()


def test_the_sum_is_exact_before_it_is_rounded_once(tmp_path: Path) -> None:
    """Each 2^-24 alone would be lost beside 1 in float32; 1 + 2 · 2^-24 is the next float32 after 1."""
    tiny = 2.0**-24
    first, second = np.full((2, 4), tiny, np.float32), np.ones((3, 2), np.float32)
    values = weights()
    merge(values, write(tmp_path, pair(first, second), {"r": 2, "lora_alpha": 2}))
    assert (values["encoder.layer.0.attention.self.query.weight"] == np.nextafter(np.float32(1), np.float32(2))).all()


@pytest.mark.parametrize(
    "tensors",
    [
        pair(np.ones((2, 5), np.float32), np.ones((3, 2), np.float32)),
        pair(np.ones((2, 4), np.float32), np.ones((3, 1), np.float32)),
        pair(np.ones(4, np.float32), np.ones((3, 2), np.float32)),
        {f"{NAME}.lora_A.weight": np.ones((2, 4), np.float32)},
        {"base_model.model.pooler.lora_A.weight": np.ones((2, 4), np.float32)},
        {"head.weight": np.ones((2, 4), np.float32)},
        {},
    ],
)
def test_an_adapter_of_another_model_is_refused(tmp_path: Path, tensors: dict[str, np.ndarray]) -> None:
    with pytest.raises(EncoderError, match=r"not one of this model.*set \[encoder\] adapter"):
        merge(weights(), write(tmp_path, tensors))


@pytest.mark.parametrize("config", [{"r": 2}, {"r": 0, "lora_alpha": 2}, []])
def test_a_faulty_configuration_is_refused(tmp_path: Path, config: object) -> None:
    with pytest.raises(EncoderError, match="cannot read the adapter"):
        merge(weights(), write(tmp_path, pair(np.ones((2, 4), np.float32), np.ones((3, 2), np.float32)), config))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / "adapter_model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(EncoderError, match="cannot read the adapter"):
        merge(weights(), tmp_path)


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        EncoderError, match=r"has no adapter_model.safetensors and no adapter_config.json; set \[encoder\] adapter"
    ):
        adapter_folder(str(tmp_path))


def test_the_packaged_adapter_is_small_and_told_apart(encoder: Encoder) -> None:
    folder = adapter_folder(PACKAGED_ADAPTER)
    assert folder is not None
    assert sum(file.stat().st_size for file in folder.iterdir()) < LARGEST_BYTES
    assert encoder.adapter == adapter_hash(folder)
    assert adapter_hash(adapter_folder(NO_ADAPTER)) == NO_ADAPTER
    assert model_fingerprint(EncoderConfig()) != model_fingerprint(EncoderConfig(adapter=NO_ADAPTER))


def test_an_adapter_beside_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="adapter is for the model"):
        EncoderConfig(model="other", adapter=str(tmp_path))
    EncoderConfig(model="other")
