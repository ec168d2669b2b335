"""`pes build --watch`: a build after every change of the sources, until it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from pes_search.ingest.errors import PesSearchError, SourceNotFoundError
from pes_search.ingest.sources.files import glob_start

LOOK_MILLISECONDS = 1_000  # how long the watcher waits for a change before it says that there is none
QUIET_MILLISECONDS = 1_000  # without a further change: a folder that is being copied is built once


def build_on_change(sources: Callable[[], Sequence[str]], build: Callable[[Sequence[str]], object], apart: Path) -> NoReturn:
    """Build, and again whenever a file of the sources has changed. What fails is told, and the next change tries again.

    `sources` is asked each time, since folders of uploads or fetched files may appear; `apart` is a folder that does not count.

    Raises:
        KeyboardInterrupt: it was stopped.
        SourceNotFoundError: there is nothing to watch.
    """
    watched: list[Path] | None = None
    changes: Iterator[bool] = iter(())
    while True:
        if (places := watched_places(sources())) != watched:
            if not places:
                raise SourceNotFoundError(f"none of {', '.join(sources())} is there to be watched; make one of their folders")
            watched, changes = places, _changes(places, apart)
            next(changes)  # it watches from here on, also while a build is running
            print(f"pes: watching {', '.join(map(str, watched))} (stop with Ctrl-C)", file=sys.stderr, flush=True)
        try:
            build(sources())
        except (PesSearchError, OSError) as error:
            print(f"pes: {error}", file=sys.stderr, flush=True)
        while not next(changes) and watched_places(sources()) == watched:
            pass


def watched_places(sources: Sequence[str]) -> list[Path]:
    """Return the folders and files that are there to be watched: of a glob the folder before its first wildcard."""
    places: dict[Path, None] = {}
    for source in sources:
        path = Path(source)
        if not path.exists():
            fixed = Path(source[: glob_start(source)])
            path = fixed if fixed.is_dir() else fixed.parent
        if path.exists():
            places[path] = None
    return list(places)


def _changes(places: Sequence[Path], apart: Path) -> Iterator[bool]:
    """Tell again and again whether something has changed since the last time."""
    from watchfiles import Change, watch

    own = apart.absolute()

    def counts(change: Change, path: str) -> bool:  # noqa: ARG001 – every kind of change counts
        changed = Path(path).absolute()
        return not changed.name.startswith(".") and own not in changed.parents

    for changes in watch(
        *places,
        watch_filter=counts,
        debounce=QUIET_MILLISECONDS,
        rust_timeout=LOOK_MILLISECONDS,
        yield_on_timeout=True,
        raise_interrupt=True,
    ):
        yield bool(changes)
