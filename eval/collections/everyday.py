"""Questions in everyday words on passages of factsheets and reports (© Eurofound), a fifth of the documents held out.

The questions are our own, in English and in one more language each; the passages are read from the test data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pes_search.eval.collections.files import read_records
from pes_search.eval.collections.questions import PROJECT_QUESTIONS
from pes_search.index.encoders.base import Encoder
from pes_search.index.text.passage_text import full_text
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.documents import read_document
from pes_search.ingest.passages import build_pages, build_passages
from pes_search.ingest.sources import find_files

FOLDERS = ("factsheets", "case-studies-pdf", "legal-pages-pdf")
HELD_OUT_DOCUMENTS = 5  # of so many one


@dataclass(frozen=True, slots=True)
class ReportPassage:
    """A passage as the encoder reads it, under its title and headings."""

    text: str
    document: str  # its file's name


@dataclass(frozen=True, slots=True)
class EverydayQuestion:
    """A question that a passage answers, in other words than the passage's."""

    english: str
    language: str
    text: str  # the same in that language
    passage: str  # its digest


def read_report_passages(data: Path, encoder: Encoder, config: PassageConfig) -> dict[str, ReportPassage]:
    """Return the passages of the test data's factsheets and reports by digest, in their order."""
    passages: dict[str, ReportPassage] = {}
    for file in find_files([str(data / "eurofound" / folder) for folder in FOLDERS]):
        read = read_document(file)
        for passage in build_passages(read.document, build_pages(read.document, read.blocks), encoder.token_starts, config):
            passages.setdefault(
                passage_digest(passage.text), ReportPassage(full_text(read.document, passage), Path(file.name).name)
            )
    return passages


def read_everyday(passages: Mapping[str, ReportPassage]) -> list[EverydayQuestion]:
    """Return the questions whose passage is read as it was when they were written."""
    return [
        EverydayQuestion(row["english"], row["language"], row["text"], row["passage"])
        for _, row in read_records(PROJECT_QUESTIONS / "training_everyday.jsonl", [], ids=("id",))
        if row["passage"] in passages
    ]


def passage_digest(text: str) -> str:
    """Return what names a passage that is not ours to write down: a hash of its words."""
    return hashlib.blake2b(" ".join(text.split()).encode(), digest_size=6).hexdigest()


def is_held_out(document: str) -> bool:
    """Tell whether a report's file is held out of training."""
    return int(hashlib.blake2b(document.encode(), digest_size=4).hexdigest(), 16) % HELD_OUT_DOCUMENTS == 0
