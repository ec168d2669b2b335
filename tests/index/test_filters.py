"""Filters as values: what restricts, by the names of one table."""

import pytest

from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, FILTER_FIELDS, LISTS, Filters
from pes_search.ingest.taxonomy import EVIDENCE_LIST, FIELDS


def test_only_what_restricts_is_kept() -> None:
    filters = Filters(country=["DE", "AT"], kind=(), channel=None, year_from=2010)
    assert filters.values() == {"country": ("DE", "AT"), "year_from": 2010}
    assert Filters(kind=[]) == EVERYTHING == Filters()


def test_one_value_need_not_be_a_list() -> None:
    assert Filters(country="DE") == Filters(country=("DE",)) == Filters({"country": ["DE"]})


def test_a_filter_that_does_not_exist_is_named() -> None:
    with pytest.raises(QueryError, match=r"no filter 'contry'; choose of country, .*, year_from, year_to"):
        Filters(contry=["DE"])


def test_a_filter_can_be_taken_away() -> None:
    filters = Filters(country=["DE"], kind=["news"], year_from=2010, year_to=2020)
    assert filters.but("country").values() == {"kind": ("news",), "year_from": 2010, "year_to": 2020}
    assert filters.but("year").values() == {"country": ("DE",), "kind": ("news",)}
    assert filters.but("channel") == filters


def test_every_field_of_controlled_terms_is_a_filter() -> None:
    assert {*FIELDS.values(), EVIDENCE_LIST} <= set(LISTS.values())
    assert all(field.heading and field.about for field in FILTER_FIELDS.values())
