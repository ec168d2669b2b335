"""Where an index is kept, and what can be asked of it.

To add a store: a module here and a line in `STORES`; the contract test runs over that table, and `store` in the settings takes
the name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pes_search.index.stores.base import KEPT_GENERATIONS, IndexStore
from pes_search.ingest.parts import Part, Parts

STORES: Parts[Callable[[Path, int], IndexStore], Part] = Parts(
    "store",
    {
        "files": Part("pes_search.index.stores.files:FileStore"),
        "memory": Part("pes_search.index.stores.memory:open_memory"),
    },
)


def open_store(name: str, folder: Path, keep: int = KEPT_GENERATIONS) -> IndexStore:
    """Return the store of a name; `folder` is where it keeps the index, and `keep` how many generations of it.

    Raises:
        MissingPartError: no store has the name, or what it needs is not installed.
    """
    return STORES.load(name)(folder, keep)
