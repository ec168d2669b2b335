"""The reader: one sequence of question, titles and sentences; scores for those that there is room for."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pes_search.index.errors import EncoderError
from pes_search.service.answers.reader import Reader, asked, load_reader, sequenced
from pes_search.service.settings import Settings

OPEN, CLOSE = 1, 2


def letters(texts: list[str], most: int) -> list[list[int]]:
    """A token a letter."""
    return [[OPEN, *map(ord, text[: most - 2]), CLOSE] for text in texts]


def test_sentences_stand_under_their_titles_in_their_order() -> None:
    question = asked("q", ["T", "U", "T"], ["ab", "c", "d"], [(0, 9), (1, 0), (0, 3)], letters)
    sequence = sequenced(question)
    tokens = "".join({OPEN: "<", CLOSE: ">"}.get(token, chr(token)) for token in sequence.ids)
    assert tokens == "<query: q>>T>d>ab>U>c>"
    spans = {number: tokens[start:end] for number, (start, end) in sequence.spans.items()}
    assert spans == {0: "ab>", 1: "c>", 2: "d>"}


def test_the_best_have_room_first() -> None:
    question = asked("q", ["T"] * 3, ["a" * 20, "b" * 20, "c"], [(0, place) for place in range(3)], letters)
    # 11 tokens of the question, 2 of the title, 21 of the first sentence, 2 of the last.
    assert list(sequenced(question, 11 + 2 + 21 + 2).spans) == [0, 2]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("reader")
    place = "base_model.model.encoder.layer.11.output.dense"
    zeros = {"lora_A": np.zeros((1, 1536), np.float16), "lora_B": np.zeros((384, 1), np.float16)}
    save_file({f"{place}.{name}.weight": value for name, value in zeros.items()}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"r": 1, "lora_alpha": 1}', encoding="utf-8")
    head = {"sentence": [0.0] * 384, "sentence_bias": 0.5, "choice_cosine": 10.0}
    (folder / "head.json").write_text(json.dumps(head), encoding="utf-8")
    return load_reader(folder, Settings().cache_dir, 1)


def test_without_any_weight_the_cosine_decides(reader: Reader) -> None:
    scores = reader.read("Who drives?", ["Bus", "Bus"], ["Ann drives.", "It is red."], [(0, 0), (0, 1)], [0.9, 0.8])
    assert scores == pytest.approx({0: 0.5 + 9.0, 1: 0.5 + 8.0})


def test_a_folder_without_a_reader_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"has no adapter_model\.safetensors; train one with `make train-reader`"):
        load_reader(tmp_path, tmp_path, 1)
