"""What each part of the score is worth: the development questions with that part left out or set otherwise.

python -m pes_search.eval.experiments.ablations [--split dev] [--json FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pes_search.eval.collections.questions import PROJECT_QUESTIONS, SPLITS, read_judgments, read_questions
from pes_search.eval.measures import MAIN, answerable, measure
from pes_search.eval.retrieval import runs
from pes_search.eval.significance import compare
from pes_search.index.config import SearchConfig
from pes_search.ingest.errors import PesSearchError
from pes_search.service.engine import open_engine
from pes_search.service.settings import read_settings

SIGNIFICANT_P = 0.05  # after Holm's correction


def variants(config: SearchConfig) -> Mapping[str, SearchConfig]:
    """Return the configurations that are compared with the given one, by what is different."""

    def fusion(**values: float) -> SearchConfig:
        return replace(config, fusion=replace(config.fusion, **values))

    plain = fusion(sentence_weight=0, topic_weight=0, concept_weight=0, label_weight=0, question_weight=0, lexical_weight=0.2)
    return {
        "plain form: cosine + 0.2 bounded BM25": replace(plain, language_shift=0),
        "without the concept layer (agreement and labels)": fusion(concept_weight=0, label_weight=0),
        "without agreement of concepts": fusion(concept_weight=0),
        "without labels": fusion(label_weight=0),
        "agreement weight 0.15": fusion(concept_weight=0.15),
        "label weight 0.1": fusion(label_weight=0.1),
        "label weight 0.3": fusion(label_weight=0.3),
        "without the documents' questions": fusion(question_weight=0),
        "question weight 0.15": fusion(question_weight=0.15),
        "question weight 0.4": fusion(question_weight=0.4),
        "without sentences": fusion(sentence_weight=0),
        "without the document's mean": fusion(topic_weight=0),
        "document's mean 0.4": fusion(topic_weight=0.4),
        "without moving the query to the passages' language": replace(config, language_shift=0),
        "document's mean 0.3": fusion(topic_weight=0.3),
        "sentences 0.3": fusion(sentence_weight=0.3),
        "agreement weight 0.1": fusion(concept_weight=0.1),
        "agreement weight 0.05": fusion(concept_weight=0.05),
        "moving the query by 1.0": replace(config, language_shift=1.0),
        "moving the query by 0.6": replace(config, language_shift=0.6),
        "lexical weight 0.1": fusion(lexical_weight=0.1),
        "lexical weight 0.3": fusion(lexical_weight=0.3),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure every variant; return the exit status."""
    parser = argparse.ArgumentParser(prog="ablations", description="Measure what each part of the score is worth.")
    parser.add_argument("--split", choices=SPLITS, default="dev")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parsed = parser.parse_args(arguments)
    try:
        figures = _measured(parsed.split)
    except PesSearchError as error:
        print(f"ablations: {error}", file=sys.stderr)
        return 1
    if parsed.json:
        parsed.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _measured(split: str) -> dict[str, Any]:
    questions = read_questions(PROJECT_QUESTIONS / "questions.jsonl", split)
    qrels = read_judgments(PROJECT_QUESTIONS / "qrels.tsv", questions)
    query_ids = answerable(qrels)
    # A document's relatives do not depend on these settings.
    judged = [question for question in questions if question.id in set(query_ids) and question.text]
    engine = open_engine(read_settings())
    config = engine.settings.search
    values = {}
    for name, variant in {"default": config, **variants(config)}.items():
        (run,) = runs(judged, engine.index(), engine.encoder, variant, ("hybrid",)).values()
        values[name] = measure(run, qrels, [question.id for question in judged])[MAIN]
    english = [question.id for question in judged if question.language == "en"]
    other = [question.id for question in judged if question.language != "en"]
    print(f"{MAIN}, {split} split, {len(english)} English and {len(other)} other questions; differences to the default\n")
    print("| variant | English | difference | other languages | difference |\n|---|---|---|---|---|")
    rows = {}
    default, *others = values
    parts = {
        part: compare([values[default][query] for query in ids], [[values[name][query] for query in ids] for name in others])
        for part, ids in (("en", english), ("xx", other))
    }
    print(f"| default | {parts['en'][0].first:.3f} | | {parts['xx'][0].first:.3f} | |")
    for row, name in enumerate(others):
        cells = []
        for part in ("en", "xx"):
            comparison = parts[part][row]
            difference = comparison.difference
            interval = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
            cells.append(f"{comparison.second:.3f} | {interval}{' *' if comparison.holm < SIGNIFICANT_P else ''}")
        print(f"| {name} | {' | '.join(cells)} |")
        rows[name] = {part: dataclasses.asdict(parts[part][row]) for part in ("en", "xx")}
    print("\n* p < .05 after Holm's correction for all variants of the column")
    return rows


if __name__ == "__main__":
    sys.exit(main())
