"""The labels' vectors that lie beside the lists are those of the lists and of the encoder, as near as 8 bits allow."""

from pathlib import Path

import numpy as np
from folders import CORPUS

from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.evidence.label_vectors import read_label_vectors, write_label_vectors
from pes_search.ingest.taxonomy import read_taxonomy

LISTS = CORPUS / "taxonomy"


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    texts = [f"label {number}" for number in range(100)]
    vectors = unit(100, 1)
    write_label_vectors(tmp_path, "a-model", texts, vectors)
    known = read_label_vectors(tmp_path, "a-model", [texts[7], "new", texts[3], texts[7]])
    assert sorted(known) == ["label 3", "label 7"]
    assert float(known["label 7"] @ vectors[7]) > 0.9999
    assert read_label_vectors(tmp_path, "another-model", texts) == {}
    assert read_label_vectors(tmp_path / "nowhere", "a-model", texts) == {}
    assert read_label_vectors(None, "a-model", texts) == {}


def test_those_of_the_projects_lists_are_complete_and_of_the_packaged_model(encoder: Encoder) -> None:
    """After a change of the lists or of the encoder: `make label-vectors`."""
    texts = list(dict.fromkeys(label.text for label in labels_of(read_taxonomy(LISTS))))
    known = read_label_vectors(LISTS, encoder.model_id, texts)
    assert len(texts) > 18_000
    assert [text for text in texts if text not in known] == []
    some = texts[::500]
    assert ((np.stack([known[text] for text in some]) * encoder.encode_queries(some)).sum(axis=1) > 0.999).all()


def test_they_take_little_room() -> None:
    assert (LISTS / "label_vectors.npz").stat().st_size < 8_000_000
