"""What a collection covers: documents by country, target group, measure and year, and where it has gaps.

Every count is the number of documents that the filters of the same names and values leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

from pes_search.index.errors import QueryError
from pes_search.index.filters import FILTER_FIELDS, LISTS, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.taxonomy import Taxonomy, fold
from pes_search.ingest.types import Document

PRACTICE = "practice"
UNION = "EU"  # as a document's country: the whole
# Members of the European Union since 1 February 2020, ISO 3166-1 alpha-2: section 7.1 of its Interinstitutional Style Guide,
# which writes EL for GR.
# fmt: off
EU_MEMBERS = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)
# fmt: on
# A tile a country, the north above. Countries with a common border are at most two steps apart, diagonals included.
TILES = """
IS  .  . NO  . FI  .  .  .
 .  .  .  . SE EE  .  .  .
IE GB  . DK  . LV  .  .  .
 .  . NL DE PL LT  .  .  .
 . BE LU LI CZ SK UA  .  .
 .  . FR CH AT HU RO MD  .
PT ES  . IT SI HR RS BG  .
 .  .  . MT  . BA XK MK TR
 .  .  .  .  . ME AL GR  .
 .  .  .  .  .  .  .  . CY
"""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Documents by the values of two filters. Totals count each document once and so are no sums of the cells."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]  # row by column
    row_totals: tuple[int, ...]
    column_totals: tuple[int, ...]
    largest: int  # of the counts; 0 without any
    documents: int  # that were counted, those without a value of either filter included


@dataclass(frozen=True, slots=True)
class Gap:
    """An empty cell of a matrix."""

    row: str
    column: str
    expected: float  # documents, if the row and the column had nothing to do with each other


@dataclass(frozen=True, slots=True)
class Year:
    """What began and what ran in a year."""

    year: int
    starting: int  # documents of this year
    running: int  # practices from their first to their last year, or to the collection's last where theirs is not known


@dataclass(frozen=True, slots=True)
class Tile:
    """A country's square on the map; column 0 is the west, row 0 the north."""

    country: str
    column: int
    row: int
    count: int


def matrix(index: OpenIndex, row: str, column: str, *, kind: str | None = PRACTICE, detailed: bool = False) -> Matrix:
    """Return the documents of a kind, or of all kinds, by the values of two filters; `detailed` has narrower terms too.

    Countries are in their list's order, the EU last; members of the EU are there even without documents. Terms are the most
    frequent first, equal ones by id; target groups that no other includes are there even without documents.

    Raises:
        QueryError: there is no such filter, or it is the same twice.
    """
    for name in (row, column):
        if name not in LISTS:
            raise QueryError(f"no matrix has {name!r} as a side; take two of {', '.join(LISTS)}")
    if row == column:
        raise QueryError(f"a matrix of {row!r} by itself says nothing; take another of {', '.join(LISTS)} as one side")
    documents = _documents(index, kind)
    by_row, by_column = (_values(name, documents, index.taxonomy) for name in (row, column))
    row_totals, column_totals = _totals(by_row), _totals(by_column)
    rows = _shown(row, row_totals, index.taxonomy, detailed=detailed)
    columns = _shown(column, column_totals, index.taxonomy, detailed=detailed)
    cells = Counter(
        cell for row_value, column_value in zip(by_row, by_column, strict=True) for cell in product(row_value, column_value)
    )
    counts = tuple(tuple(cells[row_value, column_value] for column_value in columns) for row_value in rows)
    return Matrix(
        rows,
        columns,
        counts,
        tuple(row_totals[value] for value in rows),
        tuple(column_totals[value] for value in columns),
        max((count for line in counts for count in line), default=0),
        len(documents),
    )


def gaps(matrix: Matrix, *, most: int = 20) -> list[Gap]:
    """Return the empty cells where most documents were to be expected, these first, equal ones by row and column.

    Where a row or a column has no document at all, nothing is to be expected and its cells are left out.
    """
    empty = [
        Gap(row, column, row_total * column_total / matrix.documents)
        for row, row_total, counts in zip(matrix.rows, matrix.row_totals, matrix.counts, strict=True)
        for column, column_total, count in zip(matrix.columns, matrix.column_totals, counts, strict=True)
        if not count and row_total and column_total
    ]
    return sorted(empty, key=lambda gap: (-gap.expected, gap.row, gap.column))[:most]


