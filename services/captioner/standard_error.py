"""Keeps what libraries write to standard error out of the log."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_standard_error() -> Iterator[None]:
    """Discard what this process's native code writes to standard error in the block."""
    saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nothing)
