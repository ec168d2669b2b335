"""What no field states, from the sentences that say so: each rule by what it infers and by what it must not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pes_search.index.inferred import Inferrer, Told
from pes_search.ingest.documents import read_document
from pes_search.ingest.passages import is_imagined, sentence_spans
from pes_search.ingest.sources import find_files
from pes_search.ingest.taxonomy import NO_TAXONOMY, read_taxonomy
from pes_search.ingest.types import Document, InferredValue

LISTS = read_taxonomy(Path("corpus/taxonomy"))
INFERRER = Inferrer(LISTS)


def document(language: str = "en", kind: str = "practice", title: str = "A", **stated: object) -> Document:
    return replace(Document("a", title, kind, language, "0", "a.md"), **stated)  # type: ignore[arg-type]


def complete(of: Document, *sentences: str, first: Sequence[str] = ()) -> Document:
    told = [Told(text, "a~0-1", is_first=True) for text in first]
    return INFERRER.complete(of, [*told, *(Told(text, "a~1-2", is_first=False) for text in sentences)])


# ── Countries ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_only_country_that_a_text_begins_with_is_its_country() -> None:
    found = complete(document(), first=["The scheme began in Austria."])
    assert found.countries == ("AT",)
    assert found.inferred == (InferredValue("countries", "AT", 0.95, "The scheme began in Austria.", "a~0-1"),)


def test_a_country_that_a_text_comes_back_to_is_its_country() -> None:
    assert complete(document(), "Estonian employers pay.", "It runs across Estonia.").countries == ("EE",)
    assert complete(document(), "It runs across Estonia.").countries == ()


def test_a_country_is_told_by_an_organisation_of_the_list() -> None:
    assert complete(document(), first=["VDAB and Le Forem run it together."]).countries == ("BE",)


@pytest.mark.parametrize(
    ("language", "sentence", "country"),
    [
        ("de", "In Österreich gibt es das seit 2009.", "AT"),
        ("fr", "La mesure existe en Belgique.", "BE"),
        ("pl", "W 2020 r. Polska zmieniła ustawę.", "PL"),
        ("sv", "I Finland finns det sedan 2011.", "FI"),
        ("en", "The Dutch service started it.", "NL"),
    ],
)
def test_countries_are_known_in_the_language_of_the_text(language: str, sentence: str, country: str) -> None:
    assert complete(document(language), first=[sentence]).countries == (country,)


@pytest.mark.parametrize(
    "sentence",
    [
        "Unlike in Denmark, employers pay nothing.",
        "Some countries pay more, for example Denmark.",
        "The idea was inspired by Denmark.",
        "Refugees from Ukraine learn the language.",
        "People fleeing Ukraine may work at once.",
        "There is no such thing in Denmark.",
        "The European Union pays half of it.",
    ],
)
def test_a_country_that_the_text_is_not_about_is_not_inferred(sentence: str) -> None:
    assert complete(document(), first=[sentence]).countries == ()


def test_a_news_item_about_five_countries_has_none() -> None:
    sentences = [f"{name} has a new scheme." for name in ("Austria", "Belgium", "Spain", "Finland", "Malta")]
    assert complete(document(kind="news"), first=sentences).countries == ()


def test_what_is_stated_stays() -> None:
    stated = document(
        countries=("DE",), organisation="BA", target_groups=("women",), measure_types=("coaching",), evidence="survey"
    )
    told = ["The Austrian AMS runs it for jobseekers.", "A control group was drawn."]
    assert complete(stated, first=told) == stated


def test_nothing_is_inferred_without_lists() -> None:
    assert Inferrer(NO_TAXONOMY).complete(document(), [Told("It runs in Austria.", "a~0-1", is_first=True)]) == document()


# ── Organisations ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_organisation_is_inferred_where_a_sentence_says_that_it_runs_something() -> None:
    found = complete(document(), first=["The scheme is old.", "It is run by Töötukassa."])
    assert found.organisation == "Töötukassa"
    (value,) = found.inferred_in("organisation")
    assert value.sentence == "It is run by Töötukassa."


@pytest.mark.parametrize(
    "sentences",
    [
        ["Töötukassa was founded in 2001."],  # it runs nothing
        ["It is run by Töötukassa and VDAB."],  # which of the two
        ["It is not run by Töötukassa."],
        ["It is run by the people of Narva."],  # no name of the list
    ],
)
def test_an_organisation_is_not_guessed(sentences: list[str]) -> None:
    assert complete(document(), first=sentences).organisation is None


def test_reports_have_no_organisation_that_runs_them() -> None:
    assert complete(document(kind="report"), first=["It is run by Töötukassa."]).organisation is None


# ── Target groups and measures ──────────────────────────────────────────────────────────────────────────────────────


def test_what_a_title_names_is_inferred() -> None:
    found = complete(document(title="Job coaching for refugees"))
    assert found.target_groups == ("refugees",)
    assert found.measure_types == ("job-coaching",)
    assert [(value.sentence, value.passage_id) for value in found.inferred] == [("Job coaching for refugees", None)] * 2


def test_whom_a_text_aims_at_and_comes_back_to_is_its_target_group() -> None:
    sentences = ["The scheme is aimed at young people.", "Young people get a voucher.", "Of the young people half stayed."]
    assert complete(document(), *sentences).target_groups == ("young-people",)
    assert complete(document(), *sentences[:2]).target_groups == ()
    assert complete(document(), "Young people came.", *sentences[1:]).target_groups == ()


def test_a_group_is_found_in_another_language() -> None:
    sentences = ["Das Angebot richtet sich an Arbeitsuchende.", "Arbeitsuchende lernen dort.", "Viele Arbeitsuchende bleiben."]
    assert complete(document("de"), *sentences).target_groups == ("jobseekers",)


def test_a_denied_group_is_none() -> None:
    denied = ["It is not open to older workers.", "No support is aimed at older workers.", "Older workers cannot take part."]
    assert complete(document(), *denied).target_groups == ()
    assert complete(document(title="Not for older workers")).target_groups == ()


def test_of_a_group_and_one_that_includes_it_the_narrower_stays() -> None:
    found = complete(document(title="Jobseekers and long-term unemployed people: what helps"))
    assert found.target_groups == ("long-term-unemployed",)


def test_a_measure_that_many_sentences_name_is_inferred_but_not_for_a_report() -> None:
    sentences = ["Mentoring lasts a year.", "Mentoring is free.", "It is about mentoring.", "Rooms are provided."]
    assert complete(document(), *sentences).measure_types == ("mentoring",)
    assert complete(document(), *sentences[1:], *["Another matter."] * 4).measure_types == ()
    assert complete(document(kind="report"), *sentences).measure_types == ()


# ── Evidence ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sentence", "language", "strength"),
    [
        ("Participants were compared with a control group.", "en", "control-group"),
        ("Eine Kontrollgruppe gab es auch.", "de", "control-group"),
        ("Les bénéficiaires ont été tirés au sort.", "fr", "randomised-trial"),
        ("In total 4,000 jobseekers took part.", "en", "monitoring-figures"),
        ("There was no control group.", "en", None),
        ("The model is a random forest.", "en", None),
        ("It began in 2009.", "en", None),
    ],
)
def test_evidence_is_inferred_from_what_sentences_say(sentence: str, language: str, strength: str | None) -> None:
    found = complete(document(language), sentence)
    assert found.evidence == strength
    assert found.saying_evidence == (sentence if strength else None)


def test_the_strongest_counts_and_has_the_higher_confidence() -> None:
    named = complete(document(), "4,000 jobseekers took part.", "A control group was drawn.")
    counted = complete(document(), "4,000 jobseekers took part.")
    assert named.evidence == "control-group"
    assert named.inferred_in("evidence")[0].confidence > counted.inferred_in("evidence")[0].confidence > 0


def test_no_evidence_is_inferred_for_news() -> None:
    assert complete(document(kind="news"), "A control group was drawn.").evidence is None


# ── Our own practices ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_confidence_is_how_often_the_rules_are_right_on_our_own_practices() -> None:
    right: Counter[tuple[str, float]] = Counter()
    every: Counter[tuple[str, float]] = Counter()
    for file in find_files(["corpus/practices"]):
        read = read_document(file)
        told: list[Told] = []
        heading = ""
        for block in read.blocks:
            heading = block.text if block.kind == "heading" else heading
            if block.kind != "heading" and not is_imagined(heading):
                spans = sentence_spans(block.text, 0, len(block.text), "en")
                told += [Told(block.text[start:end], "a~0-1", is_first=heading == "In short") for start, end in spans]
        hidden = replace(
            read.document, countries=(), organisation=None, target_groups=(), measure_types=(), evidence=None,
            evidence_sentence=None,
        )  # fmt: skip
        for value in INFERRER.complete(hidden, told).inferred:
            every[value.field, value.confidence] += 1
            right[value.field, value.confidence] += _is_right(value, read.document)
    assert {field for field, _ in every} == {"countries", "organisation", "target_groups", "measure_types", "evidence"}
    for (field, confidence), count in every.items():
        assert right[field, confidence] >= confidence * count, (field, confidence, right[field, confidence], count)


def _is_right(value: InferredValue, labelled: Document) -> bool:
    if value.field == "organisation":
        meant = LISTS.names("organisations")[value.value.casefold()]
        names = [name for concept in meant for name in LISTS.lists["organisations"][concept].labels()]
        return any(name in str(labelled.organisation) for name in names)
    stated = getattr(labelled, value.field)
    list_name = {"target_groups": "target-groups", "measure_types": "measure-types"}.get(value.field, "")
    return value.value in LISTS.with_broader(list_name, stated if isinstance(stated, tuple) else (stated,)) or any(
        label in LISTS.with_broader(list_name, [value.value]) for label in (stated if isinstance(stated, tuple) else ())
    )
