"""`make bench`: the figures that the README and `docs/` quote, printed as Markdown, with what they were measured on.

python -m pes_search.eval.bench [--data ../shared/data] [--json FILE] [PART …]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pes_search.eval.collections.beir import BeirSet, read_beir
from pes_search.eval.collections.factsheets import write_factsheet_sets
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question
from pes_search.eval.experiments.spans import GIVEN_PASSAGES, span_figures
from pes_search.eval.measures import MAIN, answerable, estimates, measure
from pes_search.eval.reports.answer_report import Report, measure_folder, measure_index
from pes_search.eval.retrieval import indexed, runs
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import Taxonomy, read_taxonomy
from pes_search.service.answers.answer import Answerer
from pes_search.service.answers.confidence import load_models
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings, read_settings

# Collection and questions. XQuAD (CC BY-SA 4.0) has the same 240 paragraphs and 1,190 questions in each language.
SETS = (
    *(("xquad-en", f"xquad-{language}") for language in ("en", "de", "es", "ro", "el")),
    *((f"xquad-{language}", f"xquad-{language}") for language in ("de", "es", "ro", "el")),
    ("faquad-pt", "faquad-pt"),
    ("scifact", "scifact"),
)
ANSWER_SETS = (
    *(("xquad-en", f"xquad-{language}") for language in ("en", "de", "es", "ro", "el")),
    ("xquad-de", "xquad-de"),
    ("faquad-pt", "faquad-pt"),
    ("squad2-even", "squad2-even"),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every part measures with, loaded once."""

    data: Path  # folder of the test data
    settings: Settings
    encoder: Encoder
    model: str  # what the encoder is made of, as builds compare it
    taxonomy: Taxonomy

    def answerer(self) -> Answerer:
        """Return what answers questions, with the encoder that is loaded."""
        return Answerer(self.encoder, self.settings.search, self.settings.answer, load_models())

    def engine(self) -> Engine:
        """Return the engine over the index that the settings name, with the encoder that is loaded."""
        return Engine(self.settings, self.settings.index_store(), self.encoder)


def load_bench(data: Path) -> Bench:
    """Read the settings and load what they name.

    Raises:
        PesSearchError: the settings, the model or the controlled lists cannot be used.
    """
    settings = read_settings()
    encoder = load_encoder(settings.encoder, settings.cache_dir)
    return Bench(data, settings, encoder, model_fingerprint(settings.encoder), read_taxonomy(settings.taxonomy))


def main(arguments: list[str] | None = None) -> int:
    """Measure the chosen parts; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure retrieval and answers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(MEASURES)} (default: all)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test data")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parsed = parser.parse_args(arguments)
    if unknown := set(parsed.parts) - set(MEASURES):
        parser.error(f"no part {', '.join(sorted(unknown))}; choose of {', '.join(MEASURES)}")
    if not (parsed.data / "bench").is_dir():
        print(f"bench: no test data in {parsed.data}; name its folder with --data", file=sys.stderr)
        return 1
    try:
        bench = load_bench(parsed.data)
        figures: dict[str, Any] = {
            "model": bench.encoder.model_id,
            "machine": f"{platform.machine()}, {bench.settings.encoder.threads} threads",
        }
        for part in parsed.parts or MEASURES:
            figures[part] = MEASURES[part](bench)
            if parsed.json:
                parsed.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    except PesSearchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _sets(bench: Bench) -> list[dict[str, Any]]:
    rows = []
    print(f"| collection ← questions, {MAIN} | BM25 | dense | hybrid |\n|---|---|---|---|", flush=True)
    for documents, questions in SETS:
        folder = bench.data / "bench" / questions
        collection = read_beir(bench.data / "bench" / documents, queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv")
        rows.append(_row(f"{documents} ← {questions}", collection, MAIN, bench))
    return rows


def _factsheets(bench: Bench) -> list[dict[str, Any]]:
    """Find a factsheet, its titles taken out, by its title or by the one in the country's language."""
    rows = []
    print("\n| factsheets ← titles, RR@10 | BM25 | dense | hybrid |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind, place in write_factsheet_sets(bench.data / "eurofound" / "factsheets", Path(folder)).items():
            rows.append(_row(kind, read_beir(place), "RR@10", bench))
    return rows


def _row(name: str, collection: BeirSet, measure_name: str, bench: Bench) -> dict[str, Any]:
    settings = bench.settings
    queries = [query for query in answerable(collection.qrels) if query in collection.queries]
    with indexed(collection, bench.encoder, settings.cache_dir, settings.index_config(), bench.taxonomy) as index:
        questions = [Question(query, collection.queries[query]) for query in queries]
        rankings = runs(questions, index, bench.encoder, settings.search, ids=collection.original_ids)
    measured = {retriever: measure(run, collection.qrels, queries) for retriever, run in rankings.items()}
    values = {retriever: estimates(by_measure)[measure_name] for retriever, by_measure in measured.items()}
    lost = " (below one retriever)" if values["hybrid"].value < max(values["bm25"].value, values["dense"].value) else ""
    print(f"| {name} | {values['bm25']} | {values['dense']} | {values['hybrid']}{lost} |", flush=True)
    figures = {retriever: asdict(value) for retriever, value in values.items()}
    return {"set": name, "queries": len(queries), measure_name: figures}


def _answers(bench: Bench) -> list[dict[str, Any]]:
    """Quote answers from whole collections by the default writer, and refuse."""
    head = "| answers: collection ← questions | answered | gold in 3 | own document's | gold | words | refusal F1, AUROC |"
    print(f"\n{head}\n|---|---|---|---|---|---|---|", flush=True)
    folder, rows = bench.data / "bench", []
    for documents, questions in ANSWER_SETS:
        queries = folder / questions / "queries.jsonl" if questions != documents else None
        report = measure_folder(folder / documents, bench.settings, bench.answerer, queries=queries, answers=None, writer=None)
        rows.append(_answer_row(report))
    load_engine = cache(bench.engine)  # one index for both splits
    for split in ("dev", "test"):
        report = measure_index(
            bench.settings, load_engine, questions=PROJECT_QUESTIONS / "questions.jsonl", answers=None, split=split, writer=None
        )
        rows.append(_answer_row(report))
    return rows


def _answer_row(report: Report) -> dict[str, Any]:
    figures = report.all
    refusals = [f"{refusal.f1}, {refusal.auroc}" for refusal in (figures.refusal, report.given) if refusal]
    print(
        f"| {report.name} | {figures.answered} | {figures.gold_first} | {figures.gold_own_document} | {figures.gold_all} "
        f"| {figures.words.value:.0f} | {'; given the paragraph: '.join(refusals)} |",
        flush=True,
    )
    values = report.values()
    del values["risk_coverage"]
    return values


def _spans(bench: Bench) -> dict[str, Any]:
    figures = span_figures(bench.data / "bench" / "chunking-eval", bench.encoder, bench.settings, bench.model)
    print(
        f"\ngold text in the first {GIVEN_PASSAGES} passages, {figures.questions} questions: recall {figures.recall}, "
        f"precision {figures.precision}; longest passage {figures.longest} characters; "
        f"{figures.lost} gold stretches lost in reading",
        flush=True,
    )
    return asdict(figures)


MEASURES = {"sets": _sets, "answers": _answers, "factsheets": _factsheets, "spans": _spans}

if __name__ == "__main__":
    sys.exit(main())
