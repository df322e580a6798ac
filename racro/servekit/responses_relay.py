"""Looks at OpenAI responses that are passed on as they come: what they are, tokens, their end.

A plain answer is parsed no deeper than its own fields. Of a stream the first event is read. Its
last one holds the whole answer, and may be megabytes: of that the type is looked for, and the
counts by what they are called, as they stand near its end.
"""

import json
import re
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from racro.contracts.completion import count
from racro.contracts.errors import UpstreamError
from racro.contracts.perception import Usage
from racro.servekit.json_levels import FieldFinder
from racro.servekit.relay import error_from_event, no_completion
from racro.servekit.relayed_stream import (
    NULL,
    OVERLAP,
    RelayedStream,
    decode_fields,
    decode_usage,
    is_array,
    is_empty,
    read_first_event,
)
from racro.servekit.responses import NotJson
from racro.servekit.sse import Event, Readable

_EXPECTED = "a response"
# Of the events that are known, only those about the response as a whole have it.
_MARK = b'"response":'
_ERROR = b'"error"'
_LAST = {"completed", "incomplete", "failed", "cancelled"}
_KIND = re.compile(rb'"response\.([a-z_.]+)"')
_NAME = re.compile(rb"event: ?response\.([a-z_.]+)\s*")
# Of an event that cannot be decoded: its type stands before or behind its response, where the only
# fields between it and the brace of the event are plain ones.
_FIELD = rb'"\w+"\s*:\s*(?:-?\d+|null|"[^"\\]*")'
_TYPE = rb'"type"\s*:\s*"response\.([a-z_.]+)"'
_BEGINNING = re.compile(rb"data:\s*\{\s*(?:%b\s*,\s*){0,8}%b" % (_FIELD, _TYPE))
_END = re.compile(rb"%b\s*(?:,\s*%b\s*){0,8}\}\s*\Z" % (_TYPE, _FIELD))
_LONGEST_END = 512
# The fields of a response stand so deep in an event: deeper ones are of what it echoes or gave.
_DEPTH = 2
_USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')
# A usage has some hundred bytes, and lists of some numbers for each turn.
_LONGEST_USAGE = 16 * 2**10
# Of an event, so many are tried that may be its usage, the last one first.
_MOST_TRIED = 8
_BROKEN = (b'"failed"', b'"cancelled"')


class _Response(msgspec.Struct):
    output: Raw = NULL
    error: Raw = NULL
    usage: Raw = NULL
    status: Raw = NULL


class _Event(msgspec.Struct):
    type: Raw = NULL
    response: Raw = NULL
    error: Raw = NULL


_response_decoder = msgspec.json.Decoder(_Response)
_event_decoder = msgspec.json.Decoder(_Event)
_decode_first = json.JSONDecoder().raw_decode


def check_completion(answer: bytes, *, name: str) -> Usage:
    """Return the tokens that a plain response reports; counts that cannot be read are 0.

    Raises UpstreamError where the answer of upstream `name` is none, or one that failed.
    """
    try:
        response = decode_fields(_response_decoder, answer)
    except NotJson as error:
        raise no_completion(answer, name=name, expected=_EXPECTED) from error
    has_failed = bytes(response.status) in _BROKEN or not is_empty(response.error)
    if has_failed:
        # Without what it had said until then, which may be long.
        said = b'{"error": ' + bytes(response.error) + b"}"
        raise no_completion(said, name=name, expected=_EXPECTED)
    if not is_array(response.output):
        raise no_completion(answer, name=name, expected=_EXPECTED)
    return _counted(decode_usage(response.usage))


async def read_beginning(response: Readable, *, name: str) -> bytes:
    """Return the first bytes of a streamed response, which hold its first event, to be passed on.

    Raises what an error there means, UpstreamError where upstream `name` sends something else than
    a response, and UpstreamUnavailable where it sends nothing.
    """
    piece = await response.readany()
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
    if bytes(fields.type) == b'"response.failed"':
        raise error_from_event(b'{"error": ' + _error_within(fields.response) + b"}", name=name)
    if not memoryview(fields.type).tobytes().startswith(b'"response.'):
        raise UpstreamError(f"the {name} sent something else than {_EXPECTED}")


