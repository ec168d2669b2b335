"""What `pes` and `pes-eval` have in common: how a command runs and fails, its arguments, JSON and tables.

Heavy imports stay inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pes_search.ingest.errors import PesSearchError

if TYPE_CHECKING:
    from pes_search.service.settings import Settings

FAILED_STATUS = 1
INTERRUPTED_STATUS = 130
Run = Callable[[argparse.Namespace], int]


# ── Running ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Run the command that the arguments name; return the exit status. What fails is told on stderr, with what to do."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ł shows ?, and the rest goes on
    parsed = parser.parse_args(arguments)
    try:
        status = int(parsed.run(parsed))
        sys.stdout.flush()
    except PesSearchError as error:
        for line in str(error).splitlines():
            print(f"{parser.prog}: {line}", file=sys.stderr)
        return FAILED_STATUS
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped", file=sys.stderr)
        return INTERRUPTED_STATUS
    except BrokenPipeError:  # `pes search … | head`: nobody reads on, and Python must not try again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED_STATUS
    except OSError as error:
        print(f"{parser.prog}: {error.strerror or error}: {error.filename or ''}; mend that and try again", file=sys.stderr)
        return FAILED_STATUS
    return status


# ── Arguments ───────────────────────────────────────────────────────────────────────────────────────────────────────


def add_command(commands: Any, name: str, run: Run, summary: str, example: str) -> argparse.ArgumentParser:
    """Add a command to what `add_subparsers` gave, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=f"example: {example}"
    )
    parser.set_defaults(run=run)
    return parser


def add_index_argument(parser: argparse.ArgumentParser) -> None:
    """Let a command name the index folder; `index_settings` reads it."""
    parser.add_argument("--index", metavar="DIR", help="index folder (default: var/index)")


def index_settings(parsed: argparse.Namespace) -> Settings:
    """Return the settings, with the index folder that the command names.

    Raises:
        SettingsError: they do not fit.
    """
    from pes_search.service.settings import read_settings

    settings = read_settings()
    return settings.model_copy(update={"index_dir": Path(parsed.index)}) if parsed.index else settings


# ── Printing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def print_json(value: Any) -> None:
    """Print a value as JSON, escaped where the terminal cannot show all letters."""
    import json

    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    print(json.dumps(value, ensure_ascii=not is_unicode, indent=1))


def write_json(path: Path | None, value: Any) -> None:
    """Write a value as JSON, if a file is named for it; dataclasses become objects, and what JSON does not know its text."""
    import dataclasses
    import json

    def plain(part: Any) -> Any:
        return dataclasses.asdict(part) if dataclasses.is_dataclass(part) and not isinstance(part, type) else str(part)

    if path is not None:
        path.write_text(json.dumps(value, ensure_ascii=False, indent=1, default=plain) + "\n", encoding="utf-8")


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table as Markdown, a row as soon as it is there."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
