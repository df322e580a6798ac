"""What travels with a request across services: its id and its deadline."""

import asyncio
import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from types import TracebackType
from typing import NamedTuple

from racro.contracts.errors import DeadlineExceeded

REQUEST_ID_HEADER = "x-request-id"
TIMEOUT_HEADER = "x-racro-timeout-ms"

request_id: ContextVar[str] = ContextVar("request_id", default="")

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
    return given if given and _SAFE_REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


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


class within:  # noqa: N801 - used as a verb, like asyncio.timeout
    """One deadline over all that happens inside, stages and their waiting included."""

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit
        self._timeout = asyncio.timeout(limit.seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError as expired:
            raise DeadlineExceeded(f"not finished within {self._limit.words}") from expired
