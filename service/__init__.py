"""Questions become sourced results, over the command line, HTTP and a web page.

The Python interface is here too: `open_collection` and `build_collection` (see `collection`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pes_search.service.collection import Collection, build_collection, open_collection

__all__ = ["Collection", "build_collection", "open_collection"]


def __getattr__(name: str) -> Any:
    """Load the Python interface when it is asked for: `pes --help` needs none of what it imports."""
    if name in __all__:
        from pes_search.service import collection

        return getattr(collection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
