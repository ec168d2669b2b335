"""An encoder and the newest generation of an index, ready to search.

What a call needs is imported when it is made: `pes search` is a process of half a second, and imports are most of it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from pes_search.index.encoders import load_encoder
from pes_search.index.errors import IndexDamagedError
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.ingest.errors import PesSearchError

if TYPE_CHECKING:
    from pes_search.index.build import BuildReport, Progress
    from pes_search.index.encoders.base import Encoder
    from pes_search.index.open_index import OpenIndex
    from pes_search.index.query.spelling import Speller
    from pes_search.index.search import Group
    from pes_search.index.stores.base import IndexStore
    from pes_search.index.types import Manifest, SearchResult
    from pes_search.service.answers.answer import Answerer
    from pes_search.service.answers.types import Answer, Comparison, Event
    from pes_search.service.answers.writer_name import WriterName
    from pes_search.service.records.copies import CopyDecision
    from pes_search.service.settings import Settings

Found = TypeVar("Found")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spelling:
    """What was done about a query's spelling: it may be proposed, or already have been put right."""

    did_you_mean: str | None
    put_right: str | None  # the query as it was typed, where what was searched is another


AS_IT_IS = Spelling(None, None)
MOST_SEEN = 8  # sets of labels by which an index is kept as it is seen


@dataclass(frozen=True, slots=True)
class Decided:
    """A generation with what editors decided about copies."""

    built: OpenIndex
    decisions: Sequence[CopyDecision]
    index: OpenIndex


@dataclass(frozen=True, slots=True)
class Seen:
    """A generation as it is seen by people who may not read all of it."""

    built: OpenIndex  # whole
    indexes: dict[frozenset[str], Decided] = field(default_factory=dict)  # by the labels that they may read


