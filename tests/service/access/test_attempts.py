"""Wrong keys are counted by address and all together, and nobody is kept out who was in before."""

import pytest

from pes_search.service.access.attempts import (
    ADDRESS_ATTEMPTS,
    ADDRESS_SECONDS,
    ALL_ATTEMPTS,
    ALL_SECONDS,
    MOST_ADDRESSES,
    Attempts,
    place_of,
)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def test_an_address_has_some_attempts_and_then_one_in_a_while(attempts: Attempts, clock: Clock) -> None:
    assert [attempts.note_wrong("192.0.2.1") for _ in range(ADDRESS_ATTEMPTS)] == [0] * ADDRESS_ATTEMPTS
    assert attempts.note_wrong("192.0.2.1") == ADDRESS_SECONDS
    assert attempts.wait_seconds("192.0.2.1") == ADDRESS_SECONDS
    assert attempts.note_wrong("192.0.2.2") == 0  # another one's
    clock.seconds = ADDRESS_SECONDS - 1
    assert attempts.note_wrong("192.0.2.1") == 1  # what comes too early costs nothing more
    clock.seconds = ADDRESS_SECONDS
    assert attempts.note_wrong("192.0.2.1") == 0
    assert attempts.note_wrong("192.0.2.1") == ADDRESS_SECONDS
    clock.seconds += ADDRESS_ATTEMPTS * ADDRESS_SECONDS * 5
    assert [attempts.note_wrong("192.0.2.1") for _ in range(ADDRESS_ATTEMPTS + 1)] == [0] * ADDRESS_ATTEMPTS + [10]


def test_a_guess_from_many_addresses_is_held_back_but_not_who_was_in_before(attempts: Attempts, clock: Clock) -> None:
    attempts.note_right("198.51.100.7")
    answers = [attempts.note_wrong(f"192.0.2.{number}") for number in range(ALL_ATTEMPTS + 50)]
    assert answers == [0] * ALL_ATTEMPTS + [ALL_SECONDS] * 50
    assert attempts.wait_seconds("203.0.113.1") == ALL_SECONDS
    assert attempts.wait_seconds("198.51.100.7") == 0
    assert attempts.note_wrong("198.51.100.7") == 0  # a slip of who was in before takes nothing from the others either
    clock.seconds = ALL_SECONDS
    assert attempts.wait_seconds("203.0.113.1") == 0
    assert [attempts.note_wrong("198.51.100.7") for _ in range(ADDRESS_ATTEMPTS)][-1] > 0  # its own are counted


def test_what_is_remembered_is_bounded(attempts: Attempts) -> None:
    for number in range(MOST_ADDRESSES + 10):
        attempts.note_wrong(f"10.0.{number // 256}.{number % 256}")
        attempts.note_right(f"10.0.{number // 256}.{number % 256}")
    assert (len(attempts._by_address), len(attempts._known)) == (MOST_ADDRESSES, MOST_ADDRESSES)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_network_counts_as_one(address: str, place: str) -> None:
    assert place_of(address) == place
