"""How many connections of clients a process has at once: fewer than it may open files.

Without a descriptor left, connections would be reset without a word, and upstreams not be reached.
"""

import logging
import resource
import time

from racro.base.wrong_settings import WrongSettingsError
from racro.servekit import service_metrics

# For what is no connection of a client nor of its request to an upstream: listening, files, Redis,
# refused connections that are closing.
_RESERVED_FILES = 100
# One of the client, and one to an upstream.
_FILES_PER_CONNECTION = 2
# Each needs 37 KiB with an unfinished head, and all of them beside full `max_bytes_in_flight` less
# than the gateway's memory limit in compose and chart.
_MOST_BY_DEFAULT = 5_000
# Refused connections that may wait for their client to read the refusal.
MOST_CLOSING = 50
_LOG_EVERY_S = 10

_log = logging.getLogger(__name__)


class ConnectionLimit:
    """Counts the connections of clients, and refuses those over `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0
        self._refused = 0
        self._logged_at = float("-inf")
        service_metrics.CONNECTIONS.set_function(lambda: self.open)

    def enter(self) -> bool:
        """Counts a connection, and returns whether it may stay; one that may not is not counted."""
        if self.open >= self.most:
            self._note_refusal()
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        """Is told of the end of each connection that was counted."""
        self.open -= 1

    def _note_refusal(self) -> None:
        service_metrics.CONNECTIONS_REFUSED.inc()
        self._refused += 1
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_S:
            _log.warning(
                "connections are refused: there are %d, the most (max_connections); refused so "
                "far: %d",
                self.most,
                self._refused,
            )
            self._logged_at = now


def most_connections(wanted: int | None) -> int:
    """Returns how many connections there may be, `wanted` or what the limit of open files allows.

    Raises that limit where the system allows it. Raises WrongSettingsError where it is too low.
    """
    files = _raise_file_limit()
    possible = (files - _RESERVED_FILES) // _FILES_PER_CONNECTION
    least = wanted or 1
    if possible < least:
        needed = least * _FILES_PER_CONNECTION + _RESERVED_FILES
        raise WrongSettingsError(
            f"max_connections: {least} need {needed} open files, and the limit of open files "
            f"(ulimit -n) is {files}"
        )
    return wanted or min(possible, _MOST_BY_DEFAULT)


def _raise_file_limit() -> int:
    """Sets the soft limit of open files to the hard one, and returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            _log.info("the limit of open files stays at %d", soft)
    return soft if soft != resource.RLIM_INFINITY else 2**31
