"""Questions are understood: their parts, what they go on from, what they ask of years, whether they say of which practice."""

import numpy as np
import pytest

from pes_search.index.encoders.base import Encoder
from pes_search.ingest.languages import EU_LANGUAGES, known_languages
from pes_search.ingest.taxonomy import Taxonomy
from pes_search.ingest.types import Document
from pes_search.service.answers.confidence import load_models
from pes_search.service.answers.practice_names import PracticeNames, names_of_documents
from pes_search.service.answers.questions import Understood, kind_of, named_strengths, parts_of, understood


@pytest.fixture(scope="module")
def names() -> PracticeNames:
    rollo = Document(id="at-rollo", title="Rollo – village bus", kind="practice", language="en", sha256="0", path="rollo.md")
    return names_of_documents([rollo], {"village": 20, "bus": 20})


def read(question: str, names: PracticeNames, encoder: Encoder, previous: str | None = None) -> Understood:
    return understood(question, previous, names, load_models().questions, encoder.encode_queries)


@pytest.mark.parametrize(
    ("question", "language", "parts"),
    [
        ("What does Rollo cost and who pays for it?", "en", ["What does Rollo cost?", "who pays for it?"]),
        ("Was kostet Rollo und wer zahlt?", "de", ["Was kostet Rollo?", "wer zahlt?"]),
        ("Quanto costa Rollo e quante persone ha raggiunto?", "it", ["Quanto costa Rollo?", "quante persone ha raggiunto?"]),
        ("Who runs and finances Rollo?", "en", ["Who runs and finances Rollo?"]),
        ("training and counselling for young people", "en", ["training and counselling for young people"]),
    ],
)
def test_two_questions_in_one_are_parted(question: str, language: str, parts: list[str]) -> None:
    assert parts_of(question, language) == parts


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who runs the bus?", "who"),
        ("Who pays for the bus?", "who_pays"),
        ("Skąd są pieniądze na autobus?", "who_pays"),
        ("Wie lange dauert die Fahrt?", "how_long"),
        ("Pourquoi ce bus existe-t-il ?", "why"),
        ("Wie viel kostet der Bus?", "how_much"),
        ("¿Cuántas personas viajan en autobús?", "how_many"),
        ("Depuis quand ce bus circule-t-il ?", "when"),
        ("Jakie kraje mają autobusy?", "which_countries"),
        ("Is there an evaluation of buses?", "evidence"),
        ("village bus", "keywords"),
    ],
)
def test_the_kind_of_a_question(question: str, kind: str, names: PracticeNames, encoder: Encoder) -> None:
    assert read(question, names, encoder).kind.name == kind


@pytest.mark.parametrize(
    ("question", "is_vague"),
    [
        ("What does it cost?", True),
        ("Wer ist dafür zuständig?", True),
        ("¿Cuántas personas encontraron trabajo?", True),
        ("What does Rollo cost?", False),
        ("What do mobile job centres in villages cost?", False),
    ],
)
def test_a_question_that_names_nothing_is_vague(question: str, is_vague: bool, names: PracticeNames, encoder: Encoder) -> None:
    assert read(question, names, encoder).is_vague == is_vague


def test_a_question_goes_on_from_the_one_before(names: PracticeNames, encoder: Encoder) -> None:
    assert read("and in Poland?", names, encoder).is_open
    joined = read("and in Poland?", names, encoder, "Which countries have mobile offices?")
    assert (joined.is_open, joined.shown, joined.countries) == (
        False,
        "Which countries have mobile offices – and in Poland?",
        frozenset({"PL"}),
    )
    assert read("und wer zahlt?", names, encoder, "Was ist Rollo?").named == ("at-rollo",)
    assert read("Who runs Rollo?", names, encoder, "Which countries have mobile offices?").shown is None


@pytest.mark.parametrize(
    ("question", "relation", "year", "of_end"),
    [
        ("Which projects ended before 2020?", "before", 2020, True),
        ("which practices started in 2022", "in", 2022, False),
        ("quali progetti sono finiti prima del 2020?", "before", 2020, True),
        ("Welche Projekte haben nach 2021 begonnen?", "after", 2021, False),
    ],
)
def test_what_is_asked_of_years(
    question: str, relation: str, year: int, of_end: bool, names: PracticeNames, encoder: Encoder
) -> None:
    condition = read(question, names, encoder).condition
    assert condition is not None
    assert (condition.relation, condition.year, condition.of_end) == (relation, year, of_end)


def test_the_name_of_the_field_does_not_steer(names: PracticeNames, encoder: Encoder) -> None:
    asked = read("How do PES deal with mass layoffs?", names, encoder)
    assert (asked.searched, asked.text) == ("How do deal with mass layoffs?", "How do PES deal with mass layoffs?")


def test_what_is_asked_of_a_practice_is_read_without_its_name(names: PracticeNames, encoder: Encoder) -> None:
    part = read("Who pays for Rollo?", names, encoder).parts[0]
    assert part.detail @ encoder.encode_queries(["Who pays for ?"])[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("question", "language", "strengths"),
    [
        ("Is there an evaluation with a control group?", "en", {"control-group"}),
        ("Y a-t-il une évaluation avec groupe de contrôle ?", "fr", {"control-group"}),
        ("Gibt es eine RCT?", "de", {"randomised-trial"}),
        ("Who controls the group?", "en", set()),
    ],
)
def test_a_strength_of_evidence_is_named(question: str, language: str, strengths: set[str]) -> None:
    terms = {"control-group": {"en": ["control group"], "fr": ["groupe de contrôle"]}, "randomised-trial": {"en": ["RCT"]}}
    rows = [{"id": strength, "terms": labels} for strength, labels in terms.items()]
    assert named_strengths(question, language, Taxonomy.from_values({"evidence-strengths": rows})) == strengths


@pytest.mark.parametrize("code", EU_LANGUAGES)
def test_a_suggested_question_is_told_as_its_kind(code: str) -> None:
    suggested = known_languages()[code].suggested_questions
    told = {
        kind: kind_of(wording.format(name="Rollo"), code, load_models().questions, np.zeros(384))[0].name
        for kind, wording in suggested.items()
    }
    assert told == {kind: kind for kind in suggested}
    assert len(suggested) == 10
