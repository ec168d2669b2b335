"""Documents' metadata, field by field, for stores that filter in memory: which documents pass, how many a value would leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, YEAR_FACET, Filters
from pes_search.index.types import Counts, Facets
from pes_search.ingest.taxonomy import Taxonomy, fold
from pes_search.ingest.types import Document

if TYPE_CHECKING:
    from pes_search.index.arrays import Mask, Rows


class Metadata:
    """What some documents can be filtered by; row i is document i."""

    def __init__(self, documents: Sequence[Document], passages: Sequence[int], taxonomy: Taxonomy) -> None:
        """`passages` is the number of passages of each document."""
        self._passages = np.array(passages, dtype=np.int64)
        self._columns = {
            field.name: _Column(
                [taxonomy.with_broader(field.list_name, field.values(document)) for document in documents],
                taxonomy.names(field.list_name),
            )
            for field in FILTER_FIELDS.values()
        }
        self._years = np.array([document.year or 0 for document in documents], dtype=np.int32)
        self._columns[YEAR_FACET] = _Column([(str(year),) if year else () for year in self._years.tolist()], {})
        self._everything: Counts | None = None

    def mask(self, filters: Filters) -> Mask | None:
        """Return which documents pass, or None where the filters are empty."""
        masks = [self._columns[name].mask(values) for name, values in filters.chosen.items()]
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


class _Column:
    """One field's values as numbers: entry j says that document `rows[j]` has value `codes[j]`."""

    def __init__(self, values: Sequence[Sequence[str]], named: Mapping[str, set[str]]) -> None:
        """`values` are each document's; `named` the values that a label stands for."""
        self._size = len(values)
        self._named = named
        pairs = [(row, value) for row, several in enumerate(values) for value in dict.fromkeys(several)]
        self._values = sorted({value for _, value in pairs})
        code = {value: i for i, value in enumerate(self._values)}
        self._rows: Rows = np.array([row for row, _ in pairs], dtype=np.int64)
        self._codes: Rows = np.array([code[value] for _, value in pairs], dtype=np.int64)

    def mask(self, chosen: Sequence[str]) -> Mask:
        wanted = {fold(value) for value in chosen}
        meant = {value for label in wanted for value in self._named.get(label, ())}
        codes = [i for i, value in enumerate(self._values) if value in meant or fold(value) in wanted]
        mask = np.zeros(self._size, bool)
        mask[self._rows[np.isin(self._codes, codes)]] = True
        return mask

    def counts(self, mask: Mask) -> dict[str, int]:
        """Return the values that the masked documents have, the most frequent first, equal ones by name."""
        counts = np.bincount(self._codes[mask[self._rows]], minlength=len(self._values))
        by_value = [
            (value, int(count)) for value, count in zip(self._values, counts[: len(self._values)], strict=True) if count
        ]
        return dict(sorted(by_value, key=lambda item: (-item[1], item[0])))
