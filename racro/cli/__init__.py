"""The `racro` command: up, solve, models, doctor, connect, demo, keys, cache, usage, eval, train.

This module imports next to nothing, so that Ctrl-C is looked after from the first moment.
"""

import io
import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run what was typed, and leave with its exit code: 130 after Ctrl-C."""
    interrupts_end_at_once()
    from racro.cli.commands import app  # noqa: PLC0415 - Ctrl-C is looked after first

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A caption, or the name of a file, may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="racro")
    finally:
        interrupts_end_at_once()


def interrupts_end_at_once() -> None:
    """Ctrl-C ends the process there and then: for while there is nothing to end or put away.

    In the midst of imports an exception would be told by whoever imports, or lost.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(INTERRUPTED))
