"""Which documents match, by their scores."""

import pytest

from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.evidence.relevance import LogOdds, Relevance
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search

# A score of .5 is just enough, one of .1 less than the highest costs 1, at most 2; anything needs .4.
DOCUMENT = LogOdds(10, 10, 0.2, 1, 0, -5, 0)
ANYTHING = LogOdds(10, 0, 0, 0, 0, -4, 0)
RELEVANCE = Relevance(DOCUMENT, ANYTHING)


@pytest.mark.parametrize(
    ("scores", "other_language", "expected"),
    [
        ([0.8, 0.7, 0.6, 0.5], False, 2),  # .7: 7 - 1 - 5 = 1; .6: 6 - 2 - 5 = -1
        ([0.8, 0.7, 0.6, 0.5], True, 3),  # 1 more: .6 gives 0
        ([2.0, 0.7, 0.69], False, 2),  # however far behind, no more than 2 is taken: 7 - 2 - 5 = 0
        ([0.45, 0.3], False, 1),  # something is there, so the first counts
        ([0.3, 0.2], False, 0),
        ([], False, 0),
    ],
)
def test_the_list_is_cut(scores: list[float], other_language: bool, expected: int) -> None:
    assert RELEVANCE.count(scores, other_language=other_language, questions=False) == expected


@pytest.mark.parametrize("query", ["best pizza in Naples", "how do I cook rice", "receta de paella", "météo demain Paris"])
def test_nothing_matches_what_the_collection_is_not_about(query: str, corpus_index: OpenIndex, encoder: Encoder) -> None:
    found = search(query, corpus_index, encoder, SearchConfig(), only_matching=True)
    assert found.nothing_relevant
    assert (found.hits, found.total, found.matching + found.further) == ((), 0, corpus_index.manifest.documents)


@pytest.mark.parametrize("query", ["women returning to work", "Gutscheine für Weiterbildung", "chômeurs de longue durée"])
def test_a_list_ends_where_documents_no_longer_match(query: str, corpus_index: OpenIndex, encoder: Encoder) -> None:
    found = search(query, corpus_index, encoder, SearchConfig(), k=1000, only_matching=True)
    everything = search(query, corpus_index, encoder, SearchConfig(), k=1000)
    assert 1 <= len(found.hits) == found.total == found.matching < everything.total
    assert everything.hits[: found.total] == found.hits


def test_pages_join_up_without_repeats_or_gaps(corpus_index: OpenIndex, encoder: Encoder) -> None:
    whole = search("vouchers", corpus_index, encoder, SearchConfig(), k=1000).hits
    pages = [
        hit
        for offset in range(0, len(whole), 7)
        for hit in search("vouchers", corpus_index, encoder, SearchConfig(), k=7, offset=offset).hits
    ]
    assert [hit.document.id for hit in pages] == [hit.document.id for hit in whole]
    assert len(whole) == corpus_index.manifest.documents
