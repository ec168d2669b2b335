"""What a change must not break: the development questions, on the index of `corpus/`, against the committed baseline."""

from collections.abc import Mapping

import pytest

from pes_search.eval.collections.files import Run, read_run
from pes_search.eval.collections.questions import OWN, Question, read_judgments, read_questions
from pes_search.eval.measures import MAIN, answerable, by_group, estimate, measure
from pes_search.eval.retrieval import Leg, runs
from pes_search.eval.significance import compare
from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import SearchConfig

PLACES = 3  # among which a document that must appear has to be
TOLERANCE = 0.01  # of nDCG@10: what a change may cost at worst (lower bound of the difference's interval)
NOISE = 0.02  # of nDCG@10: some sixteen questions a language

Found = tuple[list[Question], dict[str, dict[str, int]], dict[Leg, Run]]


@pytest.fixture(scope="module")
def found(corpus_index: OpenIndex, encoder: SentenceTransformerEncoder) -> Found:
    """The answerable development questions, their judgments, and each leg's rankings."""
    questions = read_questions(OWN / "questions.jsonl", "dev")
    qrels = read_judgments(OWN / "qrels.tsv", questions)
    asked = set(answerable(qrels))
    judged = [question for question in questions if question.id in asked]
    return judged, qrels, runs(judged, corpus_index, encoder, SearchConfig())


def ndcg(found: Found, run: Run) -> dict[str, float]:
    questions, qrels, _ = found
    return measure(run, qrels, [question.id for question in questions])[MAIN]


def test_documents_that_must_appear_do(found: Found) -> None:
    _, _, legs = found
    pairs = [line.split("\t") for line in (OWN / "must_appear.tsv").read_text("utf-8").splitlines()]
    assert len(pairs) > 100
    lost = [f"{query} {document}" for query, document in pairs if document not in list(legs["hybrid"][query])[:PLACES]]
    assert not lost


def test_the_hybrid_is_not_worse_than_the_baseline(found: Found) -> None:
    before, now = ndcg(found, read_run(OWN / "baseline.run")), ndcg(found, found[2]["hybrid"])
    (difference,) = compare(list(before.values()), [[now[query] for query in before]])
    assert difference.difference.low >= -TOLERANCE, difference


def test_the_hybrid_is_not_below_its_better_leg_in_any_language(found: Found, capsys: pytest.CaptureFixture[str]) -> None:
    questions, _, legs = found
    languages = {question.id: question.language for question in questions if question.text}
    means: dict[Leg, Mapping[str, float]] = {
        leg: {language: estimate(own).value for language, own in by_group(ndcg(found, run), languages).items()}
        for leg, run in legs.items()
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


def test_every_language_of_the_union_is_asked(found: Found) -> None:
    assert len({question.language for question in found[0] if question.language}) == 24


def test_the_splits_share_no_need() -> None:
    questions = read_questions(OWN / "questions.jsonl")
    dev, test = ({question.need for question in questions if question.split == split} for split in ("dev", "test"))
    assert not dev & test
    assert len({question.need for question in questions}) >= 250
    assert sum(question.slice == "unanswerable" for question in questions) >= 60
