"""The documents' metadata as columns: which documents pass the filters, and how many each value of a facet leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pes_search.index.types import Facets, Filters
from pes_search.ingest.taxonomy import FIELDS, Taxonomy, fold
from pes_search.ingest.types import Document

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

# A facet's name is that of its filter; years are filtered by range and so have a facet of their own name.
VALUES: Mapping[str, Callable[[Document], Sequence[str]]] = {
    "country": lambda document: document.countries,
    "language": lambda document: (document.language,) if document.language else (),
    "kind": lambda document: (document.kind,),
    "target_group": lambda document: document.target_groups,
    "measure_type": lambda document: document.measure_types,
    "channel": lambda document: document.channels,
    "year": lambda document: (str(document.year),) if document.year else (),
}
# The lists of the taxonomy that hold the values of a column: a document has the broader terms of its own too, and any label
# of a term stands for it.
LISTS = {"country": "countries"} | {field.removesuffix("s"): name for field, name in FIELDS.items()}


class Columns:
    """Masks and counts over a fixed list of documents; row i is document i."""

    def __init__(self, documents: Sequence[Document], taxonomy: Taxonomy) -> None:
        self._size = len(documents)
        self._columns = {
            name: _Column(
                [taxonomy.with_broader(LISTS.get(name, ""), values(document)) for document in documents],
                taxonomy.names(LISTS.get(name, "")),
            )
            for name, values in VALUES.items()
        }
        self._years = np.array([document.year or 0 for document in documents], dtype=np.int32)
        self._all_facets: Facets | None = None

    def mask(self, filters: Filters) -> Mask | None:
        """Return which documents pass, or None where the filters are empty."""
        masks = [
            column.mask(chosen)
            for name, column in self._columns.items()
            if name != "year" and (chosen := getattr(filters, name))
        ]
        if filters.year_from is not None or filters.year_to is not None:
            low = 1 if filters.year_from is None else filters.year_from
            high = np.iinfo(np.int32).max if filters.year_to is None else filters.year_to
            masks.append((self._years >= low) & (self._years <= high))
        return np.logical_and.reduce(masks) if masks else None

    def facets(self, filters: Filters) -> Facets:
        """Count for each value the documents that pass all the other filters: what choosing that value would leave."""
        if filters == Filters():
            if self._all_facets is None:
                everything = np.ones(self._size, bool)
                self._all_facets = {name: column.counts(everything) for name, column in self._columns.items()}
            return self._all_facets
        counts = {}
        for name, column in self._columns.items():
            others = (
                replace(filters, year_from=None, year_to=None) if name == "year" else replace(filters, **{name: ()})  # type: ignore[arg-type]
            )
            mask = self.mask(others)
            counts[name] = column.counts(np.ones(self._size, bool) if mask is None else mask)
        return counts


class _Column:
    """One field's values as numbers: entry j says that document `rows[j]` has value `codes[j]`."""

    def __init__(self, values: Sequence[Sequence[str]], names: Mapping[str, set[str]]) -> None:
        self._size = len(values)
        self._names = names
        pairs = [(row, value) for row, own in enumerate(values) for value in dict.fromkeys(own)]
        self._values = sorted({value for _, value in pairs})
        code = {value: i for i, value in enumerate(self._values)}
        self._rows = np.array([row for row, _ in pairs], dtype=np.int64)
        self._codes = np.array([code[value] for _, value in pairs], dtype=np.int64)

    def mask(self, chosen: Sequence[str]) -> Mask:
        wanted = {fold(value) for value in chosen}
        named = {value for name in wanted for value in self._names.get(name, ())}
        codes = [i for i, value in enumerate(self._values) if value in named or fold(value) in wanted]
        mask = np.zeros(self._size, bool)
        mask[self._rows[np.isin(self._codes, codes)]] = True
        return mask

    def counts(self, mask: Mask) -> dict[str, int]:
        """Return the values that the masked documents have, the most frequent first, equal ones by name."""
        counts = np.bincount(self._codes[mask[self._rows]], minlength=len(self._values))
        found = [(value, int(count)) for value, count in zip(self._values, counts[: len(self._values)], strict=True) if count]
        return dict(sorted(found, key=lambda item: (-item[1], item[0])))
