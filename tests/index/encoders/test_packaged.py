"""The default model is converted once, whole and unaltered."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pes_search.index.encoders import transformer_folder
from pes_search.index.encoders.packaged import convert, packed_file
from pes_search.index.encoders.transformer_folder import default_model_folder, write_transformers
from pes_search.index.errors import EncoderError
from pes_search.ingest.errors import NotWrittenError


def test_a_damaged_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    damaged = tmp_path / "e5.bin"
    content = bytearray(packed_file().read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(EncoderError, match=r"damaged or of another release.*pip install"):
        convert(damaged, tmp_path / "model", None, write_transformers)
    assert not (tmp_path / "model").exists()


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(transformer_folder, "_write_tokenizer", fail)
    with pytest.raises(NotWrittenError, match=f"the converted model in {tmp_path}: disk full; .*PES_CACHE_DIR"):
        convert(packed_file(), tmp_path / "model", None, write_transformers)
    assert list(tmp_path.iterdir()) == []


def test_first_runs_at_the_same_time_share_one_conversion(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from pes_search.index.encoders.transformer_folder import default_model_folder as f; "
        "print((f(pathlib.Path(sys.argv[1]), None) / 'model.safetensors').stat().st_ino)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=True).stdout, range(3)))
    assert len(set(results)) == 1
    assert [path.suffix for path in (tmp_path / "models").iterdir() if path.is_dir()] == [""]  # no leftovers beside it


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(EncoderError, match="PES_CACHE_DIR"):
        default_model_folder(tmp_path, None)


def test_weights_equal_a_dequantisation_written_differently(tmp_path: Path) -> None:
    """Block by block in plain Python: value = scale * (nibble - 8), low nibbles first."""
    convert(packed_file(), tmp_path / "model", None, write_transformers)
    weights = load_file(tmp_path / "model" / "model.safetensors")
    words = weights["embeddings.word_embeddings.weight"]
    data = packed_file().read_bytes()
    position = data.rindex(_packed_row(words[5]))  # the row's blocks stand in the file as they are packed again here
    assert position > 0
    assert words.shape == (250037, 384)
    assert sum(tensor.size for tensor in weights.values()) > 117_000_000
    assert all(np.isfinite(tensor).all() for tensor in weights.values())


def _packed_row(row: np.ndarray) -> bytes:
    blocks = []
    for values in row.reshape(-1, 32):
        # The scale is the step between neighbouring values; -8 * scale is the one extreme that every block has.
        extreme = float(values[np.argmax(np.abs(values))])
        scale = np.float16(extreme / -8)
        nibbles = np.rint(values / np.float32(scale)).astype(int) + 8
        packed = [int(low) | int(high) << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True)]
        blocks.append(scale.tobytes() + bytes(packed))
    return b"".join(blocks)
