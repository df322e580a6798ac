"""Refusals whose small body was read to see why: of a process that is ending, or of a full one.

Both are a 503 that closes the connection. What they are stands in the body, since release 0.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from racro.contracts.errors import ShuttingDown
from racro.servekit.responses import NotJson

# Ours have two or three hundred.
_MOST_BYTES = 1000


def is_small(headers: Mapping[str, str]) -> bool:
    """Whether an answer has a body of at most a thousand bytes, as our refusals have."""
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length) <= _MOST_BYTES


class _Error(msgspec.Struct):
    code: str


class _Envelope(msgspec.Struct):
    error: _Error


@dataclass(slots=True)
class Refusal:
    """A response whose body is in memory, and whose connection is not needed any more."""

    status: int
    headers: dict[str, str]
    body: bytes
    reused: bool = field(default=True, init=False)

    @property
    def is_of_ending_process(self) -> bool:
        """Whether the body is the error of a process that is shutting down."""
        try:
            told = msgspec.json.decode(self.body, type=_Envelope)
        except NotJson:
            return False
        return told.error.code == ShuttingDown.code

    async def read(self) -> bytes:
        """Return the rest of the body."""
        return await self.readany()

    async def readany(self) -> bytes:
        """Return the body once, and then b""."""
        body, self.body = self.body, b""
        return body

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        """Give the body to `sink`: True at its end."""
        if self.body:
            sink(await self.readany())
        return True

    def close(self) -> None:
        """Do nothing: the connection is not held."""
