"""A store in memory, as plain as can be: for tests, for measurements, and to hold the other stores against.

Words are scored by `rank-bm25` itself, and vectors by one product: what faster stores give must be the same.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.arrays import EightBitVectors, mean_vectors
from pes_search.index.config import Bm25Config
from pes_search.index.errors import BuildRunningError, IndexNotFoundError, NotInIndexError
from pes_search.index.evidence.bm25 import DELTA
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.evidence.holdings import Holdings
from pes_search.index.evidence.question_words import StoredWords
from pes_search.index.evidence.questions import StoredQuestions
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.stores.base import finished_build
from pes_search.index.stores.metadata import Metadata
from pes_search.index.stores.visible import seen_lists, seen_manifest
from pes_search.index.types import (
    Counts,
    DocumentText,
    EncodedDocument,
    Generation,
    LastBuild,
    Manifest,
    PassageRows,
    PassageSentences,
    Terms,
)
from pes_search.ingest.lasting_ids import EarlierDocument
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Passage, Question
from pes_search.ingest.visibility import is_visible

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors


ROUNDING_SHARE = 1e-5  # of the constant that is taken off: a score below is what rounding left of it


def open_memory(folder: Path, keep: int) -> MemoryStore:  # noqa: ARG001 – the others keep generations there
    """Return an empty store."""
    return MemoryStore()


class MemoryStore:
    """Keeps one generation for as long as it lives itself."""

    place = "memory"

    def __init__(self) -> None:
        self._index: MemoryIndex | None = None
        self._generations = 0
        self._last_build: LastBuild | None = None
        self._lock = threading.Lock()

    def current_name(self) -> str | None:
        """Return the name of the generation in use."""
        return str(self._generations) if self._index else None

    def current(self) -> Manifest | None:
        """Return the manifest of the generation in use, or None."""
        return self._index.manifest if self._index else None

    def open(self) -> MemoryIndex:
        """Return the generation in use.

        Raises:
            IndexNotFoundError: none was written yet.
        """
        if self._index is None:
            raise IndexNotFoundError("no index in memory yet; build one")
        return self._index

    def earlier(self) -> list[EarlierDocument]:
        """Return which files the documents of the generation in use were."""
        documents = self._index.documents(EVERYTHING) if self._index else ()
        return [EarlierDocument(one.id, one.path, one.sha256) for one in documents]

    def verify(self, name: str | None = None) -> Manifest:
        """Return the manifest; what is in memory is as it was written.

        Raises:
            IndexNotFoundError: none was written yet, or none of the name is kept.
        """
        if name not in (None, self.current_name()):
            raise IndexNotFoundError(f"no generation {name!r} in memory, which keeps the last one only")
        return self.open().manifest

    def generations(self) -> list[Generation]:
        """Return the one generation that is kept."""
        if self._index is None:
            return []
        made, name = self._index.manifest, self.current_name() or ""
        counts = made.documents, made.passages
        return [Generation(name, made.index_id, made.built_at, made.version, made.model_id, *counts, 0, in_use=True, fault="")]

    def switch_to(self, name: str) -> Manifest:
        """Return the manifest of the one generation, which is in use; raises as `verify`."""
        return self.verify(name)

    def last_build(self) -> LastBuild | None:
        """Return what became of the last build."""
        return self._last_build

    def note_build(self, build: LastBuild) -> None:
        """Remember what became of a build."""
        self._last_build = build

    def tidy(self) -> None:
        """Do nothing: what dead builds had in memory is gone with them."""

    def is_building(self) -> bool:
        """Tell whether a new generation is being written."""
        return self._lock.locked()

    def writer(self) -> MemoryWriter:
        """Start a new generation.

        Raises:
            BuildRunningError: another one is being written.
        """
        if not self._lock.acquire(blocking=False):
            raise BuildRunningError("another build is running; wait for it")
        return MemoryWriter(self)

    def publish(self, index: MemoryIndex) -> None:
        """Make a generation the current one."""
        self._index = index
        self._generations += 1

    def release(self) -> None:
        """Let the next build begin."""
        self._lock.release()


class MemoryWriter:
    """Collects one generation."""

    def __init__(self, store: MemoryStore) -> None:
        self._store: MemoryStore | None = store
        self._documents: list[EncodedDocument] = []
        self._asked: dict[str, Sequence[Question]] = {}  # of each document, for their words

    def add(self, encoded: EncodedDocument) -> None:
        """Add a document with its passages."""
        # Of questions the vectors are kept, and the words that they have, not their texts.
        self._asked[encoded.document.id] = encoded.document.questions
        document = dataclasses.replace(encoded.document, questions=())
        self._documents.append(dataclasses.replace(encoded, document=document))

    def commit(self, manifest: Manifest, taxonomy: Taxonomy, labels: EightBitVectors) -> Manifest:
        """Make this generation the current one, and return its manifest."""
        if self._store is None:
            raise RuntimeError("this generation was committed or discarded already")
        words = StoredWords.of(self._asked[one] for one in sorted(self._asked))
        self._store.publish(MemoryIndex(self._documents, words, manifest, taxonomy, labels))
        self._store.note_build(finished_build(manifest))
        self.discard()
        return manifest

    def discard(self) -> None:
        """Forget what was written; does nothing after `commit`."""
        if self._store is not None:
            self._store.release()
            self._store = None


@dataclass(slots=True)
class _Language:
    """The passages in one language, for rank-bm25."""

    rows: list[int] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)


class MemoryIndex:
    """One generation, searched by going through all of it."""

    def __init__(
        self,
        documents: Sequence[EncodedDocument],
        words: StoredWords,
        manifest: Manifest,
        taxonomy: Taxonomy,
        labels: EightBitVectors,
    ) -> None:
        from rank_bm25 import BM25Plus

        self.manifest = manifest
        self.taxonomy = taxonomy
        self._labels = labels
        self._question_words = words
        self._encoded = {encoded.document.id: encoded for encoded in sorted(documents, key=lambda encoded: encoded.document.id)}
        self._ids = list(self._encoded)
        self._passages: list[Passage] = []
        self._places: dict[str, tuple[str, int]] = {}  # of each passage its document and number there
        for document_id, encoded in self._encoded.items():
            for number, passage in enumerate(encoded.passages):
                self._places[passage.id] = (document_id, number)
                self._passages.append(passage)
        self._rows = {passage.id: row for row, passage in enumerate(self._passages)}
        self._languages: dict[str | None, _Language] = {}
        for row, passage in enumerate(self._passages):
            self._languages.setdefault(passage.language, _Language()).rows.append(row)
        for encoded in self._encoded.values():
            for language, counts_of in encoded.words.items():
                self._languages[language or None].words.update(counts_of)
        terms = [list(several) for encoded in self._encoded.values() for several in encoded.terms]
        self._terms = [set(several) for several in terms]
        config = Bm25Config(**manifest.config["bm25"])
        self._most = config.k1 + 1
        self._bm25 = BM25Plus(terms, k1=config.k1, b=config.b, delta=DELTA) if any(terms) else None
        owners = np.array([self._ids.index(passage.document_id) for passage in self._passages], dtype=np.int64)
        dimensions = (0, manifest.dimensions)
        self._vectors = np.concatenate(
            [np.empty(dimensions, np.float32), *(encoded.vectors.astype(np.float32) for encoded in self._encoded.values())]
        )
        self._means = mean_vectors(self._vectors, owners, len(self._ids))
        counts = [len(encoded.passages) for encoded in self._encoded.values()]
        self._metadata = Metadata.of_documents([encoded.document for encoded in self._encoded.values()], counts, taxonomy)

    @property
    def labels(self) -> frozenset[str]:
        """The visibility labels that its documents have."""
        return self._metadata.labels

    def visible_to(self, reads: frozenset[str] | None) -> MemoryIndex:
        """Return the index as somebody sees it who may read these labels beside what is public; None: all."""
        seen = [one for one in self._encoded.values() if is_visible(one.document.visibility, reads)]
        if len(seen) == len(self._encoded):
            return self
        ids = {one.document.id for one in seen}
        open_ones = []
        for one in seen:
            related = tuple(other for other in one.document.related if other in ids)
            open_ones.append(dataclasses.replace(one, document=dataclasses.replace(one.document, related=related)))
        words = self._question_words.among(np.array([one in ids for one in self._ids], bool))
        manifest = seen_manifest(
            self.manifest,
            reads or (),
            documents=len(seen),
            passages=sum(len(one.passages) for one in seen),
            languages=Counter(passage.language or "" for one in seen for passage in one.passages),
        )
        labels = labels_of(self.taxonomy)
        whole = MemoryIndex(open_ones, words, manifest, self.taxonomy, self._labels)
        whole.taxonomy = seen_lists(whole, self.taxonomy)
        kept = [label.key[1] in whole.taxonomy.lists[label.key[0]] for label in labels]
        whole._labels = EightBitVectors(self._labels.numbers[kept])
        return whole

    # ── Passages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lexical(self, terms: Terms, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` passages with the highest BM25 score above 0, in any order."""
        passing = self._passing(filters)
        scores = self._scores(terms)
        matching = [row for row, passage in enumerate(self._passages) if scores[row] > 0 and passage.document_id in passing]
        return [self._passages[row].id for row in sorted(matching, key=lambda row: -scores[row])[:depth]]

    def holding(self, terms: Terms, filters: Filters) -> list[str]:
        """Return the ids of all passages that hold every one of the terms for their own language, in any order."""
        passing = self._passing(filters)
        return [
            passage.id
            for passage, held in zip(self._passages, self._terms, strict=True)
            if passage.document_id in passing and (wanted := terms.get(passage.language, ())) and held.issuperset(wanted)
        ]

    def nearest(self, vectors: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the passages that are nearest to one of the vectors, in any order."""
        passing = self._passing(filters)
        passages = [passage for passage in self._passages if passage.document_id in passing]
        ids: dict[str, None] = {}
        for vector in vectors:
            nearest = sorted(passages, key=lambda passage: -float(self._vectors[self._rows[passage.id]] @ vector))
            ids |= dict.fromkeys(passage.id for passage in nearest[:depth])
        return list(ids)

    def members(self, document_ids: Iterable[str], filters: Filters, depth: int | None) -> list[str]:
        """Return the ids of the documents' passages, document by document and each in its order, the first `depth`."""
        passing = self._passing(filters)
        passages = [
            passage.id
            for document_id in document_ids
            if document_id in passing
            for passage in self._encoded[document_id].passages
        ]
        return passages[:depth]

    def rows(self, passage_ids: Sequence[str], terms: Terms) -> PassageRows:
        """Return what ranking needs of passages, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        rows = [self._row(passage_id) for passage_id in passage_ids]
        passages = [self._passages[row] for row in rows]
        sentences = [several.vectors for several in self.sentences(passage_ids)]
        return PassageRows(
            languages=[passage.language for passage in passages],
            lexical=self._scores(terms)[rows],
            vectors=self._vectors[rows],
            means=self._means[[self._ids.index(passage.document_id) for passage in passages]],
            sentences=np.concatenate([np.empty((0, self.manifest.dimensions), np.float32), *sentences]),
            sentence_counts=[len(several) for several in sentences],
        )

    def passages(self, passage_ids: Sequence[str]) -> list[tuple[Passage, Document]]:
        """Return passages with their documents, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        passages = [self._passages[self._row(passage_id)] for passage_id in passage_ids]
        return [(passage, self._encoded[passage.document_id].document) for passage in passages]

    def sentences(self, passage_ids: Sequence[str]) -> list[PassageSentences]:
        """Return the sentences of passages, in the order asked for.

        Raises:
            NotInIndexError: an id is unknown.
        """
        sentences = []
        for passage_id in passage_ids:
            self._row(passage_id)
            document_id, number = self._places[passage_id]
            encoded = self._encoded[document_id]
            first = sum(len(spans) for spans in encoded.sentence_spans[:number])
            spans = encoded.sentence_spans[number]
            vectors = encoded.sentences[first : first + len(spans)].astype(np.float32)
            sentences.append(PassageSentences(spans, vectors))
        return sentences

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────

    def documents(self, filters: Filters, limit: int | None = None, offset: int = 0) -> list[Document]:
        """Return the documents that pass the filters, by id."""
        passing = self._passing(filters)
        documents = [encoded.document for document_id, encoded in self._encoded.items() if document_id in passing]
        return documents[offset : None if limit is None else offset + limit]

    def counts(self, filters: Filters) -> Counts:
        """Return how much the filters leave, and the facets."""
        return self._metadata.counts(filters)

    def texts(self, document_ids: Sequence[str]) -> list[DocumentText]:
        """Return documents with their text, in the order asked for; ids that are not there are left out."""
        known = [self._encoded[document_id] for document_id in document_ids if document_id in self._encoded]
        return [DocumentText(encoded.document, encoded.pages, encoded.passages) for encoded in known]

    def nearest_documents(self, vector: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` documents whose mean vector has the highest inner product, best first."""
        passing = self._passing(filters)
        cosines = {document_id: float(mean @ vector) for document_id, mean in zip(self._ids, self._means, strict=True)}
        return sorted(passing, key=lambda document_id: (-cosines[document_id], document_id))[:depth]

    def means(self, document_ids: Sequence[str]) -> Vectors:
        """Return documents' mean vectors, row i for id i; zeros for a document without passages.

        Raises:
            NotInIndexError: an id is unknown.
        """
        for document_id in document_ids:
            if document_id not in self._encoded:
                raise NotInIndexError(f"no document {document_id!r} in this index; `pes search` lists ids")
        return self._means[[self._ids.index(document_id) for document_id in document_ids]]

    # ── The whole collection ────────────────────────────────────────────────────────────────────────────────────────

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return each term's inverse document frequency over all passages."""
        highest = math.log(len(self._passages) + 1)
        known = self._bm25.idf if self._bm25 else {}
        return {term: float(known.get(term, highest)) for term in terms}

    def words(self, language: str | None) -> Mapping[str, int]:
        """Return the words of the passages in a language, with the number of passages that have each."""
        return self._languages[language or None].words if (language or None) in self._languages else {}

    def holdings(self) -> Holdings:
        """Return how far each document, by id, holds each concept, `list/id`."""
        return Holdings.of_documents(self._ids, [encoded.concepts for encoded in self._encoded.values()])

    def label_vectors(self) -> EightBitVectors:
        """Return the vectors of the lists' labels."""
        return self._labels

    def questions(self) -> StoredQuestions:
        """Return the questions that documents answer; their documents are numbered by id."""
        having = [(row, encoded) for row, encoded in enumerate(self._encoded.values()) if encoded.questions is not None]
        vectors = [encoded.questions for _, encoded in having if encoded.questions is not None]
        every = np.concatenate([np.empty((0, self.manifest.dimensions), np.float16), *vectors]).astype(np.float32)
        return StoredQuestions(
            np.array([row for row, encoded in having for _ in encoded.question_languages], np.int64),
            [language for _, encoded in having for language in encoded.question_languages],
            EightBitVectors.of(every),
            self._question_words,
        )

    # ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self, passage_id: str) -> int:
        try:
            return self._rows[passage_id]
        except KeyError:
            raise NotInIndexError(f"no passage {passage_id!r} in this index; `pes search` lists ids") from None

    def _passing(self, filters: Filters) -> dict[str, None]:
        """Return the ids of the documents that pass, in their order."""
        mask = self._metadata.mask(filters)
        return {document_id: None for row, document_id in enumerate(self._ids) if mask is None or mask[row]}

    def _scores(self, terms: Terms) -> Vectors:
        """Return every passage's bounded score for the query as its own language's stemmer reads it (see `evidence.bm25`)."""
        scores = np.zeros(len(self._passages), np.float32)
        for language, of_language in self._languages.items():
            query = list(terms.get(language, ()))
            known = [term for term in query if self._bm25 and term in self._bm25.idf]
            if not known or self._bm25 is None:
                continue
            constant = sum(self._bm25.idf[term] for term in known) * DELTA  # that every passage has
            raw = self._bm25.get_scores(known) - constant
            raw[raw < ROUNDING_SHARE * constant] = 0
            bounded = raw / (self._most * sum(self.idf(query)[term] for term in query))
            scores[of_language.rows] = bounded[of_language.rows]
        return scores