def _error_within(response: Raw) -> bytes:
    try:
        return bytes(_response_decoder.decode(response).error)
    except NotJson:
        return b"null"


class StreamedAnswer(RelayedStream):
    """Watches a streamed response, which ends with the event of its last status.

    `[DONE]` is no end: clients read the answer of that event.
    """

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self._last = ""
        # Of a line whose end has not come: its kind, "" where neither name nor beginning tells it.
        self._of_cut: str | None = None
        self._cancelled = _cancelled_finder()

    def _note(self, lines: bytes) -> None:
        if self._of_cut is not None or _MARK in lines:
            self._read(lines)

    def _note_cut(self, part: bytes) -> None:
        if self._of_cut is None:
            *before, _ = self._latest
            self._of_cut = _named_last(before[-2:]) or _found(_BEGINNING.match(part))
            self._cancelled = _cancelled_finder()
            self._cancelled.feed(part)
        else:
            self._cancelled.feed(part[OVERLAP:])
        self._find_usage(part)

    def _has_ended(self, latest: bytes, rest: bytes) -> bool:  # noqa: ARG002 - all was noted
        is_whole = _END.search(rest[-_LONGEST_END:]) or _is_json(
            rest.strip().removeprefix(b"data:")
        )
        if is_whole:
            self._note(rest)
        if self._last:
            # What is an error in an answer, as of a tool, is none of the answer.
            self.has_failed = self._last in {"failed", "cancelled"}
        return bool(self._last)

    def _read(self, lines: bytes) -> None:
        for line in lines.splitlines():
            if self._of_cut is not None:
                self._cancelled.feed(line[OVERLAP:])
                kind = self._of_cut or _kind_at_end(line)
                self._of_cut = None
                self._take(kind, is_broken=self._cancelled.found)
            elif _MARK in line and line.startswith(b"data:"):
                self._take(*_kind_of(line))
        self._find_usage(lines)

    def _take(self, kind: str, is_broken: bool) -> None:
        if kind in _LAST:
            # vLLM says of what was cancelled that it is completed.
            self._last = "cancelled" if kind == "completed" and is_broken else kind

    def _find_usage(self, text: bytes) -> None:
        marks = [found.end() for found in _USAGE.finditer(text)]
        for at in reversed(marks[-_MOST_TRIED:]):
            if (usage := _counted(_object_at(text, at))).is_known:
                self.usage = usage
                return


def _cancelled_finder() -> FieldFinder:
    return FieldFinder(_DEPTH, b"status", b"cancelled")


def _kind_of(line: bytes) -> tuple[str, bool]:
    """Return what an event about the response is, and whether that was failed or cancelled."""
    try:
        event = decode_fields(_event_decoder, line.removeprefix(b"data:"))
        response = decode_fields(_response_decoder, bytes(event.response))
    except NotJson:
        kind = _found(_BEGINNING.match(line)) or _kind_at_end(line)
        cancelled = _cancelled_finder()
        cancelled.feed(line)
        return kind, cancelled.found
    return _found(_KIND.fullmatch(event.type)), bytes(response.status) in _BROKEN


def _kind_at_end(line: bytes) -> str:
    return _found(_END.search(line[-_LONGEST_END:]))


def _named_last(latest: Iterable[bytes]) -> str:
    """Return the kind of the event whose name came last, "" where its data came, too, or none."""
    lines = [line for lines in latest for line in lines.splitlines()]
    for line in reversed(lines):
        if line.startswith((b"event:", b"data:")):
            return _found(_NAME.fullmatch(line))
    return ""


def _found(match: re.Match[bytes] | None) -> str:
    return match[1].decode() if match else ""


def _is_json(text: bytes) -> bool:
    try:
        _event_decoder.decode(text)
    except NotJson:
        return False
    return True


def _object_at(text: bytes, at: int) -> Any:
    """Return the JSON object that begins there; None where it cannot be read, or is too long."""
    try:
        return _decode_first(text[at : at + _LONGEST_USAGE].decode(errors="replace"))[0]
    except (ValueError, RecursionError):
        return None


def _counted(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    return Usage(
        prompt_tokens=count(usage.get("input_tokens")),
        completion_tokens=count(usage.get("output_tokens")),
    )
