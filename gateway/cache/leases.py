"""One flight across processes: a lease in Redis says who makes what all of them wait for."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Final, Protocol, TypeVar

from gateway import metrics
from gateway.cache.server import RedisServer
from racro.base.backoff import backoff
from racro.contracts.cache_keys import lease_key
from racro.contracts.errors import RacroError, error_from_envelope

Found = TypeVar("Found")
LookUp = Callable[[], Awaitable[Found | None]]
Make = Callable[[], Awaitable[Found]]

# A lease's value is its holder's token; for a while after the holder has done, a note: "=" and its
# token, or "!", its token and the error. Notes are for those who waited for that holder; anybody
# else may take the lease.
_DONE, _FAILED = b"=", b"!"
# Longer than a gateway on a busy machine may take to look again.
_NOTE_MS = 10_000
_TOKEN_LENGTH = 32
# Nothing of ours lives longer: whatever does is not ours, and holds nobody up.
_LONGEST_LEASE_MS = 600_000

# KEYS: lease. ARGV: my token, milliseconds, the token I have been waiting for, longest lease.
# False: it is mine. Else what it says.
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
    async def once(self, key: str, look_up: LookUp[Found], make: Make[Found]) -> Found:
        """What `look_up` finds, or else what `make` makes and stores under `key`.

        Of all processes that share the cache one makes, the others wait and look it up; the error
        of the one that makes is raised in all.
        """
        ...


class NoLeases:
    """For a process that shares nothing: its own single flight is all there is to join."""

    async def once(
        self,
        key: str,  # noqa: ARG002
        look_up: LookUp[Found],
        make: Make[Found],
    ) -> Found:
        found = await look_up()
        return await make() if found is None else found


class _NoServer:
    """There is no Redis to ask for a lease."""


_NO_SERVER: Final = _NoServer()


class _Turn(Enum):
    OURS = auto()
    # The holder we waited for did what it could: what is not there now will not come.
    OVER = auto()
    # There is no Redis, or the wait was too long.
    NEVER = auto()


class RedisLeases:
    """`lease_s`: how long a holder that has died holds the others up. `wait_s`: how long they wait
    for one that lives. After that, and without Redis, each process makes its own.
    """

    def __init__(self, server: RedisServer, *, lease_s: float, wait_s: float) -> None:
        self._server = server
        self._lease_ms = int(lease_s * 1000)
        self._wait_s = wait_s
        register = server.client.register_script
        self._acquire_script = register(_ACQUIRE)
        self._renew_script = register(_RENEW)
        self._settle_script = register(_SETTLE)
        self._release_script = register(_RELEASE)

    async def once(self, key: str, look_up: LookUp[Found], make: Make[Found]) -> Found:
        if (found := await look_up()) is not None:
            return found
        lease, token = lease_key(key), secrets.token_hex(_TOKEN_LENGTH // 2)
        turn = await self._turn(lease, token)
        if turn is _Turn.OURS:
            return await self._hold(lease, token, look_up, make)
        if turn is _Turn.OVER and (found := await look_up()) is not None:
            return found
        metrics.LEASES.labels("alone").inc()
        return await make()

    async def _turn(self, lease: str, token: str) -> _Turn:
        """Wait for our turn, or for the holder to be done; raises the error that it ended with."""
        waiting_for = b""
        now = asyncio.get_running_loop().time
        give_up = now() + self._wait_s
        pauses = backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, factor=1.5, jitter=(0.5, 1.5))
        while (held := await self._acquire(lease, token, waiting_for)) is not None:
            if isinstance(held, _NoServer) or now() > give_up:
                return _Turn.NEVER
            if held.startswith(_FAILED):
                raise _failure(held)
            if held.startswith(_DONE):
                return _Turn.OVER
            if not waiting_for:
                metrics.LEASES.labels("waited").inc()
            waiting_for = held
            await asyncio.sleep(next(pauses))
        if waiting_for:
            metrics.LEASES.labels("taken_over").inc()
        return _Turn.OURS

    async def _acquire(
        self, lease: str, token: str, waiting_for: bytes
    ) -> bytes | _NoServer | None:
        """None: it is ours. Else what the lease says."""
        arguments: list[str | int | bytes] = [
            token,
            self._lease_ms,
            waiting_for,
            _LONGEST_LEASE_MS,
        ]
        try:
            held: bytes | _NoServer | None = await self._server.write(
                lambda _: self._acquire_script(keys=[lease], args=arguments), _NO_SERVER
            )
        except asyncio.CancelledError:
            # Redis may have given it to us all the same.
            await self._settle(lease, token, "")
            raise
        return held

    async def _hold(
        self, lease: str, token: str, look_up: LookUp[Found], make: Make[Found]
    ) -> Found:
        renewing = asyncio.create_task(self._renew(lease, token))
        note = ""
        try:
            # Made by another one between our looking it up and our lease?
            found = await look_up()
            if found is None:
                found = await make()
            note = _DONE.decode() + token
        except RacroError as error:
            note = _FAILED.decode() + token + json.dumps(error.envelope())
            raise
        else:
            return found
        finally:
            renewing.cancel()
            await self._settle(lease, token, note)

    async def _renew(self, lease: str, token: str) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            await self._server.write(
                lambda _: self._renew_script(keys=[lease], args=[token, self._lease_ms]), None
            )

    async def _settle(self, lease: str, token: str, note: str) -> None:
        """Tell what became of it; without a note somebody else may begin at once."""
        script = self._settle_script if note else self._release_script
        arguments: list[str | int] = [token, note, _NOTE_MS]
        await self._server.write(lambda _: script(keys=[lease], args=arguments), None)


def _failure(said: bytes) -> RacroError:
    try:
        error = error_from_envelope(json.loads(said[1 + _TOKEN_LENGTH :]))
    except ValueError:
        error = None
    return error or RacroError("the captioner's call failed in another gateway")
