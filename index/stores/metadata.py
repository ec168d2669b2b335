"""Documents' metadata, field by field, for stores that filter in memory: which documents pass, how many a value would leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, YEAR_FACET, Filters
from pes_search.index.types import Counts, Facets
from pes_search.ingest.taxonomy import Taxonomy, fold
from pes_search.ingest.types import Document

if TYPE_CHECKING:
    from pes_search.index.arrays import Mask, Rows


FILTERS_FILE = "filters.npz"


class Metadata:
    """What some documents can be filtered by; row i is document i."""

    def __init__(self, columns: Mapping[str, Column], years: Rows, passages: Rows, taxonomy: Taxonomy) -> None:
        """`columns` by the filter's name; `years` are 0 where there is none, `passages` how many each document has."""
        self._columns = columns
        self._years = years
        self._passages = passages
        self._taxonomy = taxonomy
        self._named: dict[str, Mapping[str, set[str]]] = {}  # the values that a label stands for, by the filter's name
        self._everything: Counts | None = None

    @classmethod
    def of_documents(cls, documents: Iterable[Document], passages: Sequence[int] | Rows, taxonomy: Taxonomy) -> Metadata:
        """Return it of documents; `passages` is the number of passages of each."""
        years: list[int] = []
        values: dict[str, list[Sequence[str]]] = {name: [] for name in FILTER_FIELDS}
        for document in documents:
            years.append(document.year or 0)
            for field in FILTER_FIELDS.values():
                values[field.name].append(taxonomy.with_broader(field.list_name, field.values(document)))
        values[YEAR_FACET] = [(str(year),) if year else () for year in years]
        columns = {name: Column.of_values(of_field) for name, of_field in values.items()}
        return cls(columns, np.array(years, np.int64), np.array(passages, np.int64), taxonomy)

    @classmethod
    def read(cls, folder: Path, taxonomy: Taxonomy) -> Metadata:
        """Return it as `save` wrote it."""
        with np.load(folder / FILTERS_FILE, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        columns = {
            name: Column(parts[f"{name}.values"].tolist(), parts[f"{name}.rows"], parts[f"{name}.codes"], len(parts["years"]))
            for name in (*FILTER_FIELDS, YEAR_FACET)
        }
        return cls(columns, parts["years"], parts["passages"], taxonomy)

    def save(self, folder: Path) -> None:
        """Write it into a file of a folder."""
        parts: dict[str, Any] = {"years": self._years, "passages": self._passages}
        for name, column in self._columns.items():
            values = np.array(column.values, np.str_)
            parts |= {f"{name}.values": values, f"{name}.rows": column.rows, f"{name}.codes": column.codes}
        np.savez(folder / FILTERS_FILE, **parts)

    def mask(self, filters: Filters) -> Mask | None:
        """Return which documents pass, or None where the filters are empty."""
        masks = [self._columns[name].mask(self._wanted(name, values)) for name, values in filters.chosen.items()]
        if filters.year_from is not None or filters.year_to is not None:
            low = 1 if filters.year_from is None else filters.year_from
            high = np.iinfo(np.int32).max if filters.year_to is None else filters.year_to
            masks.append((self._years >= low) & (self._years <= high))
        return np.logical_and.reduce(masks) if masks else None

    def counts(self, filters: Filters) -> Counts:
        """Count what passes; of each value of a facet what passes all the other filters and has it."""
        if filters == EVERYTHING:
            if self._everything is None:
                self._everything = self._counted(filters)
            return self._everything
        return self._counted(filters)

    def _counted(self, filters: Filters) -> Counts:
        everything = np.ones(len(self._years), bool)

        def passing(chosen: Filters) -> Mask:
            mask = self.mask(chosen)
            return everything if mask is None else mask

        facets: Facets = {name: column.counts(passing(filters.without(name))) for name, column in self._columns.items()}
        mask = passing(filters)
        return Counts(int(mask.sum()), int(self._passages[mask].sum()), facets)

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
