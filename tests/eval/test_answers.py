"""Figures of answers and refusal, with expected values that can be checked by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pes_search.eval.answers import Outcome, auroc, figures, holds, refusal, risk_coverage, words
from pes_search.eval.cli import main
from pes_search.eval.collections.files import InputError
from pes_search.eval.collections.gold_answers import PROJECT_ANSWERS, Gold, read_answers, with_gold
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_questions
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex


def outcome(
    name: str,
    *,
    impossible: bool = False,
    refused: bool = False,
    confidence: float = 0.5,
    gold: bool = False,
    retrieved: bool = True,
) -> Outcome:
    return Outcome(
        question=Question(name, name), is_impossible=impossible, has_gold=not impossible, refused=refused, fell_back=False,
        confidence=confidence, gold_first=gold, gold_all=gold, gold_own_document=gold, retrieved=retrieved,
        words=10, sentences=2, rejected=0,
        citation_precision=1.0, citation_recall=1.0, search_ms=10.0, answer_ms=15.0,
    )  # fmt: skip


FOUR = [
    outcome("right", confidence=0.9, gold=True),
    outcome("wrong", confidence=0.8),
    outcome("lost", confidence=0.4, refused=True),
    outcome("silent", confidence=0.1, refused=True, impossible=True),
]


def test_shares_are_of_those_they_are_about() -> None:
    total = figures([*FOUR, outcome("missed", retrieved=False)])
    assert total.answered.value == pytest.approx(3 / 4)
    assert total.gold_first.value == pytest.approx(1 / 4)
    assert total.faults == {"retriever": 1, "refused": 1, "reader": 1}
    assert total.answer_by_search == 1.5


def test_a_refused_question_is_a_positive() -> None:
    refused = figures(FOUR).refusal
    assert refused is not None
    assert refused.precision.value == pytest.approx(1 / 2)
    assert refused.recall.value == 1.0
    assert refused.f1.value == pytest.approx(2 * (1 / 2) / (1 / 2 + 1))
    assert refused.auroc is not None
    assert refused.auroc.value == 1.0


def test_without_a_question_that_has_no_answer_there_is_no_refusal_to_measure() -> None:
    assert refusal([False, False], [True, False], [0.1, 0.9]) is None
    assert figures(FOUR[:3]).refusal is None


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([True, False]), np.array([1.0, 1.0])) == 0.5
    assert auroc(np.array([True, False, False]), np.array([2.0, 1.0, 3.0])) == 0.5


def test_risk_grows_as_less_sure_answers_are_let_in() -> None:
    assert risk_coverage(FOUR) == [(0.25, 0.0, 0.9), (0.5, 1 / 2, 0.8), (0.75, 2 / 3, 0.4), (1.0, 3 / 4, 0.1)]


def test_markup_and_case_do_not_count_and_words_are_whole() -> None:
    assert words("29,317 *Approved*\n") == "29 317 approved"
    assert holds(words("It has 29,317 approved."), words("29,317 Approved"))
    assert not holds(words("It has 1,300 participants."), words("art"))
    assert not holds("1300", "30")


def test_what_is_refused_is_not_quoted_but_its_risk_is_known() -> None:
    refused = [outcome("good", confidence=0.4, refused=True, gold=True), outcome("right", confidence=0.9, gold=True)]
    assert figures(refused).gold_all.value == 1 / 2
    assert figures(refused).faults == {"retriever": 0, "refused": 1, "reader": 0}
    assert [risk for _, risk, _ in risk_coverage(refused)] == [0.0, 0.0]


def test_the_answers_of_the_project_are_in_its_documents(corpus_index: OpenIndex) -> None:
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl")
    pairs = with_gold(questions, read_answers(PROJECT_ANSWERS), PROJECT_ANSWERS)
    texts = {
        document.id: words(" ".join(page.text for page in corpus_index.text(document.id).pages))
        for document in corpus_index.stored.documents(Filters())
    }
    lost = [
        (question.id, text)
        for question, gold in pairs
        for text, document_id in gold.texts
        if not holds(texts[document_id], words(text))
    ]
    assert lost == []
    assert {question.id for question, _ in pairs} == {question.id for question in questions if question.text}


def test_impossible_questions_are_those_without_judgment() -> None:
    pairs = with_gold(read_questions(PROJECT_QUESTIONS / "questions.jsonl"), read_answers(PROJECT_ANSWERS), PROJECT_ANSWERS)
    assert all((question.slice == "unanswerable") == gold.is_impossible for question, gold in pairs)


@pytest.mark.parametrize("name", ["training_refusal", "training_answerable", "training_several"])
def test_no_training_question_is_a_test_question(name: str) -> None:
    test = {words(question.text) for question in read_questions(PROJECT_QUESTIONS / "questions.jsonl", "test")}
    training = [json.loads(line)["text"] for line in (PROJECT_QUESTIONS / f"{name}.jsonl").read_text("utf-8").splitlines()]
    assert [text for text in training if words(text) in test and words(text)] == []


@pytest.mark.parametrize(
    "line", ['{"_id": "q", "answers": "x"}', '{"_id": "q", "answers": [{"start": 3}]}', '{"answers": []}', "[]", "no"]
)
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"_id": "p", "answers": []}\n' + line, encoding="utf-8")
    with pytest.raises(InputError, match=r"answers\.jsonl:2"):
        read_answers(path)


def test_answers_belong_to_a_question_or_to_its_need(tmp_path: Path) -> None:
    gold = Gold(False, (("x", ""),))
    pairs = with_gold([Question("q-de", "Was?", need="q"), Question("r", "Wer?")], {"q": gold}, tmp_path)
    assert pairs == [(Question("q-de", "Was?", need="q"), gold)]
    with pytest.raises(InputError, match="--answers"):
        with_gold([Question("r", "Wer?")], {"q": gold}, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three paragraphs with two questions that they answer and one that they do not."""

    def write(name: str, rows: list[dict[str, object]]) -> None:
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write(
        "corpus.jsonl",
        [
            {"_id": "0", "title": "Bread", "text": "Rye bread is baked in Oulu. It keeps for nine days. Bakers start at four."},
            {"_id": "1", "title": "Boats", "text": "The ferry to Hiiumaa takes ninety minutes. It sails all year."},
            {"_id": "2", "title": "Bees", "text": "A hive holds some forty thousand bees. Honey is taken in July."},
        ],
    )
    write(
        "queries.jsonl",
        [
            {"_id": "a", "text": "How long does rye bread keep?"},
            {"_id": "b", "text": "Wie lange dauert die Fähre nach Hiiumaa?"},
            {"_id": "c", "text": "Who painted the ceiling of the Sistine Chapel?"},
        ],
    )
    write(
        "answers.jsonl",
        [
            {"_id": "a", "doc": "0", "is_impossible": False, "answers": [{"text": "nine days", "start": 39}]},
            {"_id": "b", "doc": "1", "is_impossible": False, "answers": [{"text": "ninety minutes", "start": 27}]},
            {"_id": "c", "doc": "2", "is_impossible": True, "answers": []},
        ],
    )
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\na\t0\t1\nb\t1\t1\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def evaluate(tmp_path: Path, encoder: Encoder, cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("PES_CACHE_DIR", str(cache_dir))
    monkeypatch.setenv("PES_ANSWER__THRESHOLD", "0")
    for module in ("eval.reports.answer_report", "service.engine"):
        monkeypatch.setattr(f"pes_search.{module}.load_encoder", lambda config, folder: encoder)
    return lambda *arguments: main([str(argument) for argument in arguments])


def test_a_folder_is_measured(folder: Path, evaluate: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    status = evaluate("answers", folder, "--json", folder / "out.json", "--plot", folder / "out.svg")
    out = capsys.readouterr().out
    assert status == 0
    figures = json.loads((folder / "out.json").read_text("utf-8"))
    assert figures["questions"] == 3
    assert figures["gold_first"]["value"] == 1.0
    assert figures["gold_own_document"]["value"] == 1.0
    assert figures["refusal"]["impossible"] == figures["given_paragraph"]["impossible"] == 1
    assert set(figures["per_question"]) == {"a", "b", "c"}
    assert "given its paragraph alone" in out
    assert b"<svg" in (folder / "out.svg").read_bytes()


def test_questions_may_be_in_another_language(folder: Path, evaluate: Callable[..., int]) -> None:
    other = folder / "german.jsonl"
    other.write_text('{"_id": "a", "text": "Wie lange hält sich Roggenbrot?"}\n', encoding="utf-8")
    assert evaluate("answers", folder, "--queries", other, "--json", folder / "out.json") == 0
    assert json.loads((folder / "out.json").read_text("utf-8"))["questions"] == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--split", "dev"], "--split"),
        (["--answers", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--writer", "llm"], "base_url"),
        (["--plot", "risk.txt"], ".svg"),
    ],
)
def test_arguments_that_do_not_fit(
    folder: Path, evaluate: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    assert evaluate("answers", folder, *arguments) == 1
    assert word in capsys.readouterr().err
