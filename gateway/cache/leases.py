"""Single flight across processes: a lease in Redis says which one generates a value."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from gateway import metrics
from racro.base.backoff import backoff
from racro.contracts.cache_keys import lease_key
from racro.contracts.errors import Overloaded, RacroError, RateLimited, error_from_envelope

if TYPE_CHECKING:
    from gateway.cache.redis_client import RedisClient

Found = TypeVar("Found")
LookUp = Callable[[], Awaitable[Found | None]]
Make = Callable[[], Awaitable[Found]]

# A lease's value is its holder's token; for a while after the holder has finished, a note: "=" and
# its token, or "!", its token and the error. A note is for those who waited for that holder; all
# others may take the lease.
_DONE, _FAILED = b"=", b"!"
# Longer than a gateway on a busy machine may take to look again.
_NOTE_MS = 10_000
_TOKEN_LENGTH = 32
# No lease of ours lives longer: a key that does is not ours, and nobody waits for it.
_LONGEST_LEASE_MS = 600_000

# KEYS: lease. ARGV: my token, milliseconds, the token I have been waiting for, longest lease.
# False: it is acquired. Else its value.
_ACQUIRE = """
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' and held ~= ARGV[1] then
    local note = held:sub(1, 1) == '!' or held:sub(1, 1) == '='
    local left = redis.call('PTTL', KEYS[1])
    if left > 0 and left <= tonumber(ARGV[4]) and (not note or held:sub(2, 33) == ARGV[3]) then
        return held
    end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
# KEYS: lease. ARGV: my token, milliseconds. A lease that Redis has lost is taken again.
_RENEW = """
local held = redis.pcall('GET', KEYS[1])
if not held or held == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
"""
# KEYS: lease. ARGV: my token, my note, milliseconds.
_SETTLE = """
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""
# KEYS: lease. ARGV: my token.
_RELEASE = """
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
"""

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.25


class Leases(Protocol):
    async def once(self, key: str, look_up: LookUp[Found], make: Make[Found]) -> tuple[Found, bool]:
        """Return what `look_up` finds, or else what `make` makes and stores under `key`.

        The flag tells whether the value was waited for: at first it was not there, and another
        process made it. Of all processes that share the cache one makes the value, the others wait
        and look it up; an error of the one that makes it is raised in all of them.
        """
        ...


class NoLeases:
    """For a process that shares nothing: its own single flight is enough."""

    async def once(
        self,
        key: str,  # noqa: ARG002
        look_up: LookUp[Found],
        make: Make[Found],
    ) -> tuple[Found, bool]:
        found = await look_up()
        return await make() if found is None else found, False


class _Unreachable:
    """The answer where Redis cannot be asked for a lease."""


_UNREACHABLE: Final = _Unreachable()


class _Wait(Enum):
    """How waiting for a lease ended."""

    ACQUIRED = auto()
    # The holder has finished: a value that it could not store will not appear later.
    DONE = auto()
    # There is no Redis, or the wait was too long.
    GIVEN_UP = auto()


class RedisLeases:
    """Leases in Redis. Without Redis, and after `wait_s` seconds, each process makes its own value.

    `lease_s` is how long the others wait for a holder that has died.
    """

    def __init__(self, client: "RedisClient", *, lease_s: float, wait_s: float) -> None:
        self._client = client
        self._lease_ms = int(lease_s * 1000)
        self._wait_s = wait_s
        register = client.redis.register_script
        self._acquire_script = register(_ACQUIRE)
        self._renew_script = register(_RENEW)
        self._settle_script = register(_SETTLE)
        self._release_script = register(_RELEASE)

    async def once(self, key: str, look_up: LookUp[Found], make: Make[Found]) -> tuple[Found, bool]:
        if (found := await look_up()) is not None:
            return found, False
        lease, token = lease_key(key), secrets.token_hex(_TOKEN_LENGTH // 2)
        waited = await self._wait_for_lease(lease, token)
        if waited is _Wait.ACQUIRED:
            return await self._hold(lease, token, look_up, make)
        if waited is _Wait.DONE and (found := await look_up()) is not None:
            return found, True
        metrics.LEASES.labels("alone").inc()
        return await make(), False

    async def _wait_for_lease(self, lease: str, token: str) -> _Wait:
        """Wait for the lease, or for its holder to finish; raises the error that it ended with."""
        waiting_for = b""
        now = asyncio.get_running_loop().time
        give_up = now() + self._wait_s
        pauses = backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, factor=1.5, jitter=(0.5, 1.5))
        while (held := await self._acquire(lease, token, waiting_for)) is not None:
            if isinstance(held, _Unreachable) or now() > give_up:
                return _Wait.GIVEN_UP
            if held.startswith(_FAILED):
                raise _failure(held)
            if held.startswith(_DONE):
                return _Wait.DONE
            if not waiting_for:
                metrics.LEASES.labels("waited").inc()
            waiting_for = held
            await asyncio.sleep(next(pauses))
        if waiting_for:
            metrics.LEASES.labels("taken_over").inc()
        return _Wait.ACQUIRED

    async def _acquire(
        self, lease: str, token: str, waiting_for: bytes
    ) -> bytes | _Unreachable | None:
        """Return None if the lease is ours now, else its value."""
        arguments: list[str | int | bytes] = [
            token,
            self._lease_ms,
            waiting_for,
            _LONGEST_LEASE_MS,
        ]
        try:
            held: bytes | _Unreachable | None = await self._client.write(
                lambda _: self._acquire_script(keys=[lease], args=arguments), _UNREACHABLE
            )
        except asyncio.CancelledError:
            # Redis may have given us the lease all the same.
            await self._settle(lease, token, "")
            raise
        return held

    async def _hold(
        self, lease: str, token: str, look_up: LookUp[Found], make: Make[Found]
    ) -> tuple[Found, bool]:
        """Make the value while the lease is renewed, and leave a note of how that ended."""
        renewing = asyncio.create_task(self._renew(lease, token))
        note = ""
        try:
            # Another process may have finished between our look-up and our lease.
            found = await look_up()
            waited = found is not None
            if found is None:
                found = await make()
            note = _DONE.decode() + token
        except (Overloaded, RateLimited):
            # It was not begun, and another gateway may have room for it.
            raise
        except RacroError as error:
            note = _FAILED.decode() + token + json.dumps(error.envelope())
            raise
        else:
            return found, waited
        finally:
            renewing.cancel()
            await self._settle(lease, token, note)

    async def _renew(self, lease: str, token: str) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            await self._client.write(
                lambda _: self._renew_script(keys=[lease], args=[token, self._lease_ms]), None
            )

    async def _settle(self, lease: str, token: str, note: str) -> None:
        """Leave a note for those who wait; without one another process may start at once."""
        script = self._settle_script if note else self._release_script
        arguments: list[str | int] = [token, note, _NOTE_MS]
        await self._client.write(lambda _: script(keys=[lease], args=arguments), None)


def _failure(said: bytes) -> RacroError:
    try:
        error = error_from_envelope(json.loads(said[1 + _TOKEN_LENGTH :]))
    except ValueError:
        error = None
    return error or RacroError("the captioner's call failed in another gateway")
