"""Short texts are read by the pieces that stand in them, and get the tokens that all pieces would give."""

from pathlib import Path

import numpy as np

from pes_search.index.encoders.onnx_conversion import CALIBRATION_FILE
from pes_search.index.encoders.sentencepieces import HASHES_FILE, LONGEST_PIECE, NO_PIECE, SHORT_CHARACTERS, Tokenizer

ODD = (
    "", "   ", "  two  spaces ", "ﬁne №5 ½ １２", "漢字かな交じり文", "a\u200bc\u200db", "\ufeffx", "<s> </s> <mask> <unk>",
    "‱𝔘𝔫𝔦", "😀", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\x00x\x01\x02", "é e\u0301", "▁▁ x", "Å A\u030a", "\n\ttabs",
    NO_PIECE,
)  # fmt: skip


def test_the_tokens_are_those_of_the_whole_model(folder: Path) -> None:
    texts = [*(line[:200] for line in CALIBRATION_FILE.read_text(encoding="utf-8").splitlines()), *ODD]
    short, whole = Tokenizer(folder), Tokenizer(folder)
    whole.starts("loads all")
    expected = whole.ids(texts, 512)
    assert [short.ids([text], 512)[0] for text in texts] == expected
    assert "_all_pieces" in vars(whole)
    assert "_all_pieces" not in vars(short)
    assert short.ids([texts[0]], 5) == [expected[0][:4] + expected[0][-1:]]


def test_longer_texts_and_many_are_read_by_all_pieces(folder: Path) -> None:
    for texts in (["word " * SHORT_CHARACTERS], ["word"] * SHORT_CHARACTERS):
        tokenizer = Tokenizer(folder)
        tokenizer.ids(texts, 512)
        assert "_all_pieces" in vars(tokenizer)


def test_pieces_can_be_looked_up(folder: Path) -> None:
    hashes = np.load(folder / HASHES_FILE)
    assert len(hashes) > 249_000
    assert (np.diff(hashes.astype(object)) > 0).all()  # each once
    pieces = Tokenizer(folder)._all_pieces
    assert max(len(pieces.id_to_piece(number)) for number in range(pieces.get_piece_size())) == LONGEST_PIECE
    assert pieces.encode(NO_PIECE) == []
