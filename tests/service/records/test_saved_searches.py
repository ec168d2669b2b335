"""A saved search is kept once, for whoever saved it."""

import pytest
from record_samples import START_TEXT, Clock, save

from pes_search.service.records.file import NotStoredError
from pes_search.service.records.records import Records
from pes_search.service.records.saved_searches import MOST_SAVED_SEARCHES, TooManySavedError


def test_a_saved_search_comes_back_by_its_token(records: Records) -> None:
    filters = {"country": ["FR", "DE"], "year_from": ["2019"], "topic": []}
    saved = records.saved_searches.save(owner="anna", name="Young people", query="jeunes à Paris", filters=filters)
    assert saved.filters == {"country": ("FR", "DE"), "year_from": ("2019",)}
    assert (saved.owner, saved.name, saved.query) == ("anna", "Young people", "jeunes à Paris")
    assert (saved.at, saved.opened) == (START_TEXT, START_TEXT)
    assert records.saved_searches.open(saved.token) == saved
    assert len(saved.token) == 22  # 16 bytes in base64 without padding: 16 * 8 / 6, rounded up


def test_each_owner_sees_their_own_searches_the_newest_first(records: Records) -> None:
    tokens = [save(records, query) for query in ("a", "b", "c")]
    other = save(records, "a", owner="boris")
    assert [search.token for search in records.saved_searches.find("anna")] == tokens[::-1]
    assert [search.token for search in records.saved_searches.find("boris")] == [other]
    assert records.saved_searches.find("nobody") == []


def test_the_same_search_is_kept_once(records: Records, clock: Clock) -> None:
    first = records.saved_searches.save(
        owner="anna", name="One", query="youth", filters={"country": ["FR", "DE"], "year": ["2019"]}
    )
    clock.advance(seconds=5)
    again = records.saved_searches.save(
        owner="anna", name="Two", query="youth", filters={"year": ["2019"], "country": ["DE", "FR"]}
    )
    assert (again.token, again.name, again.at) == (first.token, "One", START_TEXT)
    assert again.opened == "2025-03-01T12:00:05+00:00"  # whoever saves it anew has not forgotten it
    assert records.saved_searches.find("anna") == [again]


@pytest.mark.parametrize(
    "other",
    [
        {"owner": "boris", "query": "youth", "filters": {"country": ["FR"]}},
        {"owner": "anna", "query": "Youth", "filters": {"country": ["FR"]}},
        {"owner": "anna", "query": "youth", "filters": {"country": ["FR", "DE"]}},
        {"owner": "anna", "query": "youth", "filters": {"language": ["FR"]}},
        {"owner": "anna", "query": "youth", "filters": {}},
    ],
)
def test_what_differs_in_anything_is_another_search(other: dict[str, object], records: Records) -> None:
    first = records.saved_searches.save(owner="anna", name="", query="youth", filters={"country": ["FR"]})
    assert records.saved_searches.save(name="", **other).token != first.token  # type: ignore[arg-type]


def test_an_owner_saves_so_many_and_no_more(records: Records) -> None:
    tokens = [save(records, f"search {i}") for i in range(MOST_SAVED_SEARCHES)]
    with pytest.raises(TooManySavedError, match="100 searches are saved already, which is the most; delete one first"):
        save(records, "one more")
    assert save(records, "search 7") == tokens[7]  # is there already
    save(records, "one more", owner="boris")
    records.saved_searches.delete(tokens[0], "anna")
    save(records, "one more")
    assert len(records.saved_searches.find("anna")) == MOST_SAVED_SEARCHES


def test_opening_a_search_is_noted(records: Records, clock: Clock) -> None:
    opened, other = save(records, "a"), save(records, "b")
    clock.advance(days=1)
    assert records.saved_searches.open(opened).opened == "2025-03-02T12:00:00+00:00"
    assert {search.token: search.opened[:10] for search in records.saved_searches.find("anna")} == {
        opened: "2025-03-02",
        other: "2025-03-01",  # a list that shows it does not open it
    }


def test_only_the_owner_deletes_a_search(records: Records) -> None:
    token = save(records)
    with pytest.raises(NotStoredError, match="no such saved search"):
        records.saved_searches.delete(token, "boris")
    records.saved_searches.delete(token, "anna")
    assert records.saved_searches.find("anna") == []
    with pytest.raises(NotStoredError, match="no such saved search"):
        records.saved_searches.delete(token, "anna")
    with pytest.raises(NotStoredError, match="no such saved search"):
        records.saved_searches.open(token)
