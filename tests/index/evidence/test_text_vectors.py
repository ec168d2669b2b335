"""The vectors that lie beside lists and questions are those of their texts and of the encoder, as near as 8 or 4 bits allow."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from folders import CORPUS

from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.evidence.text_vectors import read_text_vectors, write_text_vectors
from pes_search.ingest.questions import QUESTION_VECTORS, read_questions
from pes_search.ingest.taxonomy import LABEL_VECTORS, read_taxonomy

FILE = "vectors.npz"
LISTS = CORPUS / "taxonomy"
QUESTIONS = CORPUS / "questions"


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    texts = [f"label {number}" for number in range(100)]
    vectors = unit(100, 1)
    write_text_vectors(tmp_path / FILE, "a-model", texts, vectors)
    known = read_text_vectors(tmp_path / FILE, "a-model", [texts[7], "new", texts[3], texts[7]])
    assert sorted(known) == ["label 3", "label 7"]
    assert float(known["label 7"] @ vectors[7]) > 0.9999
    write_text_vectors(tmp_path / FILE, "a-model", texts, vectors, bits=4)
    half = read_text_vectors(tmp_path / FILE, "a-model", [texts[7], "new"])
    assert [*half] == ["label 7"]
    assert 0.98 < float(half["label 7"] @ vectors[7]) < 0.9999
    assert float(np.linalg.norm(half["label 7"])) == pytest.approx(1, abs=1e-6)
    assert read_text_vectors(tmp_path / FILE, "another-model", texts) == {}
    assert read_text_vectors(tmp_path / "nowhere", "a-model", texts) == {}


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("asked", [[], ["a third text"]])
def test_where_none_is_asked_for_or_known_none_comes_back(
    bits: Literal[4, 8], asked: list[str], tmp_path: Path
) -> None:  # as where the index folder was deleted, and all that was read of the files is kept
    write_text_vectors(tmp_path / "vectors.npz", "model", ["a text"], np.ones((1, 6), np.float32), bits=bits)
    assert read_text_vectors(tmp_path / "vectors.npz", "model", asked) == {}


def test_those_of_the_project_are_complete_and_of_the_packaged_model(encoder: Encoder) -> None:
    """After a change of the lists, the questions or the encoder: `make text-vectors`."""
    labels = list(dict.fromkeys(label.text for label in labels_of(read_taxonomy(LISTS))))
    questions = list({text for path in QUESTIONS.glob("*.yaml") for _, text in read_questions(path)})
    # 8 bits a number and 4.
    for texts, path, least in ((labels, LISTS / LABEL_VECTORS, 0.999), (questions, QUESTIONS / QUESTION_VECTORS, 0.985)):
        assert_known(texts, read_text_vectors(path, encoder.model_id, texts), encoder, least)


def assert_known(
    texts: list[str],
    known: dict[str, np.ndarray],  # type: ignore[type-arg]
    encoder: Encoder,
    least: float,
) -> None:
    assert len(texts) > 14_000
    assert [text for text in texts if text not in known] == []
    some = texts[::500]
    assert ((np.stack([known[text] for text in some]) * encoder.encode_queries(some)).sum(axis=1) > least).all()


def test_they_take_little_room() -> None:
    assert (LISTS / LABEL_VECTORS).stat().st_size < 8_000_000
    assert (QUESTIONS / QUESTION_VECTORS).stat().st_size < 8_000_000
