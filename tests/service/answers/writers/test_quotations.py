"""Which sentences are quoted: the best, without repetition, of several documents if asked for, disagreeing figures too."""

import numpy as np
import pytest

from pes_search.index.types import Hit, Scores
from pes_search.ingest.types import Document, Passage
from pes_search.service.answers.sentences import ScoredSentence, list_around, numbers, quoted_span
from pes_search.service.answers.writers.quotations import chosen, sentence_of


def hit(document: str, text: str) -> Hit:
    passage = Passage(f"{document}~0-{len(text)}", document, None, 0, len(text), (), "en", text)
    return Hit(1, 1.0, Scores(dense=0.9, topic=0.9), passage, Document(document, document, "practice", "en", "", ""))


def scored(
    document: str, sentence: str, score: float, direction: int, text: str | None = None, behind: float = 0.0
) -> ScoredSentence:
    """A sentence whose vector points its own way, so that only equal directions mean the same."""
    vector = np.zeros(8, np.float32)
    vector[direction] = 1.0
    best = hit(document, text or sentence)
    start = best.passage.text.index(sentence)
    return ScoredSentence(best, start, start + len(sentence), vector, score, 0.0, behind, score, np.zeros(0, np.float32))


def texts(sentences: list[ScoredSentence]) -> list[str]:
    return [sentence.text for sentence in sentences]


A = scored("a", "A woman found work.", 0.9, 0)
A_AGAIN = scored("b", "One woman got work.", 0.8, 0)
B = scored("b", "The ESF pays.", 0.7, 1)
C = scored("b", "It began long ago.", 0.6, 2)
D = scored("c", "It goes on.", 0.5, 3)


def test_the_best_sentences_and_a_document_that_has_spoken_waits() -> None:
    assert texts(chosen([A, B, C, D], several=False, most=3)) == [A.text, B.text, D.text]
    better = scored("b", "It began long ago.", 1.3, 2)
    assert texts(chosen([better, B, D], several=False, most=3)) == [better.text, D.text, B.text]


def test_what_repeats_a_chosen_sentence_is_left_out() -> None:
    assert texts(chosen([A, A_AGAIN, B], several=False, most=3)) == [A.text, B.text]


def test_asked_for_several_each_document_speaks_once() -> None:
    assert texts(chosen([A, B, C, D], several=True, most=3)) == [A.text, B.text, D.text]


def test_a_document_far_behind_does_not_speak() -> None:
    far = scored("d", "It is far away.", 0.95, 4, behind=0.09)
    assert texts(chosen([far, A, B, D], several=True, most=5)) == [A.text, B.text, D.text]


def test_a_sentence_far_below_the_best_is_left_out_after_three() -> None:
    far = scored("e", "It is far away.", -3.2, 4)
    assert texts(chosen([A, B, D, far], several=False, most=5)) == [A.text, B.text, D.text]
    assert texts(chosen([A, B, far], several=False, most=5)) == [A.text, B.text, far.text]


def test_where_few_documents_are_near_they_speak_again() -> None:
    far = scored("c", "It goes on.", 0.2, 3, behind=0.06)
    assert texts(chosen([A, B, C, far], several=True, most=5)) == [A.text, B.text, far.text]
    assert texts(chosen([A, B, C], several=True, most=5)) == [A.text, B.text, C.text]


def test_another_figure_for_the_same_thing_is_no_repetition() -> None:
    first = scored("a", "It has 99 centres (2023).", 0.9, 0)
    second = scored("b", "It has 144 centres (2025).", 0.8, 0)
    assert texts(chosen([first, second], several=False, most=3)) == [first.text, second.text]


def test_figures_that_disagree_come_right_after_each_other() -> None:
    first = scored("a", "It has 99 centres (2023).", 0.9, 0)
    second = scored("b", "It has 144 centres (2025).", 0.1, 0)
    assert texts(chosen([first, B, D, second], several=False, most=3)) == [first.text, second.text, D.text]
    assert texts(chosen([first, B, D, second], several=False, most=1)) == [first.text]


LIST = "The figures are of several years:\n\n3,300 women (2016)\n5,000 women (2019)\n\nThey were counted by the city."


WHOLE = "The figures are of several years:\n\n3,300 women (2016)\n5,000 women (2019)"


@pytest.mark.parametrize("sentence", ["3,300 women (2016)", "5,000 women (2019)", "The figures are of several years:"])
def test_a_short_list_is_quoted_whole_with_the_line_above_it(sentence: str) -> None:
    quoted = sentence_of(scored("a", sentence, 0.9, 0, LIST))
    assert quoted.text == WHOLE
    (citation,) = quoted.citations
    assert citation.passage.text[citation.start : citation.end] == citation.quote == WHOLE


def test_a_list_is_quoted_once() -> None:
    first, second = scored("a", "3,300 women (2016)", 0.9, 0, LIST), scored("a", "5,000 women (2019)", 0.8, 1, LIST)
    assert texts(chosen([first, second, D], several=False, most=5)) == [first.text, D.text]


def test_of_a_long_list_the_item_is_quoted() -> None:
    text = "All of them:\n\n" + "\n".join(f"item number {number} of the list" for number in range(30))
    start = text.index("item number 7 ")
    assert quoted_span(text, start, start + 25) == (start, start + 25)


def test_only_a_line_before_a_colon_introduces() -> None:
    assert list_around(LIST, LIST.index("They were")) is None
    assert list_around("One.\n\nTwo.", 6) is None
    assert list_around("A list:\nitem", 8) is None  # without a blank line it is one block with what follows


def test_numbers_are_compared_by_their_digits() -> None:
    assert numbers("29,317 of 29.317 and 40 %") == {"29317", "40"}


TWO = "The bus began in 2009. It costs nothing."


def test_what_it_points_at_is_quoted_along_and_not_twice() -> None:
    first, second = scored("a", "The bus began in 2009.", 0.9, 0, TWO), scored("a", "It costs nothing.", 0.8, 1, TWO)
    assert sentence_of(second).text == TWO
    picked = chosen([first, second], several=False, most=3)
    assert texts(picked) == [first.text, second.text]
    assert sentence_of(picked[1], picked[:1]).text == "It costs nothing."
    # The other way round the first sentence is quoted with the second already.
    better = scored("a", "It costs nothing.", 1.9, 1, TWO)
    assert texts(chosen([better, first], several=False, most=3)) == ["It costs nothing."]
