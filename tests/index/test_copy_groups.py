"""What editors decided goes over what a build found; every other group stays as it is."""

from collections.abc import Sequence

import pytest

from pes_search.index.copy_groups import Copies, contradicted, decided_groups
from pes_search.index.types import CopyDecisions, CopyGroup, DocumentText
from pes_search.ingest.types import Document, Passage

BUILT: list[CopyGroup] = [[("b1", "en"), ("b2", "de"), ("b3", "fr")], [("c1", "en"), ("c2", "en")]]
COPIES, NO_COPIES = True, False
YEARS = {"b2": 2024, "b3": 2023, "a": 2025}  # the newest stands for a group, where none is better described


def texts(ids: Sequence[str]) -> list[DocumentText]:
    """Return documents of a letter and a number, and of single letters; `gone` is not there."""
    passage = Passage("p", "d", None, 0, 4, (), "en", "Text")
    return [
        DocumentText(Document(one, one, "practice", "en", one, f"{one}.md", year=YEARS.get(one)), [], [passage])
        for one in ids
        if one != "gone"
    ]


def decided(decisions: CopyDecisions, built: Sequence[CopyGroup] = BUILT) -> list[list[str]]:
    return [[one for one, _ in group] for group in decided_groups(built, decisions, texts)]


def test_where_nothing_is_decided_of_a_group_it_stays() -> None:
    assert decided({}) == [["b1", "b2", "b3"], ["c1", "c2"]]
    assert decided({("b2", "c1"): NO_COPIES}) == [["b1", "b2", "b3"], ["c1", "c2"]]
    assert decided({("b1", "b3"): COPIES}) == [["b1", "b2", "b3"], ["c1", "c2"]]


@pytest.mark.parametrize(
    ("decisions", "groups"),
    [
        ({("b1", "b2"): NO_COPIES}, [["c1", "c2"], ["b3", "b1"]]),  # b2 alone
        ({("b1", "b2"): NO_COPIES, ("b1", "b3"): NO_COPIES}, [["c1", "c2"], ["b2", "b3"]]),  # b1 alone
        ({("b1", "b2"): NO_COPIES, ("b1", "b3"): NO_COPIES, ("b2", "b3"): NO_COPIES}, [["c1", "c2"]]),
        ({("c1", "c2"): NO_COPIES}, [["b1", "b2", "b3"]]),
        ({("a", "b3"): COPIES}, [["c1", "c2"], ["a", "b1", "b2", "b3"]]),
        ({("a", "d"): COPIES}, [["b1", "b2", "b3"], ["c1", "c2"], ["a", "d"]]),
        ({("b3", "c2"): COPIES}, [["b2", "b1", "b3", "c1", "c2"]]),
        # A confirmed pair goes over the build's: b2 stays with a, and leaves what a is no copy of.
        ({("a", "b2"): COPIES, ("a", "b1"): NO_COPIES}, [["c1", "c2"], ["a", "b2"], ["b3", "b1"]]),
    ],
)
def test_parted_ones_are_apart_and_confirmed_ones_together(decisions: CopyDecisions, groups: list[list[str]]) -> None:
    assert decided(decisions) == groups
    assert decided(dict(reversed(decisions.items()))) == groups  # whatever came first


def test_what_was_decided_of_a_document_that_has_gone_tells_of_its_copies() -> None:
    assert decided({("a", "gone"): COPIES}, []) == []
    assert decided({("a", "gone"): COPIES, ("b1", "gone"): COPIES}, []) == [["a", "b1"]]
    assert decided({("gone", "z"): COPIES, ("c2", "gone"): NO_COPIES}, [[("z", "en"), ("c2", "en")]]) == []


def test_a_pair_that_others_keep_apart_is_contradicted() -> None:
    assert contradicted({("a", "b"): COPIES, ("b", "c"): COPIES}) == []
    assert contradicted({("a", "b"): COPIES, ("b", "c"): COPIES, ("a", "c"): NO_COPIES}) == [("b", "c")]


def test_a_group_tells_what_was_decided_of_it() -> None:
    decisions = {("b1", "b2"): COPIES, ("b2", "b3"): COPIES, ("b3", "c1"): NO_COPIES}
    copies = Copies(BUILT, decisions)
    assert copies.is_confirmed(["b1", "b2", "b3"])
    assert not copies.is_confirmed(["c1", "c2"])
    assert copies.parted_from(["b1", "b2", "b3"]) == ["c1"]
    assert copies.is_settled("b1", "b3")  # one group
    assert copies.is_settled("b1", "c2")  # copies of what was parted
    assert not copies.is_settled("b1", "d")


def test_documents_that_are_like_a_third_only_are_not_taken_for_each_other() -> None:
    copies = Copies([[("a", "en"), ("b", "de")]])
    assert copies.group_of("b") == ("a", "b")
    assert copies.group_of("c") == ("c",)
    assert copies.language_of("b") == "de"


@pytest.mark.parametrize(
    ("ids", "language", "listed"),
    [
        (["x", "b3", "c2", "b1", "c1"], None, ["x", "b1", "c1"]),  # those that stand for the others
        (["x", "b3", "c2", "b1", "b2"], "fr", ["x", "b3", "c2"]),
        (["b3", "b2"], "en", ["b2"]),  # the next of the group
    ],
)
def test_of_a_group_one_is_listed_in_the_readers_language_if_there_is_one(
    ids: list[str], language: str | None, listed: list[str]
) -> None:
    assert Copies(BUILT).without_others(ids, language) == listed
