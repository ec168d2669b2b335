"""What a collection covers: counts that the filters confirm, gaps, years, and a map without overlaps."""

from itertools import combinations, pairwise
from pathlib import Path

import pytest

from pes_search.index.errors import QueryError
from pes_search.index.filters import LISTS, Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.stores.files import FileStore
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.editing.coverage import EU_MEMBERS, Gap, Year, beyond_the_map, gaps, matrix, tile_map, timeline
from tests.conftest import CORPUS, Build

GROUPS = """
- {id: young-people, terms: {en: [young people]}}
- {id: neet, broader: [young-people], tags: [idle], terms: {en: [NEETs]}}
- {id: roma, terms: {en: [the Roma]}}
- {id: women, terms: {en: [women]}}
"""
COUNTRIES = """
- {id: EU, terms: {en: [European Union]}}
- {id: FR, terms: {en: [France]}}
- {id: 'NO', terms: {en: [Norway]}}
- {id: DE, terms: {en: [Germany]}}
"""
FILES = (
    "{kind: practice, countries: [DE], target_groups: [neet, young-people], measure_types: [training], start: 2010, end: 2011}",
    "{kind: practice, countries: [DE, EU], target_groups: [neet, Roma], start: 2011}",
    "{kind: practice, countries: ['NO'], target_groups: [idle, pensioners], measure_types: [Training], start: 2014, end: 2029}",
    "{kind: practice, countries: [JP], measure_types: [outreach]}",
    "{kind: news, countries: [DE], target_groups: [women], date: 2015-03-01}",
)
# Europe's land borders between countries of the map, and short ways over the sea.
NEIGHBOURS = (
    "AL-GR AL-ME AL-MK AL-XK AT-CH AT-CZ AT-DE AT-HU AT-IT AT-LI AT-SI AT-SK BA-HR BA-ME BA-RS BE-DE BE-FR BE-LU BE-NL BG-GR "
    "BG-MK BG-RO BG-RS BG-TR CH-DE CH-FR CH-IT CH-LI CZ-DE CZ-PL CZ-SK DE-DK DE-FR DE-LU DE-NL DE-PL EE-LV ES-FR ES-PT FI-NO "
    "FI-SE FR-IT FR-LU GB-IE GR-MK GR-TR HR-HU HR-ME HR-RS HR-SI HU-RO HU-RS HU-SI HU-SK HU-UA IT-SI LT-LV LT-PL MD-RO MD-UA "
    "ME-RS ME-XK MK-RS MK-XK NO-SE PL-SK PL-UA RO-RS RO-UA RS-XK SK-UA CY-TR DK-SE EE-FI IT-MT"
)


def index_of(build: Build, folder: Path, lists: dict[str, str]) -> OpenIndex:
    sources = folder / "sources"
    (sources / "taxonomy").mkdir(parents=True)
    for number, fields in enumerate(FILES):
        (sources / f"{number}.md").write_text(f"---\n{fields}\n---\n# Number {number}\n\nIt helps people find work.\n", "utf-8")
    for name, text in lists.items():
        (sources / "taxonomy" / f"{name}.yaml").write_text(text, "utf-8")
    build([sources], folder / "index")
    return open_index(FileStore(folder / "index"))


@pytest.fixture(scope="module")
def small(build: Build, tmp_path_factory: pytest.TempPathFactory) -> OpenIndex:
    return index_of(build, tmp_path_factory.mktemp("small"), {"target-groups": GROUPS, "countries": COUNTRIES})


@pytest.fixture(scope="module")
def without_lists(build: Build, tmp_path_factory: pytest.TempPathFactory) -> OpenIndex:
    return index_of(build, tmp_path_factory.mktemp("without-lists"), {})


def differences(index: OpenIndex, row: str, column: str, kind: str | None, detailed: bool) -> list[tuple[str, str, int, int]]:
    """Return the cells and totals that are not what the filters leave, with both numbers."""
    coverage = matrix(index, row, column, kind=kind, detailed=detailed)
    counted = {
        (row_value, column_value): coverage.counts[i][j]
        for i, row_value in enumerate(coverage.rows)
        for j, column_value in enumerate(coverage.columns)
    }
    counted |= {(row_value, ""): total for row_value, total in zip(coverage.rows, coverage.row_totals, strict=True)}
    counted |= {("", column_value): total for column_value, total in zip(coverage.columns, coverage.column_totals, strict=True)}
    counted["", ""] = coverage.documents

    def left(row_value: str, column_value: str) -> int:
        chosen = {row: row_value, column: column_value, "kind": kind}
        return index.stored.counts(Filters(**{name: (value,) for name, value in chosen.items() if value})).documents  # type: ignore[arg-type]

    return [(*cell, count, left(*cell)) for cell, count in counted.items() if count != left(*cell)]


