"""One generation of the file store in memory, searched exactly. `files` says which files it is made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.index.arrays import mean_vectors
from pes_search.index.errors import NotInIndexError
from pes_search.index.evidence.bm25 import Bm25Index
from pes_search.index.filters import Filters
from pes_search.index.stores.metadata import Metadata
from pes_search.index.stores.nearest import open_vectors
from pes_search.index.types import Counts, DocumentText, Manifest, PassageRows, PassageSentences, Terms
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Page, Passage, passage_id

if TYPE_CHECKING:
    from pes_search.index.arrays import HalfVectors, Mask, Rows, Vectors


class FileIndex:
    """One generation in memory, searched exactly."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.taxonomy = Taxonomy.from_values(json.loads((folder / "taxonomy.json").read_text(encoding="utf-8")))
        self._documents = [_document(row) for row in _read_lines(folder / "documents.jsonl")]
        self._document_rows = {document.id: row for row, document in enumerate(self._documents)}
        self._by_id = sorted(range(len(self._documents)), key=lambda row: self._documents[row].id)
        self._pages: list[list[Page]] = [[] for _ in self._documents]
        for line in _read_lines(folder / "pages.jsonl"):
            self._pages[self._document_rows[line["document"]]].append(_page(line))
        texts = {(page.document_id, page.number): page.text for pages in self._pages for page in pages}
        lines = list(_read_lines(folder / "passages.jsonl"))
        self._passages = [_passage(line, texts) for line in lines]
        self._passage_rows = {passage.id: row for row, passage in enumerate(self._passages)}
        # The document of each passage, and each document's passages.
        self._owners: Rows = np.array([self._document_rows[passage.document_id] for passage in self._passages], dtype=np.int64)
        self._members: list[list[int]] = [[] for _ in self._documents]
        for row, owner in enumerate(self._owners.tolist()):
            self._members[owner].append(row)

        vectors = mapped_vectors(folder / "vectors.f16", manifest.dimensions, len(lines), "passages")
        self._whole = open_vectors(vectors, folder)
        self._means = mean_vectors(vectors, self._owners, len(self._documents))
        self._sentence_spans = [[(start, end) for start, end in line["sentences"]] for line in lines]
        sentence_counts = [len(spans) for spans in self._sentence_spans]
        self._sentence_starts = np.concatenate([[0], np.cumsum(sentence_counts)]).astype(np.int64)
        self._sentences = mapped_vectors(folder / "sentences.f16", manifest.dimensions, sum(sentence_counts), "sentences")

        self._bm25 = Bm25Index(folder / "bm25")
        # Not when they are first asked for: by then later builds may have removed the files.
        self._words: dict[str, dict[str, int]] = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self._labels = mapped_vectors(folder / "labels.f16", manifest.dimensions)
        self._concepts = list(_read_lines(folder / "concepts.jsonl"))
        if len(self._concepts) != len(self._documents):
            raise ValueError(f"concepts of {len(self._concepts)} documents for {len(self._documents)}")
        self._metadata = Metadata(self._documents, [len(rows) for rows in self._members], self.taxonomy)
        languages = Counter(passage.language for passage in self._passages)
        # The passages in each language; None where all are in one.
        self._of_language: dict[str | None, Mask | None] = {
            language: np.array([passage.language == language for passage in self._passages]) if len(languages) > 1 else None
            for language in languages
        }

    # ── Passages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lexical(self, terms: Terms, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` passages with the highest BM25 score above 0, in any order."""
        scores = self._scores(terms)
        allowed = self._allowed(filters)
        if allowed is not None:
            scores = np.where(allowed, scores, np.float32(0))
        positive = np.flatnonzero(scores)
        best = positive if len(positive) <= depth else positive[np.argsort(-scores[positive], kind="stable")[:depth]]
        return self._ids(best)

    def nearest(self, vectors: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the passages that are nearest to one of the vectors, in any order."""
        allowed = self._allowed(filters)
        rows = [self._whole.top(vector, allowed, depth) for vector in vectors]
        return self._ids(np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64))

    def members(self, document_ids: Iterable[str], filters: Filters, depth: int | None) -> list[str]:
        """Return the ids of the documents' passages, document by document and each in its order, the first `depth`."""
        passing = self._metadata.mask(filters)
        ids: list[str] = []
        for document_id in document_ids:
            row = self._document_rows[document_id]
            if passing is None or passing[row]:
                ids += (self._passages[member].id for member in self._members[row])
            if depth is not None and len(ids) >= depth:
                return ids[:depth]
        return ids

    def rows(self, passage_ids: Sequence[str], terms: Terms) -> PassageRows:
        """Return passages with what ranking needs of each, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        rows = self._rows_of(passage_ids)
        starts, ends = self._sentence_starts[rows], self._sentence_starts[rows + 1]
        sentences = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)] or [starts])
        passages = [self._passages[row] for row in rows.tolist()]
        return PassageRows(
            passages=passages,
            documents=[self._documents[owner] for owner in self._owners[rows].tolist()],
            lexical=self._scores(terms)[rows],
            vectors=self._whole.take(rows),
            means=self._means[self._owners[rows]],
            sentences=self._sentences[sentences].astype(np.float32),
            sentence_counts=(ends - starts).tolist(),
        )

    def sentences(self, passage_ids: Sequence[str]) -> list[PassageSentences]:
        """Return the sentences of passages, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        return [
            PassageSentences(
                self._sentence_spans[row],
                self._sentences[self._sentence_starts[row] : self._sentence_starts[row + 1]].astype(np.float32),
            )
            for row in self._rows_of(passage_ids).tolist()
        ]

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────

    def documents(self, filters: Filters, limit: int | None = None, offset: int = 0) -> list[Document]:
        """Return the documents that pass the filters, by id."""
        passing = self._metadata.mask(filters)
        rows = [row for row in self._by_id if passing is None or passing[row]]
        return [self._documents[row] for row in rows[offset : None if limit is None else offset + limit]]

    def counts(self, filters: Filters) -> Counts:
        """Return how much the filters leave, and the facets."""
        return self._metadata.counts(filters)

    def texts(self, document_ids: Sequence[str]) -> list[DocumentText]:
        """Return documents with their text, in the order asked for; ids that are not there are left out."""
        rows = [self._document_rows[document_id] for document_id in document_ids if document_id in self._document_rows]
        return [
            DocumentText(self._documents[row], self._pages[row], [self._passages[member] for member in self._members[row]])
            for row in rows
        ]

    def nearest_documents(self, vector: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` documents whose mean vector has the highest inner product, best first."""
        passing = self._metadata.mask(filters)
        rows = np.arange(len(self._documents)) if passing is None else np.flatnonzero(passing)
        order = np.argsort(-(self._means[rows] @ vector), kind="stable")
        return [self._documents[row].id for row in rows[order[:depth]].tolist()]

    def means(self, document_ids: Sequence[str]) -> Vectors:
        """Return documents' mean vectors, row i for id i; zeros for a document without passages.

        Raises:
            NotInIndexError: an id is unknown.
        """
        try:
            return self._means[[self._document_rows[document_id] for document_id in document_ids]]
        except KeyError as error:
            raise NotInIndexError(f"no document {error.args[0]!r} in this index; `pes search` lists ids") from None

    # ── The whole collection ────────────────────────────────────────────────────────────────────────────────────────

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return each term's inverse document frequency over all passages."""
        return {term: self._bm25.idf(term) for term in terms}

    def words(self, language: str | None) -> Mapping[str, int]:
        """Return the words of the passages in a language, with the number of passages that have each."""
        return self._words.get(language or "", {})

    def held_concepts(self) -> list[tuple[str, Mapping[str, float]]]:
        """Return for every document, by id, the concepts that it holds, as `list/id` with a confidence."""
        return [(self._documents[row].id, self._concepts[row]) for row in self._by_id]

    def label_vectors(self) -> Vectors:
        """Return the vectors of the lists' labels."""
        return self._labels.astype(np.float32)

    # ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ids(self, rows: Rows) -> list[str]:
        return [self._passages[row].id for row in rows.tolist()]

    def _rows_of(self, passage_ids: Sequence[str]) -> Rows:
        try:
            return np.array([self._passage_rows[passage] for passage in passage_ids], dtype=np.int64)
        except KeyError as error:
            raise NotInIndexError(f"no passage {error.args[0]!r} in this index; `pes search` lists ids") from None

    def _allowed(self, filters: Filters) -> Mask | None:
        passing = self._metadata.mask(filters)
        return None if passing is None else passing[self._owners]

    def _scores(self, terms: Terms) -> Vectors:
        """Return every passage's bounded score for the query as its own language's stemmer reads it."""
        scores = np.zeros(len(self._passages), np.float32)
        computed: dict[tuple[str, ...], Vectors] = {}  # languages often agree on the terms
        for language, of_language in self._of_language.items():
            query = tuple(terms.get(language, ()))
            if query not in computed:
                computed[query] = self._bm25.scores(query)
            scores = computed[query] if of_language is None else np.where(of_language, computed[query], scores)
        return scores


# ── Reading the files ───────────────────────────────────────────────────────────────────────────────────────────────


def _document(row: dict[str, Any]) -> Document:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Document(**values)


def _page(row: dict[str, Any]) -> Page:
    headings = tuple((start, end, level) for start, end, level in row["headings"])
    return Page(row["document"], row["number"], row["text"], headings)


def _passage(row: dict[str, Any], texts: Mapping[tuple[str, int | None], str]) -> Passage:
    start, end = row["start"], row["end"]
    return Passage(
        id=passage_id(row["document"], row["page"], start, end),
        document_id=row["document"],
        page=row["page"],
        start=start,
        end=end,
        headings=tuple(row["headings"]),
        language=row["language"],
        text=texts[row["document"], row["page"]][start:end],
    )


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def mapped_vectors(path: Path, dimensions: int, count: int | None = None, what: str = "") -> HalfVectors:
    """Return the vectors of a file, shape (count, dimensions), mapped from disk and not read into memory."""
    values = np.memmap(path, np.float16, "r") if path.stat().st_size else np.empty(0, np.float16)
    vectors: HalfVectors = values.reshape(-1, dimensions)
    if count is not None and len(vectors) != count:
        raise ValueError(f"{len(vectors)} vectors for {count} {what}")
    return vectors
