"""What any store offers: primitives. It finds and keeps; what its findings mean is added once, above it (`search`).

A store is a place where generations of one index are kept. A generation is written aside and switched to at once, and an open
one can be asked. Every call takes and gives batches, so that a store across a network is asked a few times a search, whatever
is asked for. The same passages get the same answers from every store: one contract test runs over all of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pes_search.index.filters import Filters
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
from pes_search.ingest.types import Document, Passage

if TYPE_CHECKING:
    from pes_search.index.arrays import EightBitVectors, Vectors
    from pes_search.index.evidence.holdings import Holdings
    from pes_search.index.evidence.questions import StoredQuestions


KEPT_GENERATIONS = 3  # the one in use, and two to go back to


class StoredIndex(Protocol):
    """One generation, open for reading. Safe to use from several threads."""

    manifest: Manifest
    taxonomy: Taxonomy  # of the collection; without lists where it has none

    @property
    def labels(self) -> frozenset[str]:
        """The visibility labels that its documents have."""

    def visible_to(self, reads: frozenset[str] | None) -> StoredIndex:
        """Return the index as somebody sees it who may read these labels beside what is public; None: all.

        It is this one where that is all of it. Else it answers as if it had been built without the other documents: nothing
        that it gives, no number and no message, depends on them. Only the lists' other concepts are left out, too.
        """

    # ── Passages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lexical(self, terms: Terms, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` passages with the highest BM25 score above 0, in any order.

        A passage is scored by the terms for its own language.
        """

    def holding(self, terms: Terms, filters: Filters) -> list[str]:
        """Return the ids of all passages that hold every one of the terms for their own language, in any order.

        None does where there are no terms.
        """

    def nearest(self, vectors: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the passages that are nearest to one of the vectors, in any order, each once.

        For each vector those of the `depth` highest inner products with a whole passage.
        """

    def members(self, document_ids: Iterable[str], filters: Filters, depth: int | None) -> list[str]:
        """Return the ids of the documents' passages, document by document and each in its order, the first `depth`."""

    def rows(self, passage_ids: Sequence[str], terms: Terms) -> PassageRows:
        """Return what ranking needs of passages, in the order asked for.

        Raises `NotInIndexError` for an unknown id.
        """

    def passages(self, passage_ids: Sequence[str]) -> list[tuple[Passage, Document]]:
        """Return passages with their documents, in the order asked for.

        Raises `NotInIndexError` for an unknown id.
        """

    def sentences(self, passage_ids: Sequence[str]) -> list[PassageSentences]:
        """Return the sentences of passages, in the order asked for.

        Raises `NotInIndexError` for an unknown id.
        """

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────

    def documents(self, filters: Filters, limit: int | None = None, offset: int = 0) -> list[Document]:
        """Return the documents that pass the filters, by id."""

    def counts(self, filters: Filters) -> Counts:
        """Return how much the filters leave, and for each filter's values the documents that choosing it would leave."""

    def texts(self, document_ids: Sequence[str]) -> list[DocumentText]:
        """Return documents with their text, in the order asked for; ids that are not there are left out."""

    def nearest_documents(self, vector: Vectors, filters: Filters, depth: int) -> list[str]:
        """Return the ids of the `depth` documents whose mean vector has the highest inner product, best first."""

    def means(self, document_ids: Sequence[str]) -> Vectors:
        """Return documents' mean vectors, unit length, row i for id i; zeros for a document without passages.

        Raises `NotInIndexError` for an unknown id.
        """

    # ── The whole collection ────────────────────────────────────────────────────────────────────────────────────────

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return each term's inverse document frequency over all passages."""

    def words(self, language: str | None) -> Mapping[str, int]:
        """Return the words of the passages in a language, with the number of passages that have each."""

    def holdings(self) -> Holdings:
        """Return how far each document, by id, holds each concept, `list/id`. Asked for once."""

    def label_vectors(self) -> EightBitVectors:
        """Return the vectors of `concepts.labels_of(taxonomy)`, in its order. Asked for once."""

    def questions(self) -> StoredQuestions:
        """Return the questions that documents answer; their documents are numbered by id. Asked for once."""


def finished_build(manifest: Manifest) -> LastBuild:
    """Return what to remember of a build that ends now, and has made an index."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return LastBuild("finished", manifest.built_at, now, manifest.version, index_id=manifest.index_id)


class IndexWriter(Protocol):
    """A generation being written; nothing of it can be seen before `commit`."""

    def add(self, encoded: EncodedDocument) -> None:
        """Add a document with its passages."""

    def commit(self, manifest: Manifest, taxonomy: Taxonomy, labels: EightBitVectors) -> Manifest:
        """Make this generation the current one, at once, and return its manifest as it is kept.

        The manifest's configuration is what the terms are scored by. `labels` are the vectors of
        `concepts.labels_of(taxonomy)`, in its order.
        """

    def discard(self) -> None:
        """Remove what was written; does nothing after `commit`."""


class IndexStore(Protocol):
    """A place where generations of one index are kept."""

    place: str  # as `--index` takes it

    def current_name(self) -> str | None:
        """Return the name of the generation in use; another one means that a build has finished."""

    def current(self) -> Manifest | None:
        """Return the manifest of the generation in use, or None."""

    def open(self) -> StoredIndex:
        """Open the generation in use.

        Raises `IndexNotFoundError` where there is none and `IndexDamagedError` where it cannot be trusted.
        """

    def earlier(self) -> list[EarlierDocument]:
        """Return which files the documents of the generation in use were, whatever version wrote it; none if it cannot tell."""

    def verify(self, name: str | None = None) -> Manifest:
        """Check all of a generation against what was written, however long it takes; raises as `open`.

        Without a name it is the one in use.
        """

    def generations(self) -> list[Generation]:
        """Return the generations that are kept; after each the one that was in use before it."""

    def switch_to(self, name: str) -> Manifest:
        """Make a kept generation the one in use, at once; raises as `open`, and as `writer`."""

    def last_build(self) -> LastBuild | None:
        """Return what became of the last build, or None where nothing tells."""

    def note_build(self, build: LastBuild) -> None:
        """Remember what became of a build; what cannot be kept is not."""

    def tidy(self) -> None:
        """Remove what dead builds left behind, unless one is running."""

    def is_building(self) -> bool:
        """Tell whether a new generation is being written."""

    def writer(self) -> IndexWriter:
        """Start a new generation.

        Raises `BuildRunningError` while another process writes one.
        """
