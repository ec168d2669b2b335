"""`make bench-peers`: other systems' hybrid search and ours, on the same passages, with the same model, in one run.

python -m pes_search.eval.experiments.peers PYTHON [--data ../shared/data] [--json FILE]

PYTHON is an interpreter that has the systems.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pes_search.eval.collections.beir import read_beir
from pes_search.eval.collections.files import Qrels, Run
from pes_search.eval.collections.questions import PROJECT_QUESTIONS, Question, read_judgments, read_questions
from pes_search.eval.experiments.peer_systems import SYSTEMS, WARM_UP_SEARCHES
from pes_search.eval.measures import MAIN, answerable, measure
from pes_search.eval.retrieval import indexed
from pes_search.eval.significance import compare, holm
from pes_search.index.encoders.adapter import adapter_folder
from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder, load_sentence_transformer
from pes_search.index.encoders.transformer_folder import default_model_folder
from pes_search.index.filters import EVERYTHING
from pes_search.index.open_index import OpenIndex
from pes_search.index.search import search
from pes_search.index.text.passage_text import full_text
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings, read_settings

KEPT_DOCUMENTS = 10  # that a search gives


def main(arguments: list[str] | None = None) -> int:
    """Measure every system on every set; return the exit status."""
    parser = argparse.ArgumentParser(prog="peers", description="Compare with other systems.")
    parser.add_argument("python", metavar="PYTHON", help="interpreter of the environment that has the systems")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test data")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parsed = parser.parse_args(arguments)
    figures: dict[str, Any] = {}
    try:
        settings = read_settings()
        encoder = load_sentence_transformer(settings.encoder, settings.cache_dir)
        engine = Engine(settings, settings.index_store(), encoder)
        questions = [question for question in read_questions(PROJECT_QUESTIONS / "questions.jsonl", "test") if question.text]
        qrels = read_judgments(PROJECT_QUESTIONS / "qrels.tsv", questions)
        figures["our test questions"] = _compared(parsed.python, questions, qrels, engine.index(), encoder, settings)
        if (parsed.data / "bench").is_dir():
            german = parsed.data / "bench" / "xquad-de"
            collection = read_beir(
                parsed.data / "bench" / "xquad-en", queries=german / "queries.jsonl", qrels=german / "qrels.tsv"
            )
            lists = read_taxonomy(settings.taxonomy)
            with indexed(collection, encoder, settings.cache_dir, settings.index_config(), lists) as index:
                xquad_questions = [Question(query, text) for query, text in collection.queries.items()]
                ours = {original_id: index_id for index_id, original_id in collection.original_ids.items()}
                judged = {
                    query: {ours[document]: grade for document, grade in grades.items()}
                    for query, grades in collection.qrels.items()
                }
                figures["xquad-en ← de"] = _compared(parsed.python, xquad_questions, judged, index, encoder, settings)
        else:
            print(f"peers: no test data in {parsed.data}; xquad is left out", file=sys.stderr)
    except PesSearchError as error:
        print(f"peers: {error}", file=sys.stderr)
        return 1
    if parsed.json:
        parsed.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _compared(
    python: str,
    questions: Sequence[Question],
    qrels: Qrels,
    index: OpenIndex,
    encoder: SentenceTransformerEncoder,
    settings: Settings,
) -> dict[str, dict[str, float]]:
    """Let every system answer one set's questions, one system after the other, and print the table."""
    query_ids = set(answerable(qrels))
    texts = {question.id: question.text for question in questions if question.id in query_ids}
    owners, passages = {}, []
    for text in index.stored.texts([document.id for document in index.stored.documents(EVERYTHING)]):
        for passage in text.passages:
            owners[passage.id] = text.document.id
            passages.append({"id": passage.id, "text": full_text(text.document, passage)})
    task = {
        "model": str(default_model_folder(settings.cache_dir, adapter_folder(settings.encoder.adapter))),
        "query_prompt": encoder.query_prompt,
        "passage_prompt": encoder.passage_prompt,
        "threads": settings.encoder.threads,
        "passages": passages,
        "queries": texts,
    }
    rankings = {"pes-search": _ours(texts, index, encoder, settings)}
    for system in SYSTEMS:
        rankings[system] = _peer(python, system, task, owners)
    values = {system: list(measure(run, qrels, list(texts))[MAIN].values()) for system, (run, _) in rankings.items()}
    ours, *others = values
    print(f"{len(texts)} questions, {index.manifest.documents} documents, {len(passages)} passages\n")
    print(f"| system | {MAIN} | pes-search is better by [95 %] | p (Holm) | wins, ties, losses | search ms |")
    print("|---|---|---|---|---|---|")
    print(f"| {ours} | {statistics.fmean(values[ours]):.3f} | | | | {rankings[ours][1]:.0f} |")
    figures = {ours: {MAIN: statistics.fmean(values[ours]), "search_ms": rankings[ours][1]}}
    # Each comparison is peer (A) against ours (B), so a positive difference is in our favour; Holm over the peers of the set.
    rows = [compare(values[other], [values[ours]])[0] for other in others]
    for other, row, corrected in zip(others, rows, holm([row.p_value for row in rows]), strict=True):
        better = f"{row.difference.value:+.3f} [{row.difference.low:+.3f}, {row.difference.high:+.3f}]"
        counts = f"{row.wins}, {row.ties}, {row.losses}"
        print(f"| {other} | {row.first:.3f} | {better} | {corrected:.4f} | {counts} | {rankings[other][1]:.0f} |", flush=True)
        figures[other] = {MAIN: row.first, "difference": row.difference.value, "p": corrected, "search_ms": rankings[other][1]}
    print()
    return figures


def _ours(
    texts: Mapping[str, str], index: OpenIndex, encoder: SentenceTransformerEncoder, settings: Settings
) -> tuple[Run, float]:
    """Search each question as the service does; return the ranking and the median milliseconds."""
    for text in list(texts.values())[:WARM_UP_SEARCHES]:
        search(text, index, encoder, settings.search)
    run: Run = {}
    seconds = []
    for query, text in texts.items():
        started = time.perf_counter()
        hits = search(text, index, encoder, settings.search, k=KEPT_DOCUMENTS).hits
        seconds.append(time.perf_counter() - started)
        run[query] = {hit.document.id: hit.score for hit in hits}
    return run, 1000 * statistics.median(seconds)


def _peer(python: str, system: str, task: Mapping[str, Any], owners: Mapping[str, str]) -> tuple[Run, float]:
    """Let a system search in its own environment; a document has the score of its best passage.

    Raises:
        PesSearchError: the system fails.
    """
    script = Path(__file__).with_name("peer_systems.py")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "task.json", Path(folder) / "found.json"
        source.write_text(json.dumps(task), encoding="utf-8")
        done = subprocess.run(  # noqa: S603
            [python, str(script), system, str(source), str(target)],
            env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PesSearchError(f"{system} failed: {last}; `make bench-peers` installs the systems")
        result = json.loads(target.read_text(encoding="utf-8"))
    run: Run = {}
    for query, hits in result["found"].items():
        best: dict[str, float] = {}
        for passage, score in hits:
            best[owners[passage]] = max(score, best.get(owners[passage], score))
        run[query] = best
    return run, float(result["search_ms"])


if __name__ == "__main__":
    sys.exit(main())
