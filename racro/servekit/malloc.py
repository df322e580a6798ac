"""Giving the memory of large requests back to the system."""

import asyncio
import ctypes

_DELAY_S = 1.0
_M_ARENA_MAX = -8  # from glibc's malloc.h

_libc = ctypes.CDLL(None)
# glibc only; elsewhere freed memory is the allocator's own affair.
_mallopt = getattr(_libc, "mallopt", None)
_malloc_trim = getattr(_libc, "malloc_trim", None)


def use_one_arena() -> None:
    """For all threads: of the others' arenas, trimming leaves up to 64 MB each."""
    if _mallopt is not None:
        _mallopt(_M_ARENA_MAX, 1)


class MemoryTrimmer:
    """Returns freed memory to the system, at most once a second.

    glibc keeps what was freed in its heaps, so a service that has seen large images would stay as
    large as its worst moment. Mapping every large block apart instead (M_MMAP_THRESHOLD) triples
    the CPU time of a large request in page faults.
    """

    def __init__(self) -> None:
        self._scheduled = False

    def after_large_request(self) -> None:
        if _malloc_trim is not None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(_DELAY_S, self._trim)

    def _trim(self) -> None:
        self._scheduled = False
        if _malloc_trim is not None:
            _malloc_trim(0)
