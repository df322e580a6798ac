"""Asks servers whether they answer, but not at each readiness check: some are paid for."""

import copy
import math
import time
from collections.abc import Awaitable, Callable

from racro.contracts.errors import UpstreamError

# One that failed is asked again sooner: requests wait for it to be back.
_FAILURE_BELIEVED_S = 5
# Of a server that wants a key: most likely it is somebody else's, and counts what it is asked.
_WITH_KEY_S = 30


def interval_s(setting: float | None, *, api_key: str | None) -> float:
    """Return a server's probe interval in seconds, given the setting and its API key."""
    if setting is not None:
        return setting
    return 0 if api_key is None else _WITH_KEY_S


class SpacedProbe:
    """Asks one server, and within `interval_s` seconds of its answer tells what it found then.

    `ask` raises UpstreamError where the server does not answer; that is told again for five seconds
    at most.
    """

    def __init__(self, ask: Callable[[], Awaitable[None]], *, interval_s: float) -> None:
        self._ask = ask
        self._interval_s = interval_s
        self._asked_at = -math.inf
        self._failure: UpstreamError | None = None

    async def check(self) -> None:
        """Ask unless it was asked lately. Raises UpstreamError where it did not answer."""
        believed_s = self._interval_s
        if self._failure is not None:
            believed_s = min(believed_s, _FAILURE_BELIEVED_S)
        if time.monotonic() - self._asked_at >= believed_s:
            await self._ask_now()
        elif self._failure is not None:
            # A copy: an exception that is raised again and again keeps every traceback.
            raise copy.copy(self._failure)

    async def _ask_now(self) -> None:
        try:
            await self._ask()
        except UpstreamError as error:
            self._failure = copy.copy(error)
            raise
        else:
            self._failure = None
        finally:
            self._asked_at = time.monotonic()
