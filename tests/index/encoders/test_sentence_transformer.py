"""Vectors are those of plain sentence-transformers, with the prompts."""

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from pes_search.index.encoders.adapter import PACKAGED, adapter_folder
from pes_search.index.encoders.packaged import default_model_folder
from pes_search.index.encoders.sentence_transformer import (
    EncoderConfig,
    SentenceTransformerEncoder,
    load_encoder,
    model_fingerprint,
)
from pes_search.index.errors import EncoderError
from pes_search.service.settings import Settings

TEXTS = ["short", "Wie findet man nach der Elternzeit zurück in den Beruf? " * 8, "Δημόσια υπηρεσία απασχόλησης", "x " * 700]


@pytest.fixture(scope="module")
def plain() -> SentenceTransformer:
    return SentenceTransformer(str(default_model_folder(Settings().cache_dir, adapter_folder(PACKAGED))), device="cpu")


@pytest.mark.parametrize(("method", "prompt"), [("encode_queries", "query: "), ("encode_passages", "passage: ")])
def test_vectors_equal_plain_sentence_transformers(
    encoder: SentenceTransformerEncoder, plain: SentenceTransformer, method: str, prompt: str
) -> None:
    ours = getattr(encoder, method)(TEXTS)
    expected = plain.encode([prompt + text for text in TEXTS], normalize_embeddings=True, show_progress_bar=False)
    assert ours.shape == (len(TEXTS), 384)
    assert ours.dtype == np.float32
    assert (ours * expected).sum(axis=1).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


def test_rows_keep_the_order_of_the_texts_whatever_their_length(encoder: SentenceTransformerEncoder) -> None:
    together = encoder.encode_passages(TEXTS)
    alone = np.vstack([encoder.encode_passages([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_queries_and_passages_differ(encoder: SentenceTransformerEncoder) -> None:
    query, passage = encoder.encode_queries(["outreach"])[0], encoder.encode_passages(["outreach"])[0]
    assert float(query @ passage) < 0.999


def test_progress_counts_every_text_once(encoder: SentenceTransformerEncoder) -> None:
    done: list[int] = []
    encoder.encode_passages(["a"] * 33, done.append)
    assert done == [32, 1]


def test_token_starts_are_ascending_characters(encoder: SentenceTransformerEncoder) -> None:
    text = "Ein Bürgergeld-Bonus, 3.5 %\n\nνέα ενότητα"
    starts = encoder.token_starts(text)
    assert starts == sorted(starts)
    assert 0 <= starts[0] <= starts[-1] < len(text)
    assert text.index("ενότητα") in starts


def test_a_long_text_is_tokenised_whole(encoder: SentenceTransformerEncoder) -> None:
    assert len(encoder.token_starts("word " * 2000)) >= 2000


def test_an_unknown_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"\[encoder\] model"):
        load_encoder(EncoderConfig(model=str(tmp_path)), tmp_path)


def test_another_folder_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    first = model_fingerprint(EncoderConfig(model=str(tmp_path)))
    (tmp_path / "tokenizer.json").write_text("{ }")
    assert model_fingerprint(EncoderConfig(model=str(tmp_path))) != first
    assert model_fingerprint(EncoderConfig()) == model_fingerprint(EncoderConfig(threads=1, batch_size=8))
    assert model_fingerprint(EncoderConfig()) != model_fingerprint(EncoderConfig(query_prompt=""))


@pytest.mark.parametrize("values", [{"threads": 0}, {"batch_size": 0}])
def test_impossible_settings_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        EncoderConfig(**values)
