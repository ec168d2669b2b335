"""What a collection of 10,000 documents costs: the first build, one with nothing new, one with one document changed.

    python -m pes_search.eval.experiments.thousands [--documents 10000] [--folder var/thousands]

The documents are the factsheets of `../shared/data/eurofound`, multiplied, each with a paragraph of its own.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pes_search.service.cli.frame import print_table
from pes_search.service.engine import build
from pes_search.service.settings import read_settings

SOURCE = Path("../shared/data/eurofound/factsheets")
BEFORE = re.compile(rb"Content of measure\s*</h2>")  # the paragraph of its own


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what each build costs; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=Path("var/thousands"), help="where files and index go, and stay")
    parsed = parser.parse_args(arguments)
    if not SOURCE.is_dir():
        print(f"no documents: {SOURCE} is not there", file=sys.stderr)
        return 1
    written = write_documents(parsed.folder / "documents", parsed.documents)
    settings = read_settings().model_copy(update={"index_dir": parsed.folder / "index"})
    rows = []
    for label in ("first", "nothing changed", "one changed", "one renamed", "one removed"):
        if label == "one changed":
            written[0].write_bytes(written[0].read_bytes().replace(b"</h1>", b" (changed)</h1>", 1))
        elif label == "one renamed":
            written[1] = written[1].rename(written[1].with_name(f"renamed-{time.time_ns()}.html"))
        elif label == "one removed":
            written[2].unlink()
        stages = Stages()
        report = build(settings, [str(parsed.folder / "documents")], stages.note)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        rows.append((label, report.documents, report.passages, report.encoded, report.seconds, stages.told(), f"{peak:.1f}"))
        print(rows[-1], file=sys.stderr, flush=True)
    print_table(("build", "documents", "passages", "texts encoded", "seconds", "of them", "peak GB so far"), rows)
    return 0


class Stages:
    """How long each stage of a build took, by when it was told of last."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seconds: dict[str, float] = {}

    def note(self, stage: str, done: int, total: int) -> None:  # noqa: ARG002 – a progress
        """Note that a stage goes on."""
        now = time.monotonic()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._began
        self._began = now

    def told(self) -> str:
        """Return the stages with their seconds; what follows the last word of a stage counts to the next."""
        rest = time.monotonic() - self._began
        return ", ".join(f"{name} {seconds:.1f}" for name, seconds in self._seconds.items()) + f", then {rest:.1f}"


def write_documents(folder: Path, count: int) -> list[Path]:
    """Write the documents where they are not there yet."""
    originals = sorted(SOURCE.rglob("*.html"))
    paths: list[Path] = []
    for number in range(count):
        original = originals[number % len(originals)]
        path = folder / f"{number // 1000:02d}" / f"{original.stem}-{number:05d}.html"
        paths.append(path)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            own = f"<p>Office number {number} reports {number * 7 % 1013} people in year {number % 23 + 1}.</p>".encode()
            content = original.read_bytes()
            place = found.end() if (found := BEFORE.search(content)) else len(content)
            path.write_bytes(content[:place] + own + content[place:])
    return paths


if __name__ == "__main__":
    raise SystemExit(main())
