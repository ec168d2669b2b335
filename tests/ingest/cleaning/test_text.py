"""Clean text, interface words, repeats, and what the pages or files of one source share."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pes_search.ingest.cleaning.text import (
    clean_blocks,
    clean_text,
    edge_texts,
    from_title,
    interface_texts,
    line_key,
    running_lines,
    shared_edges,
    table_rows,
    without_shared_edges,
)
from pes_search.ingest.types import Block

TEASER = "The bus of the employment service visits forty villages."
LONG = f"{TEASER} It stops at the market place once a week."


def paragraphs(*texts: str) -> list[Block]:
    return [Block("paragraph", text) for text in texts]


def texts_of(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  two\n lines\tand\u00a0spaces ", "two lines and spaces"),
        ("Arbeits\u00admarkt", "Arbeitsmarkt"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u202bright to left\u202c", "right to left"),
        ("e\u0301te\u0301", "été"),
        ("o\ufb03ce, \ufb01nd", "office, find"),
        ("\ue0b1 phone \uf095", "phone"),
        ("half \ud83d of a character", "half of a character"),
        ("a word , another .", "a word, another."),
        ("version .5 of 3 ,5", "version .5 of 3 ,5"),  # decimals keep their space
        ("", ""),
        ("\u00ad\n\u200b", ""),
        ("می\u200cخواهم", "می\u200cخواهم"),  # the joiner changes how Persian is read
    ],
)
def test_clean_text_has_single_spaces_and_no_invisible_characters(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@settings(deadline=None, derandomize=True, database=None, max_examples=300)
@given(
    st.text(alphabet=st.one_of(st.sampled_from("ae \n,.\u0301\u0308\u00ad\u200b\ufb01\u212b"), st.characters()), max_size=30)
)
@example("e\u200b\u0301")
def test_clean_text_is_in_unicode_nfc_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_text(cleaned) == cleaned
    assert cleaned.split() == cleaned.split(" ") or cleaned == ""


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_under_a_header_row_carry_the_names_of_their_columns() -> None:
    rows = [["Year", "Staff:", ""], ["2021", "3", "x"], ["2022", "", "y"]]
    assert table_rows(rows, header=True) == ["Year: 2021 | Staff: 3 | x", "Year: 2022 | y"]


def test_two_cells_without_a_header_are_label_and_value() -> None:
    assert table_rows([["Country:", "Austria"], ["Period", " 2021 "], ["alone", ""]]) == [
        "Country: Austria",
        "Period: 2021",
        "alone",
    ]


def test_more_cells_without_a_header_stand_between_bars() -> None:
    assert table_rows([["2021", "80", "12"]]) == ["2021 | 80 | 12"]


def test_a_row_of_another_length_than_the_header_is_not_named_wrongly() -> None:
    rows = [["Year", "Village", "People"], ["2021", "Linz", "40"], ["Graz", "50"]]
    assert table_rows(rows, header=True) == ["Year: 2021 | Village: Linz | People: 40", "Graz | 50"]


def test_the_names_of_columns_are_not_lost_where_they_fit_no_row() -> None:
    assert "People" in " ".join(table_rows([["Year", "Village", "People"], ["Graz", "50"]], header=True))


def test_a_wide_table_keeps_its_header_as_a_row() -> None:
    assert table_rows([list("ABCDEFG"), list("1234567")], header=True) == [
        "A | B | C | D | E | F | G",
        "1 | 2 | 3 | 4 | 5 | 6 | 7",
    ]


def test_a_table_of_a_header_alone_keeps_it() -> None:
    assert table_rows([["Year", "Staff"]], header=True) == ["Year | Staff"]


# ── Interface words ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "Share this page",
        "SHARE THIS PAGE!",
        "Diese Seite teilen",
        "Partager cette page",
        "Skip to main content",
        "Log in",
        "Accept all cookies",
        "© → •",
        "This website uses cookies to improve your visit. Read our policy.",
        "Wir verwenden Cookies, um diese Seite zu verbessern.",
        "Ce site utilise des cookies.",
    ],
)
def test_controls_symbols_and_cookie_banners_are_interface(text: str) -> None:
    assert interface_texts([text]) == [True]


@pytest.mark.parametrize(
    "text",
    [
        "We share this page of our history with all partners.",
        "Comment",
        "Subject",
        "The menu of services was shortened.",
        "The advisers explain what a cookie is.",
        "We use cookies and cakes to open the talk. " * 20,  # too long for a banner
    ],
)
def test_a_sentence_or_a_label_alone_is_no_interface(text: str) -> None:
    assert interface_texts([text]) == [False]


def test_three_form_labels_in_a_row_are_a_form_and_two_are_not() -> None:
    assert interface_texts(["Text", "Your name", "*", "E-mail", "Subject", "Text"]) == [False, True, True, True, True, False]
    assert interface_texts(["Text", "Email", "Subject", "Text"]) == [False] * 4


def test_clean_blocks_drops_empty_and_interface_blocks_and_keeps_the_rest_in_order() -> None:
    blocks = [
        Block("heading", "Mobile \u00adoffice", level=1),
        Block("paragraph", "\u200b"),
        Block("paragraph", "Share this page"),
        Block("item", "on  Monday", page=2),
    ]
    assert clean_blocks(blocks) == [Block("heading", "Mobile office", level=1), Block("item", "on Monday", page=2)]


# ── Repeats ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given_texts", "kept"),
    [
        ([TEASER, "©", "Text.", TEASER], [TEASER, "Text."]),  # equal: the first stays
        ([TEASER, "Text.", LONG], ["Text.", LONG]),  # a part: the longer stays
        ([LONG, TEASER], [LONG]),
        (["Not applicable", "Other", "Not applicable"], ["Not applicable", "Other", "Not applicable"]),  # too short
    ],
)
def test_a_repeated_paragraph_is_kept_once(given_texts: list[str], kept: list[str]) -> None:
    assert texts_of(clean_blocks(paragraphs(*given_texts))) == kept


def test_rows_and_items_may_repeat() -> None:
    blocks = [Block("row", TEASER), Block("row", TEASER), Block("item", TEASER), Block("item", TEASER)]
    assert clean_blocks(blocks) == blocks


def test_a_paragraph_that_ends_a_longer_word_is_no_repeat() -> None:
    tail = "employment is what the service of the region wants for all"
    assert texts_of(clean_blocks(paragraphs(tail, f"un{tail}"))) == [tail, f"un{tail}"]


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(st.lists(st.sampled_from([LONG[a:b].strip() for a in (0, 4, 57) for b in (45, 56, 104)] + ["Not applicable", LONG * 2])))
def test_no_words_are_lost_with_a_repeat(texts: list[str]) -> None:
    kept = texts_of(clean_blocks(paragraphs(*texts)))
    assert all(any(text in other for other in kept) for text in texts if text)


# ── Headers of sites, folders and pages ─────────────────────────────────────────────────────────────────────────────


def test_what_stands_above_the_title_goes() -> None:
    prose = f"{LONG} Two advisers help people to find work."
    blocks = paragraphs("Ministry of Labour", "News", "Mobile office: now!", prose)
    assert texts_of(from_title(blocks, "MOBILE OFFICE – NOW")) == ["Mobile office: now!", prose]


def test_without_prose_below_the_title_the_lines_above_it_stay() -> None:
    blocks = paragraphs("call the employer", "write to Anna about the bus", "book a room")
    assert from_title(blocks, "write to Anna about the bus") == blocks


def test_a_title_below_much_text_or_nowhere_removes_nothing() -> None:
    blocks = paragraphs("word " * 100, "Mobile office")
    assert from_title(blocks, "Mobile office") == blocks
    assert from_title(blocks, "Another title") == blocks


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
