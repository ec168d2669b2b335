"""`make bench`: the figures that the README and `docs/` quote, printed as Markdown, with what they were measured on.

python -m pes_search.eval.bench [--data ../shared/data] [--json FILE] [languages] [build] [http]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from pes_search.eval.beir import read_beir
from pes_search.eval.measures import MAIN, estimates, measure
from pes_search.eval.question_set import Question
from pes_search.eval.retrieval import indexed, runs
from pes_search.eval.speed import build_ratio, http_ratio, write_lines_as_files
from pes_search.index.bm25 import Bm25Config
from pes_search.index.build import build_index
from pes_search.index.encoder import SentenceTransformerEncoder, load_encoder, model_fingerprint
from pes_search.index.local import LocalStore
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import read_taxonomy
from pes_search.service.settings import Settings, read_settings

PARTS = ("languages", "build", "http")
# Collection and question language; the same 240 paragraphs and 1,190 questions in each (XQuAD, CC BY-SA 4.0).
PAIRS = (("en", "en"), ("en", "de"), ("en", "es"), ("en", "ro"), ("en", "el"))
HTTP_PASSAGES = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Measure the chosen parts; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure retrieval and speed.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test data")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parsed = parser.parse_args(arguments)
    if unknown := set(parsed.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
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
        for part in parsed.parts or PARTS:
            figures[part] = _MEASURES[part](parsed.data, settings, encoder)
            if parsed.json:
                parsed.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    except PesSearchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _languages(data: Path, settings: Settings, encoder: SentenceTransformerEncoder) -> list[dict[str, Any]]:
    rows = []
    print("| collection ← questions | BM25 | dense | hybrid |\n|---|---|---|---|", flush=True)
    for documents, questions in PAIRS:
        folder = data / "bench" / f"xquad-{questions}"
        collection = read_beir(
            data / "bench" / f"xquad-{documents}", queries=folder / "queries.jsonl", qrels=folder / "qrels.tsv"
        )
        taxonomy = read_taxonomy(settings.taxonomy)
        with indexed(collection, encoder, settings.cache_dir, settings.passages, settings.bm25, taxonomy) as index:
            asked = [Question(query, collection.queries[query]) for query in collection.qrels]
            found = runs(asked, index, encoder, settings.search, ids=collection.original_ids)
        values = {leg: estimates(measure(run, collection.qrels, list(collection.qrels))) for leg, run in found.items()}
        ndcg = {leg: value[MAIN].value for leg, value in values.items()}
        lost = " (below a leg)" if ndcg["hybrid"] < max(ndcg["bm25"], ndcg["dense"]) else ""
        name = f"{collection.name} ← {questions}"
        print(f"| {name} | {ndcg['bm25']:.3f} | {ndcg['dense']:.3f} | {ndcg['hybrid']:.3f}{lost} |", flush=True)
        rows.append({"set": name, "nDCG@10": ndcg})
    return rows


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
            LocalStore(folder / "index", Bm25Config()),
            lambda: encoder,
            model=model_fingerprint(settings.encoder),
            cache_dir=settings.cache_dir,
            passage_config=settings.passages,
            configs=(Bm25Config(),),
        )
        figures = http_ratio(folder / "index", encoder)
    print(
        f"\nHTTP search of {figures['passages']} passages: {figures['search_ms']:.1f} ms, encoding the query "
        f"{figures['encode_ms']:.1f} ms, ratio {figures['ratio']:.2f}",
        flush=True,
    )
    return figures


_MEASURES = {"languages": _languages, "build": _build, "http": _http}

if __name__ == "__main__":
    sys.exit(main())
