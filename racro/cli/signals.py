"""What Ctrl-C does to a command: never a traceback, never a process left behind.

A shell that starts a command in the background has it ignore Ctrl-C, and so it stays.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupts_are_raised() -> None:
    """Ctrl-C raises KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_like_ctrl_c() -> None:
    """SIGTERM, of a service manager, and SIGHUP, of a closed terminal, interrupt as Ctrl-C does.

    Only the first signal does: one amid the unwinding of blocks would skip what ends processes.
    """
    came = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        if not came:
            came = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)


@contextmanager
def put_off() -> Iterator[list[int]]:
    """Signals that end the command take effect at the end of the block; until then they are listed.

    So none comes between a process that was started and the note of it.
    """
    came: list[int] = []
    before = {one: signal.getsignal(one) for one in ENDING}
    handled = {one: handler for one, handler in before.items() if callable(handler)}
    for one in handled:
        signal.signal(one, lambda number, _frame: came.append(number))
    try:
        yield came
    finally:
        for one, handler in handled.items():
            signal.signal(one, handler)
        if came:
            signal.raise_signal(came[0])
