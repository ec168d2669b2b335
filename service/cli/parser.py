"""The command line of `pes`: its commands and their arguments, each with an example."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import get_args

from pes_search.index.filters import FILTER_FIELDS, YEARS
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.cli.frame import Run, add_command, add_index_argument
from pes_search.service.records.roles import ROLES


def pes_parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """Return the command line of `pes`; `runs` has what runs each command, by its name."""
    parser = argparse.ArgumentParser(
        prog="pes",
        description="Search the good-practice documents of Europe's public employment services, in any EU language.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    build = add_command(commands, "build", runs["build"], "make an index of files", "pes build corpus/ reports/*.pdf")
    build.add_argument("sources", nargs="*", metavar="SOURCE", help="files, folders or globs (default: corpus/)")
    build.add_argument("--watch", action="store_true", help="go on: build again whenever a file has changed")
    add_index_argument(build)
    _json_argument(build)

    fetch = add_command(
        commands,
        "fetch",
        runs["fetch"],
        "fetch documents from the web into a folder that builds read",
        "pes fetch https://www.example.org/sitemap.xml --only '/news/*'",
    )
    fetch.add_argument(
        "urls",
        nargs="*",
        metavar="URL",
        help="pages, files, sitemaps, feeds, OAI-PMH interfaces, or a file with one address a line (default: the [[source]] "
        "entries of pes.toml)",
    )
    fetch.add_argument("--source", metavar="NAME", help="only this [[source]] entry of pes.toml")
    fetch.add_argument(
        "--preset", metavar="NAME", help="a site that is known: commission-news, pes-practices … (docs/sources.md)"
    )
    fetch.add_argument("--into", metavar="FOLDER", help="where files go (default: a folder of its own in var/web)")
    fetch.add_argument("--depth", type=int, metavar="N", help="follow links so many pages far (default: 0)")
    fetch.add_argument("--only", nargs="+", metavar="PATTERN", help="of paths, such as '/news/*': fetch no others")
    fetch.add_argument("--skip", nargs="+", metavar="PATTERN", help="of paths that are left out")
    fetch.add_argument("--lists", nargs="+", metavar="PATTERN", help="of pages that only list others: followed, not kept")
    fetch.add_argument("--most", type=int, metavar="N", help="stop after so many addresses (default: 10000)")
    _json_argument(fetch)

    preview = add_command(
        commands, "preview", runs["preview"], "show what would be indexed of files", "pes preview report.pdf --json"
    )
    preview.add_argument("files", nargs="+", metavar="FILE")
    _json_argument(preview)

    search = add_command(
        commands, "search", runs["search"], "find passages", 'pes search "women after career breaks" --country DE AT'
    )
    search.add_argument("query", metavar="QUERY")
    search.add_argument("-k", type=int, default=10, metavar="N", help="how many hits (default: 10)")
    search.add_argument("--offset", type=int, default=0, metavar="N", help="skip the first N hits")
    search.add_argument(
        "--group", choices=("document", "passage"), default="document", help="what a hit is (default: document)"
    )
    search.add_argument("--all", action="store_true", help="list what does not match the query too")
    search.add_argument("--as-typed", action="store_true", help="leave the spelling alone")
    add_index_argument(search)
    _filter_arguments(search)
    _json_argument(search)

    ask = add_command(commands, "ask", runs["ask"], "answer a question", 'pes ask "Which countries use vouchers for training?"')
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("--previous", metavar="QUESTION", help="the question before, which this one may go on from")
    ask.add_argument("--writer", choices=get_args(WriterName), help="who writes the sentences (default: [answer] writer)")
    ask.add_argument("-k", type=int, default=5, metavar="N", help="how many nearest documents to list (default: 5)")
    add_index_argument(ask)
    _filter_arguments(ask)
    _json_argument(ask)

    enrich = add_command(
        commands,
        "enrich",
        runs["enrich"],
        "have a language model write questions that documents answer",
        "pes enrich --into documents/questions --languages en de",
    )
    enrich.add_argument("--into", required=True, metavar="FOLDER", help="folder of the questions: `questions` in a source")
    enrich.add_argument("--languages", nargs="+", default=["en"], metavar="CODE", help="of the questions (default: en)")
    enrich.add_argument("--count", type=int, default=12, metavar="N", help="questions in each language (default: 12)")
    add_index_argument(enrich)

    compare = add_command(
        commands, "compare", runs["compare"], "compare documents field by field", "pes compare hr-vouchers pl-kfs"
    )
    compare.add_argument("ids", nargs="+", metavar="DOCUMENT_ID")
    add_index_argument(compare)
    _json_argument(compare)

    duplicates = add_command(
        commands,
        "duplicates",
        runs["duplicates"],
        "list copies and translations, part them or confirm them",
        "pes duplicates --part at-bus de-bus",
    )
    decision = duplicates.add_mutually_exclusive_group()
    for verdict, about in (
        ("confirm", "these are copies of the first, also where the build found none"),
        ("part", "the first is no copy of the others"),
        ("undo", "take back what was decided of the first and the others"),
    ):
        decision.add_argument(f"--{verdict}", nargs="+", metavar="DOCUMENT_ID", help=about)
    add_index_argument(duplicates)
    _json_argument(duplicates)

    related = add_command(commands, "related", runs["related"], "find documents near to one", "pes related de-power-m -k 5")
    related.add_argument("document_id", metavar="DOCUMENT_ID")
    related.add_argument("-k", type=int, default=10, metavar="N", help="how many documents (default: 10)")
    add_index_argument(related)
    _filter_arguments(related)
    _json_argument(related)

    show = add_command(commands, "show", runs["show"], "print a document or passage", "pes show de-power-m")
    show.add_argument("id", metavar="DOCUMENT_ID|PASSAGE_ID")
    add_index_argument(show)
    _json_argument(show)

    serve = add_command(commands, "serve", runs["serve"], "answer over HTTP, with a search page", "pes serve --port 8000")
    add_index_argument(serve)
    serve.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default: 8000)")
    serve.add_argument("--open", action="store_true", help="let everybody who reaches it read, without a key")

    keys = commands.add_parser("keys", help="make, list and revoke keys", description="Make, list and revoke keys.")
    key_commands = keys.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = add_command(
        key_commands,
        "add",
        runs["keys add"],
        "make a key and print it, once",
        "pes keys add --role reader --name 'press office' --reads internal --expires 365",
    )
    add.add_argument(
        "--role", required=True, choices=ROLES, help="what it allows: searching, the editor's desk too, everything"
    )
    add.add_argument("--name", default="", metavar="TEXT", help="whom or what it is for")
    add.add_argument(
        "--reads",
        nargs="+",
        default=[],
        metavar="LABEL",
        help="documents of which visibility a reader may read beside public ones",
    )
    add.add_argument("--expires", type=int, metavar="DAYS", help="let it end by itself (default: never)")
    _json_argument(add)
    listed = add_command(
        key_commands, "list", runs["keys list"], "list all keys, without what opens the door", "pes keys list --json"
    )
    _json_argument(listed)
    revoke = add_command(
        key_commands, "revoke", runs["keys revoke"], "let a key open nothing any more, at once", "pes keys revoke 3f9a1c2e"
    )
    revoke.add_argument("id", metavar="ID", help="as `pes keys list` has it")
    _json_argument(revoke)

    info = add_command(commands, "info", runs["info"], "print what the index is made of", "pes info --json")
    add_index_argument(info)
    _json_argument(info)

    verify = add_command(
        commands, "verify", runs["verify"], "check every file of the index against its hash", "pes verify --all"
    )
    verify.add_argument("generation", nargs="?", metavar="GENERATION", help="another than the one in use, as `pes rollback`")
    verify.add_argument("--all", action="store_true", help="check every generation that is kept")
    add_index_argument(verify)
    _json_argument(verify)

    generations = add_command(
        commands, "generations", runs["generations"], "list the states of the index that are kept", "pes generations --json"
    )
    add_index_argument(generations)
    _json_argument(generations)

    rollback = add_command(
        commands, "rollback", runs["rollback"], "go back to an earlier state of the index", "pes rollback --index var/index"
    )
    rollback.add_argument(
        "generation",
        nargs="?",
        metavar="GENERATION",
        help="the name that `pes generations` lists, or its beginning (default: the one that was in use before)",
    )
    add_index_argument(rollback)
    _json_argument(rollback)
    doctor = add_command(
        commands, "doctor", runs["doctor"], "check the installation and say what to do", "pes doctor --index var/index"
    )
    add_index_argument(doctor)
    doctor.add_argument("--host", help="address that the service listens on (default: that of the settings)")
    doctor.add_argument("--port", type=int, help="port that it listens on (default: that of the settings)")
    _json_argument(doctor)

    backup = add_command(
        commands,
        "backup",
        runs["backup"],
        "write what the service keeps into one file, while it runs",
        "pes backup /srv/backups/ --keep 7",
    )
    backup.add_argument("to", metavar="FILE|FOLDER", help="a folder, for a file named by the time, or a file to be replaced")
    backup.add_argument("--with-fetched", action="store_true", help="what `pes fetch` fetched, too; it can be fetched again")
    backup.add_argument("--keep", type=int, metavar="N", help="of the backups in the folder keep the newest N")
    add_index_argument(backup)
    _json_argument(backup)

    restore = add_command(
        commands,
        "restore",
        runs["restore"],
        "put a backup in the place of what is there, and keep that",
        "pes restore /srv/backups/pes-backup-20260301T020000Z.tar --only state",
    )
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--into", metavar="FOLDER", help="put all of it there (default: where the settings have each part)")
    parts = ("state", "index", "uploads", "fetched")
    restore.add_argument("--only", nargs="+", choices=parts, metavar="PART", help=f"of {', '.join(parts)} (default: all)")
    restore.add_argument("--check", action="store_true", help="only check that the backup is whole")
    add_index_argument(restore)
    _json_argument(restore)

    corpus = commands.add_parser("corpus", help="look after a corpus folder", description="Look after a corpus folder.")
    corpus_commands = corpus.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check = add_command(
        corpus_commands,
        "check",
        runs["corpus check"],
        "check schema, ids, terms, links and numbers",
        "pes corpus check corpus --counts",
    )
    check.add_argument("folder", nargs="?", default="corpus", metavar="FOLDER", help="folder of the corpus (default: corpus/)")
    check.add_argument(
        "--counts", action="store_true", help="count the practices by country, target group, measure type, channel, evidence"
    )
    _json_argument(check)
    return parser


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
