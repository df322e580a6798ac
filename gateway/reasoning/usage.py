"""Token counts from a reasoner's answers, also from those that are passed on unparsed."""

from typing import Any

import msgspec
from msgspec import Raw

from racro.contracts.completion import counted
from racro.contracts.perception import Usage
from racro.servekit.responses import NotJson

_MARK = b'"usage":'
_LONGEST_LINE = 64 * 2**10
# Of the lines in one piece of a stream, so many are tried that may hold a usage.
_MOST_TRIED = 8
# As JSON: a longer one would become many objects of Python.
_LONGEST_USAGE = 64 * 2**10


class _Answer(msgspec.Struct):
    usage: Any = None


class _LargeAnswer(msgspec.Struct):
    usage: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(_Answer).decode
_decode_large = msgspec.json.Decoder(_LargeAnswer).decode


def usage_of(answer: bytes) -> Usage:
    """Return the usage that a plain answer, or one event of a stream, reports; else zero."""
    try:
        if len(answer) <= _LONGEST_USAGE:
            return counted(_decode(answer).usage)
        usage = _decode_large(answer).usage
        if memoryview(usage).nbytes > _LONGEST_USAGE:
            return Usage()
        return counted(msgspec.json.decode(usage))
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
        end = len(lines)
        for _ in range(_MOST_TRIED):
            mark = lines.rfind(_MARK, 0, end)
            if mark < 0:
                return
            end = lines.rfind(b"\n", 0, mark) + 1
            line_end = lines.find(b"\n", mark)
            line = lines[end : line_end if line_end >= 0 else len(lines)]
            if (found := usage_of(line.removeprefix(b"data:"))).is_known:
                self.value = found
                return
