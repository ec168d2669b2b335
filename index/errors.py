"""What can go wrong here, by what the caller can do about it. Every message names the next command to type."""

from __future__ import annotations

from pes_search.ingest.errors import PesSearchError, VisitorError


class EncoderError(PesSearchError):
    """The embedding model cannot be found, converted or loaded."""

    public_text = "the search cannot read queries just now"


class IndexNotFoundError(PesSearchError):
    """No index has been built at this place yet."""

    public_text = "there is nothing to search yet"


class IndexDamagedError(PesSearchError):
    """An index is there, but its files are incomplete, altered, or made by another version or model."""

    public_text = "the collection cannot be searched just now"

    def __init__(self, message: str, what: str = "") -> None:
        """`what` is wrong, without a path and without advice, for those who are not to see where the index is."""
        super().__init__(message)
        self.what = what


class NotInIndexError(VisitorError):
    """No document or passage of this id is in the index."""


class BuildRunningError(PesSearchError):
    """Another process is building the same index."""


class QueryError(VisitorError):
    """The query or one of its parameters cannot be searched."""
