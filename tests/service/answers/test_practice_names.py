"""Names bind; words that anybody uses do not."""

import pytest

from pes_search.ingest.types import Document
from pes_search.service.answers.practice_names import PracticeNames, names_of_documents


def document(name: str, title: str, native_title: str | None = None, kind: str = "practice") -> Document:
    return Document(id=name, title=title, kind=kind, language="en", sha256="0", path=f"{name}.md", native_title=native_title)


@pytest.fixture(scope="module")
def names() -> PracticeNames:
    documents = [
        document("at-rollo", "Rollo – the bus of the villages"),
        document("de-wieder", "Back to work (Wieder im Beruf)", "Wieder im Beruf"),
        document("es-mover", "Mover – help with moving"),
        document("fr-tbx", "Territories without benches"),
        document("se-career", "Career advice"),
        document("ie-one", "Bridge to jobs"),
        document("ie-two", "Bridge to jobs"),
        document("news-1", "Rolling News", kind="news"),
    ]
    return names_of_documents(documents, {"career": 40, "advice": 30, "jobs": 50, "to": 99, "the": 99, "of": 99, "bus": 2})


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("What does Rollo cost?", "en", ["at-rollo"]),
        ("rollo costs per head", "en", ["at-rollo"]),
        ("Wer zahlt für Wieder im Beruf?", "de", ["de-wieder"]),
        ("Compare Mover with Rollo", "en", ["es-mover", "at-rollo"]),
        ("TBX: how many?", "en", ["fr-tbx"]),
        ("How does Career Advice work?", "en", ["se-career"]),
        ("how does career advice work?", "en", []),
        ("¿Cómo ayudar a mover a la gente?", "es", []),
        ("Who runs Bridge to jobs?", "en", []),
        ("What do the Rolling News say?", "en", []),
        ("Who helps villages?", "en", []),
        ("montako Rollossa on", "fi", ["at-rollo"]),
        ("Mennyibe kerül a Rollónak?", "hu", ["at-rollo"]),
        ("Who helps with moverisation?", "en", []),
    ],
)
def test_a_question_names_documents(names: PracticeNames, question: str, language: str, expected: list[str]) -> None:
    assert names.named_in(question, language) == expected


def test_a_name_is_where_it_was_typed(names: PracticeNames) -> None:
    question = "Wie lange läuft ROLLO schon?"
    ((start, end),) = names.places(question, "de").values()
    assert question[start:end] == "ROLLO"
