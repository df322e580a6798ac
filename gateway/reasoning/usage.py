"""Token counts from a reasoner's answers, also from those that are passed on unparsed."""

from typing import Any

import msgspec

from racro.contracts.completion import counted
from racro.contracts.perception import Usage
from racro.servekit.responses import NotJson

_MARK = b'"usage":'


class _Answer(msgspec.Struct):
    usage: Any = None


_decoder = msgspec.json.Decoder(_Answer)


def usage_of(answer: bytes) -> Usage:
    """Return the usage that a plain answer, or one event of a stream, reports; else zero."""
    try:
        return counted(_decoder.decode(answer).usage)
    except NotJson:
        return Usage()


def last_usage(events: bytes) -> Usage | None:
    """Return the last usage in a piece of an event stream; counts are totals, not increments.

    None if the piece has none, or cuts the event that has it.
    """
    if _MARK not in events:
        return None
    counts = [
        usage_of(line.removeprefix(b"data:")) for line in events.split(b"\n") if _MARK in line
    ]
    return next(filter(_counted, reversed(counts)), None)


def _counted(usage: Usage) -> bool:
    return usage != Usage()
