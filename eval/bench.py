"""`make bench`: the figures that the README and `docs/` quote, printed as Markdown, with what they were measured on.

python -m pes_search.eval.bench [--data ../shared/data] [--json FILE] [PART …]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pes_search.eval.collections.beir import BeirSet, read_beir
from pes_search.eval.collections.factsheets import write_factsheet_sets
from pes_search.eval.collections.questions import OWN, Question
from pes_search.eval.experiments.spans import PASSAGES, span_figures
from pes_search.eval.experiments.speed import build_ratio, http_ratio, write_lines_as_files
from pes_search.eval.measures import MAIN, answerable, estimates, measure
from pes_search.eval.reports.answer_report import Report, measure_folder, measure_own
from pes_search.eval.retrieval import indexed, runs
from pes_search.index.build import IndexConfig, build_index
from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder, load_encoder, model_fingerprint
from pes_search.index.stores.files import FileStore
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import read_taxonomy
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
HTTP_PASSAGES = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Measure the chosen parts; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure retrieval and speed.")
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
        settings = read_settings()
        encoder = load_encoder(settings.encoder, settings.cache_dir)
        figures: dict[str, Any] = {
            "model": encoder.model_id,
            "machine": f"{platform.machine()}, {settings.encoder.threads} threads",
        }
        for part in parsed.parts or MEASURES:
            figures[part] = MEASURES[part](parsed.data, settings, encoder)
            if parsed.json:
                parsed.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    except PesSearchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _sets(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> list[dict[str, Any]]:
    rows = []
    print(f"| collection ← questions, {MAIN} | BM25 | dense | hybrid |\n|---|---|---|---|", flush=True)
    for documents, questions in SETS:
        folder = data / "bench" / questions
        collection = read_beir(data / "bench" / documents, queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv")
        rows.append(_row(f"{documents} ← {questions}", collection, MAIN, settings, encoder))
    return rows


def _factsheets(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> list[dict[str, Any]]:
    """Find a factsheet, its titles taken out, by its title or by the one in the country's language."""
    rows = []
    print("\n| factsheets ← titles, RR@10 | BM25 | dense | hybrid |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind, place in write_factsheet_sets(data / "eurofound" / "factsheets", Path(folder)).items():
            rows.append(_row(kind, read_beir(place), "RR@10", settings, encoder))
    return rows


def _row(
    name: str, collection: BeirSet, measure_name: str, settings: Settings, encoder: SentenceTransformerEncoder
) -> dict[str, Any]:
    taxonomy = read_taxonomy(settings.taxonomy)
    asked = [query for query in answerable(collection.qrels) if query in collection.queries]
    with indexed(collection, encoder, settings.cache_dir, settings.index_config(), taxonomy) as index:
        questions = [Question(query, collection.queries[query]) for query in asked]
        found = runs(questions, index, encoder, settings.search, ids=collection.original_ids)
    values = {leg: estimates(measure(run, collection.qrels, asked))[measure_name] for leg, run in found.items()}
    lost = " (below a leg)" if values["hybrid"].value < max(values["bm25"].value, values["dense"].value) else ""
    print(f"| {name} | {values['bm25']} | {values['dense']} | {values['hybrid']}{lost} |", flush=True)
    return {"set": name, "queries": len(asked), measure_name: {leg: asdict(value) for leg, value in values.items()}}


def _answers(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> list[dict[str, Any]]:
    """Quote answers from whole collections by the default writer, and refuse."""
    del settings, encoder  # `pes-eval answers` reads the same ones
    bench, rows = data / "bench", []
    head = "| answers: collection ← questions | answered | gold in 3 | own document's | gold | words | refusal F1, AUROC |"
    print(f"\n{head}\n|---|---|---|---|---|---|---|", flush=True)
    for documents, questions in ANSWER_SETS:
        queries = bench / questions / "queries.jsonl" if questions != documents else None
        rows.append(_answer_row(measure_folder(bench / documents, queries=queries, answers=None, writer=None)))
    for split in ("dev", "test"):
        own = measure_own(read_settings(), questions=OWN / "questions.jsonl", answers=None, split=split, writer=None)
        rows.append(_answer_row(own))
    return rows


def _answer_row(report: Report) -> dict[str, Any]:
    own = report.all
    refusals = [f"{one.f1}, {one.auroc}" for one in (own.refusal, report.given) if one]
    print(
        f"| {report.name} | {own.answered} | {own.gold_first} | {own.gold_own_document} | {own.gold_all} "
        f"| {own.words.value:.0f} | {'; given the paragraph: '.join(refusals)} |",
        flush=True,
    )
    values = report.values()
    del values["risk_coverage"]
    return values


def _spans(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> dict[str, Any]:
    model = model_fingerprint(settings.encoder)
    figures = span_figures(data / "bench" / "chunking-eval", encoder, settings, model)
    print(
        f"\ngold text in the first {PASSAGES} passages, {figures.questions} questions: recall {figures.recall}, precision "
        f"{figures.precision}; longest passage {figures.longest} characters; {figures.lost} gold stretches lost in reading",
        flush=True,
    )
    return asdict(figures)


def _build(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> dict[str, float]:
    figures = build_ratio([str(data / "eurofound" / "factsheets")], encoder, settings.encoder)
    print(
        f"\nbuild of {figures['passages']} passages: {figures['build_s']:.0f} s, bare encoding "
        f"{figures['bare_encode_s']:.0f} s, "
        f"ratio {figures['ratio']:.2f}; second build {figures['second_build_s']:.1f} s",
        flush=True,
    )
    return figures


def _http(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        with (data / "sentences" / "labour-en.txt").open(encoding="utf-8") as lines:
            write_lines_as_files((line for line in lines if len(line) > 60), files, HTTP_PASSAGES)
        build_index(
            [str(files)],
            FileStore(folder / "index"),
            lambda: encoder,
            model=model_fingerprint(settings.encoder),
            cache_dir=settings.cache_dir,
            config=IndexConfig(settings.passages),
        )
        figures = http_ratio(folder / "index", encoder)
    print(
        f"\nHTTP search of {figures['passages']} passages: {figures['search_ms']:.1f} ms, encoding the query "
        f"{figures['encode_ms']:.1f} ms, ratio {figures['ratio']:.2f}",
        flush=True,
    )
    return figures


MEASURES = {"sets": _sets, "answers": _answers, "factsheets": _factsheets, "spans": _spans, "build": _build, "http": _http}

if __name__ == "__main__":
    sys.exit(main())
