"""`make train-relevance`: fit which documents match a query and whether any does, and write `index/evidence/relevance.json`.

    python -m pes_search.eval.training.train_relevance [--data ../shared/data] [--out FILE]

Documents that match are those judged relevant to the development questions and to questions of three other collections
(XQuAD's training articles in four languages, FAQuAD, SciFact's training claims). Nothing matches questions that are put to
a collection about something else, nor what is off topic or gibberish. Every source counts alike, whatever its size.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pes_search.eval.collections.beir import BeirSet, read_beir
from pes_search.eval.collections.files import read_records
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, read_judgments, read_questions
from pes_search.eval.collections.xquad import is_training_article
from pes_search.eval.measures import answerable
from pes_search.eval.retrieval import indexed
from pes_search.index.evidence.relevance import FILE, LogOdds
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import FIRST_DEPTH, LARGEST_K, search
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.engine import open_engine
from pes_search.service.settings import read_settings

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.service.engine import Engine

    Values = npt.NDArray[np.float64]

LANGUAGES = ("en", "de", "el", "ro")  # of XQuAD's questions
DRAWN = 150  # questions of a source
SEED = 1
MOST_BEHIND = 0.12  # see `LogOdds`; from .10 to .15 alike, further on a document with much in its favour takes all others away
OWN_WEIGHT = 4.0  # of our own questions beside another collection's, for the documents: they have several answers
LEAST_KEPT = 0.98  # of what is relevant to our own questions
LEAST_ANYTHING = -3.0  # log-odds; one in 150 of our own questions is below, one in 150 of XQuAD's in Greek
OFF_TOPIC = ("off_topic", "gibberish")


@dataclass(frozen=True, slots=True)
class Example:
    """The scores of a query's documents, the highest first, and which of them are relevant; none where nothing is."""

    source: str
    scores: Values
    is_relevant: npt.NDArray[np.bool_]
    other_language: bool
    questions: bool


def main(arguments: list[str] | None = None) -> int:
    """Fit; return the exit status."""
    parser = argparse.ArgumentParser(prog="train-relevance", description="Fit which documents match a query.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test data")
    parser.add_argument("--out", type=Path, default=FILE, metavar="FILE")
    parsed = parser.parse_args(arguments)
    try:
        examples = list(_examples(parsed.data / "bench", open_engine(read_settings())))
    except PesSearchError as error:
        print(f"train-relevance: {error}", file=sys.stderr)
        return 1
    values = fitted(examples)
    parsed.out.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    for line in told(examples, {name: LogOdds(**odds) for name, odds in values.items()}):
        print(line)
    return 0


# ── Fitting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def fitted(examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Return both log-odds, as relevance.json holds them."""
    counts = {source: sum(one.source == source for one in examples) for source in {one.source for one in examples}}
    rows = [_row(one) for one in examples]
    each = [
        np.full(len(one.scores), (OWN_WEIGHT if one.source == "own" else 1.0) / max(1, len(one.scores)) / counts[one.source])
        for one in examples
    ]
    document = _logistic(np.concatenate(rows), np.concatenate([one.is_relevant for one in examples]), np.concatenate(each))
    first = np.stack([row[0, [0, 2, 3]] for row in rows if len(row)])
    anything = _logistic(
        first,
        np.array([one.is_relevant.any() for one in examples if len(one.scores)]),
        np.array([1 / counts[one.source] for one in examples if len(one.scores)]),
    )
    own = [
        (row @ document[:-1] + document[-1], one.is_relevant)
        for row, one in zip(rows, examples, strict=True)
        if one.source == "own" and one.is_relevant.any()
    ]
    thresholds = [step / 10 for step in range(0, -200, -1)]
    kept = [np.mean([(odds[relevant] >= least).mean() for odds, relevant in own]) for least in thresholds]
    least = next(least for least, share in zip(thresholds, kept, strict=True) if share >= LEAST_KEPT)
    score, behind, language, questions, intercept = map(float, document)
    first_score, first_language, first_questions, first_intercept = map(float, anything)
    return {
        "document": _rounded(score, behind, MOST_BEHIND, language, questions, intercept, least),
        "anything": _rounded(first_score, 0.0, 0.0, first_language, first_questions, first_intercept, LEAST_ANYTHING),
    }


def _row(one: Example) -> Values:
    behind = -np.minimum(one.scores.max(initial=0) - one.scores, MOST_BEHIND)
    size = len(one.scores)
    return np.column_stack([one.scores, behind, np.full(size, one.other_language), np.full(size, one.questions)]).astype(float)


def _rounded(*values: float) -> dict[str, float]:
    names = ("score", "behind", "most_behind", "other_language", "questions", "intercept", "least")
    return {name: round(value, 3) for name, value in zip(names, values, strict=True)}


