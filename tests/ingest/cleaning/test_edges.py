"""What the pages of a file, or the files of a folder, share at their edges."""

from collections import Counter

import pytest

from pes_search.ingest.cleaning.edges import edge_texts, line_key, running_lines, shared_edges, without_shared_edges
from pes_search.ingest.types import Block


def paragraphs(*texts: str) -> list[Block]:
    return [Block("paragraph", text) for text in texts]


def texts_of(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks]


def folder_of(*files: list[Block]) -> set[str]:
    """Return what the files share."""
    counts: Counter[str] = Counter()
    for blocks in files:
        counts.update(edge_texts(blocks))
    return shared_edges(counts, len(files))


def site_page(place: str, last: str) -> list[Block]:
    own = f"The bus of {place} stops at the market place every week."
    return paragraphs("Site name", "Search", own, "Target groups", last, "© 2021", "Imprint")


def test_texts_that_many_files_share_go_from_both_ends_but_not_from_the_middle() -> None:
    last = "Parents in {} who look for work in the afternoon"
    files = [site_page(place, last.format(place)) for place in ("Graz", "Linz", "Wels")]
    assert texts_of(without_shared_edges(files[1], folder_of(*files))) == [
        "The bus of Linz stops at the market place every week.",
        "Target groups",
        "Parents in Linz who look for work in the afternoon",
    ]


def test_the_short_value_of_a_files_last_field_stays() -> None:
    files = [site_page(place, f"Parents of {place}") for place in ("Graz", "Linz", "Wels")]
    assert texts_of(without_shared_edges(files[1], folder_of(*files)))[-2:] == ["Target groups", "Parents of Linz"]


@pytest.mark.parametrize("place", ["Graz", "Linz"])
def test_a_files_own_short_text_at_its_very_end_or_beginning_stays(place: str) -> None:
    def page(name: str) -> list[Block]:
        return paragraphs(
            f"Bus of {name}", "Good practice", f"The bus of {name} stops every week.", "Contact", f"Mayor of {name}"
        )

    assert without_shared_edges(page(place), folder_of(page("Graz"), page("Linz"), page("Wels"))) == page(place)


@pytest.mark.parametrize(("with_it", "files", "is_shared"), [(2, 2, False), (3, 3, True), (9, 100, False), (10, 100, True)])
def test_a_text_is_shared_by_at_least_three_files_and_one_of_ten(with_it: int, files: int, is_shared: bool) -> None:
    assert shared_edges(Counter({"text": with_it}), files) == ({"text"} if is_shared else set())


def test_a_text_that_a_file_repeats_counts_once() -> None:
    assert len(edge_texts(paragraphs("a", "a", "b"))) == 2


def test_running_lines_are_found_at_the_edges_whatever_their_page_numbers() -> None:
    pages = [["Annual review", f"Text {word}", "x", "y", "z", "w", f"Page {i} of 12"] for i, word in enumerate("abcd", 9)]
    running = running_lines(pages)
    assert {line_key("ANNUAL  review"), line_key("Page 3 of 12")} <= running
    assert line_key("Text a") not in running


def test_headers_of_odd_pages_alone_are_running_too_and_two_pages_prove_nothing() -> None:
    pages = [["Odd header" if i % 2 else "Even header", f"text {word}"] for i, word in enumerate("abcdef")]
    assert {line_key("odd header"), line_key("even header")} <= running_lines(pages)
    assert running_lines([["Header", "a"], ["Header", "b"]]) == set()


def test_a_line_in_the_middle_of_every_page_is_no_header() -> None:
    pages = [[f"{word}{i}" for i in "abc"] + ["Results"] + [f"{word}{i}" for i in "def"] for word in ("k", "l", "m", "n")]
    assert line_key("Results") not in running_lines(pages)
