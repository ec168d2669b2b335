"""What any index store offers: generations that are written aside and switched to at once, and an open one to search.

The local store (`local`) keeps everything in memory and scores exactly; a database store may do the same work inside the
database. Both give the same candidates for the same passages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pes_search.index.query.expansion import Expansion
from pes_search.index.types import Candidate, EncodedDocument, Facets, Filters, Manifest, Query
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document, Page, Passage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


class OpenIndex(Protocol):
    """One generation, open for reading. Safe to use from several threads."""

    manifest: Manifest
    taxonomy: Taxonomy  # of the collection; without lists where it has none
    language_means: Mapping[str, Vectors]  # where the lists' labels in each language lie; empty without lists

    def candidates(self, query: Query, filters: Filters, depth: int) -> list[Candidate]:
        """Return at least the `depth` best passages of each leg among those that pass the filters, in any order."""

    def size(self, filters: Filters) -> tuple[int, int]:
        """Return how many documents and passages pass the filters."""

    def facets(self, filters: Filters) -> Facets:
        """Return for each filter's values the number of documents that choosing it would leave."""

    def concepts(self, text: str, language: str | None, vector: Vectors) -> list[tuple[str, str, float]]:
        """Return the concepts that a query is about: list, id and share, the highest first. `vector` is the encoder's."""

    def expand(self, query: str) -> tuple[str, tuple[Expansion, ...]]:
        """Return the query with its acronyms and former names written out, and which they are."""

    def idf(self, term: str) -> float:
        """Return a term's inverse document frequency over all passages."""

    def words(self, language: str | None) -> Mapping[str, int]:
        """Return the words of the passages in a language, with the number of passages that have each."""

    def documents(self, filters: Filters) -> list[Document]:
        """Return the documents that pass the filters, by id."""

    def document(self, document_id: str) -> Document:
        """Raise `NotInIndexError` for an unknown id."""

    def pages(self, document_id: str) -> list[Page]:
        """Return a document's pages in order."""

    def passages(self, document_id: str) -> list[Passage]:
        """Return a document's passages in order."""

    def passage(self, passage_id: str) -> Passage:
        """Raise `NotInIndexError` for an unknown id."""

    def sentences(self, passage_id: str) -> tuple[Sequence[tuple[int, int]], Vectors]:
        """Return the places of a passage's sentences in its text, and their vectors: row i is sentence i.

        Raises `NotInIndexError` for an unknown id.
        """

    def nearest(self, document_id: str, filters: Filters, k: int) -> list[tuple[float, float, Passage]]:
        """Return the k documents nearest to this one by `fusion.related_score`, best first.

        Of each: the cosine of the mean vectors, the overlap of the concepts (0 to 1), and the passage closest to this document.
        """


class GenerationWriter(Protocol):
    """A generation being written; nothing of it can be seen before `commit`."""

    def add(self, encoded: EncodedDocument) -> None:
        """Add a document with its passages."""

    def commit(self, manifest: Manifest, taxonomy: Taxonomy, labels: Vectors) -> Manifest:
        """Make this generation the current one, at once, and return its manifest with the files' hashes.

        `labels` are the vectors of `concepts.labels_of(taxonomy)`, in its order.
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

    def open(self) -> OpenIndex:
        """Open the generation in use.

        Raises `IndexNotFoundError` where there is none and `IndexDamagedError` where it cannot be trusted.
        """

    def begin(self) -> GenerationWriter:
        """Start a new generation.

        Raises `BuildRunningError` while another process writes one.
        """
