"""`pes generations`, `pes rollback` and `pes verify`: the states of an index that are kept."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pes_search.index.errors import IndexDamagedError, IndexNotFoundError
from pes_search.service.cli.frame import FAILED_STATUS, index_settings, print_json

if TYPE_CHECKING:
    from pes_search.index.types import Generation, LastBuild, Manifest


def list_generations(parsed: argparse.Namespace) -> int:
    """Print the generations that are kept, after each the one that was in use before it."""
    settings = index_settings(parsed)
    generations = settings.index_store().generations()
    if parsed.json:
        print_json([dataclasses.asdict(generation) for generation in generations])
        return 0
    if not generations:
        raise IndexNotFoundError(f"no index in {settings.index_dir}; build one with `pes build --index {settings.index_dir}`")
    for generation in generations:
        mark = "in use" if generation.in_use else ""
        counts = f"{generation.documents} documents, {generation.passages} passages, {generation.bytes / 1e6:.2f} MB"
        built = f"built {generation.built_at} by pes-search {generation.version}" if generation.built_at else "built: unknown"
        fault = f"; cannot be opened: {generation.fault}" if generation.fault else ""
        print(f"{generation.name}  {mark:<6}  {built}: {counts}{fault}")
    return 0


def roll_back(parsed: argparse.Namespace) -> int:
    """Make an earlier generation the one in use, all of it checked first."""
    from pes_search.index.encoders.identity import packaged_model_id

    settings = index_settings(parsed)
    store = settings.index_store()
    generation = chosen(store.generations(), parsed.generation, str(settings.index_dir))
    manifest = store.verify(generation.name)
    if packaged_model_id(settings.encoder) not in (None, manifest.model_id):
        raise IndexDamagedError(
            f"generation {generation.name} was built with the model {manifest.model_id}, and the settings name another; set "
            "[encoder] as it was, then go back"
        )
    store.switch_to(generation.name)
    if parsed.json:
        print_json(dataclasses.asdict(dataclasses.replace(generation, in_use=True)))
    else:
        print(
            f"index {manifest.index_id} of {manifest.built_at} in {settings.index_dir} is in use again: {_counts(manifest)}. A "
            "service goes over to it with its next request. The next build makes a new one of the sources as they are then."
        )
    return 0


def verify(parsed: argparse.Namespace) -> int:
    """Check every file of a generation, or of all that are kept."""
    settings = index_settings(parsed)
    store = settings.index_store()
    names: list[str | None] = [None]
    if parsed.all:
        names = [generation.name for generation in store.generations()] or names
    elif parsed.generation:
        names = [named(store.generations(), parsed.generation, str(settings.index_dir)).name]
    checked: list[Manifest] = []
    faults: list[IndexDamagedError] = []
    for name in names:
        try:
            manifest = store.verify(name)
        except IndexDamagedError as error:
            if not parsed.all:
                raise
            faults.append(error)
            print(f"pes: generation {name}: {error}", file=sys.stderr)
            continue
        checked.append(manifest)
        if not parsed.json:
            of = f" (generation {name})" if name else ""
            print(f"index {manifest.index_id}{of} in {settings.index_dir} is as it was written: {_counts(manifest)}")
    if parsed.json:
        rows = [{"index_id": one.index_id, "folder": str(settings.index_dir), "files": len(one.files)} for one in checked]
        print_json({"checked": rows, "faults": [error.what for error in faults]} if parsed.all else rows[0])
    if parsed.all and not any(generation.in_use for generation in store.generations()):
        store.verify()  # which tells what is wrong with CURRENT
    return FAILED_STATUS if faults else 0


def chosen(generations: Sequence[Generation], wanted: str | None, place: str) -> Generation:
    """Return the generation to go back to: the named one, else the one that was in use before the one in use.

    Where nothing tells which is in use, that is the one that came into use last.

    Raises:
        IndexNotFoundError: there is none, or several have the name.
    """
    if wanted is not None:
        return named(generations, wanted, place)
    used = next((row for row, generation in enumerate(generations) if generation.in_use), -1)
    if used + 1 >= len(generations):
        raise IndexNotFoundError(
            f"no earlier generation of the index in {place} is kept ([index] generations says how many are); build it anew "
            f"with `pes build --index {place}`"
        )
    return generations[used + 1]


def named(generations: Sequence[Generation], wanted: str, place: str) -> Generation:
    """Return the generation of a name, or the only one whose name begins so.

    Raises:
        IndexNotFoundError: there is none, or there are several.
    """
    fitting = [generation for generation in generations if generation.name == wanted] or [
        generation for generation in generations if generation.name.startswith(wanted)
    ]
    if len(fitting) != 1:
        what = "no generation" if not fitting else f"{len(fitting)} generations"
        raise IndexNotFoundError(
            f"{what} {wanted!r} of the index in {place}; `pes generations --index {place}` lists their names"
        )
    return fitting[0]


def last_build_line(build: LastBuild | None) -> str:
    """Return what became of the last build, for people."""
    if build is None:
        return "unknown"
    at = f"started {build.started}" if build.state in ("running", "died") else build.ended
    return f"{build.state}, {at}, by pes-search {build.version}" + (f": {build.message}" if build.message else "")


def _counts(manifest: Manifest) -> str:
    return f"{manifest.documents} documents, {manifest.passages} passages, {len(manifest.files)} files"
