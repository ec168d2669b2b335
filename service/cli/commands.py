"""The commands of `pes`: what each does. `parser` has their arguments, `output` prints.

Heavy imports stay inside the commands, so that `pes --help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from pes_search.index.filters import FILTER_FIELDS, YEARS, Filters
from pes_search.ingest.errors import PesSearchError
from pes_search.service.cli import keys
from pes_search.service.cli.frame import FAILED_STATUS, Run, index_settings, print_json, run_command
from pes_search.service.cli.output import (
    INFERRED,
    place,
    print_answer,
    print_comparison,
    print_duplicates,
    print_fetched,
    print_hit,
    print_preview,
    print_related,
    print_relations,
    print_report,
    search_notes,
)
from pes_search.service.cli.parser import pes_parser
from pes_search.service.cli.progress import LOG_EVERY_SECONDS, ProgressDisplay

if TYPE_CHECKING:
    from pes_search.index.open_index import OpenIndex
    from pes_search.service.settings import Settings

WAITING_PAUSE_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    return run_command(command_line(), arguments)


def command_line() -> argparse.ArgumentParser:
    """Return the parser of `pes`, each command with what runs it."""
    return pes_parser(COMMANDS)


def _build(parsed: argparse.Namespace) -> int:
    from pes_search.index.build import report_values
    from pes_search.service.engine import build

    settings = index_settings(parsed)

    def run(sources: Sequence[str]) -> None:
        with ProgressDisplay() as display:
            report = build(settings, sources, display.show)
        if parsed.json:
            print_json(report_values(report))
        else:
            print_report(report, settings)
        sys.stdout.flush()

    def sources() -> Sequence[str]:
        return parsed.sources or settings.all_sources()

    if parsed.watch:
        from pes_search.service.cli.watching import build_on_change

        build_on_change(sources, run, settings.index_dir)
    run(sources())
    return 0


def _fetch(parsed: argparse.Namespace) -> int:
    import dataclasses

    from pes_search.ingest.web.client import Client
    from pes_search.ingest.web.fetch import fetch
    from pes_search.service.fetching import places
    from pes_search.service.settings import read_settings

    settings = read_settings()
    reports = []
    failed = False
    with ProgressDisplay() as display, Client(settings.fetch) as client:
        for source, folder in places(parsed, settings):
            try:
                report = fetch(source, folder, client, partial(display.show, f"fetching {source.name}"))
            except (PesSearchError, OSError) as error:  # the other sources are fetched all the same
                print(f"pes: {source.name}: {error}", file=sys.stderr)
                failed = True
                continue
            reports.append(report)
            failed |= bool(report.unfinished) or report.is_empty
    if parsed.json:
        print_json([dataclasses.asdict(report) for report in reports])
    else:
        for report in reports:
            print_fetched(report)
    return FAILED_STATUS if failed else 0


def _enrich(parsed: argparse.Namespace) -> int:
    from pathlib import Path

    from pes_search.service.answers.chat import chat_service
    from pes_search.service.engine import open_engine
    from pes_search.service.enrichment import enrich

    settings = index_settings(parsed)
    engine = open_engine(settings)
    into = Path(parsed.into)
    written = enrich(
        engine.index(),
        engine.encoder,
        settings.search,
        chat_service(settings.answer),
        into,
        languages=parsed.languages,
        count=parsed.count,
    )
    documents = []
    for done in written:
        documents.append(done.document)
        print(f"{done.document}: {done.kept} questions, {done.left_out} left out: a search does not find it by them")
    print(f"{len(documents)} documents written to {into}; `pes build` takes the questions up")
    return 0


def _preview(parsed: argparse.Namespace) -> int:
    from pathlib import Path

    from pes_search.index.encoders import load_encoder
    from pes_search.ingest.preview import previews
    from pes_search.ingest.sources.base import SourceFile
    from pes_search.ingest.taxonomy import read_taxonomy
    from pes_search.service.settings import read_settings

    settings = read_settings()
    token_starts = load_encoder(settings.encoder, settings.cache_dir).token_starts
    labels = settings.place_labels()
    files = [SourceFile(Path(file), Path(file).name, visibility=labels.label(Path(file))) for file in parsed.files]
    taxonomy = read_taxonomy(settings.taxonomy)
    shown = list(previews(files, token_starts, settings.passages, settings.reading, taxonomy))
    if parsed.json:
        print_json([preview.values() for preview in shown])
    else:
        for preview in shown:
            print_preview(preview)
    return FAILED_STATUS if all(preview.reason for preview in shown) else 0


def _search(parsed: argparse.Namespace) -> int:
    from pes_search.service.engine import start_engine

    engine = start_engine(index_settings(parsed))
    # All that does not need the encoder comes first, while that is loading.
    from pes_search.service.api.schemas import search_out

    index = engine.index()
    ranking, spelling = engine.find(
        index,
        parsed.query,
        k=parsed.k,
        offset=parsed.offset,
        group=parsed.group,
        filters=_filters(parsed, index),
        everything=parsed.all,
        as_typed=parsed.as_typed,
    )
    result = search_out(ranking, spelling)
    if parsed.json:
        print_json(result.model_dump())
        return 0
    for line in search_notes(result, everything=parsed.all, group=parsed.group):
        print(line, file=sys.stderr)
    for hit in result.hits:
        print_hit(hit)
    return 0


def _ask(parsed: argparse.Namespace) -> int:
    from pes_search.service.engine import start_engine

    engine = start_engine(index_settings(parsed))
    from pes_search.service.api.schemas import ask_out

    index = engine.index()
    filters = _filters(parsed, index)
    answer = engine.ask(index, parsed.question, k=parsed.k, filters=filters, writer=parsed.writer, previous=parsed.previous)
    result = ask_out(answer)
    if parsed.json:
        print_json(result.model_dump())
    else:
        print_answer(result)
    return 0


def _compare(parsed: argparse.Namespace) -> int:
    from pes_search.service.engine import open_engine

    engine = open_engine(index_settings(parsed))
    from pes_search.service.api.schemas import comparison_out

    result = comparison_out(engine.compare(engine.index(), parsed.ids))
    if parsed.json:
        print_json(result.model_dump())
    else:
        print_comparison(result)
    return 0


def _duplicates(parsed: argparse.Namespace) -> int:
    from typing import get_args

    from pes_search.index.open_index import open_index
    from pes_search.service.api.schemas import duplicates_out
    from pes_search.service.editing.copy_decisions import Verdict, decide
    from pes_search.service.editing.duplicates import copy_groups
    from pes_search.service.engine import copy_decisions, decided
    from pes_search.service.records.records import open_records

    settings = index_settings(parsed)
    built = open_index(settings.index_store())
    for verdict in get_args(Verdict):
        if ids := getattr(parsed, verdict):
            decide(verdict, ids[0], ids[1:], built, open_records(settings.database).copies)
    decisions = copy_decisions(settings)
    result = duplicates_out(copy_groups(decided(built, decisions)), decisions, built.manifest.index_id)
    if parsed.json:
        print_json(result.model_dump())
    else:
        print_duplicates(result)
    return 0


def _related(parsed: argparse.Namespace) -> int:
    from pes_search.service.api.schemas import related_out
    from pes_search.service.editing.related import relations
    from pes_search.service.engine import open_decided_index

    index = open_decided_index(index_settings(parsed))  # the vectors are stored, so no model is needed
    found = relations(parsed.document_id, index, k=parsed.k, filters=_filters(parsed, index))
    result = related_out(parsed.document_id, found, index.manifest.index_id)
    if parsed.json:
        print_json(result.model_dump())
    else:
        print_related(result)
    return 0


def _show(parsed: argparse.Namespace) -> int:
    from pes_search.index.open_index import open_index
    from pes_search.service.api.schemas import document_detail, passage_out
    from pes_search.service.editing.related import newest_version, stated_relations

    index = open_index(index_settings(parsed).index_store())
    if "~" in parsed.id:
        shown = passage_out(*index.passage(parsed.id))
        if parsed.json:
            print_json(shown.model_dump())
        else:
            closed = f"[{shown.visibility}] " if shown.visibility else ""
            print(f"{closed}{shown.title}{place(shown.place, shown.headings, shown.recognition_confidence)}\n\n{shown.text}")
            if shown.url:
                print(f"\n{shown.url}")
        return 0
    text = index.text(parsed.id)
    document = text.document
    stated, newer = stated_relations(parsed.id, index), newest_version(parsed.id, index)
    detail = document_detail(text, index.manifest.index_id, stated, newer)
    if parsed.json:
        print_json(detail.model_dump())
        return 0
    facts = [
        document.visibility,
        document.kind,
        ", ".join(document.countries) + (INFERRED if document.inferred_in("countries") else ""),
        str(document.year or ""),
        (document.organisation or "") + (INFERRED if document.inferred_in("organisation") else ""),
        document.url or document.path,
    ]
    print(document.title + "\n" + " · ".join(fact for fact in facts if fact))
    for value in document.inferred:
        print(f"{value.field.replace('_', ' ')}: {value.value}{INFERRED}, {value.confidence:.0%} sure: {value.sentence}")
    print_relations(detail.relations, detail.newer)
    for page in text.pages:
        print(f"\n[page {page.number}]\n{page.text}" if page.number else f"\n{page.text}")
    return 0


def _serve(parsed: argparse.Namespace) -> int:
    from pes_search.service.access.opening import opening_of
    from pes_search.service.api.app import create_app
    from pes_search.service.cli.memory import keep_memory_small
    from pes_search.service.engine import open_engine
    from pes_search.service.operation.logs import set_up_logging
    from pes_search.service.server.run import serve
    from pes_search.service.settings import LARGEST_PORT, SettingsError

    settings = index_settings(parsed)
    host, port = parsed.host or settings.serve.host, settings.serve.port if parsed.port is None else parsed.port
    if not 0 <= port <= LARGEST_PORT:
        raise SettingsError(f"--port must be from 0 to {LARGEST_PORT}, not {port}")
    set_up_logging(settings.log)
    if parsed.open:
        settings = settings.model_copy(update={"access": settings.access.model_copy(update={"open": True})})
    opening = opening_of(settings, host)  # before anything is loaded: it may refuse
    _wait_for_a_build(settings)
    keep_memory_small()  # before there are threads
    engine = open_engine(settings)
    engine.warm_up()
    keep_memory_small()  # of what opening took, most is free again
    app = create_app(engine, opening)
    print(f"pes: search page on http://{host}:{port}/ (stop with Ctrl-C)", file=sys.stderr, flush=True)
    serve(app, host, port, settings.serve, settings.access.proxies)
    return 0


def _wait_for_a_build(settings: Settings) -> None:
    """Where there is no index yet but a build is running, wait for it; where there is one, it serves meanwhile."""
    import time

    store = settings.index_store()
    if not store.is_building():
        return
    if store.current_name() is not None:
        print(f"pes: a build of {store.place} is running; its index is served as soon as it is finished", file=sys.stderr)
        return
    print(f"pes: waiting for the build of {store.place} that is running", file=sys.stderr, flush=True)
    started = told = time.monotonic()
    while store.is_building() and store.current_name() is None:
        time.sleep(WAITING_PAUSE_SECONDS)
        if (now := time.monotonic()) - told >= LOG_EVERY_SECONDS:
            told = now
            print(f"pes: still waiting for the build, {now - started:.0f} s", file=sys.stderr, flush=True)


def _generations(parsed: argparse.Namespace) -> int:
    from pes_search.service.cli.generations import list_generations

    return list_generations(parsed)


def _rollback(parsed: argparse.Namespace) -> int:
    from pes_search.service.cli.generations import roll_back

    return roll_back(parsed)


def _verify(parsed: argparse.Namespace) -> int:
    from pes_search.service.cli.generations import verify

    return verify(parsed)


def _info(parsed: argparse.Namespace) -> int:
    import dataclasses

    from pes_search.index.errors import IndexNotFoundError
    from pes_search.service.cli.generations import last_build_line

    settings = index_settings(parsed)
    store = settings.index_store()
    manifest = store.current()
    if manifest is None:
        raise IndexNotFoundError(f"no index in {settings.index_dir}; build one with `pes build --index {settings.index_dir}`")
    last = store.last_build()
    if parsed.json:
        print_json({**dataclasses.asdict(manifest), "last_build": dataclasses.asdict(last) if last else None})
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
        ("last build", last_build_line(last)),
    ):
        print(f"{name:<10} {value}")
    return 0


def _doctor(parsed: argparse.Namespace) -> int:
    from pes_search.service.cli.doctor import doctor

    return doctor(parsed)


def _backup(parsed: argparse.Namespace) -> int:
    from pes_search.service.cli.backup import backup

    return backup(parsed)


def _restore(parsed: argparse.Namespace) -> int:
    from pes_search.service.cli.backup import restore

    return restore(parsed)


def _corpus_check(parsed: argparse.Namespace) -> int:
    import dataclasses
    from pathlib import Path

    from pes_search.ingest.corpus.check import check_corpus

    report = check_corpus(Path(parsed.folder))
    if parsed.json:
        print_json(dataclasses.asdict(report))
        return FAILED_STATUS if report.faults else 0
    for fault in report.faults:
        print(fault)
    if parsed.counts:
        for name, counts in report.counts.items():
            print(f"{name.replace('_', ' ')} ({len(counts)})")
            for value, count in counts.items():
                print(f"  {count:>3} {value}")
    verdict = f"faults to mend: {len(report.faults)}" if report.faults else "no faults"
    print(f"{parsed.folder}: {report.practices} practices, {report.news} news items: {verdict}")
    return FAILED_STATUS if report.faults else 0


COMMANDS: Mapping[str, Run] = {
    "build": _build,
    "fetch": _fetch,
    "enrich": _enrich,
    "preview": _preview,
    "search": _search,
    "ask": _ask,
    "compare": _compare,
    "duplicates": _duplicates,
    "related": _related,
    "show": _show,
    "serve": _serve,
    "keys add": keys.add,
    "keys list": keys.list_keys,
    "keys revoke": keys.revoke,
    "info": _info,
    "verify": _verify,
    "generations": _generations,
    "rollback": _rollback,
    "doctor": _doctor,
    "backup": _backup,
    "restore": _restore,
    "corpus check": _corpus_check,
}


def _filters(parsed: argparse.Namespace, index: OpenIndex) -> Filters:
    from pes_search.index.query.filter_values import check_values

    chosen = {name: getattr(parsed, name) for name in FILTER_FIELDS}
    filters = Filters(chosen, **{name: getattr(parsed, name) for name in YEARS})
    check_values(filters, index.stored)
    return filters


def run() -> NoReturn:
    """Run the command of this process and end it, without taking apart what the system frees at once: a tenth of a second."""
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
