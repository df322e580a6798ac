"""Giving the memory of large requests back to the system."""

import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 256 * 2**10


def return_large_blocks() -> None:
    """Have glibc map every large block apart, so that freeing it returns it.

    By default it keeps blocks of up to 32 MB in its heaps once one was freed, and a service that
    has seen a few images stays as large as its worst moment. Does nothing without glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
