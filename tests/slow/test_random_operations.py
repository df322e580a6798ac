"""Two gateways, three tenants, a Redis that is cut, frozen, poisoned and flushed: whoever asks gets
the caption of his own images, his own question and his own tenant, or an error, and nothing else.
"""

import asyncio
import base64
import hashlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from gateway.cache.opening import open_caches
from gateway.images.loader import Image
from gateway.perception.call_options import CallOptions
from gateway.perception.captioner import CaptionerClient
from gateway.perception.captioners import Captioners
from gateway.perception.perceiver import Perceiver
from gateway.perception.request import PerceptionRequest
from gateway.settings import CacheSection
from gateway.tenancy.rates import Rates
from racro.contracts.cache_keys import tenant_tag
from racro.servekit.context import REQUEST_ID_HEADER, request_id
from racro.servekit.upstream import Upstream, open_client
from support.processes import PATIENCE_S
from support.redis import RedisServer, Wire
from support.scripted import Script, ScriptedServer
from support.tenants import queue, tenant

OPERATIONS = int(os.environ.get("OPERATIONS", "100000"))
WORKERS = 40
TENANTS = ["", tenant_tag("one", b"secret"), tenant_tag("two", b"secret")]
PIXELS = [bytes([number]) * 100 for number in range(4)]
IMAGES = [
    Image(data, "image/png", hashlib.sha256(data).hexdigest(), "images[0]", 1) for data in PIXELS
]
QUESTIONS = [None, "a", "A", "a  b", "a b", "a\nb"]
MODES = ["use"] * 18 + ["refresh", "bypass"]


def caption_of(tenant: str, digests: list[str], question: str | None) -> str:
    return f"{tenant}|{','.join(digests)}|{question!r}"


def respond(asked) -> Script:
    """The caption says what it was asked about, and for whom: the request id begins with that."""
    body = asked["json"]
    digests = [
        hashlib.sha256(base64.b64decode(url.partition(",")[2])).hexdigest()
        for url in body["images"]
    ]
    tenant = asked["request_id"].partition(".")[0].removeprefix("t")
    return Script(caption=caption_of(tenant, digests, body.get("question")), tentative=None)


class TellingServer(ScriptedServer):
    """Scripts see the request id as well as the body."""

    def __init__(self) -> None:
        super().__init__()
        self.script.of = lambda asked: respond(  # type: ignore[method-assign]
            {"json": asked.json, "request_id": asked.headers[REQUEST_ID_HEADER]}
        )


@pytest.fixture
def captioner() -> Iterator[ScriptedServer]:
    with TellingServer() as server:
        yield server


@asynccontextmanager
async def opened(captioner: ScriptedServer, redis_url: str) -> AsyncIterator[Perceiver]:
    section = CacheSection(url=redis_url, local_ttl_s=0.5, lease_s=0.5, max_bytes=5000)
    async with AsyncExitStack() as stack:
        upstreams = await stack.enter_async_context(open_client())
        caches = await open_caches(section)
        stack.push_async_callback(caches.cache.close)
        client = Captioners(
            [
                CaptionerClient(
                    Upstream(upstreams, captioner.url, name="captioner"),
                    name=captioner.url,
                    identity_ttl_s=60,
                )
            ]
        )
        yield Perceiver(
            client,
            caches.cache,
            caches.leases,
            queue(),
            Rates(None),
            options=CallOptions(100, max_pages=8),
            max_timeout_s=PATIENCE_S,
            max_entry_bytes=section.max_entry_bytes,
        )


async def disturb(redis: RedisServer, wire: Wire, rng: random.Random) -> None:
    client = redis.client
    while True:
        await asyncio.sleep(rng.uniform(0.01, 0.1))
        keys = client.keys("racro:*")
        match rng.randrange(12):
            case 0:
                wire.set(rng.choice(["cut", "silent", "garbage"]))
                await asyncio.sleep(rng.uniform(0, 0.3))
                wire.set("pass")
            case 1:
                wire.delay_s = rng.uniform(0, 0.1)
                await asyncio.sleep(rng.uniform(0, 0.3))
                wire.delay_s = 0
            case 2:
                client.flushall()
            case 3 if len(keys) > 1:
                one, other = rng.sample(keys, 2)
                if client.type(one) == client.type(other) == b"string":
                    client.set(other, client.get(one) or b"", ex=60)
            case 4 if keys:
                key = rng.choice(keys)
                client.delete(key)
                client.rpush(key, "x")
                client.expire(key, 60)
            case 5 if keys:
                key = rng.choice(keys)
                if client.type(key) == b"string":
                    value = bytearray(client.get(key) or b"x")
                    value[rng.randrange(len(value))] ^= 1 << rng.randrange(8)
                    client.set(key, bytes(value), ex=60)


async def work(
    perceivers: list[Perceiver], todo: Iterator[int], rng: random.Random, seen: Counter[str]
) -> None:
    for number in todo:
        tag = rng.choice(TENANTS)
        request_id.set(f"t{tag}.{number}")
        images = rng.choices(IMAGES, k=rng.randint(1, 2))
        request = PerceptionRequest(
            tenant=tenant(tag),
            images=images,
            question=rng.choice(QUESTIONS),
            cache=rng.choice(MODES),
        )
        try:
            patience_s = rng.choice([0.001, 0.01, PATIENCE_S, PATIENCE_S, PATIENCE_S, PATIENCE_S])
            async with asyncio.timeout(patience_s):
                perception = await rng.choice(perceivers).perceive(request)
        except TimeoutError:
            seen["gave up" if patience_s == PATIENCE_S else "left"] += 1
        else:
            seen[perception.context.cache] += 1
            expected = caption_of(tag, [image.digest for image in images], request.question)
            assert perception.context.caption == expected


@pytest.mark.timeout(7200)
async def test_nobody_ever_gets_another_s_caption(captioner) -> None:
    rng, seen, todo = random.Random(20261123), Counter[str](), iter(range(OPERATIONS))
    with RedisServer() as redis, Wire(redis.port) as wire:
        async with opened(captioner, wire.url) as one, opened(captioner, wire.url) as other:
            disturbing = asyncio.create_task(disturb(redis, wire, rng))
            async with asyncio.TaskGroup() as group:
                for seed in range(WORKERS):
                    group.create_task(work([one, other], todo, random.Random(seed), seen))
            assert not disturbing.done(), disturbing
            disturbing.cancel()
        immortal = [key for key in redis.client.scan_iter() if redis.client.ttl(key) == -1]
    assert immortal == []
    assert sum(seen.values()) == OPERATIONS
    assert seen["gave up"] == 0, seen
    # It was a trial of all ways.
    for way in ("hit", "miss", "coalesced", "bypass", "left"):
        assert seen[way] > OPERATIONS / 1000, seen
