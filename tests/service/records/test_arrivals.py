"""A document keeps the date at which it was first seen."""

from pathlib import Path

from record_samples import START_TEXT, Clock

from pes_search.service.records.arrivals import Arrival
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.records import Records, open_records

AT_START = Arrival(START_TEXT, 0)


def test_a_document_keeps_the_date_of_its_arrival(records: Records, clock: Clock) -> None:
    records.arrivals.note("one", ["a", "b"])
    clock.advance(days=1)
    records.arrivals.note("two", ["b", "c"])  # a has left
    clock.advance(days=1)
    records.arrivals.note("three", ["a", "c", "d"])  # and is back
    days = {
        document: arrival.at[:10] for document, arrival in records.arrivals.first_seen(["a", "b", "c", "d", "never"]).items()
    }
    assert days == {"a": "2025-03-01", "b": "2025-03-01", "c": "2025-03-02", "d": "2025-03-03"}


def test_an_index_that_was_noted_is_not_looked_at_again(records: Records, clock: Clock) -> None:
    records.arrivals.note("one", ["a"])
    unread = iter(["b"])
    records.arrivals.note("one", unread)
    assert list(unread) == ["b"]
    records.arrivals.note("two", ["a"])
    records.arrivals.note("one", ["b"])  # "two" was the last one
    assert records.arrivals.first_seen(["b"]) == {"b": AT_START}


def test_arrivals_outlive_the_process(records: Records, path: Path, clock: Clock) -> None:
    records.arrivals.note("one", ["a"])
    unread = iter(["a"])
    again = open_records(DatabaseConfig(path=path), clock)
    again.arrivals.note("one", unread)
    assert list(unread) == ["a"]
    assert again.arrivals.first_seen(iter(["a"])) == {"a": AT_START}


def test_more_ids_than_one_query_takes_are_found(records: Records) -> None:
    ids = [f"document {i}" for i in range(1_203)]
    records.arrivals.note("one", ids)
    assert records.arrivals.first_seen([*ids, "unknown", *ids]) == dict.fromkeys(ids, AT_START)
    assert records.arrivals.first_seen([]) == {}
