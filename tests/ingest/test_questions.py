"""Questions that documents answer, from a folder, beside a file, in front matter; what is wrong is named."""

from pathlib import Path

import pytest

from pes_search.ingest.collection import Collection, find_sources
from pes_search.ingest.questions import QuestionFileError, checked_questions, read_questions
from pes_search.ingest.types import Unread

TEXT = "---\ntitle: Village bus\n{more}---\n\nA bus brings advisers to villages, so that nobody has to travel to town.\n"


def collected(folder: Path) -> tuple[dict[str, tuple[tuple[str, str], ...]], list[Unread]]:
    with Collection(find_sources([str(folder)]), lambda *_: None) as collection:
        return {document.id: document.questions for document, _ in collection.documents()}, collection.report.unread


def test_questions_come_from_all_three_places(tmp_path: Path) -> None:
    (tmp_path / "questions").mkdir()
    (tmp_path / "bus.md").write_text(TEXT.format(more='questions:\n  en: ["who drives the bus?"]\n'))
    (tmp_path / "bus.md.questions.yaml").write_text('de: ["Wer fährt?", "Wer  fährt?"]\n')
    (tmp_path / "questions" / "bus.yaml").write_text('en: ["who drives the bus?", "is there a bus?"]\n')
    questions, unread = collected(tmp_path)
    (found,) = questions.values()
    assert found == (("en", "who drives the bus?"), ("en", "is there a bus?"), ("de", "Wer fährt?"))
    assert unread == []
    assert [file.path for file in find_sources([str(tmp_path)]).skipped] == []


def test_what_is_wrong_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "questions").mkdir()
    (tmp_path / "bus.md").write_text(TEXT.format(more=""))
    (tmp_path / "questions" / "bus.yaml").write_text("en: what\n")
    (tmp_path / "questions" / "train.yaml").write_text("en: [what]\n")
    questions, unread = collected(tmp_path)
    assert list(questions.values()) == [()]
    reasons = {file.path: file.reason for file in unread}
    assert reasons[f"{tmp_path.name}/questions/bus.yaml"].startswith("en: write questions by language")
    assert reasons[f"{tmp_path.name}/questions/train.yaml"] == "its questions are of no document that was read"


def test_a_change_of_the_questions_is_a_change_of_the_collection(tmp_path: Path) -> None:
    (tmp_path / "bus.md").write_text(TEXT.format(more=""))
    before = find_sources([str(tmp_path)]).content_hash()
    (tmp_path / "bus.md.questions.yaml").write_text("en: [who]\n")
    assert find_sources([str(tmp_path)]).content_hash() != before


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("en: [1]", "write questions by language"),
        ("- a", "write questions by language"),
        ("en: [", "no YAML"),
        ("en: [" + "x" * 501 + "]", "501 characters"),
        ("en: [" + ", ".join(f"q{number}" for number in range(1001)) + "]", "1001 questions"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: str, what: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(QuestionFileError, match=what):
        read_questions(tmp_path / "a.yaml")


def test_nothing_is_no_question() -> None:
    assert checked_questions(None) == []
    assert checked_questions({"en": [" ", "a  b"]}) == [("en", "a b")]
