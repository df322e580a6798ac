"""Files that others change while we run."""

from pathlib import Path


def stamp(path: Path) -> tuple[int, ...] | None:
    """Another one after every change, a replaced link on the way (Kubernetes) included; None where
    there is no file.
    """
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size
