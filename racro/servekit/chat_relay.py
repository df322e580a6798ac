"""Looks at chat completions that are passed on as they come: what they are, tokens, their end.

A plain answer is parsed no deeper than its own fields. Of a stream the first event is read, then
the one that counts tokens, and its last lines once it is over.
"""

import re
from collections import deque
from functools import partial

import msgspec
from msgspec import Raw

from racro.base.lone_surrogates import without_lone_surrogates
from racro.contracts.completion import Chunk, counted
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Usage
from racro.servekit.relay import error_from_event, has_other_content, no_completion
from racro.servekit.responses import BYTE_ORDER_MARK, NotJson
from racro.servekit.sse import Event, EventReader, Readable, is_other_event, parse_event
from racro.servekit.tasks import off_loop_if_large

_MARK = b'"usage":'
_LONGEST_LINE = 64 * 2**10
# Of the lines in one piece of a stream, so many are tried that may hold a usage.
_MOST_TRIED = 8
# As JSON: a longer one would become many objects of Python.
_LONGEST_USAGE = 64 * 2**10
_LONGEST_BEGINNING = 4 * 2**20

# No text ends a line: in JSON a line feed is escaped.
_LAST_LINE = b"data: [DONE]\n"
# Its end may come in pieces of its own.
_LATEST_PIECES = 8
_LATEST_BYTES = 4 * 2**10
_DONE = re.compile(rb"(?:^|[\r\n])data: *\[DONE\]")
_FAILURE = re.compile(
    # At the beginning of a line, and outside of a text, where quotes are escaped.
    rb"(?:^|[\r\n])(?:error:|event: ?error)|\"object\"\s*:\s*\"error\""
    rb'|"error"\s*:\s*(?!null|false|-?0|""|\{\s*\}|\[\s*\]|\s)'
)
# vLLM's and OpenRouter's for an answer that their models did not end.
_BROKEN_FINISH = re.compile(rb'"finish_reason"\s*:\s*"(?:abort|error)"')
# As JSON is written as a rule; others are found in the latest lines.
_FINISHES = (b'"finish_reason":"', b'"finish_reason": "')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"[^"]')

_NULL = Raw(b"null")
_NO_CHOICES = (b"null", b"[]")
_EMPTY = re.compile(rb'false|-?0(?:\.0)?|""|\{\s*\}|\[\s*\]')


class _Answer(msgspec.Struct):
    choices: Raw = _NULL
    error: Raw = _NULL
    usage: Raw = _NULL
    object: Raw = _NULL

    @property
    def has_failed(self) -> bool:
        """Tell whether there is an error; one that is empty or false is none beside choices."""
        error = bytes(self.error)
        if error == b"null":
            return False
        return _EMPTY.fullmatch(error) is None or bytes(self.choices) in _NO_CHOICES


_decode = msgspec.json.Decoder(_Answer).decode
_decode_chunk = msgspec.json.Decoder(Chunk).decode
_BRACKET = ord("[")


def check_completion(answer: bytes, *, name: str) -> Usage:
    """Return the tokens that a plain chat completion reports; counts that cannot be read are 0.

    Raises UpstreamError where the answer of upstream `name` is no chat completion.
    """
    try:
        fields = _fields(answer)
    except NotJson as error:
        raise no_completion(answer, name=name) from error
    if memoryview(fields.choices)[0] != _BRACKET or fields.has_failed:
        raise no_completion(answer, name=name)
    return _counted(fields.usage)


def _fields(answer: bytes) -> _Answer:
    """Return the fields that are looked at. Raises NotJson."""
    try:
        return _decode(answer)
    except NotJson:
        mended = without_lone_surrogates(answer.removeprefix(BYTE_ORDER_MARK))
        if mended is answer:
            raise
    return _decode(mended)


def _counted(usage: Raw) -> Usage:
    if memoryview(usage).nbytes > _LONGEST_USAGE:
        return Usage()
    try:
        return counted(msgspec.json.decode(usage))
    except NotJson:
        return Usage()


async def read_beginning(response: Readable, *, name: str) -> bytes:
    """Return the first bytes of a streamed answer, which hold its first event, to be passed on.

    Raises what an error there means, UpstreamError where upstream `name` sends something else than
    chat completions, and UpstreamUnavailable where it sends nothing.
    """
    beginning = await response.readany()
    if beginning.startswith(b"data:") and b'"choices"' in beginning and b'"error"' not in beginning:
        return beginning
    return await _read_first_event(response, beginning, name)


