"""What a change must not break: the development questions, on the index of `corpus/`, against the committed baseline."""

from collections.abc import Mapping

import pytest

from pes_search.eval.collections.files import Run, read_run
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_judgments, read_questions
from pes_search.eval.measures import MAIN, answerable, by_group, estimate, measure
from pes_search.eval.retrieval import Retriever, runs
from pes_search.eval.significance import compare
from pes_search.index.config import SearchConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex

BASELINE = PROJECT_QUESTIONS.with_name("results") / "baseline.run"
PLACES = 3  # among which a document that must appear has to be
TOLERANCE = 0.01  # of nDCG@10: what a change may cost at worst (lower bound of the difference's interval)
NOISE = 0.02  # of nDCG@10: some sixteen questions a language

Rankings = tuple[list[Question], dict[str, dict[str, int]], dict[Retriever, Run]]


@pytest.fixture(scope="module")
def rankings(corpus_index: OpenIndex, encoder: Encoder) -> Rankings:
    """The answerable development questions, their judgments, and each retriever's rankings."""
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl", "dev")
    qrels = read_judgments(PROJECT_QUESTIONS / "qrels.tsv", questions)
    query_ids = set(answerable(qrels))
    judged = [question for question in questions if question.id in query_ids]
    return judged, qrels, runs(judged, corpus_index, encoder, SearchConfig())


def ndcg(rankings: Rankings, run: Run) -> dict[str, float]:
    questions, qrels, _ = rankings
    return measure(run, qrels, [question.id for question in questions])[MAIN]


def test_documents_that_must_appear_do(rankings: Rankings) -> None:
    _, _, by_retriever = rankings
    pairs = [line.split("\t") for line in (PROJECT_QUESTIONS / "must_appear.tsv").read_text("utf-8").splitlines()]
    assert len(pairs) > 100
    lost = [f"{query} {document}" for query, document in pairs if document not in list(by_retriever["hybrid"][query])[:PLACES]]
    assert not lost


def test_the_hybrid_is_not_worse_than_the_baseline(rankings: Rankings) -> None:
    before, now = ndcg(rankings, read_run(BASELINE)), ndcg(rankings, rankings[2]["hybrid"])
    (difference,) = compare(list(before.values()), [[now[query] for query in before]])
    assert difference.difference.low >= -TOLERANCE, difference


def test_the_hybrid_is_not_below_its_better_retriever_in_any_language(
    rankings: Rankings, capsys: pytest.CaptureFixture[str]
) -> None:
    questions, _, by_retriever = rankings
    languages = {question.id: question.language for question in questions if question.text}
    means: dict[Retriever, Mapping[str, float]] = {
        retriever: {language: estimate(values).value for language, values in by_group(ndcg(rankings, run), languages).items()}
        for retriever, run in by_retriever.items()
    }
    worst = min(means["hybrid"], key=lambda language: means["hybrid"][language])
    with capsys.disabled():
        print(f"\nworst language of the development questions: {worst} {means['hybrid'][worst]:.3f}")
    below = {
        language: (value, means["bm25"][language], means["dense"][language])
        for language, value in means["hybrid"].items()
        if value < max(means["bm25"][language], means["dense"][language]) - NOISE
    }
    assert not below


def test_every_language_of_the_union_is_asked(rankings: Rankings) -> None:
    assert len({question.language for question in rankings[0] if question.language}) == 24


def test_the_splits_share_no_need() -> None:
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl")
    dev, test = ({question.need for question in questions if question.split == split} for split in ("dev", "test"))
    assert not dev & test
    assert len({question.need for question in questions}) >= 250
    assert sum(question.slice == "unanswerable" for question in questions) >= 60
