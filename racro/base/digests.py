"""Digests of files."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> bytes:
    """Returns the SHA-256 of a file, 32 bytes, without loading the file whole. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
