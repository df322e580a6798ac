"""What workers are given to do in tests: functions of a module that they can import."""

import os
import signal
import time
from pathlib import Path

from racro.contracts.errors import TooLarge

MIB = 2**20

_kept: list[bytearray] = []


def pid() -> int:
    return os.getpid()


def allocate(mib: int) -> int:
    return len(bytearray(mib * MIB))


def keep(mib: int) -> int:
    _kept.append(bytearray(mib * MIB))
    return os.getpid()


def short_sleep() -> None:
    time.sleep(0.5)


def refuse() -> None:
    raise TooLarge("so large", param="images[3]")


def spin(started: str) -> None:
    Path(started).write_text(str(os.getpid()))
    while True:
        time.process_time()


def wait_for(path: str) -> int:
    while not Path(path).exists():
        time.sleep(0.01)
    return os.getpid()


def die(first_only: str = "") -> int:
    if not first_only or not Path(first_only).exists():
        if first_only:
            Path(first_only).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def environment() -> tuple[str, bool]:
    return os.environ["OPENBLAS_NUM_THREADS"], signal.getsignal(signal.SIGINT) == signal.SIG_IGN