def timeline(index: OpenIndex, *, kind: str | None = PRACTICE) -> list[Year]:
    """Return every year from the first to the last that a document is of; none if no document has a year.

    A later end year does not prolong it: most practices have none, and would seem to run on into years not yet described.
    """
    documents = [document for document in _documents(index, kind) if document.year]
    starting = Counter(document.year or 0 for document in documents)
    if not starting:
        return []
    first, last = min(starting), max(starting)
    changes: Counter[int] = Counter()  # of the number that run, by year
    for document in documents:
        begin, end = document.year or 0, last if document.end_year is None else document.end_year
        if fold(document.kind) == PRACTICE and begin <= end:  # other kinds have a date and do not run
            changes[begin] += 1
            changes[end + 1] -= 1
    years = range(first, last + 1)
    running = accumulate(changes[year] for year in years)
    return [Year(year, starting[year], now) for year, now in zip(years, running, strict=True)]


def tile_map(index: OpenIndex, *, kind: str | None = PRACTICE) -> list[Tile]:
    """Return the map's countries from north to south, those of a row from west to east, each with its documents."""
    totals = {fold(country): count for country, count in _country_totals(index, kind).items()}
    return [Tile(country, column, row, totals.get(fold(country), 0)) for country, (column, row) in _places().items()]


def beyond_the_map(index: OpenIndex, *, kind: str | None = PRACTICE) -> dict[str, int]:
    """Return the countries of the documents that are not on the map, such as the EU, with their documents, most first."""
    on_the_map = {fold(country) for country in _places()}
    beyond = [item for item in _country_totals(index, kind).items() if fold(item[0]) not in on_the_map]
    return dict(sorted(beyond, key=lambda item: (-item[1], item[0])))


def _country_totals(index: OpenIndex, kind: str | None) -> Counter[str]:
    return _totals(_values("country", _documents(index, kind), index.taxonomy))


def _documents(index: OpenIndex, kind: str | None) -> list[Document]:
    return index.stored.documents(Filters() if kind is None else Filters(kind=(kind,)))


def _values(name: str, documents: Sequence[Document], taxonomy: Taxonomy) -> list[tuple[str, ...]]:
    """Return for each document the values by which the filter finds it, as `Metadata.mask` does.

    Those are its own and their broader terms, and whatever is a label of one of them. Values that differ in case alone are one.
    """
    list_name = LISTS[name]
    document_values = [FILTER_FIELDS[name].values(document) for document in documents]
    broader_terms = {
        value: taxonomy.with_broader(list_name, (value,))
        for value in {value for several in document_values for value in several}
    }
    stated = {value for with_broader in broader_terms.values() for value in with_broader}
    # Of several spellings the listed one is shown, or else the first.
    shown = {fold(value): value for value in [*sorted(stated, reverse=True), *taxonomy.lists.get(list_name, {})]}
    finding = {value: {shown[fold(value)]} for value in stated}
    labelled = taxonomy.names(list_name)
    for folded, value in shown.items():
        for other in labelled.get(folded, set()) & stated:
            finding[other].add(value)
    filter_values = {
        value: {filter_value for term in with_broader for filter_value in finding[term]}
        for value, with_broader in broader_terms.items()
    }
    return [tuple({filter_value for value in several for filter_value in filter_values[value]}) for several in document_values]


def _totals(values: Iterable[Sequence[str]]) -> Counter[str]:
    return Counter(value for several in values for value in several)


def _shown(name: str, totals: Counter[str], taxonomy: Taxonomy, *, detailed: bool) -> tuple[str, ...]:
    """Return the values that a side of a matrix has, in order."""
    concepts = taxonomy.lists.get(LISTS[name], {})

    def is_shown(value: str) -> bool:
        return detailed or taxonomy.with_broader(LISTS[name], (value,)) == (value,)

    shown = {value for value in totals if is_shown(value)}
    if name == "country":
        order = {country: place for place, country in enumerate(concepts)}
        shown |= set(EU_MEMBERS) & concepts.keys()
        return tuple(sorted(shown, key=lambda value: (fold(value) == fold(UNION), order.get(value, len(order)), value)))
    if name == "target_group" and not detailed:
        shown |= {value for value in concepts if is_shown(value)}
    return tuple(sorted(shown, key=lambda value: (-totals[value], value)))


def _places() -> dict[str, tuple[int, int]]:
    """Return the column and row of each country of the map."""
    return {
        country: (column, row)
        for row, line in enumerate(TILES.strip().splitlines())
        for column, country in enumerate(line.split())
        if country != "."
    }
