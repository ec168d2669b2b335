"""A text is encoded once."""

from pathlib import Path

import numpy as np
import pytest

from pes_search.index.encoders.base import Encoder
from pes_search.index.encoders.cache import VectorCache, encode_cached
from pes_search.index.errors import EncoderError


def test_known_texts_are_not_encoded_again(encoder: Encoder, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, encoder.model_id)
    first, encoded = encode_cached(["a", "bb", "a"], encoder.encode_passages, encoder.dimensions, cache)
    assert (first.shape, encoded) == ((3, 384), 2)
    np.testing.assert_array_equal(first[0], first[2])
    cache.close()
    again, encoded = encode_cached(
        ["bb", "c", "a"], encoder.encode_passages, encoder.dimensions, VectorCache(tmp_path, encoder.model_id)
    )
    assert encoded == 1
    np.testing.assert_array_equal(again[[2, 0]], first[[0, 1]])


def test_models_do_not_share_vectors(encoder: Encoder, tmp_path: Path) -> None:
    encode_cached(["a"], encoder.encode_passages, encoder.dimensions, VectorCache(tmp_path, encoder.model_id))
    assert VectorCache(tmp_path, "another").get(["a"]) == {}


def test_more_keys_than_one_query_takes_are_found(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, "m")
    texts = [f"text {i}" for i in range(1203)]
    cache.put(texts, np.arange(1203 * 2, dtype=np.float32).reshape(-1, 2))
    assert cache.get([*texts, "unknown"])["text 1202"].tolist() == [2404, 2405]
    assert len(cache.get(texts)) == 1203


def test_no_texts_give_no_vectors(encoder: Encoder, tmp_path: Path) -> None:
    vectors, encoded = encode_cached([], encoder.encode_passages, encoder.dimensions, VectorCache(tmp_path, "m"))
    assert (vectors.shape, encoded) == ((0, 384), 0)


def test_a_damaged_cache_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "m.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(EncoderError, match="delete that folder"):
        VectorCache(tmp_path, "m")
