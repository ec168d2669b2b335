"""What an answer of a kind looks like."""

import pytest

from pes_search.service.answers.kinds import KINDS, is_silent


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("how_much", "The village pays EUR 3,200 a year for the bus.", True),
        ("how_much", "Its budget was €1.2 million.", True),
        ("how_much", "In all 400 people rode on the bus.", False),
        ("how_many", "In all 400 people rode on the bus.", True),
        ("how_many", "The bus has run since 2018.", False),
        ("when", "The bus has run since 2018.", True),
        ("when", "The bus runs to the villages.", False),
        ("contact", "Write to bus@example.org for a timetable.", True),
        ("evidence", "An evaluation found that more riders were in work.", True),
        ("other", "Anything at all.", True),
    ],
)
def test_a_sentence_fits_a_kind(kind: str, text: str, expected: bool) -> None:
    assert KINDS[kind].fits(text) == expected


def test_that_something_is_not_stated_answers_where_it_may() -> None:
    text = "What the bus costs is not stated."
    assert is_silent(text)
    assert not is_silent("The bus stops here (date not stated).")
    assert (KINDS["how_much"].answers(text, "en"), KINDS["when"].answers(text, "en")) == (True, False)
    assert KINDS["when"].answers("Wann der Bus fährt, steht dort nicht.", "de")  # what tells is known of English only


def test_every_kind_has_its_own_name() -> None:
    assert all(name == kind.name for name, kind in KINDS.items())
