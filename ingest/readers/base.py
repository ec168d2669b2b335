"""What a file reader is, and what the table of readers says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pes_search.ingest.parts import Part
from pes_search.ingest.types import FileContent

PageName = Literal["page", "slide", "minute"]
"""What the numbers of pages count."""


class Reader(Protocol):
    """Gives a file's blocks in reading order, and what the file tells about itself.

    Texts come as the file has them (`pes_search.ingest.cleaning` says who cleans). A part that is damaged costs a warning, not
    the rest.
    """

    def __call__(self, data: bytes, /) -> FileContent:
        """Read the file's bytes.

        Raises:
            UnreadableFileError: with the reason, if nothing can be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format(Part):
    """A file format: the row of its reader."""

    suffixes: tuple[str, ...]  # in lower case, with the dot; no other format has them
    media_type: str
    signature: bytes | None = None  # what such a file begins with, where it always does
    may_have_forms: bool = False  # a web page, or what one is printed or saved to: with buttons and labels of forms
    pages_are: PageName = "page"
    is_named_by_file: bool = False  # where it states no title: what it begins with is none
    language_is_stated: bool = False  # by people, for the file itself: it counts more than what the text looks like
    advice_if_empty: str = ""  # for a file without text
