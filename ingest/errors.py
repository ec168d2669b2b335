"""What can go wrong here, by what the caller can do about it."""

from __future__ import annotations


class PesSearchError(Exception):
    """Something the user can mend; the message says what happened and what to do next. Every stage's errors are of it.

    The message is for who runs the program: it may name files, addresses and settings. Everybody else gets `public`.
    """

    public_text = "the service cannot do this just now"

    @property
    def public(self) -> str:
        """What anybody may read of it: what happened, nothing of the machine or of other people."""
        return self.public_text


class VisitorError(PesSearchError):
    """Something in what was asked for; the message speaks of nothing else, so that whoever asked may read it."""

    @property
    def public(self) -> str:
        """What anybody may read of it: the message."""
        return str(self)


class NotWrittenError(PesSearchError):
    """Something could not be written: the disk is full, or may not be written."""


class SourceNotFoundError(PesSearchError):
    """A source names no file."""


class UnreadableFileError(PesSearchError):
    """One file cannot become a document; the message is the reason as it stands in the build report."""


class TakesTooMuchError(UnreadableFileError):
    """One file takes more time or memory than it may."""


class ReadingStoppedError(PesSearchError):
    """A file was not read to its end: nobody waits for it any more."""


class TaxonomyError(PesSearchError):
    """The controlled lists cannot be used as they are."""


class NothingReadError(PesSearchError):
    """Of all files none could be read."""


class MissingPartError(PesSearchError):
    """A table of parts has no such name, or the part's library is not installed; the message says what there is to choose."""


class LanguageFileError(PesSearchError):
    """The file of a language cannot be used as it is."""


class FetchError(PesSearchError):
    """Something of the web cannot be fetched, or must not be."""


class BusyHostError(FetchError):
    """A host asks to be left alone for longer than a run waits, or does not answer at all."""
