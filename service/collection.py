"""The Python interface: a collection of documents, built, opened, searched and asked.

It gives the values that the command line and the HTTP interface serialise, by the same settings: those of `pes.toml` and the
environment, unless others are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pes_search.index.build import BuildReport, Progress
from pes_search.index.filters import Filters
from pes_search.index.query.filter_values import check_values
from pes_search.index.search import Group
from pes_search.index.types import DocumentText, SearchResult
from pes_search.ingest.types import Document
from pes_search.service.answers.types import Answer, Comparison
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.editing.related import Relations, relations
from pes_search.service.engine import Engine, build, open_engine
from pes_search.service.settings import Settings, read_settings

Values = Sequence[str] | None


class Collection:
    """An index with its encoder, loaded once. Safe to use from several threads; a finished build is taken up by itself.

    Filters are named as on the command line (`index.filters.FILTER_FIELDS`): each has one value or several, any of which may
    fit, and `year_from`, `year_to`. A value that the collection does not know is refused with the nearest.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        offset: int = 0,
        group: Group = "document",
        only_matching: bool = False,
        year_from: int | None = None,
        year_to: int | None = None,
        **filters: Values,
    ) -> SearchResult:
        """Return the k best hits from `offset` on; with `only_matching` none that does not match the query.

        Raises:
            QueryError: the query or a filter cannot be searched.
        """
        chosen = self._filters(filters, year_from, year_to)
        return self.engine.search(
            self.engine.index(), query, k=k, offset=offset, group=group, filters=chosen, only_matching=only_matching
        )

    def ask(
        self,
        question: str,
        *,
        k: int = 5,
        writer: WriterName | None = None,
        previous: str | None = None,
        year_from: int | None = None,
        year_to: int | None = None,
        **filters: Values,
    ) -> Answer:
        """Return the quoted answer to a question, or its refusal, with the k nearest documents.

        `previous` is the question before it, which it may go on from.

        Raises:
            QueryError: the question or a filter cannot be searched.
        """
        chosen = self._filters(filters, year_from, year_to)
        return self.engine.ask(self.engine.index(), question, k=k, filters=chosen, writer=writer, previous=previous)

    def related(
        self, document_id: str, *, k: int = 10, year_from: int | None = None, year_to: int | None = None, **filters: Values
    ) -> Relations:
        """Return the k documents nearest in meaning to one, with the reasons; copies and translations stand apart.

        Raises:
            NotInIndexError: no document has this id.
            QueryError: `k` or a filter is out of range.
        """
        chosen = self._filters(filters, year_from, year_to)
        return relations(document_id, self.engine.index(), k=k, filters=chosen)

    def _filters(self, chosen: Mapping[str, Values], year_from: int | None, year_to: int | None) -> Filters:
        filters = Filters(chosen, year_from=year_from, year_to=year_to)
        check_values(filters, self.engine.index().stored)
        return filters

    def compare(self, document_ids: Sequence[str]) -> Comparison:
        """Return documents field by field, each field quoted or not stated.

        Raises:
            NotInIndexError: no document has one of the ids.
            QueryError: there are no ids, or too many.
        """
        return self.engine.compare(self.engine.index(), document_ids)

    def document(self, document_id: str) -> DocumentText:
        """Return a document with its pages and passages.

        Raises:
            NotInIndexError: no document has this id.
        """
        return self.engine.index().text(document_id)

    def documents(self, *, year_from: int | None = None, year_to: int | None = None, **filters: Values) -> list[Document]:
        """Return the documents that pass the filters, by id.

        Raises:
            QueryError: there is no such filter.
        """
        chosen = self._filters(filters, year_from, year_to)
        return self.engine.index().stored.documents(chosen)


def open_collection(place: str | Path, settings: Settings | None = None) -> Collection:
    """Open the index of a folder.

    Raises:
        PesSearchError: the index or its model cannot be used, or a setting does not fit; the message says what to do.
    """
    return Collection(open_engine(_placed(settings, place)))


def build_collection(
    sources: str | Path | Iterable[str | Path],
    place: str | Path,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
) -> BuildReport:
    """Build an index of files, folders and globs in a folder; return what became of every file.

    Nothing changes if it fails, or if the sources have not changed.

    Raises:
        PesSearchError: a source names no file, or no file can be read, or a setting does not fit.
    """
    placed = _placed(settings, place)
    several = [sources] if isinstance(sources, str | Path) else list(sources)
    return build(placed, [str(source) for source in several], on_progress)


def _placed(settings: Settings | None, place: str | Path) -> Settings:
    return (settings or read_settings()).model_copy(update={"index_dir": Path(place)})
