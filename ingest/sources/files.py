"""The files that a file, a folder or a glob of this machine names, in a stable order."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
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
    fetched = _Fetched()
    if path.is_dir():
        base = Path(os.path.abspath(path)).parent
        files: Iterable[Path] = _walk(path)
    elif path.exists():
        base, files = Path(os.path.abspath(path)).parent, [path]
    else:
        files = sorted(Path(match) for match in glob.glob(source, recursive=True))
        if not files:
            raise SourceNotFoundError(
                f"no file matches {source!r}; give a file, a folder or a quoted glob such as 'docs/**/*.pdf'"
            )
        fixed = Path(os.path.abspath(source[: glob_start(source)]))
        base = (fixed if fixed.is_dir() else fixed.parent).parent
        files = [file for file in files if file.is_file()]
    for file in files:
        is_document, origin = fetched.origin_of(file)
        if is_document:
            yield SourceFile(file, _name(file, base), origin)


class _Fetched:
    """Where files were fetched, by the records of the folders that they are in."""

    def __init__(self) -> None:
        self._of: dict[Path, dict[Path, Origin | None]] = {}  # by folder: the files of the record that it is under

    def origin_of(self, file: Path) -> tuple[bool, Origin | None]:
        """Tell whether a file is a document of its own, and where it was fetched if it was."""
        path = Path(os.path.abspath(file))
        known = self._known(path.parent)
        return (known[path] is not None, known[path]) if path in known else (True, None)

    def _known(self, folder: Path) -> dict[Path, Origin | None]:
        if folder not in self._of:
            own = {folder / name: origin for name, origin in origins(folder).items()}
            self._of[folder] = own or (self._known(folder.parent) if folder != folder.parent else {})
        return self._of[folder]


def _walk(folder: Path) -> list[Path]:
    paths: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        paths.extend(Path(here) / name for name in files if not name.startswith("."))
    return sorted(paths)


def _name(file: Path, base: Path) -> str:
    absolute = Path(os.path.abspath(file))  # not resolved: a link's own name is the one that people know
    name = absolute.relative_to(base).as_posix() if base in absolute.parents else file.name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # a name in another encoding


def glob_start(pattern: str) -> int:
    """Return where the first wildcard of a glob stands."""
    return min((pattern.find(c) for c in "*?[" if c in pattern), default=len(pattern))
