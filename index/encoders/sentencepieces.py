"""Texts become the packaged model's tokens, by Google's sentencepiece.

The `tokenizers` library reads the same pieces the same way, but takes 290 MB and .6 s to load them; sentencepiece takes 50 MB
and .4 s, half of it while others work.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor

from pes_search.index.encoders.packaged import PackedModel

NORMALIZATION = "nmt_nfkc"  # as the model was trained with


def write_tokenizer(packed: PackedModel, path: Path) -> None:
    """Write the pieces in sentencepiece's own format, with the normalisation that they were made for."""
    from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2

    formats: Any = sentencepiece_model_pb2  # made by protobuf, without annotations
    # The rules of a normalisation come with a trained model only: a tiny one is trained, and its pieces are exchanged.
    trained = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e"] * 10),
        model_writer=trained,
        vocab_size=9,
        hard_vocab_limit=False,
        normalization_rule_name=NORMALIZATION,
        minloglevel=2,
    )
    model = formats.ModelProto.FromString(trained.getvalue())
    kinds = formats.ModelProto.SentencePiece
    unknown, controls = packed.specials["unk"], {packed.specials[name] for name in ("bos", "eos", "pad")}
    del model.pieces[:]
    for number, (piece, score) in enumerate(packed.pieces):
        kind = (
            kinds.UNKNOWN if number == unknown else kinds.CONTROL if number in controls or piece == "<mask>" else kinds.NORMAL
        )
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.vocab_size = len(packed.pieces)
    for name, number in packed.specials.items():
        setattr(model.trainer_spec, f"{name}_id", number)
    path.write_bytes(model.SerializeToString())


class Tokenizer:
    """The packaged model's tokenizer. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._pieces = SentencePieceProcessor(model_file=str(path))
        self._first, self._last = self._pieces.bos_id(), self._pieces.eos_id()

    def ids(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Return each text's tokens, the first `most`, between those that open and close a text."""
        return [[self._first, *ids[: most - 2], self._last] for ids in self._pieces.encode(list(texts))]

    def starts(self, text: str) -> list[int]:
        """Return the character at which each of the text's tokens starts, ascending."""
        offsets = self._pieces.encode(text, return_type="offset_mapping")["offsets"]
        # sentencepiece counts the spaces before a word as part of its token.
        starts = [end - len(text[start:end].lstrip()) for start, end in offsets]
        return [start for start, (_, end) in zip(starts, offsets, strict=True) if start < end]
