"""Bytes of a text file as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages import known_languages
from pes_search.ingest.languages.identify import detect_language

LARGEST_DAMAGE = 0.01  # of the characters of a Unicode text
LEAST_BYTES = 60  # less does not tell; then the most common encoding is the best guess
LARGEST_CONTROL_SHARE = 0.01  # of characters that no text has; bytes of other files have many more


def decode(data: bytes) -> str:
    """Return the text of bytes in UTF-8, UTF-16 with a mark, or the legacy encoding in which they read best.

    Raises:
        UnreadableFileError: the bytes are no text.
    """
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = _legacy(data)
    controls = sum(character < " " and character not in "\t\n\r\f" for character in text)
    if "\x00" in text or controls > LARGEST_CONTROL_SHARE * len(text):
        raise UnreadableFileError("not text: the file holds binary data")
    return text


def _legacy(data: bytes) -> str:
    from charset_normalizer import from_bytes

    unicode = data.decode("utf-8", "replace")
    damaged = unicode.count("\ufffd")
    whole = sum(not character.isascii() for character in unicode) - damaged
    if damaged <= LARGEST_DAMAGE * len(unicode) and damaged < whole:
        return unicode  # a wrong byte or two
    if len(data) >= LEAST_BYTES:
        latin, others = _encodings(is_latin=True), _encodings(is_latin=False)
        best = from_bytes(data, cp_isolation=[*latin, *others]).best()
        if best is not None and best.encoding in others:
            return str(best)
        # The Latin encodings differ in few letters, which charset-normalizer does not weigh: "où" becomes "oů".
        for encoding, languages in latin.items():
            if detect_language(text := data.decode(encoding, "replace")) in languages:
                return text
    return data.decode("cp1252", "replace")


@cache
def _encodings(*, is_latin: bool) -> Mapping[str, frozenset[str]]:
    """Return the encodings of Latin or of other scripts, each with its languages; that of the most languages comes first."""
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for language in known_languages().values():
        if language.encoding and (language.script == "Latin") == is_latin:
            languages[language.encoding].add(language.code)
    ordered = sorted(languages, key=lambda encoding: (-len(languages[encoding]), encoding))
    return {encoding: frozenset(languages[encoding]) for encoding in ordered}
