"""Texts become the packaged model's tokens, by Google's sentencepiece.

The `tokenizers` library reads the same pieces the same way, but takes 290 MB and .6 s to load them; sentencepiece takes 50 MB
and .3 s. A short text does without even that: only pieces that stand in it can be its tokens, so a model of those alone gives
the same ones, in less than a millisecond.

    tokenizer.model      sentencepiece's model: normalisation and a quarter of a million pieces
    normaliser.model     the same without the pieces
    piece_hashes.npy     the pieces' hashes, ascending, and …
    pieces.npy           … of each its number and score
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sentencepiece

if TYPE_CHECKING:
    from pes_search.index.encoders.packed_weights import PackedModel

TOKENIZER_FILE = "tokenizer.model"
NORMALISER_FILE = "normaliser.model"
HASHES_FILE, PIECES_FILE = "piece_hashes.npy", "pieces.npy"
SHORT_CHARACTERS = 300  # of texts that are read by their own pieces, together; longer ones take some ten milliseconds
NO_PIECE = "\x01"  # that no text can hold: normalising takes control characters away
MULTIPLIER = 0x9E3779B97F4A7C15  # odd and large, so that every letter reaches every bit (2^64 divided by the golden ratio)
LONGEST_PIECE = 16  # characters; `write_tokenizer` makes sure
NORMALIZATION = "nmt_nfkc"  # as the model was trained with


def write_tokenizer(packed: PackedModel, folder: Path) -> None:
    """Write the pieces in sentencepiece's own format, with the normalisation that they were made for."""
    import numpy as np
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
    (folder / TOKENIZER_FILE).write_bytes(model.SerializeToString())
    normal = [(_hash(piece.piece), number) for number, piece in enumerate(model.pieces) if piece.type == kinds.NORMAL]
    longest = max(len(piece.piece) for piece in model.pieces)
    if longest > LONGEST_PIECE or sorted(packed.specials.values()) != list(range(len(packed.specials))):
        raise ValueError(f"pieces of {longest} characters, special ones {packed.specials}: not what `Tokenizer` expects")
    normal.sort()
    if len({value for value, _ in normal}) < len(normal):
        raise ValueError("two pieces have one hash; choose another multiplier")
    np.save(folder / HASHES_FILE, np.array([value for value, _ in normal], np.uint64))
    rows = [(number, model.pieces[number].score) for _, number in normal]
    np.save(folder / PIECES_FILE, np.array(rows, [("number", "<i4"), ("score", "<f4")]))
    del model.pieces[len(packed.specials) :]
    (folder / NORMALISER_FILE).write_bytes(model.SerializeToString())


class Tokenizer:
    """The packaged model's tokenizer. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own_pieces = _OwnPieces(folder)

    def ids(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Return each text's tokens, the first `most`, between those that open and close a text."""
        is_loaded = "_all_pieces" in self.__dict__
        if is_loaded or sum(map(len, texts)) > SHORT_CHARACTERS:
            pieces = self._all_pieces.encode(list(texts))
        else:
            pieces = [self._own_pieces.ids(text) for text in texts]
        first, last = self._own_pieces.first, self._own_pieces.last
        return [[first, *ids[: most - 2], last] for ids in pieces]

    def starts(self, text: str) -> list[int]:
        """Return the character at which each of the text's tokens starts, ascending."""
        offsets = self._all_pieces.encode(text, return_type="offset_mapping")["offsets"]
        # sentencepiece counts the spaces before a word as part of its token.
        starts = [end - len(text[start:end].lstrip()) for start, end in offsets]
        return [start for start, (_, end) in zip(starts, offsets, strict=True) if start < end]

    @cached_property
    def _all_pieces(self) -> Any:
        return sentencepiece.SentencePieceProcessor(model_file=str(self._folder / TOKENIZER_FILE))


class _OwnPieces:
    """Reads a text by a model of the pieces that stand in it.

    Its scores are those of the whole model, and so is the lowest score, from which that of an unknown character follows: the
    most probable tokens are the same.
    """

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self._rest = (folder / NORMALISER_FILE).read_bytes()
        # A model needs one piece at least.
        empty = sentencepiece.SentencePieceProcessor(model_proto=self._rest + _message(NO_PIECE, 0.0))
        self.first, self.last = empty.bos_id(), empty.eos_id()
        self._specials = empty.get_piece_size() - 1
        self._normaliser = sentencepiece.SentencePieceNormalizer(model_proto=self._rest)
        self._hashes = np.load(folder / HASHES_FILE, mmap_mode="r").view(np.ndarray)
        self._pieces = np.load(folder / PIECES_FILE, mmap_mode="r").view(np.ndarray)

    @cached_property
    def _lowest(self) -> float:
        return float(self._pieces["score"].min())

    def ids(self, text: str) -> list[int]:
        """Return a text's tokens."""
        import numpy as np

        written = self._normaliser.normalize(text)
        letters = np.frombuffer(written.encode("utf-32-le"), np.uint32).astype(np.uint64) + np.uint64(1)
        scores: dict[int, tuple[str, float]] = {}  # of the pieces that stand in the text, by their numbers
        hashes = np.zeros(len(letters) + 1, np.uint64)
        for length in range(1, min(LONGEST_PIECE, len(letters)) + 1):  # of each stretch of so many letters
            hashes = hashes[:-1] * np.uint64(MULTIPLIER) + letters[length - 1 :]
            places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
            found = np.flatnonzero(self._hashes[places] == hashes)
            for start, (number, score) in zip(found.tolist(), self._pieces[places[found]].tolist(), strict=True):
                scores[number] = written[start : start + length], score
        numbers = [*range(self._specials), -1, *scores]
        pieces = [_message(NO_PIECE, self._lowest), *(_message(*piece) for piece in scores.values())]
        own = sentencepiece.SentencePieceProcessor(model_proto=self._rest + b"".join(pieces))
        return [numbers[token] for token in own.encode(text)]


def _message(piece: str, score: float) -> bytes:
    """Return a piece as protocol buffers write it: appended to a model, it is one of its pieces."""
    text = piece.encode()
    body = b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", score)
    return b"\x0a" + bytes([len(body)]) + body


def _hash(piece: str) -> int:
    """Return a piece's hash: its letters, from 1 on, as the digits of a number, as much of it as 64 bits hold."""
    value = 0
    for letter in piece:
        value = (value * MULTIPLIER + ord(letter) + 1) % 2**64
    return value
