"""One generation of an index with all that is computed from it once, whatever store it lies in."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pes_search.index.config import Bm25Config
from pes_search.index.copy_groups import Copies, decided_groups, groups_among
from pes_search.index.errors import IndexDamagedError, NotInIndexError
from pes_search.index.evidence.concepts import ConceptSpace, labels_of
from pes_search.index.evidence.held_concepts import HeldConcepts
from pes_search.index.evidence.questions import DocumentQuestions
from pes_search.index.query.expansion import LEAST_FIELD_SHARE, Expander
from pes_search.index.query.named_filters import FilterNames
from pes_search.index.relations import StatedRelations, relations_among
from pes_search.index.stores.base import IndexStore, StoredIndex
from pes_search.index.text.tokens import terms
from pes_search.index.types import CopyDecisions, DocumentText

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.ingest.types import Document, Passage


class OpenIndex:
    """An index, ready to be searched. Safe to use from several threads."""

    def __init__(self, stored: StoredIndex) -> None:
        self.stored = stored
        self.manifest = stored.manifest
        self.taxonomy = stored.taxonomy
        self.is_whole = True  # all of its documents may be seen
        space = ConceptSpace(labels_of(self.taxonomy), stored.label_vectors())
        self.language_mean: Callable[[str], Vectors | None] = space.language_mean  # where the labels in a language lie
        bm25 = Bm25Config(**self.manifest.config["bm25"])
        self._read_languages()
        self.concepts = HeldConcepts(stored.holdings(), space, self.taxonomy, bm25, self.main_language)
        self._compute()

    def _read_languages(self) -> None:
        self.languages: tuple[str | None, ...] = tuple(language or None for language in self.manifest.languages)
        self.main_language = next(iter(self.manifest.languages), "") or "en"

    def _compute(self) -> None:
        """Compute what depends on the store, the manifest and the lists, beside the concepts."""
        bm25 = Bm25Config(**self.manifest.config["bm25"])
        self.questions = DocumentQuestions(self.stored.questions(), len(self.concepts.ids), bm25)
        self.copies = Copies(self.manifest.copies)
        self.relations = StatedRelations(self.manifest.relations, self.copies)
        self.expander = Expander(self.taxonomy, self.main_language, lambda label: self._is_common(label, self.main_language))
        self.filter_names = FilterNames(self.taxonomy)

    def _is_common(self, label: str, language: str) -> bool:
        """Tell whether every word of a label is common in the collection."""
        frequencies = self.stored.idf(terms(label, language)).values()
        most = math.log((self.manifest.passages + 1) / max(1.0, LEAST_FIELD_SHARE * self.manifest.passages))
        return bool(frequencies) and max(frequencies) <= most

    def decided(self, decisions: CopyDecisions) -> OpenIndex:
        """Return this index with its groups of copies as editors decided; all else is shared with this one."""
        decided = copy.copy(self)
        if not self.is_whole:  # what is said of documents that are not seen tells nothing here
            known = self.concepts.rows
            decisions = {pair: are_copies for pair, are_copies in decisions.items() if pair[0] in known and pair[1] in known}
        decided.copies = Copies(decided_groups(self.manifest.copies, decisions, self.stored.texts), decisions)
        decided.relations = StatedRelations(self.manifest.relations, decided.copies)
        return decided

    def visible_to(self, reads: frozenset[str] | None) -> OpenIndex:
        """Return the index as somebody sees it who may read these labels beside what is public; None: all.

        It is this one where that is all of it. Decisions of editors come after (`decided`).
        """
        stored = self.stored.visible_to(reads)
        if stored is self.stored:
            return self
        seen = copy.copy(self)
        seen.is_whole = False
        seen.stored = stored
        seen.taxonomy = stored.taxonomy
        holdings = stored.holdings()
        ids = set(holdings.documents)
        groups = groups_among(self.manifest.copies, ids, stored.texts)
        seen.manifest = replace(
            stored.manifest,
            copies=groups,
            relations=relations_among(self.manifest.relations, ids),
        )
        seen._read_languages()
        # The labels are those of the whole lists: what a query is about does not depend on who asks.
        seen.concepts = self.concepts.among(holdings, seen.main_language)
        seen._compute()
        return seen

    def text(self, document_id: str) -> DocumentText:
        """Return a document with its pages and passages.

        Raises:
            NotInIndexError: no document has this id.
        """
        texts = self.stored.texts([document_id])
        if not texts:
            raise unknown_document(document_id)
        return texts[0]

    def document(self, document_id: str) -> Document:
        """Return a document.

        Raises:
            NotInIndexError: no document has this id.
        """
        return self.text(document_id).document

    def passage(self, passage_id: str) -> tuple[Document, Passage]:
        """Return a passage with its document.

        Raises:
            NotInIndexError: no passage has this id.
        """
        ((passage, document),) = self.stored.passages([passage_id])
        return document, passage


def open_index(store: IndexStore) -> OpenIndex:
    """Open the generation in use of a store.

    Raises:
        IndexNotFoundError: there is none.
        IndexDamagedError: it cannot be trusted.
    """
    stored = store.open()
    try:
        return OpenIndex(stored)
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamagedError(
            f"the index in {store.place} cannot be used: {type(error).__name__}: {error}; build it anew with `pes build "
            f"--index {store.place}`"
        ) from error


def unknown_document(document_id: str) -> NotInIndexError:
    """Return what to say of an id that no document has."""
    return NotInIndexError(f"no document {document_id!r} in this index; `pes search` lists ids")
