"""An encoder and the newest generation of an index, ready to search."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.index.errors import IndexDamagedError
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.query.spelling import Speller
from pes_search.index.search import Group, search
from pes_search.index.stores import open_store
from pes_search.index.stores.base import IndexStore
from pes_search.index.types import SearchResult
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.languages.identify import detect_language
from pes_search.service.answers.answer import Answerer, answer, answer_events
from pes_search.service.answers.confidence import check_models, load_models
from pes_search.service.answers.types import Answer, Comparison, Event, WriterName
from pes_search.service.editing.comparison import compare
from pes_search.service.settings import Settings

if TYPE_CHECKING:
    from pes_search.index.build import BuildReport, Progress

logger = logging.getLogger(__name__)


class Engine:
    """Searches the generation in use; after a build it goes over to the new one with the next request."""

    def __init__(self, settings: Settings, store: IndexStore, encoder: Encoder, index: OpenIndex | None = None) -> None:
        """`index` is the store's, where it has been opened before."""
        self.settings = settings
        self._store = store
        self.encoder = encoder
        self.answerer = Answerer(encoder, settings.search, settings.answer, load_models())
        check_models(self.answerer.models, encoder.model_id)
        self._lock = threading.Lock()
        self._name = store.current_name()
        self._index = _checked(store, encoder, index or open_index(store))
        self._speller: Speller | None = None  # made when it is asked for

    def warm_up(self) -> None:
        """Ask a question, and look a word up: whoever comes first to a service should not wait.

        The first question loads the language identifier and the stemmers, and looks at what field the collection is of.
        """
        index = self.index()
        self.ask(index, "women returning to work", k=1, filters=EVERYTHING, writer="extractive")
        self.did_you_mean(index, "women retuning to work")

    def index(self) -> OpenIndex:
        """Return the open index of the newest generation; one that cannot be opened is logged and the old one stays."""
        try:
            name = self._store.current_name()
        except IndexDamagedError as error:
            logger.error("keeping index %s: %s", self._index.manifest.index_id, error)
            name = self._name
        if name is not None and name != self._name and self._lock.acquire(blocking=False):
            try:
                self._index = _checked(self._store, self.encoder, open_index(self._store))
                logger.info("now serving index %s", self._index.manifest.index_id)
            except PesSearchError as error:
                logger.error("keeping index %s: %s", self._index.manifest.index_id, error)
            finally:
                self._name = name
                self._lock.release()
        return self._index

    def search(self, index: OpenIndex, query: str, *, k: int, offset: int, group: Group, filters: Filters) -> SearchResult:
        """Search one generation, as `index()` gave it: a request sees one from its beginning to its end."""
        return search(query, index, self.encoder, self.settings.search, k=k, offset=offset, group=group, filters=filters)

    def did_you_mean(self, index: OpenIndex, query: str) -> str | None:
        """Return the query with its misspelled words put right, or None where there is nothing to put right."""
        speller = self._speller
        if speller is None or speller.index is not index.stored:
            speller = Speller(index.stored)
            if index is self._index:  # no request that began before a build ended
                self._speller = speller
        return speller.suggestion(query, detect_language(query))

    def ask(self, index: OpenIndex, question: str, *, k: int, filters: Filters, writer: WriterName | None = None) -> Answer:
        """Answer a question from one generation, or refuse it."""
        return answer(question, index, self.answerer, k=k, filters=filters, writer=writer)

    def ask_events(
        self, index: OpenIndex, question: str, *, k: int, filters: Filters, writer: WriterName | None = None
    ) -> Iterator[Event]:
        """Yield the search result, each sentence and the whole answer as they come."""
        return answer_events(question, index, self.answerer, k=k, filters=filters, writer=writer)

    def compare(self, index: OpenIndex, ids: Sequence[str]) -> Comparison:
        """Compare documents field by field."""
        return compare(ids, index, self.encoder, self.answerer.models.sentence_scorer)


def store_of(settings: Settings) -> IndexStore:
    """Return the store that the settings name."""
    return open_store(settings.store, settings.index_dir)


def build(settings: Settings, sources: Sequence[str], on_progress: Progress | None = None) -> BuildReport:
    """Build the index that the settings name, and return what became of every file.

    Raises:
        PesSearchError: a source names no file, or no file can be read.
    """
    from pes_search.index.build import build_index  # with the readers, which searching does without

    return build_index(
        sources,
        store_of(settings),
        lambda: load_encoder(settings.encoder, settings.cache_dir),
        model=model_fingerprint(settings.encoder),
        cache_dir=settings.cache_dir,
        config=settings.index_config(),
        default_lists=settings.taxonomy,
        on_progress=on_progress,
    )


def open_engine(settings: Settings) -> Engine:
    """Load the encoder and the index.

    Raises:
        PesSearchError: the model or the index cannot be used; the message says what to do.
    """
    store = store_of(settings)
    if store.current() is None:  # before the model, which takes seconds: a missing index is the most common fault
        store.open()
    with ThreadPoolExecutor(1) as pool:  # the tokenizer and the layers load while the index is opened
        encoder = pool.submit(load_encoder, settings.encoder, settings.cache_dir)
        index = open_index(store)
        return Engine(settings, store, encoder.result(), index)


def _checked(store: IndexStore, encoder: Encoder, index: OpenIndex) -> OpenIndex:
    if index.manifest.model_id != encoder.model_id:
        raise IndexDamagedError(
            f"the index in {store.place} was built with the model {index.manifest.model_id} (adapter "
            f"{index.manifest.adapter[:12]}), the settings name {encoder.model_id} (adapter {encoder.adapter[:12]}); "
            f"build it anew with `pes build --index {store.place}`, or set [encoder] as it was"
        )
    return index
