"""SIGHUP, which ends a process that has no handler of its own for it."""

import logging
import signal

_log = logging.getLogger(__name__)


def ignore_hangup() -> None:
    """Has SIGHUP logged and otherwise ignored, until something else handles it.

    Not by SIG_IGN: child processes would inherit that.
    """
    signal.signal(signal.SIGHUP, lambda *_: _log.warning("SIGHUP ignored: nothing to read again"))
