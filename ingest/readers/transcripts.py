"""Transcripts and subtitles (WebVTT, SubRip): what is said, in paragraphs; page 13 is what begins in the thirteenth minute."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from html import unescape

import webvtt
import webvtt.errors

from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.decode import decode
from pes_search.ingest.types import Block, FileContent

PAUSE_SECONDS = 4.0  # of silence, after which a new paragraph begins
PARAGRAPH_CHARACTERS = 600  # from which a paragraph ends with its sentence
LONGEST_PARAGRAPH = 2_000  # characters, where nobody wrote full stops
LAST_MINUTE = 6_000
_ENDS = re.compile(r"[.!?…][\"'”’»)]*$")
_TAG = re.compile(r"</?[^<>]*>|\{\\[^{}]*\}")
_NO_SPEECH = re.compile(r"^[\[(♪].*[\])♪]$")  # [applause]


def read_vtt(data: bytes) -> FileContent:
    """Read a WebVTT file.

    Raises:
        UnreadableFileError: it holds no such transcript.
    """
    return _read(data, "vtt")


def read_srt(data: bytes) -> FileContent:
    """Read a SubRip file; raises as `read_vtt`."""
    return _read(data, "srt")


def _read(data: bytes, kind: str) -> FileContent:
    text = decode(data).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        captions = list(webvtt.from_buffer(io.StringIO(text), format=kind).captions)
    except (webvtt.errors.MalformedFileError, webvtt.errors.MalformedCaptionError, ValueError, IndexError) as error:
        raise UnreadableFileError(f"no transcript found in it: {error}") from error
    return FileContent([*_paragraphs(captions)])


def _paragraphs(captions: Iterable[webvtt.Caption]) -> Iterator[Block]:
    """Join the lines that are shown one after the other to what a speaker says."""
    said: list[str] = []
    speaker = start = end = None
    shown: list[str] = []  # by the caption before: one that rolls on shows them again

    def paragraph() -> Iterator[Block]:
        if said:
            minute = min(int(start or 0) // 60, LAST_MINUTE) + 1
            yield Block("paragraph", (f"{speaker}: " if speaker else "") + " ".join(said), minute)

    latest = 0.0
    for caption in captions:
        lines = [line for raw in caption.raw_text.split("\n") if (line := clean_text(unescape(_TAG.sub("", raw))))]
        new = [line for line in lines if line not in shown and not _NO_SPEECH.match(line)]
        shown = lines
        if not new:
            continue
        begins = max(float(caption.start_in_seconds), latest)  # a file may be out of order; its places may not
        latest = begins
        voice = caption.voice or speaker
        length = sum(map(len, said))
        is_over = length > PARAGRAPH_CHARACTERS and _ENDS.search(said[-1])
        if said and (voice != speaker or is_over or length > LONGEST_PARAGRAPH or begins - (end or 0) > PAUSE_SECONDS):
            yield from paragraph()
            said = []
        if not said:
            start, speaker = begins, caption.voice or speaker
        said += new
        end = float(caption.end_in_seconds)
    yield from paragraph()