@pytest.mark.parametrize(("row", "column"), list(combinations(LISTS, 2)))
@pytest.mark.parametrize("detailed", [False, True])
def test_every_cell_and_total_is_what_the_filters_leave(
    corpus_index: OpenIndex, small: OpenIndex, without_lists: OpenIndex, row: str, column: str, detailed: bool
) -> None:
    assert max(matrix(corpus_index, row, column, detailed=detailed).row_totals) > 1
    assert differences(corpus_index, row, column, "practice", detailed) == []
    for index in (small, without_lists):
        assert differences(index, row, column, None, detailed) == []


def test_sides_changed_over_turn_the_matrix(corpus_index: OpenIndex) -> None:
    first, second = matrix(corpus_index, "country", "channel"), matrix(corpus_index, "channel", "country")
    assert (first.rows, first.row_totals) == (second.columns, second.column_totals)
    assert first.counts == tuple(zip(*second.counts, strict=True))
    assert first.largest == second.largest == max(max(line) for line in first.counts) > 0


def test_a_small_matrix(small: OpenIndex) -> None:
    coverage = matrix(small, "country", "target_group")
    # France has no practice and is a member; Japan is in no list; the EU is last.
    assert coverage.rows == ("FR", "NO", "DE", "JP", "EU")
    # "idle" is a value in no list and a tag of neet, so it finds both neet's practices and its own: 2 + 1.
    assert coverage.columns == ("idle", "young-people", "pensioners", "roma", "women")
    assert coverage.column_totals == (2 + 1, 2, 1, 1, 0)
    assert coverage.row_totals == (0, 1, 2, 1, 1)
    assert coverage.counts == ((0, 0, 0, 0, 0), (1, 0, 1, 0, 0), (2, 2, 0, 1, 0), (0, 0, 0, 0, 0), (1, 1, 0, 1, 0))
    assert (coverage.largest, coverage.documents) == (2, 4)


def test_details_are_the_narrower_terms_that_documents_have(small: OpenIndex) -> None:
    coverage = matrix(small, "target_group", "measure_type", detailed=True)
    assert coverage.rows == ("idle", "neet", "young-people", "pensioners", "roma")
    assert (coverage.columns, coverage.column_totals) == (("Training", "outreach"), (2, 1))  # "training" and "Training" are one


def test_news_counts_where_all_kinds_are_asked_for(small: OpenIndex) -> None:
    coverage = matrix(small, "target_group", "country", kind=None)
    assert dict(zip(coverage.rows, coverage.row_totals, strict=True))["women"] == 1
    assert coverage.documents == 4 + 1


def test_without_lists_values_stand_for_themselves(without_lists: OpenIndex) -> None:
    coverage = matrix(without_lists, "country", "target_group")
    assert (coverage.rows, coverage.row_totals) == (("DE", "JP", "NO", "EU"), (2, 1, 1, 1))
    assert (coverage.columns, coverage.column_totals) == (
        ("neet", "Roma", "idle", "pensioners", "young-people"),
        (2, 1, 1, 1, 1),
    )


def test_a_collection_without_documents_is_all_gaps(small: OpenIndex, without_lists: OpenIndex) -> None:
    coverage = matrix(small, "country", "target_group", kind="factsheet")
    assert (coverage.rows, coverage.columns) == (("FR", "DE"), ("roma", "women", "young-people"))
    assert coverage.counts == ((0, 0, 0), (0, 0, 0))
    assert (coverage.largest, coverage.documents, gaps(coverage)) == (0, 0, [])
    nothing = matrix(without_lists, "country", "channel", kind="factsheet")
    assert (nothing.rows, nothing.columns, nothing.counts, nothing.largest, gaps(nothing)) == ((), (), (), 0, [])
    assert timeline(small, kind="factsheet") == []
    assert beyond_the_map(small, kind="factsheet") == {}
    assert {tile.count for tile in tile_map(small, kind="factsheet")} == {0}