class Engine:
    """Searches the generation in use, with what editors decided about copies.

    After a build it goes over to the new one with the next request, and after a decision, by whatever process, too.
    """

    def __init__(
        self, settings: Settings, store: IndexStore, encoder: Encoder | Future[Encoder], index: OpenIndex | None = None
    ) -> None:
        """`encoder` may still be loading; `index` is the store's, where it has been opened before."""
        from pes_search.index.open_index import open_index

        self.settings = settings
        self._store = store
        self._loading = encoder if isinstance(encoder, Future) else None
        self._lock = threading.Lock()
        self._name = store.current_name()
        self._index = index or open_index(store)
        self._decided = Decided(self._index, [], self._index)
        self._seeing = threading.Lock()
        self._seen = Seen(self._index)
        self._told = ""  # what kept decisions from being read, the last time
        self._kept_by = ""  # what kept a newer generation from being taken over, the last time
        self.not_taken = ""  # why the generation `served_name` is not served, without a path; empty where it is
        self.switches = self.failed_switches = 0  # to another generation, since the start
        self._spellers: dict[int, Speller] = {}  # by the store that each is of, made when they are asked for
        if not isinstance(encoder, Future):
            self.encoder = encoder
            _check_model(store, encoder, self._index)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, as soon as it is loaded.

        Raises:
            PesSearchError: it cannot be used, or the index was built with another.
        """
        if self._loading is None:
            raise RuntimeError("an encoder is set where none is loading")
        encoder = self._loading.result()
        _check_model(self._store, encoder, self._index)
        return encoder

    @property
    def manifest(self) -> Manifest:
        """What is known of the generation that is served now; unlike `index()` it never looks for another."""
        return self._index.manifest

    @cached_property
    def answerer(self) -> Answerer:
        """What answers questions."""
        from pes_search.service.answers.answer import Answerer
        from pes_search.service.answers.confidence import check_models, load_models

        models = load_models()
        check_models(models, self.encoder.model_id)
        reader = None
        if folder := self.settings.answer.reader:
            from pes_search.service.answers.reader import load_reader

            reader = load_reader(folder, self.settings.cache_dir, self.settings.encoder.threads)
        return Answerer(self.encoder, self.settings.search, self.settings.answer, models, reader, self.did_you_mean)

    def warm_up(self) -> None:
        """Ask a question, and look a word up: whoever comes first to a service should not wait.

        The first question loads the language identifier and the stemmers, and looks at what field the collection is of.
        """
        index = self.index()
        self.ask(index, "women returning to work", k=1, filters=EVERYTHING, writer="extractive")
        self.did_you_mean(index, "women retuning to work")
        self.index_for(frozenset())  # what visitors see who have no key

    @property
    def served(self) -> OpenIndex:
        """The open index that was asked last, without looking for a newer one; it costs nothing and waits for nobody."""
        return self._decided.index

    @property
    def served_name(self) -> str | None:
        """The name of the generation that was looked at last: it is served, or `not_taken` says why it is not."""
        return self._name

    def index(self) -> OpenIndex:
        """Return the open index of the newest generation; one that cannot be opened is logged and the old one stays.

        It has what editors decided about copies until now, and all documents: a request has its own (`index_for`).
        """
        from pes_search.index.open_index import open_index

        try:
            name = self._store.current_name()
        except IndexDamagedError as error:
            self._keep(error)
            name = self._name
        if name is not None and name != self._name and self._lock.acquire(blocking=False):
            try:
                index = open_index(self._store)
                _check_model(self._store, self.encoder, index)
                self._index = index
                self._kept_by = self.not_taken = ""
                self.switches += 1
                logger.info("now serving index %s", self._index.manifest.index_id)
            except PesSearchError as error:
                self.failed_switches += 1
                self._keep(error)
                self.not_taken = (error.what if isinstance(error, IndexDamagedError) else "") or type(error).__name__
            finally:
                self._name = name
                self._lock.release()
        return self._as_decided(self._index)

    def _keep(self, error: PesSearchError) -> None:
        """Go on with the generation that is open; why is told once, not with each request."""
        if str(error) != self._kept_by:
            logger.error("keeping index %s: %s", self._index.manifest.index_id, error)
        self._kept_by = str(error)

    def index_for(self, reads: frozenset[str] | None) -> OpenIndex:
        """Return the index as somebody sees it who may read these visibility labels beside what is public; None: all.

        It is made once for each set of labels that documents have. Where that leaves nothing out it is the whole one.
        """
        whole = self.index()
        known = self._decided
        if reads is None or known.built.stored.labels <= reads:
            return whole
        labels = reads & known.built.stored.labels
        with self._seeing:  # of several first visitors one makes it
            if self._seen.built is not known.built:
                self._seen = Seen(known.built)
            indexes = self._seen.indexes
            one = indexes.get(labels)
            if one is None:
                if len(indexes) >= MOST_SEEN:
                    indexes.pop(next(iter(indexes)))
                built = known.built.visible_to(labels)
                one = Decided(built, [], built)
            if one.decisions != known.decisions:
                one = Decided(one.built, known.decisions, decided(one.built, known.decisions))
            indexes[labels] = one
            return one.index

    def _as_decided(self, built: OpenIndex) -> OpenIndex:
        """Return a generation with the decisions that are kept; where they cannot be read, with those that were last."""
        known = self._decided
        decisions = known.decisions
        try:
            decisions = copy_decisions(self.settings)
            self._told = ""
        except PesSearchError as error:
            if str(error) != self._told:
                self._told = str(error)
                logger.error("keeping the decisions about copies that are known: %s", error)
        if known.built is not built or known.decisions != decisions:
            known = Decided(built, decisions, decided(built, decisions))
            self._decided = known
        return known.index

    def search(
        self,
        index: OpenIndex,
        query: str,
        *,
        k: int,
        offset: int,
        group: Group,
        filters: Filters,
        only_matching: bool = False,
    ) -> SearchResult:
        """Search one generation, as `index()` gave it: a request sees one from its beginning to its end."""
        from pes_search.index.search import search

        return search(
            query,
            index,
            self.encoder,
            self.settings.search,
            k=k,
            offset=offset,
            group=group,
            filters=filters,
            only_matching=only_matching,
        )

    def find(
        self,
        index: OpenIndex,
        query: str,
        *,
        k: int,
        offset: int,
        group: Group,
        filters: Filters,
        everything: bool = False,
        as_typed: bool = False,
    ) -> tuple[SearchResult, Spelling]:
        """Search for a person: only what matches unless they want everything, with the spelling put right (`spelled`)."""
        search = partial(self.search, index, k=k, offset=offset, group=group, filters=filters, only_matching=not everything)
        return self.spelled(index, query, search, lambda result: result, as_typed=as_typed)

    def spelled(
        self,
        index: OpenIndex,
        query: str,
        search: Callable[[str], Found],
        result_of: Callable[[Found], SearchResult],
        *,
        as_typed: bool,
    ) -> tuple[Found, Spelling]:
        """Return what a search finds for a query as it was probably meant; `result_of` gives the result that tells.

        Accents that were left out are put in at once. Any other spelling is put right by itself only where nothing matches the
        query `as_typed`; else it is proposed.
        """
        from pes_search.index.text.words import only_accents_differ

        meant = self.did_you_mean(index, query)
        if meant is not None and not as_typed and only_accents_differ(meant, query):
            return search(meant), Spelling(None, query)
        typed = search(query)
        result = result_of(typed)
        if meant is None or as_typed or not result.nothing_relevant or result.absent_phrases:
            return typed, Spelling(meant, None)
        found = search(meant)
        return (typed, Spelling(meant, None)) if result_of(found).nothing_relevant else (found, Spelling(None, query))

    def did_you_mean(self, index: OpenIndex, query: str) -> str | None:
        """Return the query with its misspelled words put right, or None where there is nothing to put right."""
        from pes_search.index.query.operators import read_operators
        from pes_search.index.query.spelling import Speller
        from pes_search.index.search import QUERY_CHARACTERS, plain
        from pes_search.ingest.languages.identify import detect_language

        query = plain(query)
        # The search refuses what is too long, and what is ordered as written is meant as written.
        if len(query) > QUERY_CHARACTERS or read_operators(query).restrict_texts:
            return None
        speller = self._spellers.get(id(index.stored))
        if speller is None or speller.index is not index.stored:
            speller = Speller(index.stored)
            self._spellers = {**dict(list(self._spellers.items())[-MOST_SEEN:]), id(index.stored): speller}
        return speller.suggestion(query, detect_language(query))

    def ask(
        self,
        index: OpenIndex,
        question: str,
        *,
        k: int,
        filters: Filters,
        writer: WriterName | None = None,
        previous: str | None = None,
    ) -> Answer:
        """Answer a question from one generation, or refuse it; `previous` is the question that it may go on from."""
        from pes_search.service.answers.answer import answer

        return answer(question, index, self.answerer, k=k, filters=filters, writer=writer, previous=previous)

    def ask_events(
        self,
        index: OpenIndex,
        question: str,
        *,
        k: int,
        filters: Filters,
        writer: WriterName | None = None,
        previous: str | None = None,
    ) -> Iterator[Event]:
        """Yield the search result, each sentence and the whole answer as they come."""
        from pes_search.service.answers.answer import answer_events

        return answer_events(question, index, self.answerer, k=k, filters=filters, writer=writer, previous=previous)

    def compare(self, index: OpenIndex, ids: Sequence[str]) -> Comparison:
        """Compare documents field by field."""
        from pes_search.service.editing.comparison import compare

        return compare(ids, index, self.encoder, self.answerer.models.field_scorer)


def build(settings: Settings, sources: Sequence[str], on_progress: Progress | None = None) -> BuildReport:
    """Build the index that the settings name, and return what became of every file.

    Raises:
        PesSearchError: a source names no file, or no file can be read.
    """
    from pes_search.index.build import build_index  # with the readers, which searching does without
    from pes_search.index.encoders.identity import model_fingerprint

    return build_index(
        sources,
        settings.index_store(),
        lambda: load_encoder(settings.encoder, settings.cache_dir),
        model=model_fingerprint(settings.encoder),
        cache_dir=settings.cache_dir,
        config=settings.index_config(),
        default_lists=settings.taxonomy,
        labels=settings.place_labels(),
        reading=settings.reading,
        on_progress=on_progress,
    )


def open_engine(settings: Settings) -> Engine:
    """Load the encoder and the index.

    Raises:
        PesSearchError: the model or the index cannot be used; the message says what to do.
    """
    engine = start_engine(settings)
    _ = engine.encoder
    return engine


def start_engine(settings: Settings) -> Engine:
    """Open the index while the encoder is loading; whoever asks for that waits for it.

    Raises:
        PesSearchError: the index cannot be used; the message says what to do.
    """
    pool = ThreadPoolExecutor(1)
    try:
        encoder = pool.submit(load_encoder, settings.encoder, settings.cache_dir)
        from pes_search.index.open_index import open_index
        from pes_search.index.search import search  # noqa: F401 (whoever opens an engine will search; now there is time)

        store = settings.index_store()
        return Engine(settings, store, encoder, open_index(store))
    finally:
        pool.shutdown(wait=False)


def copy_decisions(settings: Settings) -> list[CopyDecision]:
    """Return what editors decided about copies, as it is now: another process may have added to it.

    Raises:
        DatabaseError: it cannot be read.
    """
    if not settings.database.path.exists():
        return []
    from pes_search.service.records.copies import kept_decisions

    return kept_decisions(settings.database.path)


def open_decided_index(settings: Settings) -> OpenIndex:
    """Open the newest generation with what editors decided about copies, where no model is needed.

    Raises:
        PesSearchError: the index or the decisions cannot be read.
    """
    from pes_search.index.open_index import open_index

    return decided(open_index(settings.index_store()), copy_decisions(settings))


def decided(built: OpenIndex, decisions: Sequence[CopyDecision]) -> OpenIndex:
    """Return an index with its groups of copies as editors decided."""
    if not decisions:
        return built
    from pes_search.service.records.copies import by_pair

    return built.decided(by_pair(decisions))


def _check_model(store: IndexStore, encoder: Encoder, index: OpenIndex) -> None:
    if index.manifest.model_id != encoder.model_id:
        raise IndexDamagedError(
            f"the index in {store.place} was built with the model {index.manifest.model_id} (adapter "
            f"{index.manifest.adapter[:12]}), the settings name {encoder.model_id} (adapter {encoder.adapter[:12]}); "
            f"build it anew with `pes build --index {store.place}`, or set [encoder] as it was",
            "it was built with another model than the settings name",
        )
