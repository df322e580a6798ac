"""Files and folders that are written whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a path to write a file to, which takes the place of `path` when the block ends.

    The file stands beside `path`, for a rename is atomic on one file system only. It is removed if
    the block raises. Two processes must not replace the same file at the same time.
    Raises OSError.
    """
    unfinished = unfinished_beside(path)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes the data to a file, whole or not at all. Raises OSError."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes the text to a file in UTF-8, whole or not at all. Raises OSError."""
    write_bytes(path, text.encode())


def replace_folder(unfinished: Path, folder: Path) -> None:
    """Puts a finished folder in the place of `folder`, if that exists or not.

    A folder cannot replace another in one step: what was there is `<folder>.old` for that moment.
    Raises OSError.
    """
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    unfinished.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def unfinished_beside(path: Path) -> Path:
    """Returns where a file or folder is written before it takes the place of `path`."""
    return path.with_name(f"{path.name}.unfinished")
