"""How often the store is asked: a store across a network answers each call in milliseconds, and some thousand are a minute."""

from collections import Counter
from typing import Any

import pytest
from starlette.testclient import TestClient

from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import related
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine

MOST_OF_A_SEARCH, MOST_OF_AN_ANSWER, MOST_OF_A_DESK_PAGE = 10, 15, 20
QUESTION = "Wie viele Frauen hat power_m erreicht?"


class CountedIndex:
    """A stored index that counts its calls."""

    def __init__(self, stored: Any) -> None:
        self.stored = stored
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.stored, name)
        if not callable(attribute):
            return attribute

        def counted(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return attribute(*arguments, **options)

        return counted


@pytest.fixture
def counted(engine: Engine, corpus_index: OpenIndex, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The calls of an engine's index since it was opened."""
    stored = CountedIndex(corpus_index.stored)
    index = OpenIndex(stored)  # type: ignore[arg-type]
    monkeypatch.setattr(engine, "index", lambda: index)
    engine.ask(index, QUESTION, k=1, filters=Filters())  # what is looked at once for an index
    stored.calls.clear()
    return stored.calls


@pytest.mark.parametrize("k", [1, 10, 100, 1000])
@pytest.mark.parametrize("group", ["document", "passage"])
@pytest.mark.parametrize("filters", [Filters(), Filters(country=["DE"]), Filters(country=["nowhere"])], ids=str)
def test_a_search_asks_ten_times_at_most_whatever_k_is(
    engine: Engine, counted: Counter[str], k: int, group: Any, filters: Filters
) -> None:
    engine.search(engine.index(), "vouchers for training", k=k, offset=0, group=group, filters=filters)
    assert 1 <= counted.total() <= MOST_OF_A_SEARCH, counted


def test_an_answer_asks_fifteen_times_at_most(engine: Engine, counted: Counter[str]) -> None:
    answer = engine.ask(engine.index(), QUESTION, k=10, filters=Filters())
    assert not answer.refused
    assert 1 <= counted.total() <= MOST_OF_AN_ANSWER, counted


def test_related_documents_and_a_comparison_ask_ten_times_at_most(engine: Engine, counted: Counter[str]) -> None:
    related("de-power-m", engine.index(), k=100)
    assert 1 <= counted.total() <= MOST_OF_A_SEARCH, counted
    counted.clear()
    engine.compare(engine.index(), ["de-power-m", "hr-vouchers", "pl-kfs", "fi-ohjaamo"])
    assert 1 <= counted.total() <= MOST_OF_A_SEARCH, counted


@pytest.mark.parametrize("page", ["", "/duplicates", "/gaps", "/questions", "/judge?q=vouchers", "/feedback", "/upload"])
def test_a_desk_page_asks_twenty_times_at_most(engine: Engine, counted: Counter[str], page: str) -> None:
    """Opened as the first page after a build, when everything has to be looked at."""
    client = TestClient(create_app(engine))
    assert client.get(f"/desk{page}").status_code == 200
    assert counted.total() <= MOST_OF_A_DESK_PAGE, counted


@pytest.mark.parametrize(
    "page", ["/?q=vouchers", "/", "/?country=DE", "/documents/de-power-m", "/map", "/export.csv?country=DE"]
)
def test_a_page_asks_twenty_five_times_at_most(engine: Engine, counted: Counter[str], page: str) -> None:
    client = TestClient(create_app(engine))
    assert client.get(page).status_code == 200
    assert counted.total() <= MOST_OF_AN_ANSWER + MOST_OF_A_SEARCH, counted
