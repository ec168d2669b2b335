"""A watch over some work knows its stages, and what was counted in them."""

import time

import pytest

from pes_search.index.stages import TooLateError, Watch, count, current_watch, stage, watched


def test_stages_are_kept_with_their_times_only_where_that_is_wanted() -> None:
    with watched(Watch()) as plain, stage("rank"):
        pass
    with watched(Watch(times=[])) as timed:
        with stage("rank"), stage("vectors"):
            pass
        with stage("rank"):
            pass
    assert (set(plain.seconds), plain.times) == ({"rank"}, None)
    assert timed.times is not None
    assert [name for name, _, _ in timed.times] == ["vectors", "rank", "rank"]  # in the order of their ends
    assert timed.seconds["rank"] == pytest.approx(sum(ended - began for name, began, ended in timed.times if name == "rank"))


def test_a_stage_that_fails_is_counted_and_none_begins_too_late() -> None:
    with watched(Watch(times=[])) as watch:
        with pytest.raises(ZeroDivisionError), stage("rank"):
            _ = 1 / 0
        watch.deadline = time.monotonic()
        with pytest.raises(TooLateError), stage("write"):
            pytest.fail("it began")
    assert set(watch.seconds) == {"rank"}


def test_nothing_is_counted_without_a_watch() -> None:
    count("answers", "none")
    with stage("rank"):
        assert current_watch() is None
