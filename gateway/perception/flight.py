"""Single flight: callers that want the same thing at the same time share one call for it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from racro.servekit.context import context_without_deadline, end_time, time_left_s

Piece = TypeVar("Piece")
Result = TypeVar("Result")

OnPiece = Callable[[Piece], Awaitable[None]]
Call = Callable[[OnPiece[Piece]], Coroutine[Any, Any, Result]]


class Flight(Generic[Piece, Result]):
    """One call in a task of its own, for any number of callers, who hold references to it.

    The call goes on while there is a reference: a caller that leaves (cancelled, timed out) does
    not disturb the others, and the last one to leave cancels it. It has none of their deadlines.
    `keys` are what it will bring.
    """

    def __init__(self, keys: Iterable[str], call: Call[Piece, Result]) -> None:
        self.keys = tuple(keys)
        self._pieces: list[Piece] = []
        self._changed = asyncio.Event()
        self._references = 0
        self._abandoned = False
        self._context = context_without_deadline()
        self.task = asyncio.create_task(call(self._add), context=self._context)
        self.task.add_done_callback(self._end)

    @property
    def over(self) -> bool:
        """Whether it has ended, or has lost its last reference: it is too late to join."""
        return self._abandoned or self.task.done()

    def acquire(self) -> None:
        self._references += 1

    def release(self) -> None:
        self._references -= 1
        if self._references == 0:
            self._abandoned = True
            # The call counts as one that took too long, not as one that was left.
            if time_left_s() <= 0:
                end_time(self._context)
            self.task.cancel()

    async def follow(self, on_piece: OnPiece[Piece]) -> Result:
        """Return the call's result, or raise its error; `on_piece` gets all pieces so far first."""
        given = 0
        while True:
            changed = self._changed
            while given < len(self._pieces):
                await on_piece(self._pieces[given])
                given += 1
            if self.task.done():
                return self.task.result()
            await changed.wait()

    async def _add(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._wake()

    def _end(self, task: asyncio.Task[Result]) -> None:
        if not task.cancelled():
            task.exception()  # retrieved, so that a failure nobody waited for is not a warning
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class FlightReference(Generic[Piece, Result]):
    """A caller's reference to a flight, held from the moment the flight is found.

    Without it the flight could be cancelled while its caller waits for something else. It is
    released at the end of a `with` block.
    """

    def __init__(self, flight: Flight[Piece, Result]) -> None:
        self.flight = flight
        flight.acquire()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self.flight.release()

    async def follow(self, on_piece: OnPiece[Piece]) -> Result:
        """As Flight.follow."""
        return await self.flight.follow(on_piece)


class Flights(Generic[Piece, Result]):
    """The flights in progress, by their keys; a flight may have several."""

    def __init__(self) -> None:
        self._in_progress: dict[str, Flight[Piece, Result]] = {}

    def join(self, keys: Iterable[str]) -> list[FlightReference[Piece, Result]]:
        """Return a reference to each flight in progress that has one or more of `keys`."""
        found = (self._in_progress.get(key) for key in keys)
        joinable = dict.fromkeys(flight for flight in found if flight and not flight.over)
        return [FlightReference(flight) for flight in joinable]

    def start(
        self, keys: Iterable[str], call: Call[Piece, Result]
    ) -> FlightReference[Piece, Result]:
        """Start a flight; until it is over it can be joined by each of `keys`."""
        flight = Flight(keys, call)
        self._in_progress.update(dict.fromkeys(flight.keys, flight))
        flight.task.add_done_callback(partial(self._remove, flight))
        return FlightReference(flight)

    def _remove(self, flight: Flight[Piece, Result], _: asyncio.Task[Result]) -> None:
        for key in flight.keys:
            # A flight that was abandoned may have a successor by now.
            if self._in_progress.get(key) is flight:
                del self._in_progress[key]
