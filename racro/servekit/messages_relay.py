"""Looks at Anthropic messages that are passed on as they come: what they are, tokens, their end.

A plain answer is parsed no deeper than its own fields, and of a stream only the first event and
those about the message as a whole: its blocks are not looked at.
"""

from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from racro.contracts.completion import count
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

_EXPECTED = "a message"
_MARK = b"message_"
_ERROR = b'"error"'
# A prompt's tokens are these together: what a cache held is not in the first.
_PROMPT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_OUTPUT = "output_tokens"


class _Message(msgspec.Struct):
    content: Raw = NULL
    error: Raw = NULL
    usage: Raw = NULL
    type: Raw = NULL


class _Event(msgspec.Struct):
    type: Raw = NULL
    message: Raw = NULL
    delta: Raw = NULL
    usage: Raw = NULL
    error: Raw = NULL


class _Delta(msgspec.Struct):
    stop_reason: Any = None


_message_decoder = msgspec.json.Decoder(_Message)
_event_decoder = msgspec.json.Decoder(_Event)
_delta_decoder = msgspec.json.Decoder(_Delta)


def check_completion(answer: bytes, *, name: str) -> Usage:
    """Return the tokens that a plain message reports; counts that cannot be read are 0.

    Raises UpstreamError where the answer of upstream `name` is no message.
    """
    try:
        message = decode_fields(_message_decoder, answer)
    except NotJson as error:
        raise no_completion(answer, name=name, expected=_EXPECTED) from error
    has_failed = bytes(message.type) == _ERROR or not is_empty(message.error)
    if not is_array(message.content) or has_failed:
        raise no_completion(answer, name=name, expected=_EXPECTED)
    counts = _Counts()
    counts.add(message.usage)
    return counts.usage


async def read_beginning(response: Readable, *, name: str) -> bytes:
    """Return the first bytes of a streamed message, which hold its first event, to be passed on.

    Raises what an error there means, UpstreamError where upstream `name` sends something else than
    a message, and UpstreamUnavailable where it sends nothing.
    """
    piece = await response.readany()
    if piece.startswith(b"event: message_start\n") and b"\n\n" in piece and _ERROR not in piece:
        return piece
    check = partial(_check_first, name)
    return await read_first_event(response, name=name, expected=_EXPECTED, check=check, piece=piece)


def _check_first(name: str, event: Event) -> None:
    try:
        fields = decode_fields(_event_decoder, event.data.strip())
    except NotJson as error:
        if event.name == "error":
            raise error_from_event(event.data, name=name) from error
        raise UpstreamError(f"the {name} sent something else than {_EXPECTED}") from error
    is_error = event.name == "error" or bytes(fields.type) == _ERROR
    if is_error or not is_empty(fields.error):
        raise error_from_event(event.data, name=name)
    if is_empty(fields.type):
        raise UpstreamError(f"the {name} sent something else than {_EXPECTED}")


class _Counts:
    """Gathers what `usage` objects tell, each of which may leave out what an earlier one told."""

    def __init__(self) -> None:
        self._told = dict.fromkeys((*_PROMPT, _OUTPUT), 0)

    def add(self, usage: Raw) -> None:
        found = decode_usage(usage)
        if not isinstance(found, dict):
            return
        counts = {
            field: count(found[field]) for field in self._told if type(found.get(field)) is int
        }
        if not any(counts.get(field) for field in _PROMPT):
            # SGLang ends with 0 what it began with the true count.
            counts = {field: n for field, n in counts.items() if field == _OUTPUT}
        if not counts.get(_OUTPUT):
            counts.pop(_OUTPUT, None)
        self._told.update(counts)

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=sum(self._told[field] for field in _PROMPT),
            completion_tokens=self._told[_OUTPUT],
        )


class StreamedAnswer(RelayedStream):
    """Watches a streamed message, which ends with `message_stop` or a `stop_reason`.

    vLLM ends one that was aborted with a `stop_reason` of null: that is a failure.
    """

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self._counts = _Counts()
        self._is_over = False
        self._was_aborted = False

    def _note(self, lines: bytes) -> None:
        if _MARK in lines:
            self._read(lines)

    def _has_ended(self, latest: bytes, rest: bytes) -> bool:  # noqa: ARG002 - all was noted
        self._note(rest)
        self.has_failed |= self._is_over and self._was_aborted
        return self._is_over

    def _read(self, lines: bytes) -> None:
        for line in lines.splitlines():
            if _MARK in line and line.startswith(b"data:"):
                try:
                    event = _event_decoder.decode(line.removeprefix(b"data:"))
                except NotJson:
                    continue
                self._take(event)
        self.usage = self._counts.usage

    def _take(self, event: _Event) -> None:
        match bytes(event.type):
            case b'"message_start"':
                self._counts.add(_usage_within(event.message))
            case b'"message_delta"':
                self._counts.add(event.usage)
                has_reason = _has_stop_reason(event.delta)
                self._is_over |= has_reason
                self._was_aborted = not has_reason
            case b'"message_stop"':
                self._is_over = True


def _usage_within(message: Raw) -> Raw:
    try:
        return _message_decoder.decode(message).usage
    except NotJson:
        return NULL


def _has_stop_reason(delta: Raw) -> bool:
    try:
        return bool(_delta_decoder.decode(delta).stop_reason)
    except NotJson:
        return False
