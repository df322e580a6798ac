"""Event streams as they may arrive: in any pieces."""

import json
from collections.abc import AsyncIterator
from typing import Any


class Arriving:
    """Gives pieces of a body, then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces]

    async def readany(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def remaining(self) -> AsyncIterator[bytes]:
        while piece := await self.readany():
            yield piece


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def cut(stream: bytes, places: set[int]) -> list[bytes]:
    """Return the pieces between places, which may lie behind the end."""
    ends = [*sorted(place % (len(stream) + 1) for place in places), len(stream)]
    starts = [0, *ends]
    return [stream[start:end] for start, end in zip(starts, ends, strict=False) if start < end]


def named(*events: dict[str, Any]) -> bytes:
    """Return events whose names are their types, as both APIs send them."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )
