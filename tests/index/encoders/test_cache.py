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


def filled(cache: VectorCache) -> VectorCache:
    """Let a cache take no page more, which SQLite answers as it does a full disk."""
    assert cache._database is not None
    pages = cache._database.execute("PRAGMA page_count").fetchone()[0]
    cache._database.execute(f"PRAGMA max_page_count = {pages}")
    return cache


def test_a_cache_without_room_costs_time_only_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = VectorCache(tmp_path, "m")
    cache.put(["known"], np.ones((1, 3), np.float32))
    filled(cache)
    texts = [f"text {number}" for number in range(600)]
    for _ in range(2):
        vectors, encoded = encode_cached(texts, lambda part: np.ones((len(part), 3), np.float32), 3, cache)
        assert (vectors.shape, encoded) == ((600, 3), 600)
    (told,) = (record.getMessage() for record in caplog.records)
    assert told.startswith(f"cannot use the vector cache in {tmp_path}: database or disk is full; ")
    cache.close()
    assert list(VectorCache(tmp_path, "m").get(["known", *texts])) == ["known"]


def test_a_place_where_no_cache_can_be_made_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("x")
    cache = VectorCache(tmp_path / "file", "m")
    assert cache.get(["a"]) == {}
    cache.put(["a"], np.ones((1, 3), np.float32))
    assert "cannot use the vector cache" in caplog.text
