"""Interface words, repeats, and what stands above a title."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pes_search.ingest.cleaning.blocks import clean_blocks, from_title, interface_texts
from pes_search.ingest.types import Block

TEASER = "The bus of the employment service visits forty villages."
LONG = f"{TEASER} It stops at the market place once a week."


def paragraphs(*texts: str) -> list[Block]:
    return [Block("paragraph", text) for text in texts]


def texts_of(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks]


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
    assert clean_blocks(blocks).blocks == [Block("heading", "Mobile office", level=1), Block("item", "on Monday", page=2)]


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
    assert texts_of(clean_blocks(paragraphs(*given_texts)).blocks) == kept


def test_what_is_repeated_under_another_heading_stays() -> None:
    sections = [
        Block("heading", "Vouchers"),
        Block("paragraph", TEASER),
        Block("heading", "Courses"),
        Block("paragraph", TEASER),
    ]
    assert clean_blocks(sections).blocks == sections
    again = [*sections, Block("paragraph", TEASER)]
    assert clean_blocks(again).blocks == sections
    teaser = [Block("paragraph", TEASER), *sections]
    assert texts_of(clean_blocks(teaser).blocks) == [TEASER, "Vouchers", "Courses"]
    longer = [*sections[:3], Block("paragraph", f"In short: {TEASER}")]
    assert clean_blocks(longer).blocks == longer


def test_rows_and_items_may_repeat() -> None:
    blocks = [Block("row", TEASER), Block("row", TEASER), Block("item", TEASER), Block("item", TEASER)]
    assert clean_blocks(blocks).blocks == blocks


def test_a_paragraph_that_ends_a_longer_word_is_no_repeat() -> None:
    tail = "employment is what the service of the region wants for all"
    assert texts_of(clean_blocks(paragraphs(tail, f"un{tail}")).blocks) == [tail, f"un{tail}"]


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(st.lists(st.sampled_from([LONG[a:b].strip() for a in (0, 4, 57) for b in (45, 56, 104)] + ["Not applicable", LONG * 2])))
def test_no_words_are_lost_with_a_repeat(texts: list[str]) -> None:
    kept = texts_of(clean_blocks(paragraphs(*texts)).blocks)
    assert all(any(text in other for other in kept) for text in texts if text)


# ── Titles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