def test_the_corpus_shows_all_members_and_all_top_groups(corpus_index: OpenIndex) -> None:
    groups = read_taxonomy(CORPUS / "taxonomy").lists["target-groups"].values()
    coverage = matrix(corpus_index, "country", "target_group")
    assert len(EU_MEMBERS) == 27
    assert set(EU_MEMBERS) <= set(coverage.rows)
    assert (coverage.rows[-1], list(coverage.rows[:-1])) == ("EU", sorted(coverage.rows[:-1]))
    assert {group.id for group in groups if not group.broader} <= set(coverage.columns)
    assert not {group.id for group in groups if group.broader} & set(coverage.columns)
    assert all(before >= after for before, after in pairwise(coverage.column_totals))


@pytest.mark.parametrize(("row", "column"), [("country", "year"), ("colour", "country"), ("country", "country")])
def test_sides_are_two_filters_with_lists(small: OpenIndex, row: str, column: str) -> None:
    with pytest.raises(QueryError, match=r"take (two|another) of country, target_group, measure_type, channel"):
        matrix(small, row, column)


def test_the_most_surprising_gap_is_first(small: OpenIndex) -> None:
    coverage = matrix(small, "country", "target_group")
    assert gaps(coverage, most=4) == [
        Gap("JP", "idle", 1 * 3 / 4),
        Gap("DE", "pensioners", 2 * 1 / 4),
        Gap("JP", "young-people", 1 * 2 / 4),
        Gap("NO", "young-people", 1 * 2 / 4),
    ]
    # France and women have no practices: nothing is to be expected there.
    assert [(gap.row, gap.column) for gap in gaps(coverage)[4:]] == [
        ("EU", "pensioners"), ("JP", "pensioners"), ("JP", "roma"), ("NO", "roma"),
    ]  # fmt: skip


def test_years_count_what_begins_and_what_runs(small: OpenIndex) -> None:
    # From 2010 to 2011, from 2011 on, and from 2014 to 2029; no practice is of a later year than 2014.
    assert timeline(small) == [Year(2010, 1, 1), Year(2011, 1, 2), Year(2012, 0, 1), Year(2013, 0, 1), Year(2014, 1, 2)]


def test_news_has_a_year_and_does_not_run(small: OpenIndex) -> None:
    assert timeline(small, kind="news") == [Year(2015, 1, 0)]
    assert timeline(small, kind=None) == [*timeline(small), Year(2015, 1, 2)]


def test_the_years_of_the_corpus_are_those_of_its_practices(corpus_index: OpenIndex) -> None:
    years = timeline(corpus_index)
    practices = [document for document in corpus_index.stored.documents(Filters(kind=("practice",))) if document.year]
    first, last = (function(document.year or 0 for document in practices) for function in (min, max))
    assert [year.year for year in years] == list(range(first, last + 1))
    for year in years:
        assert year.starting == sum(d.year == year.year for d in practices)
        assert year.running == sum((d.year or 0) <= year.year <= (d.end_year or last) for d in practices)


def test_every_country_of_the_list_has_a_place_of_its_own(corpus_index: OpenIndex) -> None:
    tiles = tile_map(corpus_index)
    assert len({(tile.column, tile.row) for tile in tiles}) == len({tile.country for tile in tiles}) == len(tiles)
    assert set(EU_MEMBERS) <= {tile.country for tile in tiles}
    assert {tile.country for tile in tiles} == read_taxonomy(CORPUS / "taxonomy").lists["countries"].keys() - {"EU"}


def test_neighbours_are_near_each_other_on_the_map(corpus_index: OpenIndex) -> None:
    places = {tile.country: (tile.column, tile.row) for tile in tile_map(corpus_index)}
    steps = {
        pair: max(
            abs(place - neighbour) for place, neighbour in zip(*(places[country] for country in pair.split("-")), strict=True)
        )
        for pair in NEIGHBOURS.split()
    }
    assert {pair for pair, number in steps.items() if number > 2} == set()
    assert sum(number == 1 for number in steps.values()) > 0.75 * len(steps)


def test_tiles_and_what_is_beyond_them_are_what_the_filter_leaves(corpus_index: OpenIndex, small: OpenIndex) -> None:
    counts = {tile.country: tile.count for tile in tile_map(small)}
    assert {country: count for country, count in counts.items() if count} == {"DE": 2, "NO": 1}
    assert list(beyond_the_map(small).items()) == [("EU", 1), ("JP", 1)]
    assert {tile.country: tile.count for tile in tile_map(small, kind=None)}["DE"] == 2 + 1
    of_corpus = {tile.country: tile.count for tile in tile_map(corpus_index)} | beyond_the_map(corpus_index)
    assert of_corpus == {
        country: corpus_index.stored.counts(Filters(kind=("practice",), country=(country,))).documents for country in of_corpus
    }
    assert of_corpus["EU"] > 0
