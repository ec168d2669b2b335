"""A sentence is held against what it cites: ids, numbers, names, words or meaning."""

import pytest

from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex
from pes_search.index.types import Hit, Scores
from pes_search.service.answers.support import SupportCheck


def hits_of(index: OpenIndex, document_id: str) -> list[Hit]:
    text = index.text(document_id)
    return [Hit(1, 1.0, Scores(dense=0.9, topic=0.9), passage, text.document) for passage in text.passages]


@pytest.fixture(scope="module")
def check(encoder: Encoder, corpus_index: OpenIndex) -> SupportCheck:
    return SupportCheck(encoder, corpus_index)


@pytest.fixture(scope="module")
def cited(corpus_index: OpenIndex) -> list[Hit]:
    """The passages of the Croatian vouchers' write-up."""
    return hits_of(corpus_index, "hr-vouchers")


@pytest.mark.parametrize(
    "text",
    [
        "The Croatian Employment Service (HZZ) gives vouchers for adult education in green and digital skills.",
        "A learner applies for a voucher online.",
        "The figures for the adult-education vouchers are dated 12/2024: 18,693 completed.",
        "The Recovery and Resilience Facility (RRF) pays for the vouchers.",
        "Satisfaction with the vouchers was 92 %.",
    ],
)
def test_what_the_passages_say_is_supported(check: SupportCheck, cited: list[Hit], text: str) -> None:
    citations = check.citations(text, "en", cited)
    assert citations
    assert all(0 < citation.support <= 1 for citation in citations)
    assert all(citation.quote in citation.passage.text for citation in citations)


@pytest.mark.parametrize(
    "text",
    [
        "Satisfaction with the vouchers was 97 %.",  # another number
        "The Recovery and Resilience Facility (RRF) paid for the vouchers in 2019.",  # another year
        "The Slovenian Employment Service (ZRSZ) gives vouchers for adult education.",  # another name
        "The European Social Fund pays for the vouchers.",  # another payer
        "The Recovery and Resilience Facility (RRF) does not pay for the vouchers.",  # the opposite
        "A learner never applies for a voucher online.",
        "The vouchers are popular with trade unions and have changed many lives for the better.",  # invented
        "Participants receive a laptop and free childcare during the course.",
        "Of the voucher users, 7 % were employed, 75 % were NEET and 2 % were long-term unemployed.",  # figures swapped
        "Of the voucher users, 7.5 % were employed.",
        "The training provider pays the scheme.",  # roles swapped
        "A voucher applies for a learner online.",
        "The figures are dated 12/2024: 29,317 completed.",
        "EUR 28.2 bn, with an average of EUR 987.",
        "The voucher scheme has a quota goal of 40 % vulnerable people and failed it.",
        "Slovenia gives vouchers for adult education in green and digital skills.",
        "The Recovery and Resilience Facility does (not) pay for the vouchers.",
        "The Recovery and Resilience Facility stopped paying for the vouchers.",
        "The voucher scheme hardly has a quota goal of 40 % vulnerable people.",
        "Yes.",
        "",
        "[1]",
    ],
)
def test_what_they_do_not_say_is_not(check: SupportCheck, cited: list[Hit], text: str) -> None:
    assert check.citations(text, "en", cited) == ()


def test_without_a_cited_passage_nothing_is_supported(check: SupportCheck) -> None:
    assert check.citations("A learner applies for a voucher online.", "en", []) == ()


def test_another_passage_does_not_support(check: SupportCheck, corpus_index: OpenIndex) -> None:
    other = hits_of(corpus_index, "fi-ohjaamo")
    assert check.citations("A learner applies for a voucher online.", "en", other) == ()


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("de", "Die Lernenden beantragen den Gutschein online.", "Die Teilnehmenden bekommen einen Laptop geschenkt."),
        ("fr", "Les apprenants choisissent eux-mêmes le programme et l'école.", "Les chômeurs perdent leur allocation."),
        ("es", "El estudiante solicita el vale en línea.", "Los bonos se pagan con dinero de los sindicatos."),
    ],
)
def test_a_translation_is_supported_and_an_invention_is_not(
    check: SupportCheck, cited: list[Hit], language: str, right: str, wrong: str
) -> None:
    assert check.citations(wrong, language, cited) == ()
    scores = {
        text: max((citation.support for citation in check.citations(text, language, cited)), default=0.0)
        for text in (right, wrong)
    }
    assert scores[right] >= scores[wrong]


@pytest.mark.parametrize(
    "text",
    [
        "Die Gutscheine werden in Frankreich von der Arbeitsverwaltung vergeben.",
        "Die Zufriedenheit mit den Gutscheinen lag nicht bei 92 %.",
        "Niemand bezahlt die Gutscheine.",
    ],
)
def test_countries_and_negation_are_checked_in_another_language(check: SupportCheck, cited: list[Hit], text: str) -> None:
    assert check.citations(text, "de", cited) == ()


def test_a_number_is_checked_in_any_language(check: SupportCheck, cited: list[Hit]) -> None:
    assert check.citations("Die Zufriedenheit mit den Gutscheinen lag bei 97 %.", "de", cited) == ()
