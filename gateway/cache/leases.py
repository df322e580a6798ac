"""One flight across processes: a lease in Redis says who makes what all of them wait for."""

import asyncio
import json
import random
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from gateway import metrics
from gateway.cache import Found
from gateway.cache.server import RedisServer
from racro.contracts.errors import RacroError, error_from_envelope
from racro.contracts.keys import lease_key

# A lease's value is its holder's token, or, for a while after the holder failed, "!", the token and
# the error: those who waited for that holder fail with it, anybody else may take the lease.
_FAILED = b"!"
_FAILURE_TOLD_MS = 2000
_TOKEN_BYTES = 32

# KEYS: lease. ARGV: my token, milliseconds, the token I have been waiting for.
# nil: it is mine now. Else what it says.
_ACQUIRE = """
local held = redis.call('GET', KEYS[1])
if held and (held:sub(1, 1) ~= '!' or held:sub(2, 33) == ARGV[3]) then
    return held
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
# KEYS: lease. ARGV: my token, milliseconds.
_RENEW = """
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
# KEYS: lease. ARGV: my token, what to say of a failure or nothing, milliseconds.
_SETTLE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return
end
if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.25


class _NoServer:
    """There is no Redis to ask for a lease."""


_NO_SERVER: Final = _NoServer()


class Leases:
    """`lease_s`: how long a holder that has died holds the others up. `wait_s`: how long they wait
    for one that lives.
    """

    def __init__(self, server: RedisServer, *, lease_s: float, wait_s: float) -> None:
        self._server = server
        self._lease_ms = int(lease_s * 1000)
        self._wait_s = wait_s
        self._acquire_script = server.client.register_script(_ACQUIRE)
        self._renew_script = server.client.register_script(_RENEW)
        self._settle_script = server.client.register_script(_SETTLE)

    async def once(
        self,
        key: str,
        look_up: Callable[[], Awaitable[Found | None]],
        make: Callable[[], Awaitable[Found]],
    ) -> Found:
        """See Cache.once. Without Redis, and after `wait_s`, each process makes its own."""
        lease, token, waiting_for = lease_key(key), secrets.token_hex(_TOKEN_BYTES // 2), b""
        now = asyncio.get_running_loop().time
        give_up, pause = now() + self._wait_s, _FIRST_PAUSE_S
        while True:
            held = await self._acquire(lease, token, waiting_for)
            if held is None:
                if waiting_for:
                    metrics.LEASES.labels("taken_over").inc()
                return await self._make(lease, token, look_up, make)
            if isinstance(held, _NoServer) or now() > give_up:
                metrics.LEASES.labels("alone").inc()
                return await make()
            if held.startswith(_FAILED):
                raise _failure(held)
            if not waiting_for:
                metrics.LEASES.labels("waited").inc()
            waiting_for = held
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
            if (found := await look_up()) is not None:
                return found

    async def _acquire(
        self, lease: str, token: str, waiting_for: bytes
    ) -> bytes | _NoServer | None:
        """None: it is ours. Else what the lease says."""
        arguments: list[str | int | bytes] = [token, self._lease_ms, waiting_for]
        held: bytes | _NoServer | None = await self._server.write(
            lambda _: self._acquire_script(keys=[lease], args=arguments), _NO_SERVER
        )
        return held

    async def _make(
        self,
        lease: str,
        token: str,
        look_up: Callable[[], Awaitable[Found | None]],
        make: Callable[[], Awaitable[Found]],
    ) -> Found:
        renewing = asyncio.create_task(self._renew(lease, token))
        said = ""
        try:
            # Made by another one between our looking it up and our lease?
            if (found := await look_up()) is not None:
                return found
            return await make()
        except RacroError as error:
            said = _FAILED.decode() + token + json.dumps(error.envelope())
            raise
        finally:
            renewing.cancel()
            arguments: list[str | int] = [token, said, _FAILURE_TOLD_MS]
            await self._server.write(
                lambda _: self._settle_script(keys=[lease], args=arguments), None
            )

    async def _renew(self, lease: str, token: str) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            await self._server.write(
                lambda _: self._renew_script(keys=[lease], args=[token, self._lease_ms]), None
            )


def _failure(said: bytes) -> RacroError:
    try:
        error = error_from_envelope(json.loads(said[1 + _TOKEN_BYTES :]))
    except ValueError:
        error = None
    return error or RacroError("the captioner's call failed in another gateway")
