"""Bytes of a text file as text."""

from __future__ import annotations

from pes_search.ingest.errors import UnreadableFileError


def decode(data: bytes) -> str:
    """Return the text of bytes in UTF-8, UTF-16 with a mark, or a legacy encoding that fits.

    Raises:
        UnreadableFileError: the bytes are no text.
    """
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = None if b"\x00" in data else from_bytes(data).best()
        if best is None:
            raise UnreadableFileError("not text: the bytes fit no known character encoding") from None
        text = str(best)
    if "\x00" in text:
        raise UnreadableFileError("not text: the file holds binary data")
    return text
