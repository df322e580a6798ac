"""Slows down who asks without a right API key: a client in a loop, or one that tries keys."""

import asyncio
import random

_DELAY_S = (0.05, 0.15)
# Each costs a connection and a task while it waits.
_MOST_HELD = 100


class Refusals:
    """Holds refusals back for some 100 milliseconds each, as many as a process may have waiting.

    A connection's requests are answered one after the other, so that each tries about ten keys a
    second. A refusal that waits costs a connection and a task: those beyond the most are told at
    once, lest a flood have them grow.
    """

    def __init__(self) -> None:
        self._held = 0

    async def hold(self) -> None:
        """Wait before the refusal of a request is told, unless so many wait already."""
        if self._held >= _MOST_HELD:
            return
        self._held += 1
        try:
            await asyncio.sleep(random.uniform(*_DELAY_S))  # noqa: S311 - no secret
        finally:
            self._held -= 1
