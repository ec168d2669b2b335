"""What an index relies on, whatever runs the model: one suite over every encoder of the table."""

import numpy as np
import pytest

from pes_search.index.encoders import ENCODERS, load_encoder
from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.service.settings import Settings

TEXTS = ["short", "Wie findet man nach der Elternzeit zurück in den Beruf? " * 8, "Δημόσια υπηρεσία απασχόλησης", "x " * 700]


@pytest.fixture(scope="module", params=sorted(ENCODERS.rows))
def every_encoder(request: pytest.FixtureRequest, encoder: Encoder) -> Encoder:
    if request.param == encoder.runtime:
        return encoder
    return load_encoder(EncoderConfig(runtime=request.param, threads=1), Settings().cache_dir)


def test_it_says_what_runs_it_and_is_of_one_model(every_encoder: Encoder, encoder: Encoder) -> None:
    assert every_encoder.runtime in ENCODERS.rows
    assert (every_encoder.model_id, every_encoder.adapter, every_encoder.dimensions) == (
        encoder.model_id,
        encoder.adapter,
        encoder.dimensions,
    )


def test_vectors_are_rows_of_unit_length(every_encoder: Encoder) -> None:
    for vectors in (every_encoder.encode_queries(TEXTS), every_encoder.encode_passages(TEXTS)):
        assert vectors.shape == (len(TEXTS), every_encoder.dimensions)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_rows_keep_the_order_of_the_texts_whatever_their_length(every_encoder: Encoder) -> None:
    together = every_encoder.encode_passages(TEXTS)
    alone = np.vstack([every_encoder.encode_passages([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_queries_and_passages_differ(every_encoder: Encoder) -> None:
    query, passage = every_encoder.encode_queries(["outreach"])[0], every_encoder.encode_passages(["outreach"])[0]
    assert float(query @ passage) < 0.999


def test_progress_counts_every_text_once(every_encoder: Encoder) -> None:
    done: list[int] = []
    every_encoder.encode_passages(["a"] * 33, done.append)
    assert sum(done) == 33
    assert min(done) > 0


def test_token_starts_are_ascending_characters(every_encoder: Encoder) -> None:
    text = "Ein Bürgergeld-Bonus, 3.5 %\n\nνέα ενότητα"
    starts = every_encoder.token_starts(text)
    assert starts == sorted(starts)
    assert 0 <= starts[0] <= starts[-1] < len(text)
    assert text.index("ενότητα") in starts


def test_a_long_text_is_tokenised_whole(every_encoder: Encoder) -> None:
    assert len(every_encoder.token_starts("word " * 2000)) >= 2000


@pytest.mark.parametrize("runtime", sorted(ENCODERS.rows))
def test_the_fingerprint_changes_with_what_changes_vectors(runtime: str) -> None:
    default = model_fingerprint(EncoderConfig(runtime=runtime))
    assert model_fingerprint(EncoderConfig(runtime=runtime, threads=1, batch_size=8)) == default
    assert model_fingerprint(EncoderConfig(runtime=runtime, adapter="none")) != default
    assert model_fingerprint(EncoderConfig(runtime=runtime, query_prompt="")) != default
    assert model_fingerprint(EncoderConfig(runtime=runtime, passage_prompt="")) != default
