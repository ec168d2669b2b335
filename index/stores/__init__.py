"""Where an index is kept, and what can be asked of it.

To add a store: a module here and a line in `STORES`; the contract test runs over that table, and `store` in the settings takes
the name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pes_search.index.stores.base import IndexStore
from pes_search.ingest.parts import Part, Parts

STORES: Parts[Callable[[Path], IndexStore], Part] = Parts(
    "store",
    {
        "files": Part("pes_search.index.stores.files:FileStore"),
        "memory": Part("pes_search.index.stores.memory:open_memory"),
    },
)


def open_store(name: str, folder: Path) -> IndexStore:
    """Return the store of a name; `folder` is where it keeps the index.

    Raises:
        MissingPartError: no store has the name, or what it needs is not installed.
    """
    return STORES.load(name)(folder)
