"""What the relays of all three APIs share: a stream's first event, and watching what follows."""

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from racro.base.lone_surrogates import without_lone_surrogates
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Usage
from racro.servekit.relay import has_other_content, no_completion
from racro.servekit.responses import BYTE_ORDER_MARK, NotJson
from racro.servekit.sse import Event, EventReader, Readable, is_other_event, parse_event
from racro.servekit.tasks import off_loop_if_large

NULL = Raw(b"null")

_LONGEST_LINE = 64 * 2**10
# Of a line that is cut, so much is looked at again with what follows it.
OVERLAP = 32 * 2**10
# As JSON: a longer one would become many objects of Python.
_LONGEST_USAGE = 64 * 2**10
_LONGEST_BEGINNING = 4 * 2**20
# A stream's end may come in pieces of its own.
_LATEST_PIECES = 8
_LATEST_BYTES = 4 * 2**10
# Where an upstream has nothing to say yet.
_KEEP_ALIVES = {"ping", "keepalive"}

_EMPTY = re.compile(rb'null|false|-?0(?:\.0)?|""|\{\s*\}|\[\s*\]')

_BRACKET = ord("[")
_ERROR = b'"error"'

_Fields = TypeVar("_Fields")


def decode_fields(decoder: "msgspec.json.Decoder[_Fields]", answer: bytes) -> _Fields:
    """Return the fields that are looked at, of surrogates in halves, too. Raises NotJson."""
    try:
        return decoder.decode(answer)
    except NotJson:
        mended = without_lone_surrogates(answer.removeprefix(BYTE_ORDER_MARK))
        if mended is answer:
            raise
    return decoder.decode(mended)


def decode_usage(usage: Raw) -> Any:
    """Return a `usage` to be counted; None where it cannot be read, or is over 64 KiB."""
    if memoryview(usage).nbytes > _LONGEST_USAGE:
        return None
    try:
        return msgspec.json.decode(usage)
    except NotJson:
        return None


def is_empty(value: Raw) -> bool:
    """Tell whether the value of a field is null, false, or holds nothing."""
    return _EMPTY.fullmatch(value) is not None


def is_array(value: Raw) -> bool:
    return memoryview(value)[0] == _BRACKET


class _Failure(msgspec.Struct):
    type: Raw = NULL
    error: Raw = NULL


_failure_decoder = msgspec.json.Decoder(_Failure)


def has_error_event(lines: bytes) -> bool:
    """Tell whether a line is an error event by its name, or by its data's own type or error.

    Other events may hold an `error` further in, as where a tool or its schema is echoed.
    """
    return b"error" in lines and any(map(_is_error, lines.splitlines()))


def _is_error(line: bytes) -> bool:
    field, _, value = line.partition(b":")
    if field != b"data":
        return field == b"error" or (field == b"event" and value.strip() == b"error")
    if b"error" not in value:
        return False
    try:
        data = decode_fields(_failure_decoder, value.strip())
    except NotJson:
        return False
    return bytes(data.type) == _ERROR or not is_empty(data.error)


async def read_first_event(
    response: Readable, *, name: str, expected: str, check: Callable[[Event], None], piece: bytes
) -> bytes:
    """Return a stream's beginning, which starts with `piece`, once its first event was checked.

    Keep-alives are no events. Raises as `check`, UpstreamError where upstream `name` sends no
    events, and UpstreamUnavailable where it sends nothing.
    """
    reader, pieces, size = EventReader(), [], 0
    while piece:
        pieces.append(piece)
        size += len(piece)
        if size > _LONGEST_BEGINNING:
            raise UpstreamError(f"the {name} sent 4 MiB without an event")
        events = map(parse_event, reader.feed(piece))
        if first := next((event for event in events if event and not _is_idle(event)), None):
            break
        piece = await response.readany()
    else:
        first = reader.end()
    beginning = b"".join(pieces)
    if first is not None and not _is_idle(first):
        await off_loop_if_large(len(first.data), partial(check, first))
    elif has_other_content(beginning):
        raise no_completion(beginning, name=name, expected=expected)
    else:
        raise UpstreamUnavailable(f"the {name} broke off its answer")
    return beginning


def _is_idle(event: Event) -> bool:
    return event.name in _KEEP_ALIVES or is_other_event(event)


def _with_line_feeds(lines: bytes) -> bytes:
    """Return lines that end with LF alone, as most do; CRLF and CR end some, too."""
    if b"\r" not in lines:
        return lines
    return lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _last_events(lines: bytes) -> bytes:
    """Return the last 4 KiB, and the whole of the event that they begin in up to 64 KiB."""
    start = len(lines) - _LATEST_BYTES
    if start <= 0:
        return lines
    return lines[max(lines.rfind(b"\n\n", 0, start) + 1, len(lines) - _LONGEST_LINE) :]


class RelayedStream(ABC):
    """Watches an event stream that is passed on in pieces, however they are cut.

    `usage` is what the stream tells, zero until it does; counts are totals, not increments.
    `has_failed`, known at the end, says that it ended with an error, or by its server and not by
    the model.
    """

    def __init__(self, *, name: str) -> None:
        self.usage = Usage()
        self.has_failed = False
        self._name = name
        self._latest: deque[bytes] = deque(maxlen=_LATEST_PIECES)
        # A line may come in many pieces: they are joined once, when its end has come.
        self._unfinished: list[bytes] = []
        self._unfinished_bytes = 0

    @abstractmethod
    def _note(self, lines: bytes) -> None:
        """Take whole lines, of which the first may be the end of one that was cut."""

    def _note_cut(self, part: bytes) -> None:  # noqa: B027 - most need nothing of it
        """Take the beginning of a line of over 64 KiB; its end overlaps with what comes next."""

    @abstractmethod
    def _has_ended(self, latest: bytes, rest: bytes) -> bool:
        """Tell whether the answer was whole, by the last lines; `rest` is one without an end.

        `has_failed` is set as it is known.
        """

    def _tells_failure(self, latest: bytes) -> bool:
        """Tell whether the last lines hold an error that its client sees."""
        return has_error_event(latest)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the stream."""
        lines, line_end, rest = piece.rpartition(b"\n")
        if not line_end:
            # A CR ends a line, too, and in JSON it is escaped.
            lines, line_end, rest = piece.rpartition(b"\r")
        if line_end:
            if self._unfinished:
                lines = b"".join([*self._unfinished, lines])
                self._unfinished, self._unfinished_bytes = [], 0
            if lines:
                lines = _with_line_feeds(lines)
                self._latest.append(_last_events(lines))
                self._note(lines)
        if rest:
            self._unfinished.append(rest)
            self._unfinished_bytes += len(rest)
            if self._unfinished_bytes > _LONGEST_LINE:
                self._cut()

    def end(self) -> None:
        """Take the stream's end. Raises UpstreamUnavailable where the answer has not come to its.

        An error that its client sees is an end, too.
        """
        rest = _with_line_feeds(b"".join(self._unfinished))
        latest = b"\n".join([*self._latest, rest])
        self.has_failed = self._tells_failure(latest)
        if not self._has_ended(latest, rest) and not self.has_failed:
            raise UpstreamUnavailable(f"the {self._name} broke off its answer")

    def _cut(self) -> None:
        part = b"".join(self._unfinished)
        self._latest.append(part[-_LATEST_BYTES:])
        self._note_cut(part)
        self._unfinished, self._unfinished_bytes = [part[-OVERLAP:]], OVERLAP
