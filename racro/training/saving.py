"""Nothing half-written stays."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from racro.training.training_error import Stopped


@contextmanager
def saving(folder: Path) -> Iterator[None]:
    """Raises Stopped where `folder` cannot be saved, and removes what is half-written: it may be
    what fills the disk.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        # A full disk is a different one of these to Python, to torch and to safetensors.
        shutil.rmtree(folder, ignore_errors=True)
        raise Stopped(
            f"{folder} cannot be saved: {error}; earlier checkpoints are whole"
        ) from error
