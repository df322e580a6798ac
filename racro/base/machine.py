"""What this process may use of the machine: cores, and memory."""

import os
from pathlib import Path

# Of cgroups, version 2 and version 1, as a container sees its own.
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def usable_cores() -> int:
    """Returns the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_memory_bytes(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Returns the bytes of memory that this process's container may have, or the machine has."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_limits(cgroups)])


def _limits(cgroups: Path) -> list[int]:
    limits = []
    for name in _LIMITS:
        try:
            text = (cgroups / name).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():  # or "max"
            limits.append(int(text))
    return limits
