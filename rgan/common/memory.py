"""What the C library does with freed memory, where it is glibc; elsewhere these do nothing.

Its threads free into pools of their own, up to eight a core, which only grow: forty searches in turn would hold
gigabytes that none of them needs.
"""

from __future__ import annotations

import ctypes
import functools

_ARENA_MAX = -8  # of malloc.h


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") else None


def share_pools(count: int) -> None:
    """Let threads that begin from now on share so many pools."""
    if (library := _glibc()) is not None:
        library.mallopt(_ARENA_MAX, count)


def give_back() -> None:
    """Return freed memory to the system."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
