"""Vectors are those of plain sentence-transformers, with the prompts."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.adapter import adapter_folder
from pes_search.index.encoders.base import PACKAGED_ADAPTER, Encoder, EncoderConfig
from pes_search.index.encoders.transformer_folder import default_model_folder
from pes_search.index.errors import EncoderError
from pes_search.ingest.errors import MissingPartError
from pes_search.service.settings import Settings

TEXTS = ["short", "Wie findet man nach der Elternzeit zurück in den Beruf? " * 8, "Δημόσια υπηρεσία απασχόλησης", "x " * 700]


@pytest.fixture(scope="module")
def plain() -> SentenceTransformer:
    return SentenceTransformer(str(default_model_folder(Settings().cache_dir, adapter_folder(PACKAGED_ADAPTER))), device="cpu")


@pytest.fixture(scope="module")
def reference() -> Encoder:
    return load_encoder(EncoderConfig(runtime="sentence-transformers", threads=1), Settings().cache_dir)


@pytest.mark.parametrize(("method", "prompt"), [("encode_queries", "query: "), ("encode_passages", "passage: ")])
def test_vectors_equal_plain_sentence_transformers(
    reference: Encoder, plain: SentenceTransformer, method: str, prompt: str
) -> None:
    ours = getattr(reference, method)(TEXTS)
    expected = plain.encode([prompt + text for text in TEXTS], normalize_embeddings=True, show_progress_bar=False)
    assert ours.shape == (len(TEXTS), 384)
    assert ours.dtype == np.float32
    assert (ours * expected).sum(axis=1).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


def test_an_unknown_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"\[encoder\] model"):
        load_encoder(EncoderConfig(model=str(tmp_path)), tmp_path)


def test_where_its_libraries_are_missing_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "pes_search.index.encoders.sentence_transformer")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingPartError, match=r"needs sentence_transformers, .*pip install 'pes-search\[models\]'"):
        load_encoder(EncoderConfig(model=str(tmp_path)), tmp_path)
