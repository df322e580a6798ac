"""Asks servers whether they answer, but not at each readiness check: some are paid for."""

import copy
import math
import time
from collections.abc import Awaitable, Callable

from racro.contracts.errors import UpstreamError
from racro.servekit.tasks import one_at_a_time

# One that failed is asked again sooner: requests wait for it to be back.
_FAILURE_BELIEVED_S = 5
# Of a server that wants a key: most likely it is somebody else's, and counts what it is asked.
_WITH_KEY_S = 30


def probe_interval_of(setting: float | None, *, api_key: str | None) -> float:
    """Return a server's probe interval in seconds, given the setting and its API key."""
    if setting is not None:
        return setting
    return 0 if api_key is None else _WITH_KEY_S


class SpacedProbe:
    """Asks one server, and within `interval_s` seconds of its answer tells what it found then.

    `ask` raises UpstreamError where the server does not answer; that is told again for five seconds
    at most. All who wait share one question, and who leaves takes it from nobody. `now` is a clock
    in seconds.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[None]],
        *,
        interval_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._interval_s = interval_s
        self._now = now
        self._answered_at = -math.inf
        self._failure: UpstreamError | None = None
        self._ask_once = one_at_a_time(self._ask_now)

    async def check(self, *, believed_s: float = math.inf) -> None:
        """Ask unless it was asked in the interval, and in the last `believed_s` seconds.

        Raises UpstreamError where it did not answer.
        """
        believed_s = min(believed_s, self._interval_s)
        if self._failure is not None:
            believed_s = min(believed_s, _FAILURE_BELIEVED_S)
        if self._now() - self._answered_at >= believed_s:
            await self._ask_once()
        if self._failure is not None:
            # A copy: an exception that is raised again and again keeps every traceback.
            raise copy.copy(self._failure)

    async def _ask_now(self) -> None:
        """Ask, and note what is found. One that is cancelled found nothing."""
        try:
            await self._ask()
        except UpstreamError as error:
            self._failure = copy.copy(error)
        else:
            self._failure = None
        self._answered_at = self._now()
