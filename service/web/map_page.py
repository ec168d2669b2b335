"""The map of the collection: what it holds by country, target group, measure and year, and where it has gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pes_search.index.filters import FILTER_FIELDS, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.service.api.requests import IndexOf
from pes_search.service.editing.coverage import beyond_the_map, gaps, matrix, tile_map, timeline
from pes_search.service.web.facets import label_of
from pes_search.service.web.languages import Interface, _, interface_of
from pes_search.service.web.links import filter_url
from pes_search.service.web.view import render

CHARTED_KIND = "practice"  # news items repeat what the practices say
HEAT_MAP_SHADES = 5  # of a heat map; the style sheet has as many
SHOWN_GAPS = 12
router = APIRouter(include_in_schema=False)
Axis = Literal["country", "target_group", "measure_type", "channel"]

CHARTS: tuple[tuple[str, str, Axis, Axis], ...] = (
    ("countries", _("Countries and target groups"), "country", "target_group"),
    ("measures", _("Measures and target groups"), "measure_type", "target_group"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a matrix."""

    count: int
    shade: int  # 0 for none, up to `HEAT_MAP_SHADES`
    href: str
    name: str  # of its row and column


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a matrix."""

    label: str
    href: str
    total: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Chart:
    """A matrix as the page shows it."""

    name: str
    title: str
    row_title: str
    column_title: str
    columns: list[tuple[str, str, int]]  # label, address, total
    lines: list[Line]
    gaps: list[tuple[str, str, str]]  # row, column, and the address of what comes nearest


@router.get("/map")
def map_page(request: Request, index: IndexOf, detailed: bool = False) -> HTMLResponse:
    """Show matrices, timeline and tile map; `detailed` has narrower terms too."""
    interface = interface_of(request)
    years = timeline(index, kind=CHARTED_KIND)
    tiles = tile_map(index, kind=CHARTED_KIND)
    most = max((tile.count for tile in tiles), default=0)
    charts = [
        _chart(name, interface.text(title), row, column, index, interface, detailed=detailed)
        for name, title, row, column in CHARTS
    ]
    context = {
        "charts": charts,
        "detailed": detailed,
        "practices": index.stored.counts(Filters(kind=(CHARTED_KIND,))).documents,
        "years": [(year, filter_url(kind=CHARTED_KIND, year_from=str(year.year), year_to=str(year.year))) for year in years],
        "most_starting": max((year.starting for year in years), default=0),
        "most_running": max((year.running for year in years), default=0),
        "tiles": [
            (
                tile,
                interface.country(tile.country),
                _shade(tile.count, most),
                filter_url(kind=CHARTED_KIND, country=tile.country),
            )
            for tile in tiles
        ],
        "beyond": [
            (interface.country(code), count, filter_url(kind=CHARTED_KIND, country=code))
            for code, count in beyond_the_map(index, kind=CHARTED_KIND).items()
        ],
    }
    return render(request, "map.html", context)


def _chart(name: str, title: str, row: Axis, column: Axis, index: OpenIndex, interface: Interface, *, detailed: bool) -> Chart:
    counted = matrix(index, row, column, kind=CHARTED_KIND, detailed=detailed)

    def label(axis: str, value: str) -> str:
        return label_of(axis, value, index.taxonomy, interface)

    columns = [label(column, value) for value in counted.columns]
    lines = [
        Line(
            label(row, value),
            filter_url(**{"kind": CHARTED_KIND, row: value}),
            counted.row_totals[position],
            [
                Cell(
                    count,
                    _shade(count, counted.largest),
                    filter_url(**{"kind": CHARTED_KIND, row: value, column: other}),
                    f"{label(row, value)}, {columns[place]}",
                )
                for place, (other, count) in enumerate(zip(counted.columns, counted.counts[position], strict=True))
            ],
        )
        for position, value in enumerate(counted.rows)
    ]
    return Chart(
        name,
        title,
        interface.text(FILTER_FIELDS[row].heading),
        interface.text(FILTER_FIELDS[column].heading),
        [
            (columns[place], filter_url(**{"kind": CHARTED_KIND, column: value}), counted.column_totals[place])
            for place, value in enumerate(counted.columns)
        ],
        lines,
        [
            (label(row, gap.row), label(column, gap.column), filter_url(**{"kind": CHARTED_KIND, column: gap.column}))
            for gap in gaps(counted, most=SHOWN_GAPS)
        ],
    )


def _shade(count: int, largest: int) -> int:
    """Return a count's shade: few large cells must not make all others look empty, so it grows with the square root."""
    return 0 if not count else max(1, round(HEAT_MAP_SHADES * math.sqrt(count / largest)))
