"""Blocks become pages, pages become passages that fit, cover the text and are its slices."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pes_search.index.encoders.base import Encoder
from pes_search.ingest.config import PassageConfig
from pes_search.ingest.passages import TokenStarts, build_pages, build_passages, sentence_spans
from pes_search.ingest.types import Block, Document, Page, Passage

DOCUMENT = Document(id="bus", title="Bus", kind="practice", language="en", sha256="0", path="bus.md")
SENTENCE = "The bus stops here every week."  # 6 words


def words(text: str) -> list[int]:
    """One token a word."""
    return [match.start() for match in re.finditer(r"\S+", text)]


def letters(text: str) -> list[int]:
    """One token a letter, as for scripts without spaces."""
    return [i for i, character in enumerate(text) if not character.isspace()]


def split(blocks: Sequence[Block], max_tokens: int = 20, min_tokens: int = 5) -> list[Passage]:
    pages = build_pages(DOCUMENT, blocks)
    return build_passages(DOCUMENT, pages, words, PassageConfig(max_tokens=max_tokens, min_tokens=min_tokens))


def heading(text: str, level: int = 1, page: int | None = None) -> Block:
    return Block("heading", text, page, level)


def paragraph(text: str, page: int | None = None) -> Block:
    return Block("paragraph", text, page)


def counted(name: str, number: int) -> str:
    """Return a text of so many words: "a0 a1 a2"."""
    return " ".join(f"{name}{i}" for i in range(number))


def texts_of(passages: Sequence[Passage]) -> list[str]:
    return [passage.text for passage in passages]


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_blocks_of_a_page_are_set_apart_by_blank_lines_and_items_and_rows_by_line_breaks() -> None:
    blocks = [
        heading("Bus"),
        paragraph("One."),
        paragraph("Two."),
        Block("item", "a"),
        Block("item", "b"),
        Block("row", "c"),
        Block("row", "d"),
    ]
    [(page, page_blocks)] = build_pages(DOCUMENT, blocks)
    assert page.text == "Bus\n\nOne.\n\nTwo.\n\na\nb\n\nc\nd"
    assert page_blocks == blocks
    assert (page.document_id, page.number) == ("bus", None)


def test_a_page_knows_where_its_headings_stand() -> None:
    [(page, _)] = build_pages(DOCUMENT, [heading("Bus"), paragraph("Text."), heading("Costs", level=2)])
    assert page.headings == ((0, 3, 1), (12, 17, 2))
    assert [page.text[start:end] for start, end, _ in page.headings] == ["Bus", "Costs"]


def test_pages_keep_their_numbers() -> None:
    blocks = [paragraph("One.", page=1), paragraph("Three.", page=3), paragraph("More.", page=3)]
    assert [(page.number, page.text) for page, _ in build_pages(DOCUMENT, blocks)] == [(1, "One."), (3, "Three.\n\nMore.")]


def test_no_blocks_give_no_pages_and_no_passages() -> None:
    assert build_pages(DOCUMENT, []) == []
    assert split([]) == []


# ── Where passages begin and end ────────────────────────────────────────────────────────────────────────────────────


def test_a_short_document_is_one_passage_with_its_heading() -> None:
    [passage] = split([heading("Bus"), paragraph("It stops here.")])
    assert asdict(passage) == {
        "id": "bus~0-19",  # 3 + 2 + 14 characters
        "document_id": "bus",
        "page": None,
        "start": 0,
        "end": 19,
        "headings": ("Bus",),
        "language": "en",
        "text": "Bus\n\nIt stops here.",
    }


def test_a_section_starts_a_passage_once_the_least_size_is_reached() -> None:
    blocks = [heading("A"), paragraph(counted("a", 6)), heading("B"), paragraph(counted("b", 6))]
    assert texts_of(split(blocks, max_tokens=20, min_tokens=5)) == [f"A\n\n{counted('a', 6)}", f"B\n\n{counted('b', 6)}"]
    assert len(split(blocks, max_tokens=20, min_tokens=8)) == 1  # A has 1 + 6 tokens, which is less


def test_paragraphs_of_a_section_share_passages_up_to_the_budget_and_are_not_cut() -> None:
    texts = [counted("a", 9), counted("b", 9), counted("c", 9)]
    assert texts_of(split([paragraph(text) for text in texts], max_tokens=18)) == [f"{texts[0]}\n\n{texts[1]}", texts[2]]


def test_list_items_are_not_cut_either() -> None:
    items = [Block("item", counted(name, 8)) for name in "abc"]
    assert texts_of(split(items, max_tokens=20)) == [f"{counted('a', 8)}\n{counted('b', 8)}", counted("c", 8)]


def test_a_long_paragraph_is_split_between_sentences() -> None:
    [first, second] = split([paragraph(" ".join([SENTENCE] * 5))], max_tokens=20)  # 6 words each: three fit
    assert (first.text, second.text) == (" ".join([SENTENCE] * 3), " ".join([SENTENCE] * 2))


def test_a_long_sentence_is_split_between_words() -> None:
    assert texts_of(split([paragraph(counted("a", 50))], max_tokens=20)) == [
        " ".join(f"a{i}" for i in part) for part in (range(20), range(20, 40), range(40, 50))
    ]


def test_a_long_sentence_is_best_split_behind_a_sign() -> None:
    text = f"{counted('a', 15)}, {counted('b', 14)}; {counted('c', 15)}"
    assert texts_of(split([paragraph(text)], max_tokens=20)) == [
        f"{counted('a', 15)},",
        f"{counted('b', 14)};",
        counted("c", 15),
    ]


def test_a_word_that_is_longer_than_the_budget_is_cut() -> None:
    pages = build_pages(DOCUMENT, [paragraph("就业服务机构帮助人们找到工作")])
    passages = build_passages(DOCUMENT, pages, letters, PassageConfig(max_tokens=8, min_tokens=0))
    assert texts_of(passages) == ["就业服务机构帮助", "人们找到工作"]


def test_a_heading_is_never_parted_from_the_beginning_of_its_text() -> None:
    blocks = [paragraph(counted("a", 15)), heading("B"), paragraph(counted("b", 10))]
    assert texts_of(split(blocks, max_tokens=20, min_tokens=18)) == [counted("a", 15), f"B\n\n{counted('b', 10)}"]


def test_passages_do_not_go_over_the_end_of_a_page() -> None:
    passages = split([paragraph("One.", page=1), paragraph("Two.", page=2)])
    assert [(p.page, p.id) for p in passages] == [(1, "bus~p1~0-4"), (2, "bus~p2~0-4")]


# ── Headings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_heading_path_is_kept_from_the_highest_level_down() -> None:
    blocks = [
        heading("Bus"),
        heading("Costs", 2),
        heading("Staff", 3),
        paragraph(counted("a", 6)),
        heading("Results", 2),
        paragraph(counted("b", 6)),
    ]
    assert [p.headings for p in split(blocks)] == [("Bus", "Costs", "Staff"), ("Bus", "Results")]


def test_the_heading_path_goes_on_over_the_end_of_a_page() -> None:
    blocks = [heading("Bus", page=1), paragraph("One.", page=1), heading("Costs", 2, page=1), paragraph("Two.", page=2)]
    assert [(p.page, p.headings) for p in split(blocks)] == [(1, ("Bus",)), (2, ("Bus", "Costs"))]


def test_a_passage_over_two_short_sections_is_under_what_they_share() -> None:
    blocks = [heading("Bus"), heading("A", 2), paragraph("One."), heading("B", 2), paragraph("Two.")]
    [passage] = split(blocks, min_tokens=20)
    assert (passage.headings, passage.text) == (("Bus",), "Bus\n\nA\n\nOne.\n\nB\n\nTwo.")


def test_the_rest_of_a_section_keeps_its_heading_before_a_short_section() -> None:
    blocks = [
        heading("Bus"),
        heading("A", 2),
        paragraph(counted("a", 16)),
        paragraph(counted("b", 3)),
        heading("B", 2),
        paragraph("Two."),
    ]
    last = split(blocks, max_tokens=20, min_tokens=20)[-2:]
    assert [(p.headings, p.text) for p in last] == [(("Bus", "A"), counted("b", 3)), (("Bus", "B"), "B\n\nTwo.")]


def test_a_heading_over_several_sections_stays_with_all_of_them() -> None:
    several = [heading("Partners", 2), heading("Role", 3), paragraph(counted("a", 11)), heading("Views", 3), paragraph("None.")]
    passages = split([heading("Bus"), *several, heading("Sectors", 2), paragraph("All.")], max_tokens=14, min_tokens=14)
    assert [(p.headings, p.text.split("\n\n")[0]) for p in passages] == [
        (("Bus", "Partners", "Role"), "Bus"),
        (("Bus", "Partners", "Views"), "Views"),
        (("Bus", "Sectors"), "Sectors"),
    ]


def test_a_page_of_headings_alone_is_found_too() -> None:
    [title, text] = split([heading("Bus report", page=1), heading("2023", 2, page=1), paragraph("Text.", page=2)])
    assert (title.text, title.page) == ("Bus report\n\n2023", 1)
    assert text.text == "Text."


def test_a_page_of_many_headings_keeps_to_the_budget() -> None:
    blocks = [heading(counted(name, 5), 2) for name in "abcdefgh"]  # a table of contents of 40 words
    passages = split(blocks, max_tokens=20)
    assert all(len(words(passage.text)) <= 20 for passage in passages)
    assert {word for passage in passages for word in passage.text.split()} == {f"{n}{i}" for n in "abcdefgh" for i in range(5)}


# ── Lists of sources ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("title", ["Sources", "7. References", "QUELLEN", "Źródła:", "Further reading", "Références"])
def test_lists_of_sources_are_in_no_passage_but_stay_in_the_page(title: str) -> None:
    blocks = [
        heading("Bus"),
        paragraph("Text."),
        heading(title, 2),
        paragraph("A report"),
        heading("After", 2),
        paragraph("End."),
    ]
    [(page, _)] = build_pages(DOCUMENT, blocks)
    assert "A report" in page.text
    assert texts_of(split(blocks)) == ["Bus\n\nText.", "After\n\nEnd."]


def test_what_stands_below_a_heading_of_sources_is_left_out_too() -> None:
    blocks = [
        paragraph("Text."),
        heading("Sources", 1),
        heading("Web", 2),
        paragraph("A page"),
        heading("Annex", 1),
        paragraph("B"),
    ]
    assert texts_of(split(blocks)) == ["Text.", "Annex\n\nB"]


def test_a_heading_that_only_speaks_of_sources_is_kept() -> None:
    assert len(split([heading("Sources of funding"), paragraph("Text.")])) == 1


def test_a_document_of_sources_alone_is_still_found() -> None:
    assert texts_of(split([heading("Sources"), paragraph("A report")])) == ["Sources\n\nA report"]


def test_a_heading_without_text_does_not_draw_the_sources_after_it_into_a_passage() -> None:
    blocks = [heading("Annex"), heading("Sources"), paragraph("A report"), heading("Contact"), paragraph("Anna Berg")]
    assert texts_of(split(blocks)) == ["Contact\n\nAnna Berg"]


# ── Configuration and sentences ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("max_tokens", "min_tokens"), [(7, 0), (20, 21), (20, -1)])
def test_impossible_budgets_are_refused(max_tokens: int, min_tokens: int) -> None:
    with pytest.raises(ValueError, match="min_tokens <= max_tokens"):
        PassageConfig(max_tokens=max_tokens, min_tokens=min_tokens)


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", "Dr. Smith came. He stayed.", ["Dr. Smith came.", "He stayed."]),
        ("de", "Es gibt z. B. Kurse. Sie sind frei.", ["Es gibt z. B. Kurse.", "Sie sind frei."]),
        ("el", "Πού είναι; Είναι εδώ.", ["Πού είναι;", "Είναι εδώ."]),
        (None, "One. Two.", ["One.", "Two."]),
        ("en", "Jobs ROLLO.PT are paid. They last.", ["Jobs ROLLO.PT are paid.", "They last."]),
        ("en", "It has ended.The rest stays.", ["It has ended.", "The rest stays."]),
    ],
)
def test_sentences_end_by_the_rules_of_their_language(language: str | None, text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text, 0, len(text), language)] == sentences


def test_sentence_places_are_those_of_the_whole_text() -> None:
    text = "Skip this. One here. Two here. And this."
    assert [text[start:end] for start, end in sentence_spans(text, 11, 30, "en")] == ["One here.", "Two here."]


# ── What holds for every document ───────────────────────────────────────────────────────────────────────────────────

PROPERTY = settings(deadline=None, derandomize=True, database=None, max_examples=60)
WORDS = st.sampled_from(
    ["bus", "works.", "Dr.", "3.5", "(see", "below)", "„Arbeit“", "wait…", "Ask!", "όχι;", "就业服务。", "😀"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)
HEADINGS = st.lists(st.sampled_from(["Costs", "Results", "Staff", "of", "buses"]), min_size=1, max_size=3).map(" ".join)
BLOCKS = st.one_of(
    st.builds(Block, kind=st.sampled_from(["paragraph", "item", "row"]), text=TEXTS),
    st.builds(Block, kind=st.just("heading"), text=HEADINGS | st.just("Sources"), level=st.integers(1, 4)),
)
DOCUMENTS = st.lists(st.lists(BLOCKS, min_size=1, max_size=7), max_size=2).map(
    lambda pages: [
        Block(block.kind, block.text, number, block.level) for number, blocks in enumerate(pages, 1) for block in blocks
    ]
)
# Short headings: those of a section take no more than half of the least budget.
CONFIGS = st.integers(24, 60).flatmap(
    lambda most: st.builds(PassageConfig, max_tokens=st.just(most), min_tokens=st.integers(0, most // 3))
)
TOKENS = st.sampled_from([words, letters])


def is_below_sources(blocks: Sequence[Block]) -> list[bool]:
    """Tell for each block whether a heading "Sources" is in its path."""
    path: list[Block] = []
    below = []
    for block in blocks:
        if block.kind == "heading":
            path = [*(above for above in path if above.level < block.level), block]
        below.append(any(above.text == "Sources" for above in path))
    return below


@PROPERTY
@given(DOCUMENTS, CONFIGS, TOKENS)
def test_passages_are_slices_of_their_pages_in_order_without_overlap_under_ids_of_their_own(
    blocks: list[Block], config: PassageConfig, tokens: TokenStarts
) -> None:
    pages = build_pages(DOCUMENT, blocks)
    passages = build_passages(DOCUMENT, pages, tokens, config)
    by_number: dict[int | None, Page] = {page.number: page for page, _ in pages}
    for passage in passages:
        assert by_number[passage.page].text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
    assert len({passage.id for passage in passages}) == len(passages)
    places = [(passage.page, passage.start, passage.end) for passage in passages]
    assert places == sorted(places)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(places))


@PROPERTY
@given(DOCUMENTS, CONFIGS, TOKENS)
def test_no_passage_is_over_the_budget(blocks: list[Block], config: PassageConfig, tokens: TokenStarts) -> None:
    passages = build_passages(DOCUMENT, build_pages(DOCUMENT, blocks), tokens, config)
    assert [passage.text for passage in passages if len(tokens(passage.text)) > config.max_tokens] == []


@PROPERTY
@given(DOCUMENTS, CONFIGS, TOKENS)
def test_every_word_but_those_of_sources_is_in_a_passage(
    blocks: list[Block], config: PassageConfig, tokens: TokenStarts
) -> None:
    pages = build_pages(DOCUMENT, blocks)
    passages = build_passages(DOCUMENT, pages, tokens, config)
    below = is_below_sources(blocks)
    if all(is_below or block.kind == "heading" for block, is_below in zip(blocks, below, strict=True)):
        return  # then the sources are all that there is
    numbered = iter(below)
    for page, page_blocks in pages:
        covered = {i for p in passages if p.page == page.number for i in range(p.start, p.end)}
        at = 0
        for block, is_below in zip(page_blocks, numbered, strict=False):
            at = page.text.index(block.text, at)
            if not is_below and block.kind != "heading":
                assert all(page.text[i].isspace() for i in set(range(at, at + len(block.text))) - covered)
            if is_below:
                assert not covered & set(range(at, at + len(block.text)))
            at += len(block.text)


@PROPERTY
@given(DOCUMENTS, CONFIGS)
def test_a_heading_with_text_below_is_in_that_texts_passage_or_in_its_path(blocks: list[Block], config: PassageConfig) -> None:
    pages = build_pages(DOCUMENT, blocks)
    passages = build_passages(DOCUMENT, pages, words, config)
    below = iter(is_below_sources(blocks))
    for page, page_blocks in pages:
        at = 0
        last_heading: str | None = None
        for block, is_below in zip(page_blocks, below, strict=False):
            at = page.text.index(block.text, at)
            if block.kind == "heading":
                last_heading = block.text
            elif last_heading is not None and not is_below:
                [holder] = [p for p in passages if p.page == page.number and p.start <= at < p.end]
                assert last_heading in holder.headings or f"{last_heading}\n\n" in holder.text
            at += len(block.text)


def test_the_real_tokenizer_is_kept_to(encoder: Encoder) -> None:
    texts = [
        "Arbeitslosenversicherungsbeitragsanpassungsverordnungen werden von den Beraterinnen jährlich erklärt. " * 4,
        "Οι σύμβουλοι επισκέπτονται τα χωριά κάθε εβδομάδα. Το λεωφορείο σταματά στην αγορά. " * 4,
        "https://pes.example.org/mobile-office/index.html?year=2023&village=graz#costs " * 4,
    ]
    blocks = [heading("Mobile office – 12,000 visits"), *(paragraph(text.strip()) for text in texts)]
    pages = build_pages(DOCUMENT, blocks)
    passages = build_passages(DOCUMENT, pages, encoder.token_starts, PassageConfig(max_tokens=40, min_tokens=10))
    assert all(len(encoder.token_starts(passage.text)) <= 40 for passage in passages)
    # Splitting is not thrifty without reason: together they need little more room than the text.
    assert len(passages) <= 1 + 1.5 * len(encoder.token_starts(pages[0][0].text)) / 40
    assert "".join("".join(passage.text.split()) for passage in passages) == "".join(pages[0][0].text.split())
