"""Decisions about copies are kept by pair, and read without being made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from record_samples import START_TEXT, Clock

from pes_search.service.records.copies import CopyDecision, by_pair, kept_decisions
from pes_search.service.records.file import MIGRATIONS, DatabaseError
from pes_search.service.records.records import Records


def test_decisions_are_kept_in_the_order_of_ids_the_newest_first(records: Records, path: Path, clock: Clock) -> None:
    records.copies.decide([("b", "a"), ("b", "c")], are_copies=False, index_id="old")
    clock.advance(seconds=1)
    records.copies.decide([("d", "e")], are_copies=True, index_id="new")
    newest = CopyDecision("d", "e", True, "2025-03-01T12:00:01+00:00", "new")
    others = [CopyDecision("a", "b", False, START_TEXT, "old"), CopyDecision("b", "c", False, START_TEXT, "old")]
    assert records.copies.find() == kept_decisions(path) == [newest, *others]
    assert by_pair(records.copies.find()) == {("a", "b"): False, ("b", "c"): False, ("d", "e"): True}


def test_a_decision_can_be_changed_and_taken_back(records: Records) -> None:
    records.copies.decide([("a", "b")], are_copies=True, index_id="i")
    records.copies.decide([("b", "a")], are_copies=False, index_id="i")
    assert by_pair(records.copies.find()) == {("a", "b"): False}
    for _ in range(2):  # what is not there need not be taken back
        records.copies.decide([("a", "b")], are_copies=None, index_id="i")
        assert records.copies.find() == []


def test_reading_makes_no_file_and_takes_one_of_before(tmp_path: Path) -> None:
    path = tmp_path / "pes.sqlite3"
    assert kept_decisions(path) == []
    assert not path.exists()
    with closing(sqlite3.connect(path)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
    assert kept_decisions(path) == []
    path.write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseError, match="is no database, or a damaged one"):
        kept_decisions(path)
