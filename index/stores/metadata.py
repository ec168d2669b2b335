"""Documents' metadata, field by field, for stores that filter in memory: which documents pass, how many a value would leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, STILL_RUNNING, YEAR_FACET, Filters, years_of
from pes_search.index.types import Counts, Facets
from pes_search.ingest.taxonomy import Taxonomy, fold
from pes_search.ingest.types import Document
from pes_search.ingest.visibility import is_visible, labels_of

if TYPE_CHECKING:
    from pes_search.index.arrays import Mask, Rows


FILTERS_FILE = "filters.npz"


class Metadata:
    """What some documents can be filtered by; row i is document i."""

    def __init__(
        self,
        ids: Sequence[str],
        columns: Mapping[str, Column],
        years: Rows,
        passages: Rows,
        visibilities: Sequence[str],
        taxonomy: Taxonomy,
        seen: Mask | None = None,
    ) -> None:
        """`columns` by the filter's name; `years` are the first and last of each document, shape (2, documents), 0 where there
        is none; `passages` is how many each has; `visibilities` say who may read each. Where some are not to be seen, `seen`
        are the others, and the rest has only what they have.
        """
        self._ids = ids
        self._columns = columns
        self._years = years
        self._passages = passages
        self.visibilities = visibilities
        self.seen = seen  # None: all
        self._taxonomy = taxonomy
        self._named: dict[str, Mapping[str, set[str]]] = {}  # the values that a label stands for, by the filter's name
        self._everything: Counts | None = None

    @classmethod
    def of_documents(cls, documents: Iterable[Document], passages: Sequence[int] | Rows, taxonomy: Taxonomy) -> Metadata:
        """Return it of documents; `passages` is the number of passages of each."""
        ids: list[str] = []
        visibilities: list[str] = []
        years: list[tuple[int, int]] = []
        values: dict[str, list[Sequence[str]]] = {name: [] for name in FILTER_FIELDS}
        for document in documents:
            ids.append(document.id)
            visibilities.append(document.visibility)
            years.append(years_of(document) or (0, 0))
            for field in FILTER_FIELDS.values():
                values[field.name].append(taxonomy.with_broader(field.list_name, field.values(document)))
        columns = {name: Column.of_values(of_field) for name, of_field in values.items()}
        both = np.array(years, np.int64).reshape(-1, 2).T
        return cls(ids, columns, both, np.array(passages, np.int64), visibilities, taxonomy)

    @classmethod
    def read(cls, folder: Path, taxonomy: Taxonomy) -> Metadata:
        """Return it as `save` wrote it."""
        with np.load(folder / FILTERS_FILE, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        columns = {
            name: Column(parts[f"{name}.values"].tolist(), parts[f"{name}.rows"], parts[f"{name}.codes"], len(parts["ids"]))
            for name in FILTER_FIELDS
        }
        of_documents = parts["ids"].tolist(), columns, parts["years"], parts["passages"], parts["visibilities"].tolist()
        return cls(*of_documents, taxonomy)

    def save(self, folder: Path) -> None:
        """Write it into a file of a folder."""
        parts: dict[str, Any] = {
            "ids": np.array(self._ids, np.str_),
            "visibilities": np.array(self.visibilities, np.str_),
            "years": self._years,
            "passages": self._passages,
        }
        for name, column in self._columns.items():
            values = np.array(column.values, np.str_)
            parts |= {f"{name}.values": values, f"{name}.rows": column.rows, f"{name}.codes": column.codes}
        np.savez(folder / FILTERS_FILE, **parts)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels of the documents that are seen and not for everybody."""
        visibilities = set(self.visibilities if self.seen is None else np.array(self.visibilities)[self.seen].tolist())
        return frozenset(label for visibility in visibilities for label in labels_of(visibility))

    def visible_to(self, reads: frozenset[str]) -> Metadata:
        """Return what somebody may see who may read these labels: the others' rows stay and have nothing."""
        open_to_them = {visibility for visibility in set(self.visibilities) if is_visible(visibility, reads)}
        seen = np.array([visibility in open_to_them for visibility in self.visibilities], bool)
        if self.seen is not None:
            seen &= self.seen
        columns = {name: column.among(seen) for name, column in self._columns.items()}
        years, passages = np.where(seen, self._years, 0), np.where(seen, self._passages, 0)
        return Metadata(self._ids, columns, years, passages, self.visibilities, self._taxonomy, seen)

    def mask(self, filters: Filters) -> Mask | None:
        """Return which documents pass, or None where the filters are empty and all are seen."""
        masks = [] if self.seen is None else [self.seen]
        masks += [self._columns[name].mask(self._wanted(name, values)) for name, values in filters.chosen.items()]
        if filters.year_from is not None or filters.year_to is not None:
            first, last = self._years
            low = 1 if filters.year_from is None else filters.year_from
            high = STILL_RUNNING if filters.year_to is None else filters.year_to
            masks.append((first > 0) & (first <= high) & (last >= low))
        if filters.only is not None:
            masks.append(self._of_ids(filters.only))
        if filters.without:
            masks.append(~self._of_ids(filters.without))
        return np.logical_and.reduce(masks) if masks else None

    def counts(self, filters: Filters) -> Counts:
        """Count what passes; of each value of a facet what passes all the other filters and has it."""
        if filters == EVERYTHING:
            if self._everything is None:
                self._everything = self._counted(filters)
            return self._everything
        return self._counted(filters)

    def _counted(self, filters: Filters) -> Counts:
        everything = np.ones(len(self._ids), bool)  # unless some are not seen, for whom there is a mask always

        def passing(chosen: Filters) -> Mask:
            mask = self.mask(chosen)
            return everything if mask is None else mask

        facets: Facets = {
            **{name: column.counts(passing(filters.but(name))) for name, column in self._columns.items()},
            # Those that began by the end of a span, less those that ended before it.
            YEAR_FACET: self._by_year(passing(filters.but(YEAR_FACET)), lambda year: (year, year)),
            "year_from": self._by_year(passing(filters.but("year_from")), lambda year: (year, STILL_RUNNING)),
            "year_to": self._by_year(passing(filters.but("year_to")), lambda year: (1, year)),
        }
        mask = passing(filters)
        return Counts(int(mask.sum()), int(self._passages[mask].sum()), facets)

    def _by_year(self, mask: Mask, span: Callable[[int], tuple[int, int]]) -> dict[str, int]:
        """Return for each year of the collection how many masked documents are of a span of years, without those of none."""
        first, last = np.sort(self._years[:, mask & (self._years[0] > 0)], axis=1)
        spans = np.array([span(year) for year in self._stated_years]).reshape(-1, 2)
        counts = np.searchsorted(first, spans[:, 1], "right") - np.searchsorted(last, spans[:, 0], "left")
        return {str(year): count for year, count in zip(self._stated_years, counts.tolist(), strict=True) if count}

    @cached_property
    def _stated_years(self) -> list[int]:
        stated: list[int] = np.unique(self._years[(self._years > 0) & (self._years < STILL_RUNNING)]).tolist()
        return stated

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {document_id: row for row, document_id in enumerate(self._ids)}

    def _of_ids(self, ids: Iterable[str]) -> Mask:
        mask = np.zeros(len(self._ids), bool)
        mask[[self._rows[document_id] for document_id in ids if document_id in self._rows]] = True
        return mask

    def _wanted(self, name: str, chosen: Sequence[str]) -> Callable[[str], bool]:
        """Return what tells whether a value of a field is one of those chosen, by itself or by a label."""
        if name not in self._named:
            list_name = FILTER_FIELDS[name].list_name if name in FILTER_FIELDS else ""
            self._named[name] = self._taxonomy.names(list_name)
        wanted = {fold(value) for value in chosen}
        meant = {value for label in wanted for value in self._named[name].get(label, ())}
        return lambda value: value in meant or fold(value) in wanted


