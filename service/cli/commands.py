"""The command `pes`: its arguments, and what each command does. `output` prints.

Heavy imports stay inside the commands, so that `pes --help` answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pes_search.index.filters import FILTER_FIELDS, YEARS, Filters
from pes_search.ingest.errors import PesSearchError
from pes_search.service.cli.output import (
    nothing_passes,
    place,
    print_answer,
    print_comparison,
    print_hit,
    print_json,
    print_report,
)

if TYPE_CHECKING:
    from pes_search.service.settings import Settings

FAILED = 1
INTERRUPTED = 130
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ł shows ?, and the rest goes on
    parsed = _parser().parse_args(arguments)
    try:
        status = int(parsed.run(parsed))
        sys.stdout.flush()
    except PesSearchError as error:
        print(f"pes: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("pes: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `pes search … | head`: nobody reads on, and Python must not try again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        print(f"pes: {error.strerror or error}: {error.filename or ''}; mend that and try again", file=sys.stderr)
        return FAILED
    return status


# ── The command line ────────────────────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pes",
        description="Search the good-practice documents of Europe's public employment services, in any EU language.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    build = _command(commands, "build", _build, "make an index of files", "pes build corpus/ reports/*.pdf")
    build.add_argument("sources", nargs="*", metavar="SOURCE", help="files, folders or globs (default: corpus/)")
    _index_argument(build)
    _json_argument(build)

    search = _command(commands, "search", _search, "find passages", 'pes search "women after career breaks" --country DE AT')
    search.add_argument("query", metavar="QUERY")
    search.add_argument("-k", type=int, default=10, metavar="N", help="how many hits (default: 10)")
    search.add_argument("--offset", type=int, default=0, metavar="N", help="skip the first N hits")
    search.add_argument(
        "--group", choices=("document", "passage"), default="document", help="what a hit is (default: document)"
    )
    _index_argument(search)
    _filter_arguments(search)
    _json_argument(search)

    ask = _command(commands, "ask", _ask, "answer a question", 'pes ask "Which countries use vouchers for training?"')
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("--writer", choices=("extractive", "llm"), help="who writes the sentences (default: [answer] writer)")
    ask.add_argument("-k", type=int, default=5, metavar="N", help="how many nearest documents to list (default: 5)")
    _index_argument(ask)
    _filter_arguments(ask)
    _json_argument(ask)

    compare = _command(commands, "compare", _compare, "compare documents field by field", "pes compare hr-vouchers pl-kfs")
    compare.add_argument("ids", nargs="+", metavar="DOCUMENT_ID")
    _index_argument(compare)
    _json_argument(compare)

    related = _command(commands, "related", _related, "find documents near to one", "pes related de-power-m -k 5")
    related.add_argument("document_id", metavar="DOCUMENT_ID")
    related.add_argument("-k", type=int, default=10, metavar="N", help="how many documents (default: 10)")
    _index_argument(related)
    _filter_arguments(related)
    _json_argument(related)

    show = _command(commands, "show", _show, "print a document or passage", "pes show de-power-m")
    show.add_argument("id", metavar="DOCUMENT_ID|PASSAGE_ID")
    _index_argument(show)
    _json_argument(show)

    serve = _command(commands, "serve", _serve, "answer over HTTP, with a search page", "pes serve --port 8000")
    _index_argument(serve)
    serve.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default: 8000)")

    info = _command(commands, "info", _info, "print what the index is made of", "pes info --json")
    _index_argument(info)
    _json_argument(info)

    corpus = commands.add_parser("corpus", help="look after a corpus folder", description="Look after a corpus folder.")
    corpus_commands = corpus.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check = _command(
        corpus_commands,
        "check",
        _corpus_check,
        "check schema, ids, terms, links and numbers",
        "pes corpus check corpus --counts",
    )
    check.add_argument("folder", nargs="?", default="corpus", metavar="FOLDER", help="folder of the corpus (default: corpus/)")
    check.add_argument(
        "--counts", action="store_true", help="count the practices by country, target group, measure type, channel"
    )
    _json_argument(check)
    return parser


def _command(commands: Any, name: str, run: Any, summary: str, example: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=f"example: {example}"
    )
    parser.set_defaults(run=run)
    return parser


def _index_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", metavar="DIR", help="index folder (default: var/index)")


def _json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _filter_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("filters", "several values of one filter mean any of them")
    for field in FILTER_FIELDS.values():
        group.add_argument(
            _option(field.name), nargs="+", action="extend", default=[], metavar=field.name.upper(), help=field.about
        )
    for name, about in YEARS.items():
        group.add_argument(_option(name), type=int, metavar="YEAR", help=about)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


# ── The commands ────────────────────────────────────────────────────────────────────────────────────────────────────


def _build(parsed: argparse.Namespace) -> int:
    from pes_search.index.build import build_index, report_values
    from pes_search.index.encoders.sentence_transformer import load_encoder, model_fingerprint
    from pes_search.service.cli.progress import ProgressBar
    from pes_search.service.engine import store_of

    settings = _settings(parsed)
    with ProgressBar() as bar:
        report = build_index(
            parsed.sources or settings.sources_with_uploads(),
            store_of(settings),
            lambda: load_encoder(settings.encoder, settings.cache_dir),
            model=model_fingerprint(settings.encoder),
            cache_dir=settings.cache_dir,
            config=settings.index_config(),
            default_lists=settings.taxonomy,
            on_progress=bar.show,
        )
    if parsed.json:
        print_json(report_values(report))
    else:
        print_report(report, settings)
    return 0


def _search(parsed: argparse.Namespace) -> int:
    from pes_search.service.api.schemas import search_out
    from pes_search.service.engine import open_engine

    engine = open_engine(_settings(parsed))
    index = engine.index()
    found = engine.search(index, parsed.query, k=parsed.k, offset=parsed.offset, group=parsed.group, filters=_filters(parsed))
    result = search_out(found, engine.did_you_mean(index, found.query))
    if parsed.json:
        print_json(result.model_dump())
        return 0
    if result.did_you_mean:
        print(f"did you mean: {result.did_you_mean}?", file=sys.stderr)
    if not result.hits:
        print(
            f"no hit after the first {result.total}" if result.total else nothing_passes(_filters(parsed), index),
            file=sys.stderr,
        )
    for hit in result.hits:
        print_hit(hit)
    return 0


def _ask(parsed: argparse.Namespace) -> int:
    from pes_search.service.api.schemas import ask_out
    from pes_search.service.engine import open_engine

    engine = open_engine(_settings(parsed))
    answer = engine.ask(engine.index(), parsed.question, k=parsed.k, filters=_filters(parsed), writer=parsed.writer)
    result = ask_out(answer)
    if parsed.json:
        print_json(result.model_dump())
    else:
        print_answer(result)
    return 0


def _compare(parsed: argparse.Namespace) -> int:
    from pes_search.service.api.schemas import comparison_out
    from pes_search.service.engine import open_engine

    engine = open_engine(_settings(parsed))
    result = comparison_out(engine.compare(engine.index(), parsed.ids))
    if parsed.json:
        print_json(result.model_dump())
    else:
        print_comparison(result)
    return 0


def _related(parsed: argparse.Namespace) -> int:
    from pes_search.index.open_index import open_index
    from pes_search.index.search import related
    from pes_search.service.api.schemas import RelatedOut, hit_out
    from pes_search.service.engine import store_of

    index = open_index(store_of(_settings(parsed)))  # the vectors are stored, so no model is needed
    hits = related(parsed.document_id, index, k=parsed.k, filters=_filters(parsed))
    result = RelatedOut(document_id=parsed.document_id, index_id=index.manifest.index_id, hits=[hit_out(hit) for hit in hits])
    if parsed.json:
        print_json(result.model_dump())
    else:
        for hit in result.hits:
            print_hit(hit)
    return 0


def _show(parsed: argparse.Namespace) -> int:
    from pes_search.index.open_index import open_index
    from pes_search.service.api.schemas import document_detail, passage_out
    from pes_search.service.engine import store_of

    index = open_index(store_of(_settings(parsed)))
    if "~" in parsed.id:
        shown = passage_out(*index.passage(parsed.id))
        if parsed.json:
            print_json(shown.model_dump())
        else:
            print(f"{shown.title}{place(shown.page, shown.headings)}\n\n{shown.text}")
            if shown.url:
                print(f"\n{shown.url}")
        return 0
    text = index.text(parsed.id)
    document = text.document
    if parsed.json:
        detail = document_detail(text, index.manifest.index_id)
        print_json(detail.model_dump())
        return 0
    facts = [
        document.kind,
        ", ".join(document.countries),
        str(document.year or ""),
        document.organisation or "",
        document.url or document.path,
    ]
    print(document.title + "\n" + " · ".join(fact for fact in facts if fact))
    for page in text.pages:
        print(f"\n[page {page.number}]\n{page.text}" if page.number else f"\n{page.text}")
    return 0


def _serve(parsed: argparse.Namespace) -> int:
    import logging

    import uvicorn

    from pes_search.service.api.app import create_app
    from pes_search.service.engine import open_engine
    from pes_search.service.settings import LARGEST_PORT, SettingsError

    settings = _settings(parsed)
    host, port = parsed.host or settings.serve.host, settings.serve.port if parsed.port is None else parsed.port
    if not 0 <= port <= LARGEST_PORT:
        raise SettingsError(f"--port must be from 0 to {LARGEST_PORT}, not {port}")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("pes_search").setLevel(logging.INFO)
    app = create_app(open_engine(settings))
    if settings.desk.key is None and host not in LOOPBACK:
        print("pes: the editor's desk is open to everybody; set PES_DESK__KEY to close it", file=sys.stderr)
    print(f"pes: search page on http://{host}:{port}/ (stop with Ctrl-C)", file=sys.stderr, flush=True)
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
    return 0


def _info(parsed: argparse.Namespace) -> int:
    import dataclasses

    from pes_search.index.errors import IndexNotFoundError
    from pes_search.service.engine import store_of

    settings = _settings(parsed)
    manifest = store_of(settings).current()
    if manifest is None:
        raise IndexNotFoundError(f"no index in {settings.index_dir}; build one with `pes build --index {settings.index_dir}`")
    if parsed.json:
        print_json(dataclasses.asdict(manifest))
        return 0
    languages = ", ".join(f"{language or 'unknown'} {count}" for language, count in manifest.languages.items())
    for name, value in (
        ("index", manifest.index_id),
        ("folder", settings.index_dir),
        ("built", f"{manifest.built_at} by pes-search {manifest.version}"),
        ("documents", manifest.documents),
        ("passages", f"{manifest.passages} ({languages})"),
        ("model", f"{manifest.model_id}, {manifest.dimensions} dimensions, adapter {manifest.adapter[:12]}"),
        ("files", ", ".join(f"{len(rows)} {name}" for name, rows in manifest.report.items())),
    ):
        print(f"{name:<10} {value}")
    return 0


def _corpus_check(parsed: argparse.Namespace) -> int:
    import dataclasses
    from pathlib import Path

    from pes_search.ingest.corpus.check import check_corpus

    report = check_corpus(Path(parsed.folder))
    if parsed.json:
        print_json(dataclasses.asdict(report))
        return FAILED if report.faults else 0
    for fault in report.faults:
        print(fault)
    if parsed.counts:
        for name, counts in report.counts.items():
            print(f"{name.replace('_', ' ')} ({len(counts)})")
            for value, count in counts.items():
                print(f"  {count:>3} {value}")
    verdict = f"faults to mend: {len(report.faults)}" if report.faults else "no faults"
    print(f"{parsed.folder}: {report.practices} practices, {report.news} news items: {verdict}")
    return FAILED if report.faults else 0


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _settings(parsed: argparse.Namespace) -> Settings:
    from pathlib import Path

    from pes_search.service.settings import read_settings

    settings = read_settings()
    return settings.model_copy(update={"index_dir": Path(parsed.index)}) if parsed.index else settings


def _filters(parsed: argparse.Namespace) -> Filters:
    chosen = {name: getattr(parsed, name) for name in FILTER_FIELDS}
    return Filters(chosen, **{name: getattr(parsed, name) for name in YEARS})


if __name__ == "__main__":
    sys.exit(main())
