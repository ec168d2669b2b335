"""A value that nobody knows is told, with the nearest."""

import pytest

from pes_search.index.errors import QueryError
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.query.filter_values import check_values, nearest


@pytest.mark.parametrize(
    "filters",
    [
        Filters(country=("DE", "Österreich")),
        Filters(target_group="NEET"),
        Filters(language="mt"),
        Filters(kind="news"),
        Filters(organisation="VDAB"),
        Filters(end_year="1999"),
    ],
    ids=str,
)
def test_what_the_lists_or_documents_know_passes(corpus_index: OpenIndex, filters: Filters) -> None:
    check_values(filters, corpus_index.stored)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        (Filters(country="Osterreich"), r"did you mean AT \(Österreich\)"),
        (Filters(country="BE,IE"), "one by one: country=BE&country=IE"),
        (Filters(kind="practise"), "did you mean practice"),
        (Filters(language="German"), r"did you mean de \(German\)"),
        (Filters(measure_type="training vouchers"), "did you mean voucher"),
        (Filters(country="XX"), "it takes ISO 3166-1"),
    ],
    ids=str,
)
def test_another_value_is_told_with_the_nearest(corpus_index: OpenIndex, filters: Filters, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        check_values(filters, corpus_index.stored)


def test_names_are_near_without_their_accents() -> None:
    assert nearest("yearfrom", ["year_from", "country", "k"]) == ["year_from"]
    assert nearest("Osterreich", ["Österreich", "Portugal"]) == ["Österreich"]
    assert nearest("qqqq", ["country"]) == []
