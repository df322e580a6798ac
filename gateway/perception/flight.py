"""Single flight: callers who want the same thing at the same time share one call for it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

Listen = Callable[[Piece], Awaitable[None]]
Call = Callable[[Listen[Piece]], Coroutine[Any, Any, Result]]


class Flight(Generic[Piece, Result]):
    """One call in a task of its own, followed by any number of callers.

    It lives as long as its longest follower: one that leaves (cancelled, timed out) harms nobody
    else, and the last one to leave cancels the call. Who joins late first hears what was said.
    """

    def __init__(self, call: Call[Piece, Result]) -> None:
        self._said: list[Piece] = []
        self._news = asyncio.Event()
        self._seats = 0
        self._abandoned = False
        self._task = asyncio.create_task(call(self._say))
        self._task.add_done_callback(self._finish)

    @property
    def over(self) -> bool:
        """It has ended, or everyone has left it: too late to join."""
        return self._abandoned or self._task.done()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Whoever has found a flight takes a seat before he waits for anything else: it might end
        under him.
        """
        self._seats += 1
        try:
            yield
        finally:
            self._seats -= 1
            if self._seats == 0:
                self._abandoned = True
                self._task.cancel()

    async def follow(self, listen: Listen[Piece]) -> Result:
        """The call's result, or its error; `listen` hears every piece, from the first on."""
        heard = 0
        with self.seat():
            while True:
                news = self._news
                while heard < len(self._said):
                    await listen(self._said[heard])
                    heard += 1
                if self._task.done():
                    return self._task.result()
                await news.wait()

    async def _say(self, piece: Piece) -> None:
        self._said.append(piece)
        self._wake()

    def _finish(self, task: asyncio.Task[Result]) -> None:
        if not task.cancelled():
            task.exception()  # retrieved, so that a failure nobody waited for is not a warning
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Flights(Generic[Piece, Result]):
    """The flights under way, by what they will bring: a flight may bring several keys at once."""

    def __init__(self) -> None:
        self._under_way: dict[str, Flight[Piece, Result]] = {}

    def find(self, key: str) -> Flight[Piece, Result] | None:
        flight = self._under_way.get(key)
        return None if flight is None or flight.over else flight

    def start(self, keys: Sequence[str], call: Call[Piece, Result]) -> Flight[Piece, Result]:
        """A new flight; until it is over, whoever looks for one of `keys` finds it."""

        async def call_and_land(say: Listen[Piece]) -> Result:
            try:
                return await call(say)
            finally:
                for key in keys:
                    if self._under_way.get(key) is flight:
                        del self._under_way[key]

        flight = Flight(call_and_land)
        self._under_way.update(dict.fromkeys(keys, flight))
        return flight
