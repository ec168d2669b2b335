"""The files that a list of files, folders and globs names, in a stable order."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pes_search.ingest.errors import SourceNotFoundError

SKIPPED_FOLDERS = {"__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read; `name` is its path from the folder above the source that named it, with forward slashes.

    The name does not change with the working directory, so document ids made from it do not either.
    """

    path: Path
    name: str


def find_files(sources: Iterable[str]) -> list[SourceFile]:
    """Return every file of the sources once, sorted by name within each source. Hidden files are left out.

    Raises:
        SourceNotFoundError: a source is neither a file nor a folder and matches nothing as a glob.
    """
    found: dict[str, SourceFile] = {}
    for source in sources:
        for file in _files_of(source):
            found.setdefault(os.path.realpath(file.path), file)  # unlike Path.resolve, it bears a link to itself
    return list(found.values())


def _files_of(source: str) -> Iterator[SourceFile]:
    if not source.strip():
        raise SourceNotFoundError("a source is empty; give a file, a folder or a quoted glob such as 'docs/**/*.pdf'")
    path = Path(source)
    if path.is_dir():
        base = Path(os.path.abspath(path)).parent
        for file in _walk(path):
            yield SourceFile(file, _name(file, base))
    elif path.exists():
        yield SourceFile(path, path.name)
    else:
        matches = sorted(Path(match) for match in glob.glob(source, recursive=True))
        if not matches:
            raise SourceNotFoundError(
                f"no file matches {source!r}; give a file, a folder or a quoted glob such as 'docs/**/*.pdf'"
            )
        fixed = Path(os.path.abspath(source[: glob_start(source)]))
        base = (fixed if fixed.is_dir() else fixed.parent).parent
        for match in matches:
            if match.is_file():
                yield SourceFile(match, _name(match, base))


def _walk(folder: Path) -> Iterator[Path]:
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        found.extend(Path(here) / name for name in files if not name.startswith("."))
    yield from sorted(found)


def _name(file: Path, base: Path) -> str:
    absolute = Path(os.path.abspath(file))  # not resolved: a link's own name is the one that people know
    name = absolute.relative_to(base).as_posix() if base in absolute.parents else file.name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # a name in another encoding


def glob_start(pattern: str) -> int:
    """Return where the first wildcard of a glob stands."""
    return min((pattern.find(c) for c in "*?[" if c in pattern), default=len(pattern))
