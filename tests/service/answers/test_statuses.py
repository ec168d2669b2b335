"""Complete, partial, none, clarify, table: what an answer says of itself, on the whole collection."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pes_search.index.filters import EVERYTHING
from pes_search.ingest.passages import is_imagined
from pes_search.service.answers.sentences import POINTING_WORDS
from pes_search.service.answers.types import Answer
from pes_search.service.engine import Engine


@pytest.fixture(scope="module")
def ask(engine: Engine) -> Callable[..., Answer]:
    def run(question: str, previous: str | None = None) -> Answer:
        return engine.ask(engine.index(), question, k=5, filters=EVERYTHING, previous=previous)

    return run


def documents(answer: Answer) -> list[str]:
    return [sentence.citations[0].document.id for sentence in answer.sentences]


@pytest.mark.parametrize(
    "question", ["What does it cost?", "Wer ist dafür zuständig?", "¿Cuántas personas encontraron trabajo?"]
)
def test_a_question_that_does_not_say_which_gets_choices(ask: Callable[..., Answer], question: str) -> None:
    answer = ask(question)
    assert (answer.status, answer.refused, answer.sentences) == ("clarify", False, ())
    assert 2 <= len(answer.choices) <= 6
    assert len({document.id for document in answer.choices}) == len(answer.choices)


def test_a_country_alone_offers_its_practices(ask: Callable[..., Answer]) -> None:
    answer = ask("und in Polen?")
    assert answer.status == "clarify"
    assert {document.id for document in answer.choices} == {"pl-kfs", "pl-ohp"}


def test_a_question_goes_on_from_the_one_before(ask: Callable[..., Answer]) -> None:
    answer = ask("und wer zahlt?", "Was ist power_m?")
    assert answer.understood_as is not None
    assert "power_m" in answer.understood_as
    assert set(documents(answer)) == {"de-power-m"}


def test_years_give_a_table_in_their_order(ask: Callable[..., Answer]) -> None:
    answer = ask("Which projects ended before 2020?")
    assert answer.status == "table"
    years = [row.document.end_year for row in answer.table]
    assert years == sorted(year for year in years if year is not None and year < 2020)
    assert {"lt-discover-yourself", "pt-neet-strategy", "fi-koto-sib", "lu-skills-bridge"} == {
        row.document.id for row in answer.table
    }
    assert [row.citation.quote for row in answer.table] == [sentence.text for sentence in answer.sentences]


def test_a_name_binds(ask: Callable[..., Answer]) -> None:
    assert set(documents(ask("How many people did MAGMA employ?"))) == {"at-magma"}


def test_a_year_before_the_practice_began_is_refused_with_that_reason(ask: Callable[..., Answer]) -> None:
    answer = ask("How many women did power_m reach in 2003?")
    assert (answer.status, answer.reason) == ("none", "before_start")
    assert answer.about is not None
    assert (answer.about.id, answer.about.year) == ("de-power-m", 2009)


def test_both_parts_are_answered(ask: Callable[..., Answer]) -> None:
    answer = ask("Quanto costa GOL e quante persone ha raggiunto?")
    assert answer.status == "complete"
    assert [part.kind for part in answer.parts] == ["how_much", "how_many"]
    assert set(documents(answer)) == {"it-gol"}


@pytest.mark.parametrize(
    "question",
    [
        "How do I reach people who never come to the office?",
        "staff training",
        "Which countries have practices for people who leave prison?",
        "Wie erreicht man Frauen nach der Familienpause?",
        "What works for people with mental health problems?",
    ],
)
def test_nothing_imagined_is_quoted_and_no_sentence_hangs_in_the_air(
    ask: Callable[..., Answer], engine: Engine, question: str
) -> None:
    quoted = ""
    for sentence in ask(question).sentences:
        citation = sentence.citations[0]
        page = next(page for page in engine.index().text(citation.document.id).pages if page.number == citation.passage.page)
        above = [page.text[first:last] for first, last, _ in page.headings if last <= citation.passage.start + citation.start]
        assert not is_imagined(above[-1])
        before = citation.passage.text[: citation.start].rstrip(" ")
        is_alone = not before or before.endswith("\n") or quoted.endswith(before[-30:])
        assert is_alone or not POINTING_WORDS.match(citation.quote)
        quoted += citation.quote


def test_the_interfaces_say_the_status(client: TestClient, pes: Callable[..., Any], corpus_folder: Any) -> None:
    answer = client.post("/api/v1/ask", json={"question": "und in Polen?"}).json()
    assert (answer["status"], answer["refused"]) == ("clarify", False)
    assert {choice["id"] for choice in answer["choices"]} == {"pl-kfs", "pl-ohp"}
    answer = client.post("/api/v1/ask", json={"question": "und wer zahlt?", "previous": "Was ist power_m?"}).json()
    assert "power_m" in answer["understood_as"]
    page = client.get("/", params={"q": "What does it cost?"}, headers={"accept-language": "de"})
    assert "Welche Praxis meinen Sie?" in page.text
    run = pes("ask", "und wer zahlt?", "--previous", "Was ist power_m?", "--index", corpus_folder)
    assert run.out.startswith("understood as:")
    assert "Which practice do you mean?" in pes("ask", "What does it cost?", "--index", corpus_folder).out


@pytest.mark.parametrize(
    ("question", "about"),
    [("What did power_m cost in 2003?", "power_m"), ("Hat power_m schon 2003 Kurse gegeben?", "power_m")],
)
def test_a_refusal_suggests_questions_that_are_answered(ask: Callable[..., Answer], question: str, about: str) -> None:
    answer = ask(question)
    assert answer.refused
    assert 1 <= len(answer.suggested) <= 3
    for suggested in answer.suggested:
        assert about in suggested
        assert ask(suggested).status == "complete"


def test_what_is_personal_gets_no_suggestion(ask: Callable[..., Answer]) -> None:
    assert ask("Why was my own unemployment benefit stopped last month?").suggested == ()


@pytest.mark.parametrize(
    "question",
    ["Is there an evaluation with a control group?", "Existe-t-il une évaluation avec groupe de contrôle ?"],
)
def test_evidence_that_is_asked_for_by_its_strength_comes_from_all_that_have_it(
    ask: Callable[..., Answer], engine: Engine, question: str
) -> None:
    answer = ask(question)
    having = {
        document.id: document.evidence_sentence
        for document in engine.index().stored.documents(EVERYTHING)
        if document.evidence == "control-group"
    }
    assert not answer.refused
    assert set(documents(answer)) == set(having)


def test_a_name_binds_where_a_strength_of_evidence_is_named_too(ask: Callable[..., Answer]) -> None:
    assert set(documents(ask("Did power_m have a control group?"))) <= {"de-power-m"}


def test_a_fact_that_no_document_of_the_country_states_is_refused(ask: Callable[..., Answer]) -> None:
    assert ask("how much is unemployment benefit in Germany?").refused


def test_a_misspelled_question_is_put_right_where_it_finds_nothing(ask: Callable[..., Answer]) -> None:
    answer = ask("carreer brake wimen")
    assert (answer.refused, answer.understood_as) == (False, "career brake women")
    assert "de-power-m" in documents(answer)
    assert ask("women after a career break").understood_as is None
