"""What this process may use of the machine."""

import os

import pytest

from racro.base.machine import usable_cores, usable_memory_bytes

_PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("file", "limit", "expected"),
    [
        ("memory.max", "2147483648\n", 2**31),
        ("memory.max", "max\n", _PHYSICAL),
        ("memory/memory.limit_in_bytes", "1073741824\n", 2**30),
        # What version 1 says where there is no limit.
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", _PHYSICAL),
        ("elsewhere", "1", _PHYSICAL),
    ],
)
def test_a_containers_memory_is_its_own(tmp_path, file, limit, expected) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(limit)
    assert usable_memory_bytes(tmp_path) == expected


def test_cores_are_those_that_the_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    assert usable_cores() == len(before)
    try:
        os.sched_setaffinity(0, [min(before)])
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
