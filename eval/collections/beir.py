"""A test collection in BEIR format: `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` (or `qrels/test.tsv`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pes_search.eval.collections.files import Qrels, raise_faults, read_qrels, read_records, text_of
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.documents import document_id
from pes_search.ingest.faults import Fault
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.types import Block, Document


@dataclass(frozen=True, slots=True)
class BeirSet:
    """Documents with their blocks, queries by id, and graded judgments by query and document id."""

    name: str
    documents: list[tuple[Document, list[Block]]]
    original_ids: dict[str, str]  # the collection's id by ours, which is URL-safe
    queries: dict[str, str]
    qrels: Qrels


def read_beir(folder: Path, *, queries: Path | None = None, qrels: Path | None = None) -> BeirSet:
    """Read a collection; `queries` and `qrels` may come from elsewhere (the same paragraphs in another language).

    Raises:
        InputError: a file is missing, or lines of it do not fit; the message names each with file and line.
    """
    if qrels is None:
        nested = folder / "qrels" / "test.tsv"
        qrels = nested if nested.is_file() else folder / "qrels.tsv"
    faults: list[Fault] = []
    documents = []
    corpus = folder / "corpus.jsonl"
    for number, record in read_records(corpus, faults):
        text = text_of(record, "text", corpus, number, faults)
        if text is not None:
            documents.append(_document(record, text))
    if not documents and not faults:
        faults.append(Fault(str(corpus), 1, "holds no document; add lines with `_id`, `title` and `text`"))
    query_texts = read_queries(queries or folder / "queries.jsonl", faults)
    raise_faults(faults)
    return BeirSet(
        name=folder.resolve().name,
        documents=[(document, blocks) for document, blocks, _ in documents],
        original_ids={document.id: original for document, _, original in documents},
        queries=query_texts,
        qrels=read_qrels(qrels),
    )


def read_queries(path: Path, faults: list[Fault]) -> dict[str, str]:
    """Return the texts of a file's queries by id; what does not fit goes to `faults`."""
    texts = {
        record["_id"]: text_of(record, "text", path, number, faults)
        for number, record in read_records(path, faults, ids=("_id", "id"))
    }
    return {query: text for query, text in texts.items() if text is not None}


def _document(record: dict[str, Any], text: str) -> tuple[Document, list[Block], str]:
    original = record["_id"]
    paragraphs = [clean_text(paragraph) for paragraph in text.split("\n\n")]
    title = clean_text(str(record.get("title") or ""))
    document = Document(
        id=document_id(original),
        title=title,
        kind="document",
        language=detect_language(text),
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        path=original,
    )
    # A record without text may still be found by its title.
    blocks = [Block("paragraph", paragraph) for paragraph in paragraphs if paragraph] or [Block("paragraph", title or original)]
    return document, blocks, original
