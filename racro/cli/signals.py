"""What Ctrl-C does to a command: never a traceback, never a process left behind.

A shell that starts a command in the background has it ignore Ctrl-C, and so it stays.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupts_end_at_once() -> None:
    """Ctrl-C ends the process there and then: for while there is nothing to end or put away.

    In the midst of imports an exception would be told by whoever imports, or lost.
    """
    _on_ctrl_c(lambda _number, _frame: os._exit(INTERRUPTED))


def interrupts_are_raised() -> None:
    """Ctrl-C raises KeyboardInterrupt."""
    _on_ctrl_c(signal.default_int_handler)


def _on_ctrl_c(handler: Callable[[int, FrameType | None], object]) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def end_like_ctrl_c() -> None:
    """SIGTERM, of a service manager, and SIGHUP, of a closed terminal, raise KeyboardInterrupt."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


@contextmanager
def put_off() -> Iterator[list[int]]:
    """Signals that end the command take effect at the end of the block; until then they are listed.

    So none comes between a process that was started and the note of it.
    """
    came: list[int] = []
    before = {one: signal.getsignal(one) for one in _ENDING}
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
