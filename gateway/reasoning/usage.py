"""Token counts from a reasoner's answers, also from those that are passed on unparsed."""

from typing import Any

import msgspec

from racro.contracts.completion import counted
from racro.contracts.perception import Usage
from racro.servekit.responses import NotJson

_MARK = b'"usage":'
_LONGEST_LINE = 64 * 2**10


class _Answer(msgspec.Struct):
    usage: Any = None


_decoder = msgspec.json.Decoder(_Answer)


def usage_of(answer: bytes) -> Usage:
    """Return the usage that a plain answer, or one event of a stream, reports; else zero."""
    try:
        return counted(_decoder.decode(answer).usage)
    except NotJson:
        return Usage()


class StreamedUsage:
    """Finds the last usage in an event stream that is passed on in pieces, however they are cut.

    `value` is zero until there is one; counts are totals, not increments.
    """

    def __init__(self) -> None:
        self.value = Usage()
        # A line may come in many pieces: they are joined once, when its end has come.
        self._unfinished: list[bytes] = []
        self._unfinished_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Reads a piece of the stream; a line of over 64 KiB that is cut is not looked at."""
        lines, line_feed, rest = piece.rpartition(b"\n")
        if line_feed:
            if self._unfinished:
                lines = b"".join([*self._unfinished, lines])
                self._forget()
            if _MARK in lines:
                self._search(lines)
        if rest:
            self._unfinished.append(rest)
            self._unfinished_bytes += len(rest)
            if self._unfinished_bytes > _LONGEST_LINE:
                self._forget()

    def end(self) -> None:
        """Reads what came last, if no line feed did."""
        line = b"".join(self._unfinished)
        if _MARK in line:
            self._search(line)

    def _forget(self) -> None:
        self._unfinished, self._unfinished_bytes = [], 0

    def _search(self, lines: bytes) -> None:
        for line in reversed(lines.split(b"\n")):
            if _MARK in line and (found := usage_of(line.removeprefix(b"data:"))).is_known:
                self.value = found
                return
