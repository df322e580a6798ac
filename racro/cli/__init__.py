"""The `racro` command: up, solve, models, demo, keys, cache, eval, train.

This module imports next to nothing, so that Ctrl-C is looked after from the first moment.
"""

import io
import sys

from racro.cli.signals import interrupts_end_at_once


def main() -> None:
    """Run what was typed, and leave with its exit code: 130 after Ctrl-C."""
    interrupts_end_at_once()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A caption, or the name of a file, may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    from racro.cli.commands import app  # noqa: PLC0415 - Ctrl-C is looked after first

    try:
        app(prog_name="racro")
    finally:
        interrupts_end_at_once()
