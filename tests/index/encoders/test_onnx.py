"""The packaged model in onnxruntime gives what sentence-transformers gives, in a fraction of the time and memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.encoders.onnx import KEPT_QUERIES, OnnxEncoder, load_onnx
from pes_search.index.encoders.onnx_conversion import CALIBRATION_FILE
from pes_search.index.encoders.onnx_graph import LARGEST_WEIGHT, quantise
from pes_search.index.encoders.onnx_session import BATCH_TOKENS, REPORT_FILE, _batches
from pes_search.index.errors import EncoderError
from pes_search.service.settings import Settings

# Other sentences than those of the calibration, in several scripts.
TEXTS = [
    "Seventy people found work in the new warehouse within a year.",
    "Die Beraterin ruft jede Woche an und fragt, wie die ersten Tage waren.",
    "Οι σύμβουλοι επισκέπτονται τα χωριά μία φορά τον μήνα.",
    "Консултантът помага при писането на автобиография.",
    "يساعد المرشد الشباب على كتابة السيرة الذاتية.",
    "顾问每周给求职者打一次电话。",
    "A long passage. " * 60,
]


@pytest.fixture(scope="module")
def reference() -> Encoder:
    return load_encoder(EncoderConfig(runtime="sentence-transformers", threads=1), Settings().cache_dir)


@pytest.mark.parametrize("method", ["encode_queries", "encode_passages"])
def test_vectors_are_near_those_of_sentence_transformers(encoder: Encoder, reference: Encoder, method: str) -> None:
    ours, theirs = getattr(encoder, method)(TEXTS), getattr(reference, method)(TEXTS)
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() > 0.997, cosines
    # What is near to what stays: the similarities of all pairs differ by a few thousandths.
    assert np.abs(ours @ ours.T - theirs @ theirs.T).max() < 0.01


def test_a_text_has_one_vector_whatever_is_encoded_with_it(encoder: Encoder) -> None:
    together = encoder.encode_passages(TEXTS)
    alone = np.vstack([encoder.encode_passages([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=2e-3)


def test_tokens_are_those_of_the_tokenizers_library(encoder: Encoder, reference: Encoder) -> None:
    for text in [*TEXTS, *CALIBRATION_FILE.read_text("utf-8").splitlines(), "2 × 3 ½ ﬁne  e\u0301té\u00a0🙂"]:
        # Before a text without spaces the other library counts an empty token.
        assert encoder.token_starts(text) == list(dict.fromkeys(reference.token_starts(text))), text


def test_the_conversion_was_checked(folder: Path) -> None:
    report = json.loads((folder / REPORT_FILE).read_text("utf-8"))
    assert report["weights"] in {"int8", "float32"}
    assert report["least_cosine"] > 0.998
    assert (report["weights"] == "int8") == (report["time_ratio"] <= 1)


def test_the_calibration_has_every_script() -> None:
    letters = {ord(letter) >> 7 for letter in CALIBRATION_FILE.read_text("utf-8") if letter.isalpha()}
    for name, letter in {"Greek": "α", "Cyrillic": "б", "Arabic": "ب", "Hebrew": "ש", "Devanagari": "र", "Han": "公"}.items():
        assert ord(letter) >> 7 in letters, name


def test_weights_have_seven_bits_and_lose_half_a_step_at_most() -> None:
    weight = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)
    quantised, scales = quantise(weight)
    assert quantised.dtype == np.int8
    assert np.abs(quantised).max() == LARGEST_WEIGHT  # 127 inputs of 255 · 63 · 2 stay within 16 bits
    assert 255 * LARGEST_WEIGHT * 2 < 2**15
    assert (np.abs(quantised * scales - weight) <= 0.5001 * scales).all()


@pytest.mark.parametrize("lengths", [[5], [512] * 3, [3, 400, 8, 8, 7, 100, 96, 512], list(range(1, 300))])
def test_batches_hold_every_text_once_and_little_padding(lengths: list[int]) -> None:
    batches = list(_batches(lengths))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= BATCH_TOKENS
        assert min(lengths[row] for row in batch) >= 0.9 * longest


def test_the_last_queries_are_remembered(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(encoder, OnnxEncoder)
    first = encoder.encode_queries(["is it remembered?"])
    asked: list[str] = []

    def encode(texts: list[str], prompt: str) -> np.ndarray:
        asked.extend(texts)
        return np.zeros((len(texts), 384), np.float32)

    monkeypatch.setattr(encoder, "_encode", encode)
    again = encoder.encode_queries(["is it remembered?", "another", "another"])
    assert asked == ["another"]
    assert (again[0] == first[0]).all()
    encoder.encode_queries([f"query {number}" for number in range(KEPT_QUERIES + 5)])
    assert len(encoder._queries) == KEPT_QUERIES
    encoder._queries.clear()  # they were not real


def test_a_damaged_folder_says_what_to_do(tmp_path: Path, folder: Path) -> None:
    copy = tmp_path / "models" / folder.name
    copy.mkdir(parents=True)
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "encoder.onnx").write_bytes(b"half a file")
    with pytest.raises(EncoderError, match=r"cannot open the model in .*delete that folder"):
        load_onnx(EncoderConfig(), tmp_path)


def test_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="is for the model 'multilingual-e5-small' only"):
        load_onnx(EncoderConfig(model="another", runtime="onnx"), tmp_path)


def test_nothing_of_torch_is_imported(tmp_path: Path) -> None:
    """Building, searching and asking with the packaged model, in a process that may import none of it."""
    (tmp_path / "bus.md").write_text("# Bus to work\n\nA minibus takes 40 apprentices from the villages to their workplace.")
    code = """
import sys
for name in ("torch", "transformers", "sentence_transformers", "tokenizers", "safetensors.torch"):
    sys.modules[name] = None
from pes_search.service import build_collection, open_collection
build_collection([sys.argv[1] + "/bus.md"], sys.argv[1] + "/index")
collection = open_collection(sys.argv[1] + "/index")
print(collection.search("minibus for apprentices").hits[0].document.title)
print(collection.ask("How do apprentices get to work?").sentences or "refused")
import pes_search.service.api.app
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Bus to work\n")
