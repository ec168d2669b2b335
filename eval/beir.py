"""A test collection in BEIR format: `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` (or `qrels/test.tsv`)."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pes_search.ingest.clean import clean_text
from pes_search.ingest.documents import document_id
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.languages import detect_language
from pes_search.ingest.types import Block, Document


class BeirError(PesSearchError):
    """A file of a test collection is missing or malformed."""


@dataclass(frozen=True, slots=True)
class BeirSet:
    """Documents with their blocks, queries by id, and graded judgments by query and document id."""

    name: str
    documents: list[tuple[Document, list[Block]]]
    original_ids: dict[str, str]  # the collection's id by ours, which is URL-safe
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def read_beir(folder: Path, *, queries: Path | None = None, qrels: Path | None = None) -> BeirSet:
    """Read a collection; `queries` and `qrels` may come from elsewhere (the same paragraphs in another language).

    Raises:
        BeirError: a file is missing, or a line of it does not fit; the message names file and line.
    """
    if qrels is None:
        nested = folder / "qrels" / "test.tsv"
        qrels = nested if nested.is_file() else folder / "qrels.tsv"
    documents = [_document(record) for record in _records(folder / "corpus.jsonl", "text")]
    return BeirSet(
        name=folder.name,
        documents=[(document, blocks) for document, blocks, _ in documents],
        original_ids={document.id: original for document, _, original in documents},
        queries={record["_id"]: record["text"] for record in _records(queries or folder / "queries.jsonl", "text")},
        qrels=_qrels(qrels),
    )


def _records(path: Path, *needed: str) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                    missing = [key for key in ("_id", *needed) if not isinstance(record.get(key), str)]
                except (ValueError, AttributeError) as error:
                    raise BeirError(f"{path}:{number}: no JSON object: {error}") from error
                if missing:
                    raise BeirError(f"{path}:{number}: lacks {', '.join(missing)} (as text)")
                yield record
    except OSError as error:
        raise BeirError(f"cannot read {path}: {error.strerror}") from error


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    judgments: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
                if number == 1 and not row[-1].lstrip("-").isdigit():
                    continue  # the header line
                if len(row) != 3 or not row[2].lstrip("-").isdigit():
                    raise BeirError(f"{path}:{number}: not query-id, corpus-id and score between tabs")
                judgments.setdefault(row[0], {})[row[1]] = int(row[2])
    except OSError as error:
        raise BeirError(f"cannot read {path}: {error.strerror}") from error
    return judgments


def _document(record: dict[str, str]) -> tuple[Document, list[Block], str]:
    original, text = record["_id"], record["text"]
    paragraphs = [clean_text(paragraph) for paragraph in text.split("\n\n")]
    title = clean_text(str(record.get("title") or ""))
    document = Document(
        id=document_id(original),
        title=title,
        kind="document",
        language=detect_language(text),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        path=original,
    )
    # A record without text may still be found by its title.
    blocks = [Block("paragraph", paragraph) for paragraph in paragraphs if paragraph] or [Block("paragraph", title or original)]
    return document, blocks, original
