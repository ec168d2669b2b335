"""What a process that runs for long tells the C library's allocator."""

from __future__ import annotations

import ctypes

ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
ARENAS = 2  # by default eight a core, each of which keeps what it once needed: a service's threads add up


def keep_memory_small() -> None:
    """Give back what is free, and let threads share their memory. Does nothing where the C library is not glibc."""
    try:
        library = ctypes.CDLL(None)
        library.mallopt(ARENA_MAX, ARENAS)
        library.malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
