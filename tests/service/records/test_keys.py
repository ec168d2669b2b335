"""Keys are shown once and kept as hashes; a revoked one stays in the list and ends what was begun with it."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from record_samples import START_TEXT, Clock

from pes_search.service.records.file import NotStoredError
from pes_search.service.records.keys import hashed, key_of
from pes_search.service.records.records import Records
from pes_search.service.records.sessions import session_of


def test_a_key_is_found_by_its_text_and_kept_without_it(records: Records, path: Path) -> None:
    key, text = records.keys.add("reader", name="press office", reads=["internal", "draft"])
    assert re.fullmatch(r"pes_[0-9a-f]{64}", text)  # 256 bits
    assert re.fullmatch(r"[0-9a-f]{8}", key.id)
    assert (key.role, key.name, key.reads) == ("reader", "press office", frozenset({"internal", "draft"}))
    assert (key.made, key.expires, key.revoked) == (START_TEXT, None, None)
    assert hashed(text) == sha256(text.encode()).hexdigest()
    with records.file.transaction() as connection:
        assert key_of(connection, text) == key
        assert key_of(connection, text.upper()) is None
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert text.encode() not in kept
    assert hashed(text).encode() in kept
    assert text not in repr(records.keys.find())


def test_no_two_keys_are_alike(records: Records) -> None:
    made = [records.keys.add("reader") for _ in range(20)]
    assert len({text for _, text in made}) == len({key.id for key, _ in made}) == 20


def test_a_key_ends_by_itself(records: Records, clock: Clock) -> None:
    key, _ = records.keys.add("editor", days=30)
    assert key.is_valid(records.file.time())
    clock.advance(days=30)
    assert not key.is_valid(records.file.time())
    assert records.keys.find() == [key]


def test_a_revoked_key_stays_in_the_list_and_ends_its_sessions(records: Records, clock: Clock) -> None:
    key, other = records.keys.add("editor")[0], records.keys.add("editor")[0]
    records.sessions.start(token="one", key_id=key.id, role="editor")
    records.sessions.start(token="two", key_id=other.id, role="editor")
    clock.advance(seconds=5)
    revoked = records.keys.revoke(key.id)
    assert (revoked.revoked, revoked.is_valid(records.file.time())) == (records.file.time(), False)
    clock.advance(seconds=5)
    assert records.keys.revoke(key.id) == revoked  # a second time changes nothing
    assert {known.id: known.revoked for known in records.keys.find()} == {key.id: revoked.revoked, other.id: None}
    with records.file.transaction() as connection:
        assert session_of(connection, "one") is None
        assert session_of(connection, "two") is not None
    with pytest.raises(NotStoredError, match="pes keys list"):
        records.keys.revoke("nothing")
