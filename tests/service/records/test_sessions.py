"""Sessions last half a day and end at once; a sign-in that waits comes back once, to the browser that began it."""

from pathlib import Path

import pytest
from record_samples import Clock

from pes_search.service.records import sessions
from pes_search.service.records.records import Records
from pes_search.service.records.sessions import PENDING_SECONDS, SESSION_SECONDS, Pending, Session, new_token, session_of


def found(records: Records, token: str) -> Session | None:
    with records.file.transaction() as connection:
        return session_of(connection, token)


def test_a_session_is_kept_without_its_token_until_it_ends(records: Records, path: Path) -> None:
    token = new_token()
    records.sessions.start(token=token, key_id="k", role="reader", reads=["b", "a"], name="Anna", bound="x")
    session = found(records, token)
    assert session is not None
    assert (session.key_id, session.role, session.reads, session.name, session.bound) == (
        *("k", "reader", frozenset({"a", "b"}), "Anna", "x"),
    )
    assert all(token.encode() not in file.read_bytes() for file in path.parent.iterdir())
    records.sessions.end("another")
    assert found(records, token) == session
    records.sessions.end(token)
    assert found(records, token) is None


def test_what_has_expired_goes_with_the_next_that_begins(records: Records, clock: Clock) -> None:
    records.sessions.start(token="old", key_id="k", role="reader")
    clock.advance(seconds=SESSION_SECONDS - 1)
    records.sessions.start(token="young", key_id="k", role="reader")
    assert found(records, "old") is not None
    clock.advance(seconds=1)
    records.sessions.start(token="new", key_id="k", role="reader")
    assert [found(records, token) is None for token in ("old", "young", "new")] == [True, False, False]
    assert records.sessions.end_all() == 2


def test_a_key_has_so_many_sessions_and_then_the_oldest_goes(
    records: Records, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 3)
    records.sessions.start(token="other", key_id="other", role="reader")
    for number in range(5):
        clock.advance(seconds=1)
        records.sessions.start(token=str(number), key_id="k", role="reader")
    assert [found(records, token) is None for token in ("0", "1", "2", "3", "4", "other")] == [True, True, *[False] * 4]


def wait(records: Records, state: str = "state", browser: str = "browser") -> None:
    records.sessions.wait(state=state, browser=browser, nonce="n", verifier="v", next="/map")


def test_a_sign_in_comes_back_once_and_to_its_own_browser(records: Records) -> None:
    wait(records)
    assert records.sessions.come_back(state="state", browser="another") is None
    assert records.sessions.come_back(state="another", browser="browser") is None
    assert records.sessions.come_back(state="state", browser="browser") == Pending("n", "v", "/map")
    assert records.sessions.come_back(state="state", browser="browser") is None


@pytest.mark.parametrize(("seconds", "is_there"), [(PENDING_SECONDS - 1, True), (PENDING_SECONDS, False), (-1, False)])
def test_a_sign_in_does_not_wait_for_ever(records: Records, clock: Clock, seconds: int, is_there: bool) -> None:
    wait(records)
    clock.advance(seconds=seconds)
    assert (records.sessions.come_back(state="state", browser="browser") is not None) == is_there


def test_only_so_many_sign_ins_wait(records: Records, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_PENDING", 3)
    for number in range(5):
        wait(records, str(number))
        clock.advance(seconds=1)
    back = [records.sessions.come_back(state=str(number), browser="browser") is not None for number in range(5)]
    assert back == [False, False, True, True, True]
