"""Texts as they are kept: cut to a length, without what SQLite does not take, and without contacts of people."""

from __future__ import annotations

import re

LONGEST_TEXT_CHARACTERS = 2_000  # of a question, a query or a comment

_BETWEEN = r"(?:[^\S\n]|[./\u2010-\u2015-])"  # what may stand between the digits of one number
_ADDRESS = re.compile(r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(rf"\+?\d(?:{_BETWEEN}{{0,3}}\d){{5,}}")
_YEARS = re.compile(rf"\+?(?:19|20)\d\d(?:{_BETWEEN}{{1,3}}(?:19|20)\d\d)+")


def without_contacts(text: str) -> str:
    """Return a text with "…" for e-mail addresses, and for numbers of six digits or more unless they are years."""
    return _NUMBER.sub(lambda number: number[0] if _YEARS.fullmatch(number[0]) else "…", _ADDRESS.sub("…", text))


def storable(text: str, most_characters: int | None = None) -> str:
    """Return a text as SQLite takes it, cut to a length; half a surrogate pair and NUL become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")[:most_characters]