async def _read_first_event(response: Readable, piece: bytes, name: str) -> bytes:
    """Read on until the first event is there, and check it. Raises as `read_beginning`."""
    reader, pieces, size = EventReader(), [], 0
    while piece:
        pieces.append(piece)
        size += len(piece)
        if size > _LONGEST_BEGINNING:
            raise UpstreamError(f"the {name} sent 4 MiB without an event")
        events = map(parse_event, reader.feed(piece))
        chunks = (event for event in events if event and not is_other_event(event))
        if first := next(chunks, None):
            break
        piece = await response.readany()
    else:
        first = reader.end()
    beginning = b"".join(pieces)
    if first is not None:
        await off_loop_if_large(len(first.data), partial(_check_first, first, name))
    elif has_other_content(beginning):
        raise no_completion(beginning, name=name)
    else:
        raise UpstreamUnavailable(f"the {name} broke off its answer")
    return beginning


def _check_first(event: Event, name: str) -> None:
    data = event.data.strip()
    if data == b"[DONE]":
        raise UpstreamError(f"the {name} answered with an empty stream")
    try:
        chunk = _fields(data)
    except NotJson as error:
        if event.name == "error" or (data.startswith(b"[") and b'"error"' in data):
            # Google's APIs wrap it in a list.
            raise error_from_event(data, name=name) from error
        raise UpstreamError(f"the {name} sent something else than a chat completion") from error
    if event.name == "error" or chunk.has_failed or bytes(chunk.object) == b'"error"':
        raise error_from_event(data, name=name)


def choices_of(n: object) -> int:
    """Return how many answers a chat request's field `n` asks for; what is no number is one."""
    return n if type(n) is int and n > 0 else 1


class StreamedAnswer:
    """Watches an event stream that is passed on in pieces, however they are cut.

    `usage` is the last one that the stream tells, zero until there is one; counts are totals, not
    increments. `choices` is how many answers were asked for. `has_failed`, known at the end, says
    that it ended with an error, or by its server and not by the model.
    """

    def __init__(self, *, name: str, choices: int = 1) -> None:
        self.usage = Usage()
        self.has_failed = False
        self._name = name
        self._choices = choices
        self._ended: set[int] = set()
        self._latest: deque[bytes] = deque(maxlen=_LATEST_PIECES)
        # A line may come in many pieces: they are joined once, when its end has come.
        self._unfinished: list[bytes] = []
        self._unfinished_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Take a piece of the stream; a line of over 64 KiB that is cut is not looked at."""
        lines, line_feed, rest = piece.rpartition(b"\n")
        if line_feed:
            if self._unfinished:
                lines = b"".join([*self._unfinished, lines])
                self._forget()
            if lines:
                is_short = len(lines) <= _LATEST_BYTES
                self._latest.append(lines if is_short else lines[-_LATEST_BYTES:])
                if _MARK in lines:
                    self._search(lines)
                if _FINISHES[0] in lines or _FINISHES[1] in lines:
                    self._note_ends(lines)
        if rest:
            self._unfinished.append(rest)
            self._unfinished_bytes += len(rest)
            if self._unfinished_bytes > _LONGEST_LINE:
                self._latest.append(b"".join(self._unfinished)[-_LATEST_BYTES:])
                self._forget()

    def end(self) -> None:
        """Take the stream's end. Raises UpstreamUnavailable where the answer has not come to its.

        An answer ends with a `finish_reason` for each of its choices, with `[DONE]`, or with an
        error that its client sees.
        """
        rest = b"".join(self._unfinished)
        if _MARK in rest:
            self._search(rest)
        latest = b"\n".join([*self._latest, rest])
        self.has_failed = _tells_failure(latest)
        if self._latest and self._latest[-1].endswith(_LAST_LINE):
            return
        self._note_ends(latest)
        if len(self._ended) < self._choices and not (self.has_failed or _DONE.search(latest)):
            raise UpstreamUnavailable(f"the {self._name} broke off its answer")

    def _note_ends(self, lines: bytes) -> None:
        if len(self._ended) >= self._choices or not _FINISH.search(lines):
            return
        if self._choices == 1:
            self._ended.add(0)
            return
        for line in filter(_FINISH.search, lines.splitlines()):
            self._ended |= _ended_in(line.removeprefix(b"data:"))

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
            if (found := _usage_of(line.removeprefix(b"data:"))).is_known:
                self.usage = found
                return


def _tells_failure(lines: bytes) -> bool:
    # Finding a word is much cheaper than a pattern, and most streams have neither.
    if b"error" not in lines and b'"abort"' not in lines:
        return False
    return bool(_FAILURE.search(lines) or _BROKEN_FINISH.search(lines))


def _usage_of(event: bytes) -> Usage:
    try:
        return _counted(_decode(event).usage)
    except NotJson:
        return Usage()


def _ended_in(event: bytes) -> set[int]:
    try:
        choices = _decode_chunk(event).choices or ()
    except NotJson:
        return set()
    return {choice.number for choice in choices if choice.finish_reason}