class Column:
    """One field's values as numbers: entry j says that document `rows[j]` has value `codes[j]`."""

    def __init__(self, values: Sequence[str], rows: Rows, codes: Rows, size: int) -> None:
        """`size` is the number of documents."""
        self.values, self.rows, self.codes = values, rows, codes
        self._size = size

    @classmethod
    def of_values(cls, values: Sequence[Sequence[str]]) -> Column:
        """Return the column of each document's values."""
        pairs = [(row, value) for row, several in enumerate(values) for value in dict.fromkeys(several)]
        distinct = sorted({value for _, value in pairs})
        code = {value: number for number, value in enumerate(distinct)}
        rows = np.array([row for row, _ in pairs], dtype=np.int64)
        return cls(distinct, rows, np.array([code[value] for _, value in pairs], dtype=np.int64), len(values))

    def among(self, documents: Mask) -> Column:
        """Return the values of some documents only."""
        kept = documents[self.rows]
        codes, numbers = np.unique(self.codes[kept], return_inverse=True)
        return Column([self.values[code] for code in codes.tolist()], self.rows[kept], numbers.astype(np.int64), self._size)

    def mask(self, wanted: Callable[[str], bool]) -> Mask:
        """Return which documents have a value that is wanted."""
        codes = [number for number, value in enumerate(self.values) if wanted(value)]
        mask = np.zeros(self._size, bool)
        mask[self.rows[np.isin(self.codes, codes)]] = True
        return mask

    def counts(self, mask: Mask) -> dict[str, int]:
        """Return the values that the masked documents have, the most frequent first, equal ones by name."""
        counts = np.bincount(self.codes[mask[self.rows]], minlength=len(self.values))
        by_value = [(value, int(count)) for value, count in zip(self.values, counts[: len(self.values)], strict=True) if count]
        return dict(sorted(by_value, key=lambda item: (-item[1], item[0])))
