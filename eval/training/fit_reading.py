"""How far the reader's word counts: fitted on questions that it was not trained on, as the last step of `make train-answers`.

Two numbers weigh the log-odds of confidence and the reader's that none of the sentences answers: a logistic regression over the
development questions of this collection, and over SQuAD's held-out articles, each asked of its own paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pes_search.eval.answers import auroc, paragraph_judgments
from pes_search.eval.collections.beir import read_beir, read_queries
from pes_search.eval.collections.gold_answers import PROJECT_ANSWERS, read_answers, with_gold
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_questions
from pes_search.eval.retrieval import indexed
from pes_search.eval.training.reader_examples import HELD_OUT_SQUAD
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.answers.answer import Answerer, search_and_judge
from pes_search.service.answers.types import JudgedSearch
from pes_search.service.settings import Settings

REFUSED_SHARE = 0.025  # of the answerable development questions, that may be refused
WEIGHT_C = 1.0


def fit_reading(answerer: Answerer, settings: Settings, bench: Path) -> dict[str, Any]:
    """Return the network that joins the two, as JSON values; its threshold is at one half."""
    from sklearn.linear_model import LogisticRegression

    index = open_index(settings.index_store())
    ours = list(_development(answerer, index))
    theirs = list(_paragraphs(answerer, settings, bench / "squad2-even"))
    rows, truth, is_ours = [], [], []
    for source, pairs in ((True, ours), (False, theirs)):
        for is_answered, judged in pairs:
            if judged.not_here is not None:
                rows.append([answerer.models.log_odds(judged.signals), judged.not_here])
                truth.append(is_answered)
                is_ours.append(source)
    values, labels, mine = np.array(rows), np.array(truth), np.array(is_ours)
    weights = np.ones(len(labels))
    for part in (mine, ~mine):  # both collections, and both sides of each, count alike
        for side in (labels, ~labels):
            weights[part & side] /= max((part & side).sum(), 1)
    model = LogisticRegression(C=WEIGHT_C * len(labels), max_iter=1_000).fit(
        values, labels, sample_weight=weights * len(labels)
    )
    joined = values @ model.coef_[0]
    offset = float(np.quantile(joined[mine & labels], REFUSED_SHARE))
    for name, part in (("our development questions", mine), ("SQuAD's held-out paragraphs", ~mine)):
        before, after = (auroc(~labels[part], -scores[part]) for scores in (values[:, 0], joined))
        refused = (joined[part & ~labels] < offset).mean()
        print(f"{name}: AUROC {before:.3f} without the reader, {after:.3f} with it; refused of the unanswerable {refused:.3f}")
    coefficients = [[round(float(weight), 5)] for weight in model.coef_[0]]
    return {"mean": [0.0, 0.0], "scale": [1.0, 1.0], "layers": [[coefficients, [round(-offset, 5)]]]}


def _development(answerer: Answerer, index: OpenIndex) -> Iterator[tuple[bool, JudgedSearch]]:
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl", "dev")
    for question, gold in with_gold(questions, read_answers(PROJECT_ANSWERS), PROJECT_ANSWERS):
        asked = answerer.understood(question.text, index)
        yield not gold.is_impossible, search_and_judge(asked, index, answerer, k=5, filters=EVERYTHING)


def _paragraphs(answerer: Answerer, settings: Settings, folder: Path) -> Iterator[tuple[bool, JudgedSearch]]:
    collection = read_beir(folder)
    answers = read_answers(folder / "answers.jsonl")
    questions = [Question(query_id, text) for query_id, text in read_queries(folder / "queries.jsonl", []).items()]
    pairs = [
        (question, gold)
        for question, gold in with_gold(questions, answers, folder / "answers.jsonl")
        if gold.document.partition("-")[0] in HELD_OUT_SQUAD
    ]
    taxonomy = read_taxonomy(settings.taxonomy)
    with indexed(collection, answerer.encoder, settings.cache_dir, settings.index_config(), taxonomy) as index:
        for is_impossible, judged in paragraph_judgments(pairs, index, answerer, collection.original_ids):
            yield not is_impossible, judged
