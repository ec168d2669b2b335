"""The files that a file, a folder or a glob of this machine names, in a stable order."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from pes_search.ingest.errors import SourceNotFoundError
from pes_search.ingest.origin import Origin
from pes_search.ingest.sources.base import SourceFile
from pes_search.ingest.sources.fetched import origins

SKIPPED_FOLDERS = {"__pycache__", "node_modules"}


def files_of(source: str) -> Iterator[SourceFile]:
    """Yield every file of the source, sorted by name. Hidden files are left out.

    Raises:
        SourceNotFoundError: the source is neither a file nor a folder and matches nothing as a glob.
    """
    if not source.strip():
        raise SourceNotFoundError("a source is empty; give a file, a folder or a quoted glob such as 'docs/**/*.pdf'")
    path = Path(source)
    if path.is_dir():
        base = Path(os.path.abspath(path)).parent
        for file, origin in _walk(path):
            yield SourceFile(file, _name(file, base), origin)
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


def _walk(folder: Path) -> Iterator[tuple[Path, Origin | None]]:
    paths: list[Path] = []
    fetched: dict[Path, Origin] = {}
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        paths.extend(Path(here) / name for name in files if not name.startswith("."))
        fetched |= {Path(here) / name: origin for name, origin in origins(Path(here)).items()}
    for path in sorted(paths):
        yield path, fetched.get(path)


def _name(file: Path, base: Path) -> str:
    absolute = Path(os.path.abspath(file))  # not resolved: a link's own name is the one that people know
    name = absolute.relative_to(base).as_posix() if base in absolute.parents else file.name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # a name in another encoding


def glob_start(pattern: str) -> int:
    """Return where the first wildcard of a glob stands."""
    return min((pattern.find(c) for c in "*?[" if c in pattern), default=len(pattern))
