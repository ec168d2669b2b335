"""One generation of the file store, read where it lies. `files` says which files it is made of."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import EightBitVectors, highest
from pes_search.index.errors import NotInIndexError
from pes_search.index.evidence.bm25 import Bm25Index
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.evidence.holdings import Holdings
from pes_search.index.evidence.question_words import StoredWords
from pes_search.index.evidence.questions import StoredQuestions
from pes_search.index.filters import Filters
from pes_search.index.stores.metadata import Metadata
from pes_search.index.stores.nearest import open_vectors
from pes_search.index.stores.text_files import Texts, mapped_bytes, unknown_passage
from pes_search.index.stores.visible import seen_lists, seen_manifest
from pes_search.index.types import Counts, DocumentText, Manifest, PassageRows, PassageSentences, Terms
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Passage, document_of
from pes_search.ingest.visibility import is_visible

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.arrays import HalfVectors, Mask, Rows, Vectors


HOLDINGS_FILE = "holdings.npz"
QUESTIONS_FILE = "questions.npz"


class FileIndex:
    """One generation. Its files are mapped into memory when it is opened, as later builds may remove them."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.taxonomy = Taxonomy.from_values(json.loads((folder / "taxonomy.json").read_text(encoding="utf-8")))
        self._reads: frozenset[str] | None = None  # the labels of what is seen; None: all
        self._texts = texts = Texts(folder)
        self._document_rows = texts.document_rows  # of what is seen
        self._metadata = Metadata.read(folder, self.taxonomy)
        vectors = mapped_vectors(folder / "vectors.f16", manifest.dimensions, texts.passage_count, "passages")
        self._whole = open_vectors(vectors, folder)
        self._sentences = mapped_vectors(folder / "sentences.f16", manifest.dimensions, texts.sentence_count, "sentences")
        self._means: Vectors = np.load(folder / "means.npy", mmap_mode="r").view(np.ndarray)
        self._labels: npt.NDArray[np.int8] = np.load(folder / "labels.npy", mmap_mode="r").view(np.ndarray)
        self._bm25 = Bm25Index(folder / "bm25")
        self._words_file = mapped_bytes(folder / "words.json")
        self._holdings_file = mapped_bytes(folder / HOLDINGS_FILE)
        self._questions_file = mapped_bytes(folder / QUESTIONS_FILE)

    @property
    def labels(self) -> frozenset[str]:
        """The visibility labels that its documents have."""
        return self._metadata.labels

    def visible_to(self, reads: frozenset[str] | None) -> FileIndex:
        """Return the index as somebody sees it who may read these labels beside what is public; None: all."""
        if reads is None or self.labels <= reads:
            return self
        seen = copy.copy(self)  # files and vectors are shared; what is computed of them is not, so it must not be known yet
        for computed in ("_by_id", "_words"):
            seen.__dict__.pop(computed, None)
        seen._reads = reads if self._reads is None else reads & self._reads
        seen._metadata = self._metadata.visible_to(reads)
        documents = seen._seen_documents
        passages = documents[self._texts.owners]
        seen._document_rows = {one: row for one, row in self._document_rows.items() if documents[row]}
        seen._bm25 = self._bm25.among(passages)
        numbers = np.bincount(self._texts.language_numbers[passages], minlength=len(self._texts.languages)).tolist()
        seen.manifest = seen_manifest(
            self.manifest,
            reads,
            documents=int(documents.sum()),
            passages=int(passages.sum()),
            languages=dict(zip((language or "" for language in self._texts.languages), numbers, strict=True)),
        )
        seen.taxonomy = seen_lists(seen, self.taxonomy)
        seen._labels = self._labels[[label.key[1] in seen.taxonomy.lists[label.key[0]] for label in labels_of(self.taxonomy)]]
        return seen

    # ── Passages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lexical(self, terms: Terms, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` passages with the highest BM25 score above 0, in any order."""
        scores = np.zeros(self._texts.passage_count, np.float32)
        for query, among in self._by_language(terms):
            self._bm25.scores(query, among, onto=scores)
        positive = np.flatnonzero(scores)
        allowed = self._allowed(filters)
        if allowed is not None:
            positive = positive[allowed[positive]]
        return self._ids(positive[highest(scores[positive], depth)])

    def holding(self, terms: Terms, filters: Filters) -> list[str]:
        """Return the ids of all passages that hold every one of the terms for their own language, in any order."""
        holding = np.zeros(self._texts.passage_count, bool)
        for query, among in self._by_language(terms):
            if query:
                mask = np.ones(len(holding), bool) if among is None else among.copy()
                for term in query:
                    held = np.zeros(len(holding), bool)
                    held[self._bm25.holders(term)] = True
                    mask &= held
                holding |= mask
        allowed = self._allowed(filters)
        return self._ids(np.flatnonzero(holding if allowed is None else holding & allowed))

    def nearest(self, vectors: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the passages that are nearest to one of the vectors, in any order."""
        allowed = self._allowed(filters)
        rows = dict.fromkeys(row for vector in vectors for row in self._whole.top(vector, allowed, depth).tolist())
        return list(map(self._texts.passage_id, rows))

    def members(self, document_ids: Iterable[str], filters: Filters, depth: int | None) -> list[str]:
        """Return the ids of the documents' passages, document by document and each in its order, the first `depth`."""
        passing = self._metadata.mask(filters)
        ids: list[str] = []
        for document_id in document_ids:
            row = self._document_rows.get(document_id)
            if row is not None and (passing is None or passing[row]):
                ids += map(self._texts.passage_id, self._texts.members(row))
            if depth is not None and len(ids) >= depth:
                return ids[:depth]
        return ids

    def rows(self, passage_ids: Sequence[str], terms: Terms) -> PassageRows:
        """Return what ranking needs of passages, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        rows = self._rows_of(passage_ids)
        starts, ends = self._texts.first_sentences[rows], self._texts.first_sentences[rows + 1]
        sentences = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)] or [starts])
        lexical = np.zeros(len(rows), np.float32)
        for query, among in self._by_language(terms):
            meant = np.arange(len(rows)) if among is None else np.flatnonzero(among[rows])
            lexical[meant] += self._bm25.scores_of(rows[meant], query)
        return PassageRows(
            languages=[self._texts.languages[number] for number in self._texts.language_numbers[rows].tolist()],
            lexical=lexical,
            vectors=self._whole.take(rows),
            means=self._means[self._texts.owners[rows]],
            sentences=self._sentences[sentences].astype(np.float32),
            sentence_counts=(ends - starts).tolist(),
        )

    def passages(self, passage_ids: Sequence[str]) -> list[tuple[Passage, Document]]:
        """Return passages with their documents, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        return [
            (self._texts.passage(row), self._document(int(self._texts.owners[row])))
            for row in self._rows_of(passage_ids).tolist()
        ]

    def sentences(self, passage_ids: Sequence[str]) -> list[PassageSentences]:
        """Return the sentences of passages, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        first = self._texts.first_sentences
        return [
            PassageSentences(self._texts.sentence_spans(row), self._sentences[first[row] : first[row + 1]].astype(np.float32))
            for row in self._rows_of(passage_ids).tolist()
        ]

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────

    def documents(self, filters: Filters, limit: int | None = None, offset: int = 0) -> list[Document]:
        """Return the documents that pass the filters, by id."""
        passing = self._metadata.mask(filters)
        rows = [row for row in self._by_id if passing is None or passing[row]]
        return [self._document(row) for row in rows[offset : None if limit is None else offset + limit]]

    def counts(self, filters: Filters) -> Counts:
        """Return how much the filters leave, and the facets."""
        return self._metadata.counts(filters)

    def texts(self, document_ids: Sequence[str]) -> list[DocumentText]:
        """Return documents with their text, in the order asked for; ids that are not there are left out."""
        rows = self._document_rows
        texts = (self._texts.document_text(rows[document_id]) for document_id in document_ids if document_id in rows)
        return [DocumentText(self._seen(text.document), text.pages, text.passages) for text in texts]

    def nearest_documents(self, vector: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` documents whose mean vector has the highest inner product, best first."""
        passing = self._metadata.mask(filters)
        rows = np.arange(len(self._means)) if passing is None else np.flatnonzero(passing)
        order = np.argsort(-(self._means[rows] @ vector), kind="stable")
        return [self._texts.document_ids[row] for row in rows[order[:depth]].tolist()]

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

    def holdings(self) -> Holdings:
        """Return how far each document, by id, holds each concept, `list/id`."""
        ids, rank = self._ordered
        with np.load(io.BytesIO(self._holdings_file.tobytes()), allow_pickle=False) as file:
            holdings = Holdings(ids, file["concepts"].tolist(), rank[file["rows"]], file["columns"], file["values"])
        return holdings if self._reads is None else holdings.among(self._seen_by_id)

    def questions(self) -> StoredQuestions:
        """Return the questions that documents answer; their documents are numbered by id."""
        _, rank = self._ordered
        with np.load(io.BytesIO(self._questions_file.tobytes()), allow_pickle=False) as file:
            words = StoredWords(
                file["terms"],
                rank[file["holders"]].astype(np.int32),
                file["counts"],
                file["term_languages"],
                file["codes"].tolist(),
            )
            vectors = EightBitVectors(file["vectors"])
            questions = StoredQuestions(rank[file["documents"]], file["languages"].tolist(), vectors, words)
        return questions if self._reads is None else questions.among(self._seen_by_id)

    def label_vectors(self) -> EightBitVectors:
        """Return the vectors of the lists' labels."""
        return EightBitVectors(self._labels)

    # ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _by_id(self) -> list[int]:
        """The rows of the documents that are seen, in the order of their ids."""
        return sorted(self._document_rows.values(), key=self._texts.document_ids.__getitem__)

    @property
    def _ordered(self) -> tuple[list[str], Rows]:
        """The ids of all documents, seen or not, in their order, and the place of each row in it."""
        order = sorted(range(len(self._texts.document_ids)), key=self._texts.document_ids.__getitem__)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return [self._texts.document_ids[row] for row in order], rank

    @property
    def _seen_documents(self) -> Mask:
        """Which documents are seen, by row."""
        seen = self._metadata.seen
        return np.ones(len(self._texts.document_ids), bool) if seen is None else seen

    @property
    def _seen_by_id(self) -> Mask:
        """Which documents are seen, in the order of the ids of all."""
        ids, _ = self._ordered
        return np.array([one in self._document_rows for one in ids], bool)

    def _document(self, row: int) -> Document:
        return self._seen(self._texts.document(row))

    def _seen(self, document: Document) -> Document:
        """Return a document that names no other one which is not seen."""
        if self._reads is None or not document.related:
            return document
        return dataclasses.replace(document, related=tuple(one for one in document.related if one in self._document_rows))

    @cached_property
    def _words(self) -> dict[str, dict[str, int]]:
        of_labels: dict[str, dict[str, dict[str, int]]] = json.loads(bytes(self._words_file))
        seen = [words for visibility, words in of_labels.items() if is_visible(visibility, self._reads)]
        if len(seen) == 1:
            return seen[0]
        together: dict[str, Counter[str]] = {}
        for words in seen:
            for language, counts in words.items():
                together.setdefault(language, Counter()).update(counts)
        return {language: dict(counts) for language, counts in together.items()}

    def _ids(self, rows: Rows) -> list[str]:
        return list(map(self._texts.passage_id, rows.tolist()))

    def _rows_of(self, passage_ids: Sequence[str]) -> Rows:
        if self._reads is not None:
            for passage_id in passage_ids:
                if document_of(passage_id) not in self._document_rows:
                    raise unknown_passage(passage_id)
        return np.array(list(map(self._texts.passage_row, passage_ids)), dtype=np.int64)

    def _allowed(self, filters: Filters) -> Mask | None:
        passing = self._metadata.mask(filters)
        return None if passing is None else passing[self._texts.owners]

    def _by_language(self, terms: Terms) -> Iterator[tuple[tuple[str, ...], Mask | None]]:
        """Yield the query's terms, each way in which a language has them, with the passages in such a language.

        They are None where that is all of them: languages often agree.
        """
        languages: dict[tuple[str, ...], list[int]] = {}
        for number, language in enumerate(self._texts.languages):
            languages.setdefault(tuple(terms.get(language, ())), []).append(number)
        for query, numbers in languages.items():
            meant = np.zeros(len(self._texts.languages), bool)
            meant[numbers] = True
            yield query, None if meant.all() else meant[self._texts.language_numbers]


def mapped_vectors(path: Path, dimensions: int, count: int | None = None, what: str = "") -> HalfVectors:
    """Return the vectors of a file, shape (count, dimensions), mapped from disk and not read into memory."""
    values = np.memmap(path, np.float16, "r") if path.stat().st_size else np.empty(0, np.float16)
    vectors: HalfVectors = values.reshape(-1, dimensions)
    if count is not None and len(vectors) != count:
        raise ValueError(f"{len(vectors)} vectors for {count} {what}")
    return vectors
