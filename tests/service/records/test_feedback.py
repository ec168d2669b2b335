"""Feedback is kept, found again, and dealt with."""

from collections.abc import Callable

import pytest
from record_samples import START_TEXT, add

from pes_search.service.records.feedback import Feedback, FeedbackRecords
from pes_search.service.records.file import NotStoredError
from pes_search.service.records.records import Records
from pes_search.service.records.texts import LONGEST_TEXT_CHARACTERS


def test_feedback_comes_back_as_it_was_given(records: Records) -> None:
    given = add(records, "Just right", useful=False)
    assert given == Feedback(
        1, START_TEXT, "hit", "What works?", "de-1", "de-1#3", False, "Just right", "fr", "ab12", handled=False
    )
    assert records.feedback.find() == [given]
    assert (type(given.useful), type(given.handled)) == (bool, bool)  # 0 and 1 are equal to them, but shown otherwise


def test_the_newest_feedback_comes_first_even_within_a_second(records: Records) -> None:
    given = [add(records, comment) for comment in "abc"]
    assert records.feedback.find() == given[::-1]
    assert records.feedback.find(limit=2) == [given[2], given[1]]


def test_feedback_is_chosen_by_what_it_says_and_whether_it_was_handled(records: Records) -> None:
    good, bad, done = add(records), add(records, useful=False), add(records, useful=False)
    records.feedback.set_handled(done.id, True)
    assert [feedback.id for feedback in records.feedback.find(useful=True)] == [good.id]
    assert [feedback.id for feedback in records.feedback.find(useful=False)] == [done.id, bad.id]
    assert [feedback.id for feedback in records.feedback.find(handled=True)] == [done.id]
    assert [feedback.id for feedback in records.feedback.find(useful=False, handled=False)] == [bad.id]


def test_feedback_can_be_taken_up_again(records: Records) -> None:
    given = add(records)
    records.feedback.set_handled(given.id, True)
    assert records.feedback.find()[0].handled
    records.feedback.set_handled(given.id, False)
    assert records.feedback.find() == [given]


def test_a_comment_can_follow(records: Records) -> None:
    other, given = add(records), add(records)
    records.feedback.comment(given.id, "Ask anna@example.org " + "x" * LONGEST_TEXT_CHARACTERS)
    assert [feedback.comment for feedback in records.feedback.find()] == [
        "Ask … " + "x" * (LONGEST_TEXT_CHARACTERS - 6),
        other.comment,
    ]


def test_the_number_of_deleted_feedback_is_not_given_again(records: Records) -> None:
    first, second = add(records), add(records)
    records.feedback.delete(second.id)
    assert records.feedback.find() == [first]
    assert add(records).id == second.id + 1


@pytest.mark.parametrize("number", [0, -1, 2, 2**63, -(2**70)])
@pytest.mark.parametrize(
    "change",
    [lambda feedback, n: feedback.set_handled(n, True), FeedbackRecords.delete, lambda feedback, n: feedback.comment(n, "?")],
    ids=["set_handled", "delete", "comment"],
)
def test_feedback_that_is_not_there_is_named(
    change: Callable[[FeedbackRecords, int], None], number: int, records: Records
) -> None:
    given = add(records)
    with pytest.raises(NotStoredError, match=f"number {number};"):
        change(records.feedback, number)
    assert records.feedback.find() == [given]
