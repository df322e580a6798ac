"""Looks at chat completions that are passed on as they come: what they are, tokens, their end.

A plain answer is parsed no deeper than its own fields. Of a stream the first event is read, then
the one that counts tokens, and its last lines once it is over.
"""

import re
from functools import partial

import msgspec
from msgspec import Raw

from racro.contracts.completion import Chunk, counted
from racro.contracts.errors import UpstreamError
from racro.contracts.perception import Usage
from racro.servekit.relay import error_from_event, no_completion
from racro.servekit.relayed_stream import (
    NULL,
    RelayedStream,
    decode_fields,
    decode_usage,
    is_array,
    is_empty,
    read_first_event,
)
from racro.servekit.responses import NotJson
from racro.servekit.sse import Event, Readable

_EXPECTED = "a chat completion"
_MARK = b'"usage":'
# Of the lines in one piece of a stream, so many are tried that may hold a usage.
_MOST_TRIED = 8

# No text ends a line: in JSON a line feed is escaped.
_LAST_LINE = b"data: [DONE]\n"
_DONE = re.compile(rb"(?:^|[\r\n])data: *\[DONE\]")
# vLLM's and OpenRouter's for an answer that their models did not end.
_BROKEN_FINISH = re.compile(rb'"finish_reason"\s*:\s*"(?:abort|error)"')
# As JSON is written as a rule; others are found in the latest lines.
_FINISHES = (b'"finish_reason":"', b'"finish_reason": "')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"[^"]')

_FAILURE = re.compile(
    # At the beginning of a line, and outside of a text, where quotes are escaped.
    rb"(?:^|[\r\n])(?:error:|event: ?error)|\"(?:object|type)\"\s*:\s*\"error\""
    rb'|"error"\s*:\s*(?!null|false|-?0|""|\{\s*\}|\[\s*\]|\s)'
)

_NO_CHOICES = (b"null", b"[]")


class _Answer(msgspec.Struct):
    choices: Raw = NULL
    error: Raw = NULL
    usage: Raw = NULL
    object: Raw = NULL

    @property
    def has_failed(self) -> bool:
        """Tell whether there is an error; one that is empty or false is none beside choices."""
        if bytes(self.error) == b"null":
            return False
        return not is_empty(self.error) or bytes(self.choices) in _NO_CHOICES


_decoder = msgspec.json.Decoder(_Answer)
_decode_chunk = msgspec.json.Decoder(Chunk).decode


def check_completion(answer: bytes, *, name: str) -> Usage:
    """Return the tokens that a plain chat completion reports; counts that cannot be read are 0.

    Raises UpstreamError where the answer of upstream `name` is no chat completion.
    """
    try:
        fields = decode_fields(_decoder, answer)
    except NotJson as error:
        raise no_completion(answer, name=name, expected=_EXPECTED) from error
    if not is_array(fields.choices) or fields.has_failed:
        raise no_completion(answer, name=name, expected=_EXPECTED)
    return counted(decode_usage(fields.usage))


async def read_beginning(response: Readable, *, name: str) -> bytes:
    """Return the first bytes of a streamed answer, which hold its first event, to be passed on.

    Raises what an error there means, UpstreamError where upstream `name` sends something else than
    chat completions, and UpstreamUnavailable where it sends nothing.
    """
    piece = await response.readany()
    if piece.startswith(b"data:") and b'"choices"' in piece and b'"error"' not in piece:
        return piece
    check = partial(_check_first, name)
    return await read_first_event(response, name=name, expected=_EXPECTED, check=check, piece=piece)


def _check_first(name: str, event: Event) -> None:
    data = event.data.strip()
    if data == b"[DONE]":
        raise UpstreamError(f"the {name} answered with an empty stream")
    try:
        chunk = decode_fields(_decoder, data)
    except NotJson as error:
        if event.name == "error" or (data.startswith(b"[") and b'"error"' in data):
            # Google's APIs wrap it in a list.
            raise error_from_event(data, name=name) from error
        raise UpstreamError(f"the {name} sent something else than {_EXPECTED}") from error
    if event.name == "error" or chunk.has_failed or bytes(chunk.object) == b'"error"':
        raise error_from_event(data, name=name)


def choices_of(n: object) -> int:
    """Return how many answers a chat request's field `n` asks for; what is no number is one."""
    return n if type(n) is int and n > 0 else 1


class StreamedAnswer(RelayedStream):
    """Watches a streamed chat completion; `choices` is how many answers were asked for.

    An answer ends with a `finish_reason` for each of its choices, or with `[DONE]`. `usage` is the
    last one that the stream tells.
    """

    def __init__(self, *, name: str, choices: int = 1) -> None:
        super().__init__(name=name)
        self._choices = choices
        self._ended: set[int] = set()

    def _note(self, lines: bytes) -> None:
        if _MARK in lines:
            self._search(lines)
        if _FINISHES[0] in lines or _FINISHES[1] in lines:
            self._note_ends(lines)

    def _tells_failure(self, latest: bytes) -> bool:
        # Finding a word is much cheaper than a pattern, and most streams do not have it.
        return b"error" in latest and _FAILURE.search(latest) is not None

    def _has_ended(self, latest: bytes, rest: bytes) -> bool:
        if _MARK in rest:
            self._search(rest)
        if b'"abort"' in latest or b'"error"' in latest:
            self.has_failed |= _BROKEN_FINISH.search(latest) is not None
        if self._latest and self._latest[-1].endswith(_LAST_LINE):
            return True
        self._note_ends(latest)
        return len(self._ended) >= self._choices or _DONE.search(latest) is not None

    def _note_ends(self, lines: bytes) -> None:
        if len(self._ended) >= self._choices or not _FINISH.search(lines):
            return
        if self._choices == 1:
            self._ended.add(0)
            return
        for line in filter(_FINISH.search, lines.splitlines()):
            self._ended |= _ended_in(line.removeprefix(b"data:"))

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


def _usage_of(event: bytes) -> Usage:
    try:
        return counted(decode_usage(_decoder.decode(event).usage))
    except NotJson:
        return Usage()


def _ended_in(event: bytes) -> set[int]:
    try:
        choices = _decode_chunk(event).choices or ()
    except NotJson:
        return set()
    return {choice.number for choice in choices if choice.finish_reason}
