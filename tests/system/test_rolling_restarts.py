"""Nobody notices that services are restarted one after another: no request fails, none breaks."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from conftest import gateway_config
from support import http
from support.balancer import Balancer
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import Script, ScriptedServer

IMAGES = [data_url(png(str(number))) for number in range(5)]
CLIENTS = 16
# As long as connections stay open while a service ends, and longer.
IDLE_S = 5
SLOWLY = "Slowly"
PIECES = [f"{number} " for number in range(30)]
QUIET = {"shutdown_quiet_s": 2}
KEPT = httpx2.Limits(keepalive_expiry=60)


@dataclass
class Load:
    """Clients of a gateway at `url`, and what became of their requests."""

    url: str
    wanted: int
    outcomes: Counter[str] = field(default_factory=Counter)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1
        if self.outcomes.total() >= self.wanted:
            self.enough.set()

    async def restless(self, seed: int) -> None:
        """Ask over kept connections that are idle for less than a second."""
        rng = random.Random(seed)
        async with http.async_client(limits=KEPT) as client:
            while not self.stopped.is_set():
                self.count(await outcome(client.post(**question(self.url, rng))))
                await asyncio.sleep(rng.random() ** 3)

    async def idle(self) -> None:
        """Ask every five seconds, once more where the connection breaks."""
        rng = random.Random(IDLE_S)
        async with http.async_client(limits=KEPT) as client:
            while not self.stopped.is_set():
                asked = question(self.url, rng)
                first = await outcome(client.post(**asked))
                self.count(first if first == "200" else await outcome(client.post(**asked)))
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S):
                        await self.stopped.wait()

    async def streaming(self) -> None:
        """Read one stream of a second after another."""
        async with http.async_client(limits=KEPT) as client:
            while not self.stopped.is_set():
                asked = chat(self.url, SLOWLY, stream=True)
                self.count(await outcome(whole_stream(client, asked)))


async def outcome(asking) -> str:
    try:
        answer = await asking
    except httpx2.TransportError as error:
        return repr(error)
    return "200" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"


async def whole_stream(client: httpx2.AsyncClient, asked: dict[str, Any]) -> httpx2.Response:
    async with client.stream("POST", **asked) as answer:
        await answer.aread()
    assert answer.text.rstrip().endswith("data: [DONE]"), answer.text
    return answer


def question(url: str, rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.5:
        return chat(url, "How high?")
    body = {"question": f"{rng.randrange(50)}?", "images": [rng.choice(IMAGES)]}
    return {"url": f"{url}/v1/solve", "json": body}


def chat(url: str, text: str, *, stream: bool = False) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": text}], "model": "default", "stream": stream}
    return {"url": f"{url}/v1/chat/completions", "json": body}


@asynccontextmanager
async def load(url: str, requests: int) -> AsyncIterator[None]:
    """Have clients ask in the block and until they made so many requests; all have to succeed."""
    all_of_it = Load(url, requests)
    async with asyncio.TaskGroup() as group:
        for seed in range(CLIENTS):
            group.create_task(all_of_it.restless(seed))
        group.create_task(all_of_it.idle())
        group.create_task(all_of_it.streaming())
        try:
            yield
            await all_of_it.enough.wait()
        finally:
            all_of_it.stopped.set()
    assert set(all_of_it.outcomes) == {"200"}, all_of_it.outcomes


async def restart(services: Sequence[Service], balancer: Balancer | None = None) -> None:
    """Restart one after another, each when those before it are used again."""
    for service in services:
        await asyncio.to_thread(service.restart, service.config)
        if balancer is not None:
            await balancer.wait_for_all()


@pytest.fixture(autouse=True)
def slow_streams(reasoner: ScriptedServer) -> None:
    slow = Script(texts=PIECES, between_s=1 / len(PIECES))
    reasoner.script.respond = lambda asked: (
        slow if asked and asked.get("messages", [{}])[-1].get("content") == SLOWLY else None
    )


def two(stack: ExitStack, module: str, config: dict[str, Any]) -> list[Service]:
    config = {**config, **QUIET}
    return [stack.enter_context(Service(module, config)) for _ in range(2)]


SIZES = [
    pytest.param(1, 300, id="small"),
    pytest.param(10, 10_000, marks=pytest.mark.long, id="whole"),
]


@pytest.mark.parametrize(("restarts", "requests"), SIZES)
async def test_of_gateways(captioner, reasoner, restarts: int, requests: int) -> None:
    with ExitStack() as stack:
        gateways = two(stack, "gateway", gateway_config(captioner.url, reasoner.url))
        async with Balancer(gateways) as balancer, load(balancer.url, requests):
            for _ in range(restarts):
                await restart(gateways, balancer)


@pytest.mark.parametrize(("restarts", "requests"), SIZES)
async def test_of_reasoners(captioner, reasoner, restarts: int, requests: int) -> None:
    engine = {"kind": "url", "url": f"{reasoner.url}/v1", "model": "scripted"}
    with ExitStack() as stack:
        both = two(stack, "services.reasoner", {"model": "scripted", "engine": engine})
        urls = [f"{service.url}/v1" for service in both]
        asked = {"default": {"url": urls, "model": "scripted"}}
        config = {"captioner": {"url": captioner.url}, "reasoners": asked}
        gateway = stack.enter_context(Service("gateway", config))
        async with load(gateway.url, requests):
            for _ in range(restarts):
                await restart(both)


@pytest.mark.parametrize(("restarts", "requests"), SIZES)
async def test_of_captioners(reasoner, restarts: int, requests: int) -> None:
    engine = {"kind": "url", "url": f"{reasoner.url}/v1", "model": "scripted"}
    with ExitStack() as stack:
        config = {"captioner": {"kind": "vlm", "engine": engine}}
        both = two(stack, "services.captioner", config)
        async with Balancer(both) as balancer:
            config = gateway_config(balancer.url, reasoner.url, cache={"max_bytes": 0})
            # The balancer goes on meanwhile.
            gateway = stack.enter_context(await asyncio.to_thread(Service, "gateway", config))
            async with load(gateway.url, requests):
                for _ in range(restarts):
                    await restart(both, balancer)
