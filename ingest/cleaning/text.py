"""A text without what nobody sees: invisible characters, ligatures, runs of spaces."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile(
    "["
    "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffc\ufffd"  # soft hyphens, marks of direction, fillers
    "\ud800-\udfff"  # halves of characters, which damaged PDFs yield
    "\ue000-\uf8ff"  # private use: the glyphs of icon fonts
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "]"
)
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LIGATURE = re.compile("[" + "".join(_LIGATURES) + "]")

RAISED = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")  # a power's signs
LOWERED = str.maketrans("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")  # an index'

_SPACED = re.compile(r" +([,.])(?= |$)")  # what is left of markup between a word and its comma


def clean_text(text: str) -> str:
    """Return the text in Unicode NFC with single spaces, without invisible characters and typographic ligatures."""
    if not (text.isascii() and text.isprintable()):  # such a text has none of it
        text = _LIGATURE.sub(lambda match: _LIGATURES[match[0]], _INVISIBLE.sub("", text))
    text = " ".join(text.split())
    if " ," in text or " ." in text:
        text = _SPACED.sub(r"\1", text)
    return unicodedata.normalize("NFC", text)  # last: letters and marks may have come together
