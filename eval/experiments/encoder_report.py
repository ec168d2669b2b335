"""What an adapter does to the rankings: the same questions with one encoder and with others, all else equal.

python -m pes_search.eval.experiments.encoder_report [--split dev] [--parts own xquad …] [--json FILE] none FOLDER …

Each encoder is named by its `[encoder] adapter`; the others are compared with the first one. XQuAD's questions are those of the
articles that training leaves out, on all English paragraphs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from pes_search.eval.collections.beir import read_beir
from pes_search.eval.collections.everyday import is_held_out, read_everyday, read_report_passages
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, SPLITS, Question, read_judgments, read_questions
from pes_search.eval.collections.xquad import PARALLEL_LANGUAGES, is_training_article
from pes_search.eval.measures import MAIN, Estimate, answerable, measure
from pes_search.eval.retrieval import Retriever, indexed, runs
from pes_search.eval.significance import Comparison, compare
from pes_search.index.build import build_index
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder
from pes_search.index.open_index import open_index
from pes_search.index.stores.files import FileStore
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.settings import Settings, read_settings

MEASURED: tuple[Retriever, ...] = ("dense", "hybrid")

Values = dict[str, dict[str, float]]
"""For each group of questions the measure by question."""


def project_values(encoder: SentenceTransformerEncoder, settings: Settings, split: str) -> Values:
    """Measure the project's own questions of a split by retriever and group: all, language, slice."""
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl", split)
    qrels = read_judgments(PROJECT_QUESTIONS / "qrels.tsv", questions)
    query_ids = set(answerable(qrels))
    judged = [question for question in questions if question.id in query_ids]
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(Path(folder))
        build_index(
            list(settings.sources),
            store,
            lambda: encoder,
            model=model_fingerprint(settings.encoder),
            cache_dir=settings.cache_dir,
            config=settings.index_config(),
        )
        rankings = runs(judged, open_index(store), encoder, settings.search, MEASURED)
    values: Values = {}
    for retriever, run in rankings.items():
        measured = measure(run, qrels, [question.id for question in judged])[MAIN]
        for question in judged:
            language = "English" if question.language == "en" else "other languages"
            for group in ("all", language, f"slice {question.slice}", f"language {question.language}"):
                values.setdefault(f"{split}, {retriever}: {group}", {})[question.id] = measured[question.id]
    return values


def xquad_values(encoder: SentenceTransformerEncoder, settings: Settings, data: Path) -> Values:
    """Measure XQuAD's held-out questions in each training language on the English paragraphs."""
    bench = data / "bench"
    values: Values = {}
    for language in PARALLEL_LANGUAGES:
        folder = bench / f"xquad-{language}"
        collection = read_beir(bench / "xquad-en", queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv")
        query_ids = [
            query for query in answerable(collection.qrels) if not is_training_article(next(iter(collection.qrels[query])))
        ]
        questions = [Question(query, collection.queries[query]) for query in query_ids]
        lists = read_taxonomy(settings.taxonomy)
        with indexed(collection, encoder, settings.cache_dir, settings.index_config(), lists) as index:
            rankings = runs(questions, index, encoder, settings.search, MEASURED, collection.original_ids)
        for retriever, run in rankings.items():
            values[f"xquad-en ← {language}, {retriever}"] = measure(run, collection.qrels, query_ids)[MAIN]
    return values


def everyday_values(encoder: SentenceTransformerEncoder, settings: Settings, data: Path) -> Values:
    """Measure everyday questions on the held-out factsheets and reports: each among the passages of all, by vectors alone."""
    passages = read_report_passages(data, encoder, settings.passages)
    vectors = encoder.encode_passages([passage.text for passage in passages.values()])
    rows = {digest: row for row, digest in enumerate(passages)}
    questions = [question for question in read_everyday(passages) if is_held_out(passages[question.passage].document)]
    values: Values = {}
    for group, texts in (
        ("English", [question.english for question in questions]),
        ("other languages", [question.text for question in questions]),
    ):
        similarities = encoder.encode_queries(texts) @ vectors.T
        own = similarities[np.arange(len(texts)), [rows[question.passage] for question in questions]]
        ranks = 1 + (similarities > own[:, None]).sum(axis=1)
        gains = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0.0)  # nDCG@10 where one passage is relevant
        values[f"everyday, dense: {group}"] = {str(number): float(gain) for number, gain in enumerate(gains)}
    return values


def report(adapters: Sequence[str], settings: Settings, measures: Mapping[str, Callable[..., Values]]) -> dict[str, Any]:
    """Measure every adapter, print what differs from the first as Markdown, and return the figures."""
    values_of: dict[str, Values] = {}
    for adapter in adapters:
        adapted = settings.model_copy(update={"encoder": replace(settings.encoder, adapter=adapter)})
        encoder = load_encoder(adapted.encoder, adapted.cache_dir)
        values_of[adapter] = {group: values for part in measures.values() for group, values in part(encoder, adapted).items()}
    first, *others = adapters
    rows: dict[str, list[Comparison]] = {}
    for group, values in values_of[first].items():
        ids = list(values)
        rows[group] = compare([values[i] for i in ids], [[values_of[other][group][i] for i in ids] for other in others])
    names = " | ".join(f"{other} | difference" for other in others)
    print(f"\n{MAIN} and difference to {first} [95 %]\n\n| questions | number | {first} | {names} |")
    print("|---|---|---|" + "---|---|" * len(others))
    for group, comparisons in rows.items():
        cells = [f"{comparison.second:.3f} | {_interval(comparison.difference)}" for comparison in comparisons]
        print(f"| {group} | {len(values_of[first][group])} | {comparisons[0].first:.3f} | {' | '.join(cells)} |", flush=True)
    return {group: dict(zip(others, map(asdict, comparisons), strict=True)) for group, comparisons in rows.items()}


def _interval(difference: Estimate) -> str:
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"


def parts(data: Path, split: str) -> dict[str, Callable[..., Values]]:
    """Return what can be measured, by name."""
    return {
        "own": lambda encoder, settings: project_values(encoder, settings, split),
        "xquad": lambda encoder, settings: xquad_values(encoder, settings, data),
        "everyday": lambda encoder, settings: everyday_values(encoder, settings, data),
    }


def main(arguments: list[str] | None = None) -> int:
    """Compare the adapters; return the exit status."""
    parser = argparse.ArgumentParser(prog="encoder-report", description="Measure what an adapter does to the rankings.")
    parser.add_argument("adapters", nargs="+", metavar="ADAPTER", help="none, packaged or a folder; the first is the measure")
    parser.add_argument("--split", choices=SPLITS, default="dev")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test data")
    parser.add_argument("--parts", nargs="+", choices=("own", "xquad", "everyday"), default=["own", "xquad", "everyday"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parsed = parser.parse_args(arguments)
    if len(parsed.adapters) < 2:
        parser.error("name two adapters at least, as in: none packaged")
    try:
        chosen = {name: part for name, part in parts(parsed.data, parsed.split).items() if name in parsed.parts}
        figures = report(parsed.adapters, read_settings(), chosen)
    except PesSearchError as error:
        print(f"encoder-report: {error}", file=sys.stderr)
        return 1
    if parsed.json:
        parsed.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
