"""Bytes of a text file as text."""

from __future__ import annotations

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.languages import detect_language

# The single-byte encodings that European texts were written in before UTF-8, the most common first.
LEGACY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1257", "cp1254")
LATIN = {"cp1252", "cp1250", "cp1257", "cp1254"}
WESTERN = {"ca", "da", "de", "en", "es", "eu", "fi", "fr", "ga", "gl", "is", "it", "nl", "nb", "nn", "no", "pt", "sv"}
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

    western = data.decode(LEGACY[0], "replace")
    best = from_bytes(data, cp_isolation=list(LEGACY)).best() if len(data) >= LEAST_BYTES else None
    # The Latin encodings differ in few letters, which charset-normalizer does not weigh: "où" becomes "oů".
    if best is None or (best.encoding in LATIN and detect_language(western) in WESTERN):
        return western
    return str(best)
