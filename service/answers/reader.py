"""A reader with attention: the question and sentences that were found in one sequence, a score for each of them.

A sentence's vector does not know the question; here every word of a sentence sees the words of the question and of the other
sentences.

The weights are those of the packaged encoder's model with an adapter of their own (`make train-reader`), run as the encoder is.
None comes with the project: what was trained so far chose no better in this collection (docs/answers.md). `[answer] reader`
names the folder of one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.encoders.adapter import CONFIG_FILE, WEIGHTS_FILE
from pes_search.index.encoders.packaged import converted_folder
from pes_search.index.encoders.sentencepieces import Tokenizer
from pes_search.index.errors import EncoderError

if TYPE_CHECKING:
    from pes_search.index.encoders.packed_weights import PackedModel

HEAD_FILE = "head.json"
KIND = "reader"  # of the converted folder
CALIBRATION_SENTENCES = 7  # of a sequence, beside the one that stands for the question

MOST_TOKENS = 288  # of a sequence: what it costs grows with them, about .15 ms each
QUESTION_TOKENS, TITLE_TOKENS, SENTENCE_TOKENS = 64, 24, 64  # of each, at most; the rest of a longer one is not read
QUESTION_PROMPT = "query: "  # the model knows questions by it

Tokens = list[int]
TextTokens = Callable[[Sequence[str], int], list[Tokens]]
"""Gives the tokens of each text between those that open and close it, at most so many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's tokens, and those of sentences that were found for it, the best first."""

    question: Tokens  # with those that open and close it
    titles: list[Tokens]  # of the sentences' documents, one for each sentence; without
    sentences: list[Tokens]  # without
    places: list[tuple[int, ...]]  # of each sentence: its document's rank, and what orders it within the document


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What the model reads: tokens, and where the sentences stand among them."""

    ids: Tokens
    spans: dict[int, tuple[int, int]]  # by the sentence's number: its first token, and the one after its last


def asked(
    question: str, titles: Sequence[str], sentences: Sequence[str], places: Sequence[tuple[int, ...]], tokens: TextTokens
) -> Asked:
    """Return the tokens of a question and of sentences with their documents' titles."""
    (opened,) = tokens([QUESTION_PROMPT + question], QUESTION_TOKENS)
    of_title = {
        title: ids[1:-1]
        for title, ids in zip(dict.fromkeys(titles), tokens([*dict.fromkeys(titles)], TITLE_TOKENS), strict=True)
    }
    read = [ids[1:-1] for ids in tokens(sentences, SENTENCE_TOKENS)]
    return Asked(opened, [of_title[title] for title in titles], read, list(places))


def sequenced(asked: Asked, most: int = MOST_TOKENS) -> Sequenced:
    """Return one sequence, `<s> question </s></s> title </s> sentence </s> sentence </s> title </s> …`.

    As many sentences are in it as there is room for, the best first; they stand in the order of their documents.
    """
    close = asked.question[-1]
    length = len(asked.question) + 1
    documents: dict[int, list[int]] = {}
    for number, sentence in enumerate(asked.sentences):
        document = asked.places[number][0]
        needed = len(sentence) + 1 + (0 if document in documents else len(asked.titles[number]) + 1)
        if length + needed <= most:
            documents.setdefault(document, []).append(number)
            length += needed
    ids, spans = [*asked.question, close], {}
    for document in sorted(documents):
        ids += [*asked.titles[documents[document][0]], close]
        for number in sorted(documents[document], key=lambda number: asked.places[number]):
            spans[number] = (len(ids), len(ids) + len(asked.sentences[number]) + 1)
            ids += [*asked.sentences[number], close]
    return Sequenced(ids, spans)


class Reader:
    """The reader with its weights. Safe to use from several threads."""

    def __init__(self, folder: Path, head: Path, threads: int) -> None:
        """Open the converted folder, and the head that was trained with it."""
        from pes_search.index.encoders.onnx_session import opened

        self._tokenizer = Tokenizer(folder)
        self._tokens, self._layers = opened(folder, threads)
        values = json.loads(head.read_text(encoding="utf-8"))
        self._head = {name: np.array(numbers, np.float32) for name, numbers in values.items()}

    def read(
        self,
        question: str,
        titles: Sequence[str],
        sentences: Sequence[str],
        places: Sequence[tuple[int, ...]],
        cosines: Sequence[float],
    ) -> dict[int, float]:
        """Return the log-odds of sentences, by number, of as many of the first as there is room for.

        Row i of everything is sentence i. They are comparable within one question only.
        """
        head = self._head
        sequence = sequenced(asked(question, titles, sentences, places, self._tokenizer.ids))
        (states,) = self._layers.outputs(None, [sequence.ids], self._tokens)[0]
        return {
            number: float(
                states[first:end].mean(axis=0) @ head["sentence"]
                + head["sentence_bias"]
                + head["choice_cosine"] * cosines[number]
            )
            for number, (first, end) in sequence.spans.items()
        }


def load_reader(folder: Path, cache_dir: Path, threads: int) -> Reader:
    """Load the reader that `make train-reader` wrote to a folder; its model is converted first where that has not been done.

    Raises:
        EncoderError: there is no reader in the folder, or its model cannot be converted or opened.
    """
    missing = [name for name in (WEIGHTS_FILE, CONFIG_FILE, HEAD_FILE) if not (folder / name).is_file()]
    if missing:
        raise EncoderError(f"no reader in {folder}: it has no {missing[0]}; train one with `make train-reader`, or take "
                           "[answer] reader away")  # fmt: skip
    converted = converted_folder(cache_dir, folder, KIND, _write)
    try:
        return Reader(converted, folder / HEAD_FILE, threads)
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(f"cannot open the reader in {converted}: {error}; delete that folder, it is made anew") from error


def _write(packed: PackedModel, folder: Path) -> None:
    from pes_search.index.encoders.onnx_conversion import write_onnx  # with the library of graphs, needed once

    write_onnx(packed, folder, _calibration)


def _calibration(tokenizer: Tokenizer, most: int) -> list[list[int]]:
    """Return sequences of the calibration's sentences."""
    from pes_search.index.encoders.onnx_conversion import calibration_sentences

    every, step = calibration_sentences(), CALIBRATION_SENTENCES + 1
    return [
        sequenced(
            asked(question, [""] * len(others), others, [(0, place) for place in range(len(others))], tokenizer.ids),
            min(most, MOST_TOKENS),
        ).ids
        for question, *others in (every[first : first + step] for first in range(0, len(every), step))
    ]
