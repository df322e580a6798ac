"""What travels with a request across services: its id and its deadline."""

import asyncio
import math
import random
import re
from collections.abc import Iterable
from contextvars import Context, ContextVar, Token, copy_context
from types import TracebackType
from typing import NamedTuple

from racro.contracts.errors import DeadlineExceeded
from racro.servekit.timers import timers

REQUEST_ID_HEADER = "x-request-id"
TIMEOUT_HEADER = "x-racro-timeout-ms"

request_id: ContextVar[str] = ContextVar("request_id", default="")
# In seconds of the event loop's clock.
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)

_MILLISECONDS = re.compile(r"[0-9]{1,12}")
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def header(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """The first value of an ASGI header, or None. `name` in lower case."""
    wanted = name.encode()
    for key, value in headers:
        if key == wanted:
            return value.decode("latin-1")
    return None


def adopt_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The client's request id where it is safe to log and send on, else a new one."""
    given = header(headers, REQUEST_ID_HEADER)
    if given and _SAFE_REQUEST_ID.fullmatch(given):
        return given
    return f"{random.getrandbits(128):032x}"


class TimeLimit(NamedTuple):
    """How long a request may take, and the field, header or setting that says so."""

    seconds: float
    said_by: str

    @property
    def words(self) -> str:
        """As the client or the operator wrote it."""
        amount = self.seconds * 1000 if self.said_by == TIMEOUT_HEADER else self.seconds
        return f"{self.said_by} = {amount:g}"


def timeout_from_headers(
    headers: Iterable[tuple[bytes, bytes]], *, most_s: float, said_by: str = "timeout_s"
) -> TimeLimit:
    """The time that the caller still has, at most `most_s`, which the field or setting `said_by`
    holds.
    """
    most = TimeLimit(most_s, said_by)
    given = header(headers, TIMEOUT_HEADER)
    if given is None or not _MILLISECONDS.fullmatch(given):
        return most
    return min(most, TimeLimit(int(given) / 1000, TIMEOUT_HEADER), key=lambda limit: limit.seconds)


def time_left_s() -> float:
    """Return the time that is left of a `within`, the least of nested ones; inf outside of all."""
    return _deadline.get() - asyncio.get_running_loop().time()


def context_without_deadline() -> Context:
    """Return a context for work that is shared by requests, each of which has its own deadline."""
    context = copy_context()
    context.run(_deadline.set, math.inf)
    return context


def end_time(context: Context) -> None:
    """Have no time left in a context: who waited for its work has none."""
    context.run(_deadline.set, -math.inf)


class within:  # noqa: N801 - used as a verb, like asyncio.timeout
    """One deadline over all that happens inside, stages and their waiting included.

    The task is cancelled at the deadline, and the block then raises DeadlineExceeded. It does what
    `asyncio.timeout` does, without a timer of its own. Upstreams that are asked inside are told the
    time that is left.
    """

    __slots__ = ("_before", "_cancelling", "_expired", "_limit", "_task", "_timers", "due")

    def __init__(self, limit: TimeLimit) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 - there is something to cancel
        self._limit = limit
        self._task = task
        self._timers = timers(loop)
        self._expired = False
        self.due = loop.time() + limit.seconds

    def __enter__(self) -> None:
        self._cancelling = self._task.cancelling()
        outer = _deadline.get()
        self._before: Token[float] = _deadline.set(min(outer, self.due))
        self._timers.add(self)

    def on_due(self) -> None:
        """Cancels the task."""
        self._expired = True
        self._timers.remove(self)
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timers.remove(self)
        _deadline.reset(self._before)
        if (
            self._expired
            # Otherwise somebody else cancelled the task too, and means it.
            and self._task.uncancel() <= self._cancelling
            and isinstance(error, asyncio.CancelledError)
        ):
            raise DeadlineExceeded(f"not finished within {self._limit.words}") from error
