"""Checks of the Redis that gateways share: reached, new enough, written to, and how it forgets."""

import asyncio
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from gateway.settings import CacheSection
from racro.cli.doctor.check_report import Finding, bad, good, skipped
from racro.cli.probing import shown
from racro.contracts.cache_keys import PROBE_KEY
from racro.servekit.settings import api_key

_CHECK = "cache"
_OLDEST = (6, 2)
_NOT_LET_IN = ("NOAUTH", "WRONGPASS", "invalid username-password", "invalid password")


async def check_cache(settings: CacheSection, timeout_s: float) -> list[Finding]:
    if not settings.is_shared:
        return [skipped(_CHECK, "each gateway has its own, in memory: no Redis")]
    try:
        client = Redis.from_url(settings.url, password=api_key(settings.password_env))
    except ValueError as error:
        return [bad(_CHECK, f"cache.url: {error}", "such as redis://redis:6379/0")]
    try:
        async with asyncio.timeout(timeout_s), client:
            return await _check(client, settings)
    except TimeoutError:
        return [bad(_CHECK, f"Redis gave no answer within {timeout_s:g} s", _start(settings))]
    except (RedisError, OSError, UnicodeError) as error:
        return [_not_reached(error, settings)]


async def _check(client: Redis, settings: CacheSection) -> list[Finding]:
    await client.get(PROBE_KEY)
    findings = [good(_CHECK, f"Redis at {_place(settings)} answers")]
    try:
        info: Mapping[str, Any] = await client.info()
    except ResponseError as error:
        findings.append(skipped(_CHECK, f"it does not tell what it is: {shown(error)}"))
    else:
        findings += [*_version(info), _eviction(info)]
    return [*findings, await _writing(client)]


def _version(info: Mapping[str, Any]) -> list[Finding]:
    if info.get("cluster_enabled"):
        advice = "name one endpoint: a standalone server, or the primary of a managed one"
        return [bad(_CHECK, "it is a Redis Cluster, which is not supported", advice)]
    # Valkey tells as redis_version which one it is compatible with.
    told = str(info.get("redis_version", ""))
    numbers = tuple(int(part) for part in told.split(".")[:2] if part.isdecimal())
    if len(numbers) < len(_OLDEST):
        return [skipped(_CHECK, "it does not tell its version")]
    if numbers < _OLDEST:
        return [bad(_CHECK, f"its version is {shown(told)}", "6.2 or later is needed")]
    return [good(_CHECK, f"its version is {shown(told)}")]


def _eviction(info: Mapping[str, Any]) -> Finding:
    policy, limit = str(info.get("maxmemory_policy", "")), info.get("maxmemory")
    if not policy or not isinstance(limit, int):
        return skipped(_CHECK, "it does not tell what it does when it is full")
    if not limit:
        return good(_CHECK, "it has no maxmemory: entries go when their time is over")
    size = f"maxmemory is {limit / 2**20:.0f} MiB"
    if policy == "noeviction":
        advice = "set maxmemory-policy allkeys-lru: full, it would store nothing new"
        return bad(_CHECK, f"{size} and nothing is evicted (noeviction)", advice)
    return good(_CHECK, f"{size}, evicted by {shown(policy)}")


async def _writing(client: Redis) -> Finding:
    try:
        await client.set(PROBE_KEY, b"", px=1000)
    except ResponseError as error:
        advice = "name the primary, give it memory, and let its user write"
        return bad(_CHECK, f"it refuses writes: {shown(error)}", advice)
    return good(_CHECK, "it takes writes")


def _not_reached(error: Exception, settings: CacheSection) -> Finding:
    said = shown(error)
    if isinstance(error, AuthenticationError) or any(word in said for word in _NOT_LET_IN):
        variable = settings.password_env
        advice = (
            f"is the password in the environment variable {variable} its own?"
            if variable
            else "name the environment variable that holds it: cache.password_env"
        )
        return bad(_CHECK, f"Redis at {_place(settings)} refuses the password: {said}", advice)
    return bad(_CHECK, f"Redis at {_place(settings)} is not reached: {said}", _start(settings))


def _place(settings: CacheSection) -> str:
    """Its host and port: the URL may hold a password."""
    return settings.url.partition("://")[2].rpartition("@")[2].partition("/")[0]


def _start(settings: CacheSection) -> str:
    return f"start it, or set cache.url; the gateway has to reach {_place(settings)}"
