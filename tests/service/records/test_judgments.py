"""Judgments are kept by query and document."""

import pytest
from record_samples import START_TEXT, Clock

from pes_search.service.records.file import DatabaseError
from pes_search.service.records.judgments import Judgment
from pes_search.service.records.records import Records


def test_judgments_are_listed_by_query_and_document(records: Records) -> None:
    for query, document_id, grade in (("b", "x", 0), ("a", "y", 3), ("a", "x", 1)):
        records.judgments.judge(query=query, document_id=document_id, grade=grade, index_id="ab12")
    first, second = Judgment("a", "x", 1, START_TEXT, "ab12"), Judgment("a", "y", 3, START_TEXT, "ab12")
    assert records.judgments.find() == [first, second, Judgment("b", "x", 0, START_TEXT, "ab12")]
    assert records.judgments.find("a") == [first, second]
    assert records.judgments.find("c") == []


def test_a_judgment_can_be_changed_and_taken_back(records: Records, clock: Clock) -> None:
    records.judgments.judge(query="a", document_id="x", grade=3, index_id="old")
    clock.advance(seconds=1)
    records.judgments.judge(query="a", document_id="x", grade=2, index_id="new")
    assert records.judgments.find() == [Judgment("a", "x", 2, "2025-03-01T12:00:01+00:00", "new")]
    for _ in range(2):  # what is not there need not be taken back
        records.judgments.judge(query="a", document_id="x", grade=None, index_id="new")
        assert records.judgments.find() == []


@pytest.mark.parametrize("grade", [-1, 4])
def test_other_grades_are_refused(grade: int, records: Records) -> None:
    with pytest.raises(DatabaseError, match=f"{grade} is no grade; give one from 0 to 3"):
        records.judgments.judge(query="a", document_id="x", grade=grade, index_id="i")
    assert records.judgments.find() == []