def _logistic(rows: Values, labels: npt.NDArray[np.bool_], weights: Values) -> Values:
    """Return the weights of a logistic regression, the intercept last."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=10, max_iter=3000)
    model.fit((rows - mean) / scale, labels, sample_weight=weights / weights.mean())
    slopes = model.coef_[0] / scale
    return np.append(slopes, model.intercept_[0] - slopes @ mean)


def told(examples: Sequence[Example], odds: Mapping[str, LogOdds]) -> Iterator[str]:
    """Yield for each source how many documents match, how much of what is relevant is among them, and how often nothing is."""
    yield "| source | questions | match | relevant kept | nothing matches |\n|---|---|---|---|---|"
    for source in dict.fromkeys(one.source for one in examples):
        several = [one for one in examples if one.source == source and len(one.scores)]
        holds = [
            np.array([_holds(odds["document"], one, score) for score in one.scores], bool)
            if _holds(odds["anything"], one, one.scores[0])
            else np.zeros(len(one.scores), bool)
            for one in several
        ]
        kept = [held[one.is_relevant].mean() for held, one in zip(holds, several, strict=True) if one.is_relevant.any()]
        shown = f"{np.mean(kept):.3f}" if kept else "–"
        nothing = np.mean([not held.any() for held in holds])
        yield f"| {source} | {len(several)} | {np.mean([held.sum() for held in holds]):.1f} | {shown} | {nothing:.3f} |"


def _holds(odds: LogOdds, one: Example, score: float) -> bool:
    return odds.holds(score, one.scores[0], other_language=one.other_language, questions=one.questions)


# ── Examples ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _examples(bench: Path, engine: Engine) -> Iterator[Example]:
    """Yield the examples of every source, in a fixed order."""
    rng = np.random.default_rng(SEED)
    index = open_index(engine.settings.index_store())
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl", "dev")
    qrels = read_judgments(PROJECT_QUESTIONS / "qrels.tsv", questions)
    own = {question.id: question.text for question in questions if question.id in set(answerable(qrels)) and question.text}
    yield from _of("own", own, qrels, index, engine)
    refused = [row for _, row in read_records(PROJECT_QUESTIONS / "training_refusal.jsonl", [], ids=("id",))]
    yield from _of("off topic", {row["id"]: row["text"] for row in refused if row["kind"] in OFF_TOPIC}, {}, index, engine)
    others: list[tuple[str, BeirSet, list[str]]] = []
    for language in LANGUAGES:
        folder = bench / f"xquad-{language}"
        asked = read_beir(bench / "xquad-en", queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv")
        others.append(_set(f"xquad-en ← {language}", asked, rng))
    for name, collection, ids in others:
        yield from _of(f"{name}, put to ours", {name: collection.queries[name] for name in ids}, {}, index, engine)
    others.append(_set("faquad", read_beir(bench / "faquad-pt"), rng))
    train = bench / "scifact-train"
    asked = read_beir(bench / "scifact", queries=train / "queries.jsonl", qrels=train / "qrels.tsv")
    others.append(_set("scifact", asked, rng))
    foreign = {name: own[name] for name in _drawn(list(own), rng)}
    settings, before = engine.settings, None
    lists = read_taxonomy(settings.taxonomy)
    for name, collection, ids in others:
        with indexed(collection, engine.encoder, settings.cache_dir, settings.index_config(), lists) as other:
            queries = {query: collection.queries[query] for query in ids}
            yield from _of(name, queries, collection.qrels, other, engine, collection.original_ids)
            if collection.name != before:
                yield from _of(f"ours put to {collection.name}", foreign, {}, other, engine, collection.original_ids)
            before = collection.name


def _set(name: str, collection: BeirSet, rng: np.random.Generator) -> tuple[str, BeirSet, list[str]]:
    ids = [
        query
        for query in answerable(collection.qrels)
        if not name.startswith("xquad") or is_training_article(next(iter(collection.qrels[query])))
    ]
    return name, collection, _drawn(ids, rng)


def _drawn(ids: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [ids[row] for row in sorted(rng.choice(len(ids), min(DRAWN, len(ids)), replace=False))]


def _of(
    source: str,
    queries: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, int]],
    index: OpenIndex,
    engine: Engine,
    ids: Mapping[str, str] | None = None,
) -> Iterable[Example]:
    for query, text in queries.items():
        found = search(text, index, engine.encoder, engine.settings.search, k=min(LARGEST_K, FIRST_DEPTH))
        relevant = {name for name, grade in qrels.get(query, {}).items() if grade > 0}
        names = [hit.document.id if ids is None else ids[hit.document.id] for hit in found.hits]
        yield Example(
            source,
            np.array([hit.score for hit in found.hits]),
            np.array([name in relevant for name in names], bool),
            found.parsed_query.language != index.main_language,
            index.questions.are_there,
        )


if __name__ == "__main__":
    sys.exit(main())
