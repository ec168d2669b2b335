"""The command `pes-eval`: measure retrieval, answers, comparisons, speed, check expectations, compare rankings, report.

Results go to stdout, complaints to stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pes_search.eval.collections.questions import PROJECT_QUESTIONS, SPLITS
from pes_search.eval.retrieval import RETRIEVERS, Retriever
from pes_search.ingest.errors import PesSearchError
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.cli.frame import (
    add_command,
    add_index_argument,
    index_settings,
    print_json,
    print_table,
    run_command,
    write_json,
)

if TYPE_CHECKING:
    from pes_search.eval.collections.files import Run
    from pes_search.eval.collections.questions import Question
    from pes_search.eval.measures import Estimate
    from pes_search.index.open_index import OpenIndex


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    return run_command(_parser(), arguments)


# ── The command line ────────────────────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pes-eval", description="Measure how well documents are found, answers, and speed.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    retrieval = add_command(
        commands,
        "retrieval",
        _retrieval,
        "measure an index by judged questions",
        "pes-eval retrieval --split dev --legs hybrid",
    )
    _index_arguments(retrieval)
    retrieval.add_argument("--split", choices=SPLITS, help="only the questions of this split")
    _retriever_arguments(retrieval)
    retrieval.add_argument("--run", dest="run_file", type=Path, metavar="FILE", help="write the ranking there, as TREC has it")

    beir = add_command(
        commands, "beir", _beir, "measure a collection in BEIR format", "pes-eval beir scifact/ --json scifact.json"
    )
    beir.add_argument(
        "folder", type=Path, metavar="FOLDER", help="with corpus.jsonl, queries.jsonl, qrels.tsv or qrels/test.tsv"
    )
    beir.add_argument("--queries", type=Path, metavar="FILE", help="queries from elsewhere")
    beir.add_argument("--qrels", type=Path, metavar="FILE", help="judgments from elsewhere")
    _retriever_arguments(beir)
    beir.add_argument("--run", dest="run_file", type=Path, metavar="FILE", help="write the ranking there, as TREC has it")

    speed = add_command(
        commands,
        "speed",
        _speed,
        "measure encoding, building, searching and starting",
        "pes-eval speed encode start --json speed.json",
    )
    speed.add_argument(
        "parts", nargs="*", metavar="PART", help="of encode, build, rebuild, start, served, sizes, peers (default: all)"
    )
    add_index_argument(speed)
    speed.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="DIR", help="folder of the test data")
    speed.add_argument(
        "--passages", type=int, nargs="+", metavar="N", help="sizes of the part `sizes` (default: 1000 10000; to 1000000)"
    )
    speed.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too, as they come")

    answers = add_command(
        commands,
        "answers",
        _answers,
        "measure answers and refusals by gold answers",
        "pes-eval answers --split dev",
    )
    answers.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="with corpus.jsonl, queries.jsonl and answers.jsonl, as SQuAD's paragraphs (default: the index and its questions)",
    )
    answers.add_argument("--queries", type=Path, metavar="FILE", help="questions from elsewhere, as in another language")
    answers.add_argument("--answers", type=Path, metavar="FILE", help="gold answers from elsewhere")
    _index_arguments(answers)
    answers.add_argument("--split", choices=SPLITS, help="only the questions of this split")
    answers.add_argument("--writer", choices=get_args(WriterName), help="default: that of the settings")
    answers.add_argument("--plot", type=Path, metavar="FILE", help="draw risk by coverage there, as SVG or PNG")
    answers.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")

    expect = add_command(
        commands,
        "expect",
        _expect,
        "check what search is expected to do, one line a failure",
        "pes-eval expect eval/expectations",
    )
    expect.add_argument("path", type=Path, nargs="?", metavar="FILE|FOLDER", help="expectations (default: the project's own)")
    add_index_argument(expect)
    expect.add_argument("--json", action="store_true", help="print JSON")

    accept = add_command(
        commands,
        "accept",
        _accept,
        "count the answers that a person would accept",
        "pes-eval accept eval/questions/acceptance.jsonl --split dev",
    )
    accept.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="questions with what is accepted (default: the project's own)"
    )
    add_index_argument(accept)
    accept.add_argument("--split", choices=SPLITS, help="only the questions of this split")
    accept.add_argument("--writer", choices=get_args(WriterName), help="default: that of the settings")
    accept.add_argument("--json", type=Path, nargs="?", const=Path("-"), metavar="FILE", help="print JSON, or write it there")

    cells = add_command(
        commands,
        "cells",
        _cells,
        "count the cells of comparisons that are right, missed and false",
        "pes-eval cells --json -",
    )
    cells.add_argument("file", type=Path, nargs="?", metavar="FILE", help="judged cells (default: the project's own)")
    add_index_argument(cells)
    cells.add_argument("--json", type=Path, nargs="?", const=Path("-"), metavar="FILE", help="print JSON, or write it there")

    compare = add_command(
        commands,
        "compare",
        _compare,
        "compare rankings",
        "pes-eval compare before.run after.run --qrels eval/questions/qrels.tsv",
    )
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="A, and one or more B that are compared with it")
    compare.add_argument("--qrels", type=Path, required=True, metavar="FILE")
    compare.add_argument("--measure", default="nDCG@10", metavar="NAME", help="of ir-measures (default: nDCG@10)")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")

    report = add_command(commands, "report", _report, "write a report as Markdown and HTML", "pes-eval report --out var/report")
    _index_arguments(report)
    report.add_argument("--split", choices=SPLITS, default="test", help="whose questions (default: test)")
    report.add_argument("--out", type=Path, default=Path("var/report"), metavar="DIR", help="folder (default: var/report)")
    return parser


def _index_arguments(parser: argparse.ArgumentParser) -> None:
    add_index_argument(parser)
    parser.add_argument("--questions", type=Path, metavar="FILE", help="with --qrels (default: the project's own)")
    parser.add_argument("--qrels", type=Path, metavar="FILE", help="judgments of the questions")


def _retriever_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--legs",
        dest="retrievers",
        type=_retrievers,
        default=RETRIEVERS,
        metavar="LEG,…",
        help=f"of {', '.join(RETRIEVERS)} (default: all of them)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def _retrievers(text: str) -> tuple[Retriever, ...]:
    wanted = [name.strip() for name in text.split(",")]
    if unknown := [name for name in wanted if name not in get_args(Retriever)]:
        raise argparse.ArgumentTypeError(f"no leg {unknown[0]!r}; choose of {', '.join(RETRIEVERS)}")
    return tuple(retriever for retriever in RETRIEVERS if retriever in wanted)


# ── The commands ────────────────────────────────────────────────────────────────────────────────────────────────────


def _retrieval(parsed: argparse.Namespace) -> int:
    from pes_search.eval.collections.questions import read_judgments, read_questions
    from pes_search.eval.measures import MAIN, answerable, by_group, estimate, estimates, measure
    from pes_search.eval.provenance import provenance
    from pes_search.eval.retrieval import runs
    from pes_search.service.engine import open_engine

    questions_file, qrels_file = question_files(parsed)
    questions = read_questions(questions_file, parsed.split)
    qrels = read_judgments(qrels_file, questions)
    query_ids = answerable(qrels)
    _require(query_ids, qrels_file)
    engine = open_engine(index_settings(parsed))
    index = engine.index()
    judged = [question for question in questions if question.id in set(query_ids)]
    _check_documents(judged, index)
    rankings = runs(judged, index, engine.encoder, engine.settings.search, parsed.retrievers)
    values = {retriever: measure(run, qrels, query_ids) for retriever, run in rankings.items()}

    name = f"{questions_file.parent.name}{f' ({parsed.split})' if parsed.split else ''}"
    by_retriever = {retriever: estimates(value) for retriever, value in values.items()}
    print_retrievers(name, index.manifest.documents, len(query_ids), by_retriever)
    left_out = len(questions) - len(query_ids)
    if left_out:
        print(f"\n{left_out} questions without a relevant document are left out.")
    groups = {}
    main = values[parsed.retrievers[-1]][MAIN]
    for field in ("slice", "language"):
        rows = by_group(main, {question.id: getattr(question, field) for question in judged if getattr(question, field)})
        groups[f"{field}s"] = {group: {"queries": len(scores), MAIN: estimate(scores)} for group, scores in rows.items()}
        if len(rows) > 1:
            print()
            head = (f"{field}, {parsed.retrievers[-1]}", "questions", MAIN)
            print_table(head, ((group, len(scores), estimate(scores)) for group, scores in rows.items()))
    languages = groups["languages"]
    if len(languages) > 1:
        worst = min(languages, key=lambda language: languages[language][MAIN].value)  # type: ignore[attr-defined]
        print(f"\nworst language: {worst} {languages[worst][MAIN]}")
    _write_runs(parsed, rankings)
    write_json(
        parsed.json,
        {
            "set": name,
            "documents": index.manifest.documents,
            "queries": len(query_ids),
            "unanswerable": left_out,
            "legs": by_retriever,
            **groups,
            **provenance(engine.settings, index.manifest),
        },
    )
    return 0


def _beir(parsed: argparse.Namespace) -> int:
    from pes_search.eval.collections.beir import read_beir
    from pes_search.eval.collections.questions import Question
    from pes_search.eval.measures import answerable, estimates, measure
    from pes_search.eval.provenance import provenance
    from pes_search.eval.retrieval import indexed, runs
    from pes_search.index.encoders import load_encoder
    from pes_search.ingest.taxonomy import read_taxonomy
    from pes_search.service.settings import read_settings

    settings = read_settings()
    collection = read_beir(parsed.folder, queries=parsed.queries, qrels=parsed.qrels)
    judged = answerable(collection.qrels)
    query_ids = [query for query in judged if query in collection.queries]
    if len(query_ids) < len(judged):
        print(f"pes-eval: {len(judged) - len(query_ids)} judged queries have no text; they are left out", file=sys.stderr)
    _require(query_ids, parsed.qrels or parsed.folder)
    encoder = load_encoder(settings.encoder, settings.cache_dir)
    taxonomy = read_taxonomy(settings.taxonomy)
    with indexed(collection, encoder, settings.cache_dir, settings.index_config(), taxonomy) as index:
        questions = [Question(query, collection.queries[query]) for query in query_ids]
        rankings = runs(questions, index, encoder, settings.search, parsed.retrievers, collection.original_ids)
        facts = provenance(settings, index.manifest)
    by_retriever = {retriever: estimates(measure(run, collection.qrels, query_ids)) for retriever, run in rankings.items()}
    print_retrievers(collection.name, len(collection.documents), len(query_ids), by_retriever)
    _write_runs(parsed, rankings)
    write_json(
        parsed.json,
        {
            "set": collection.name,
            "documents": len(collection.documents),
            "queries": len(query_ids),
            "legs": by_retriever,
            **facts,
        },
    )
    return 0


def _speed(parsed: argparse.Namespace) -> int:
    from pes_search.eval.experiments.speed import DEFAULT_SIZES, PARTS, Speed, measure_speed
    from pes_search.eval.provenance import machine

    if unknown := set(parsed.parts) - set(PARTS):
        raise PesSearchError(f"no part {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
    settings = index_settings(parsed)
    figures: dict[str, Any] = {"command": "pes-eval speed", **machine(settings)}

    def told(part: str, values: Any) -> None:
        figures[part] = values
        for row in values if isinstance(values, list) else [values]:
            print(f"{part}: " + ", ".join(f"{name} {_rounded(value)}" for name, value in row.items()), flush=True)
        write_json(parsed.json, figures)

    measure_speed(Speed(settings, parsed.data, parsed.passages or DEFAULT_SIZES), parsed.parts or list(PARTS), told)
    return 0


def _rounded(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"


def _answers(parsed: argparse.Namespace) -> int:
    from pes_search.eval.reports.answer_report import load_answerer, measure_folder, measure_index, print_report
    from pes_search.service.engine import open_engine
    from pes_search.service.settings import read_settings

    if parsed.folder is None:
        if parsed.queries:
            raise PesSearchError("--queries is for a folder's questions; name those of an index with --questions")
        settings = index_settings(parsed)
        report = measure_index(
            settings,
            lambda: open_engine(settings),
            questions=parsed.questions or PROJECT_QUESTIONS / "questions.jsonl",
            answers=parsed.answers,
            split=parsed.split,
            writer=parsed.writer,
        )
    else:
        if parsed.split or parsed.questions or parsed.index:
            raise PesSearchError("--split, --questions and --index are for an index; a folder's questions are in --queries")
        settings = read_settings()
        report = measure_folder(
            parsed.folder,
            settings,
            lambda: load_answerer(settings),
            queries=parsed.queries,
            answers=parsed.answers,
            writer=parsed.writer,
        )
    print_report(report)
    if parsed.plot:
        from pes_search.eval.reports.plots import risk_coverage_plot

        parsed.plot.write_bytes(risk_coverage_plot(report.outcomes, parsed.plot.suffix))
        print(f"risk by coverage: {parsed.plot}", file=sys.stderr)
    write_json(parsed.json, report.values())
    return 0


def _cells(parsed: argparse.Namespace) -> int:
    from collections import Counter
    from dataclasses import asdict

    from pes_search.eval.cells import OUTCOMES, PROJECT_CELLS, judged_cells, read_cells
    from pes_search.service.engine import open_engine

    results = list(judged_cells(read_cells(parsed.file or PROJECT_CELLS), open_engine(index_settings(parsed))))
    by_field = {
        name: Counter(cell.outcome for cell in results if cell.field == name)
        for name in dict.fromkeys(cell.field for cell in results)
    }
    false = [asdict(cell) for cell in results if cell.outcome == "false"]
    if parsed.json == Path("-"):
        print_json({"by_field": by_field, "false": false})
        return 0
    for cell in false:
        print(f"false: {cell['document']} {cell['field']}: {' / '.join(cell['quoted'])}")
    for name, counts in {**by_field, "all": Counter(cell.outcome for cell in results)}.items():
        print(f"{name:<14}" + "  ".join(f"{outcome} {counts[outcome]}" for outcome in OUTCOMES))
    if parsed.json:
        write_json(parsed.json, {"by_field": by_field, "false": false})
    return 0


def _expect(parsed: argparse.Namespace) -> int:
    from pes_search.eval.expected import PROJECT_EXPECTATIONS, checked, read_expectations
    from pes_search.service.cli.frame import FAILED_STATUS
    from pes_search.service.engine import open_engine

    files = read_expectations(parsed.path or PROJECT_EXPECTATIONS)
    results = list(checked(files, open_engine(index_settings(parsed))))
    failed = [result for result in results if result.faults]
    languages = sorted({result.expectation.language for result in results})
    if parsed.json:
        rows = [{"file": one.file, "query": one.expectation.query, "faults": one.faults} for one in failed]
        print_json({"expectations": len(results), "met": len(results) - len(failed), "languages": languages, "failed": rows})
    else:
        for one in failed:
            print(f"{one.file}: {one.expectation.kind}: {one.expectation.query!r}: {'; '.join(one.faults)}")
        print(f"{len(results) - len(failed)} of {len(results)} expectations met, in {len(languages)} languages")
    return FAILED_STATUS if failed else 0


def _accept(parsed: argparse.Namespace) -> int:
    from dataclasses import asdict

    from pes_search.eval.acceptance import PROJECT_ACCEPTANCE, accepted, judged, read_acceptance
    from pes_search.service.engine import open_engine

    rows = read_acceptance(parsed.file or PROJECT_ACCEPTANCE, parsed.split)
    results = list(judged(rows, open_engine(index_settings(parsed)), parsed.writer))
    by = {name: accepted(results, name) for name in ("kind", "language")}
    figures = {
        "accepted": sum(not result.faults for result in results),
        "questions": len(results),
        "by_kind": by["kind"],
        "by_language": by["language"],
        "not_accepted": [asdict(result) for result in results if result.faults],
    }
    if parsed.json == Path("-"):
        print_json(figures)
        return 0
    for result in results:
        if result.faults:
            print(f"{result.id} [{result.kind}, {result.language}] {result.question}\n    {'; '.join(result.faults)}")
    for counts in by.values():
        print("; ".join(f"{value} {good}/{every}" for value, (good, every) in counts.items()))
    print(f"{figures['accepted']} of {len(results)} answers acceptable")
    if parsed.json:
        write_json(parsed.json, figures)
    return 0


def _compare(parsed: argparse.Namespace) -> int:
    from pes_search.eval.collections.files import read_qrels, read_run
    from pes_search.eval.measures import answerable, one_measure
    from pes_search.eval.significance import TIE, compare

    if len(parsed.runs) < 2:
        raise PesSearchError("compare needs two runs at least: A.run B.run")
    qrels = read_qrels(parsed.qrels)
    query_ids = answerable(qrels)
    _require(query_ids, parsed.qrels)
    runs = [read_run(path) for path in parsed.runs]
    in_any = [query for query in query_ids if any(query in run for run in runs)]
    if not in_any:
        raise PesSearchError(f"no query of the runs is judged in {parsed.qrels}; name the judgments of these runs with --qrels")
    query_ids, unranked = in_any, len(query_ids) - len(in_any)
    values = [one_measure(run, qrels, query_ids, parsed.measure) for run in runs]
    missing = [sum(query not in run for query in query_ids) for run in runs]
    first, *others = ([by_query[query] for query in query_ids] for by_query in values)
    comparisons = compare(first, others)

    print(f"{parsed.measure} over {len(query_ids)} queries; A = {parsed.runs[0]} ({comparisons[0].first:.4f})\n")
    rows = []
    for path, comparison in zip(parsed.runs[1:], comparisons, strict=True):
        difference = comparison.difference
        interval = f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
        numbers = (f"{comparison.second:.4f}", interval, f"{comparison.p_value:.4f}", f"{comparison.holm:.4f}")
        rows.append((path, *numbers, comparison.wins, comparison.ties, comparison.losses))
    print_table(("B", "B's mean", "B - A [95 %]", "p", "p (Holm)", "wins", "ties", "losses"), rows)
    for path, count in zip(parsed.runs, missing, strict=True):
        if count:
            print(f"\n{path} lacks {count} of the queries; they count 0")
    if unranked:
        print(f"\n{unranked} judged queries are in none of the runs; they are left out")
    print()
    scores = {query: [by_query[query] for by_query in values] for query in query_ids}
    order = sorted(query_ids, key=lambda query: (scores[query][-1] - scores[query][0], query))
    different = (query for query in order if max(scores[query]) - min(scores[query]) > TIE)
    names = [f"B{i}" if len(others) > 1 else "B" for i in range(1, len(runs))]
    print_table(("query", "A", *names), ((query, *(f"{score:.4f}" for score in scores[query])) for query in different))
    write_json(
        parsed.json,
        {
            "measure": parsed.measure,
            "queries": len(query_ids),
            "first": str(parsed.runs[0]),
            "comparisons": {str(path): comparison for path, comparison in zip(parsed.runs[1:], comparisons, strict=True)},
            "per_query": scores,
        },
    )
    return 0


def _report(parsed: argparse.Namespace) -> int:
    from pes_search.eval.reports.report import write_report

    questions_file, qrels_file = question_files(parsed)
    for path in write_report(index_settings(parsed), questions_file, qrels_file, parsed.split, parsed.out):
        print(path)
    return 0


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def question_files(parsed: argparse.Namespace) -> tuple[Path, Path]:
    """Return the files of questions and judgments that the command names."""
    if (parsed.questions is None) != (parsed.qrels is None):
        raise PesSearchError("--questions and --qrels belong together; give both or neither")
    return parsed.questions or PROJECT_QUESTIONS / "questions.jsonl", parsed.qrels or PROJECT_QUESTIONS / "qrels.tsv"


def print_retrievers(name: str, documents: int, queries: int, by_retriever: dict[Retriever, dict[str, Estimate]]) -> None:
    """Print the retrievers' measures with their intervals, as Markdown."""
    names = list(next(iter(by_retriever.values())))
    print(f"{name}: {documents} documents, {queries} queries; mean [95 % interval]\n")
    print_table(("retriever", *names), ((retriever, *values.values()) for retriever, values in by_retriever.items()))


def _require(query_ids: Sequence[str], place: Path) -> None:
    if not query_ids:
        raise PesSearchError(f"{place}: no query has both a text and a relevant document; nothing can be measured")


def _check_documents(questions: Sequence[Question], index: OpenIndex) -> None:
    """Fail with one line for each question about a document that the index lacks."""
    known = index.concepts.rows
    lost = [f"question {q.id}: no document {q.document!r} in this index" for q in questions if q.document not in {"", *known}]
    if lost:
        raise PesSearchError("\n".join([*lost, "build the index of these questions, or name it with --index"]))


def _write_runs(parsed: argparse.Namespace, rankings: dict[Retriever, Run]) -> None:
    """Write the last retriever's ranking to the file that was asked for, the others' beside it under their names."""
    from pes_search.eval.collections.files import write_run

    if parsed.run_file is None:
        return
    for retriever, run in rankings.items():
        last = retriever == parsed.retrievers[-1]
        path = parsed.run_file if last else parsed.run_file.with_suffix(f".{retriever}{parsed.run_file.suffix}")
        write_run(path, run, f"pes-{retriever}")
        print(f"{retriever} ranking: {path}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
