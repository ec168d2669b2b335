"""A model's name changes with what its vectors depend on, and with nothing else."""

from pathlib import Path

import pytest

from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.adapter import adapter_folder, adapter_hash
from pes_search.index.encoders.base import NO_ADAPTER, PACKAGED_ADAPTER, Encoder, EncoderConfig
from pes_search.index.encoders.identity import model_fingerprint, model_id, weights_identity
from pes_search.index.encoders.packaged import CONVERSION, PACKED_SHA256, PROMPTS
from pes_search.ingest.errors import MissingPartError


def test_the_packaged_model_is_known_by_what_it_is_made_of(encoder: Encoder) -> None:
    adapter = adapter_hash(adapter_folder(PACKAGED_ADAPTER))
    assert weights_identity(EncoderConfig()) == f"{PACKED_SHA256}-{adapter}-{CONVERSION}"
    assert weights_identity(EncoderConfig(adapter=NO_ADAPTER)) == f"{PACKED_SHA256}-none-{CONVERSION}"
    expected = model_id(EncoderConfig(), weights_identity(EncoderConfig()), PROMPTS["query"], PROMPTS["passage"])
    assert encoder.model_id == expected


def test_prompts_are_part_of_the_name() -> None:
    names = {model_id(EncoderConfig(), "weights", *prompts) for prompts in [("q", "p"), ("q", ""), ("", "p"), ("p", "q")]}
    assert len(names) == 4


def test_another_folder_is_another_model(tmp_path: Path) -> None:
    config = EncoderConfig(model=str(tmp_path))
    assert weights_identity(config) == str(tmp_path)  # without a file of a model it may as well be a name
    (tmp_path / "tokenizer.json").write_text("{}")
    fingerprint, weights = model_fingerprint(config), weights_identity(config)
    (tmp_path / "tokenizer.json").write_text("{ }")
    assert model_fingerprint(config) != fingerprint
    assert weights_identity(config) != weights


def test_a_folder_of_the_packaged_models_name_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprint = model_fingerprint(EncoderConfig())
    (tmp_path / EncoderConfig().model).mkdir()
    (tmp_path / EncoderConfig().model / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert model_fingerprint(EncoderConfig()) == fingerprint


def test_an_unknown_encoder_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="no encoder is called 'abacus'; there are onnx, sentence-transformers"):
        load_encoder(EncoderConfig(runtime="abacus"), tmp_path)
