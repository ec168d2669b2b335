"""What a query orders: quotation marks, minus signs, names of fields."""

import pytest

from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.errors import QueryError
from pes_search.index.filters import EVERYTHING, Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.query.operators import Allowed, Operators, allowed_documents, read_operators
from pes_search.index.search import search, terms_by_language


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("women after a break", Operators("women after a break")),
        ('"job carving" for firms', Operators("job carving for firms", phrases=("job carving",))),
        ("„Arbeit für alle“ heute", Operators("Arbeit für alle heute", phrases=("Arbeit für alle",))),
        ("vouchers -training", Operators("vouchers", excluded=("training",))),
        ('vouchers -"digital skills"', Operators("vouchers", excluded=("digital skills",))),
        ("title:academy news", Operators("academy news", titles=("academy",))),
        ("women country:DE", Operators("women", filters=Filters(country=("DE",)))),
        ("women Country:de, please", Operators("women please", filters=Filters(country=("de",)))),
        ("vouchers year:2019", Operators("vouchers", filters=Filters(year_from=2019, year_to=2019))),
        ("e-mail for long-term unemployed, 3:1", Operators("e-mail for long-term unemployed, 3:1")),
        ("see http://example.org - a list", Operators("see http://example.org - a list")),
        ("it fell to -5 degrees", Operators("it fell to -5 degrees")),
        ("country:DE", Operators("DE", filters=Filters(country=("DE",)))),
        ("jobs year:2019-2021", Operators("jobs", filters=Filters(year_from=2019, year_to=2021))),
        ('(women OR "job carving")', Operators("(women OR job carving)", phrases=("job carving",))),
        ('" " and title:?', Operators('" " and title:?')),
    ],
)
def test_operators_are_read(query: str, expected: Operators) -> None:
    assert read_operators(query) == expected


def test_a_year_has_four_digits() -> None:
    with pytest.raises(QueryError, match="year:2019"):
        read_operators("vouchers year:19")


def allowed(query: str, index: OpenIndex, filters: Filters = EVERYTHING) -> Allowed:
    return allowed_documents(read_operators(query), index.stored, lambda text: terms_by_language(text, index), filters)


def left(query: str, index: OpenIndex) -> frozenset[str] | None:
    return allowed(query, index).only


def test_a_phrase_is_found_as_it_is_written_and_in_no_other_order(corpus_index: OpenIndex) -> None:
    having = left('"job carving"', corpus_index)
    assert having
    assert "mt-vaste" in having
    assert left('"carving job"', corpus_index) == frozenset()


def test_a_word_is_left_out_in_any_form(corpus_index: OpenIndex) -> None:
    found = allowed("-voucher", corpus_index)
    assert found.only is None
    assert "hr-vouchers" in found.without
    assert len(found.without) < 50


def test_an_order_counts_before_a_filter_and_what_is_elsewhere_is_not_absent(corpus_index: OpenIndex, encoder: Encoder) -> None:
    found = search('"job carving" country:MT', corpus_index, encoder, SearchConfig(), filters=Filters(country=("FR",)))
    assert [hit.document.id for hit in found.hits] == ["mt-vaste"]
    french = search('"job carving"', corpus_index, encoder, SearchConfig(), filters=Filters(country=("FR",)))
    assert (french.hits, french.absent_phrases) == ((), ())


def test_an_unknown_value_is_told(corpus_index: OpenIndex) -> None:
    with pytest.raises(QueryError, match="AT"):
        left("women country:Osterreich", corpus_index)


def test_a_search_obeys_and_says_what_is_absent(corpus_index: OpenIndex, encoder: Encoder) -> None:
    found = search('women "job carving"', corpus_index, encoder, SearchConfig())
    assert {hit.document.id for hit in found.hits} == left('"job carving"', corpus_index)
    nothing = search('women "carving job"', corpus_index, encoder, SearchConfig())
    assert (nothing.hits, nothing.absent_phrases, nothing.nothing_relevant) == ((), ("carving job",), True)
    german = search("women country:DE", corpus_index, encoder, SearchConfig(), k=50)
    assert german.hits
    assert all("DE" in hit.document.countries for hit in german.hits)


def test_in_a_question_a_phrase_that_nobody_has_is_searched_by_its_words(corpus_index: OpenIndex, encoder: Encoder) -> None:
    found = search('What is "carving job" for women?', corpus_index, encoder, SearchConfig(), is_question=True)
    assert found.hits
    assert found.absent_phrases == ("carving job",)
