"""Ten times as much as captioner and reasoner can do, and tenants that ask unequally much.

Both are scripted: eight requests at once, 200 ms each, and 503 to a ninth. The gateway is told so
(`max_in_flight`). Some requests come at random times, so many a second in the mean, whether or not
earlier ones were answered; others from clients that wait for their answer before they ask again.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import httpx2
import uvloop

from benchmarks import deployments
from benchmarks.load import Connection
from benchmarks.pictures import Noise
from benchmarks.processes import Process, measured_core, other_cores
from benchmarks.report import Row
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from racro.base.ports import free_port

_ROOM = 8
_SECONDS = 0.2
_CAPACITY = _ROOM / _SECONDS
_TIMES = 10
_LASTS_S = 60
_UNLOADED_S = 10
_SHARED_S = 20
_RUNS = 3
_OK = 200
_REFUSED = frozenset({429, 503})
_MOST_MIB = 1024

_PICTURE = Noise(2_000)


def _chat(label: str) -> bytes:
    message = {"role": "user", "content": f"How high is bar {label}?"}
    return json.dumps({"model": "default", "messages": [message]}).encode()


# A text alone needs the reasoner; a question about a picture, both.
_KINDS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "text": ("/v1/chat/completions", _chat),
    "picture": ("/v1/solve", _PICTURE.solve_body),
}


@dataclass
class _Answers:
    """The seconds of answers, and those of refusals."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def add(self, status: int, seconds: float) -> None:
        if status == _OK:
            self.answered.append(seconds)
        elif status in _REFUSED:
            self.refused.append(seconds)
        else:
            raise RuntimeError(f"answered {status}")


class _Tenant:
    """Sends requests with one API key, each about something else."""

    def __init__(self, port: int, kind: str, key: str) -> None:
        self._port = port
        self._path, self._body = _KINDS[kind]
        self._key = key

    async def at_rate(self, per_second: float, lasts_s: float) -> _Answers:
        """Send at random times, so many a second in the mean."""
        answers, idle = _Answers(), list[Connection]()
        ends = time.perf_counter() + lasts_s
        due = time.perf_counter()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            while due < ends:
                await asyncio.sleep(due - time.perf_counter())
                due += random.expovariate(per_second)
                connection = idle.pop() if idle else None
                if connection is None:
                    connection = await stack.enter_async_context(Connection(self._port))
                group.create_task(self._send(connection, answers, idle))
        return answers

    async def at_once(self, clients: int, lasts_s: float) -> _Answers:
        """Send from so many clients; one that is refused asks again after 200 ms."""
        answers = _Answers()
        ends = time.perf_counter() + lasts_s
        await asyncio.gather(*(self._repeat(answers, ends) for _ in range(clients)))
        return answers

    async def _repeat(self, answers: _Answers, ends: float) -> None:
        async with Connection(self._port) as connection:
            while time.perf_counter() < ends:
                refused = len(answers.refused)
                await self._send(connection, answers, [])
                if len(answers.refused) > refused:
                    await asyncio.sleep(_SECONDS)

    async def _send(
        self, connection: Connection, answers: _Answers, idle: list[Connection]
    ) -> None:
        body = self._body(f"{random.getrandbits(64):x}")
        began = time.perf_counter()
        status, _ = await connection.ask(self._path, body, key=self._key)
        answers.add(status, time.perf_counter() - began)
        idle.append(connection)


@dataclass(frozen=True)
class _Deployment:
    gateway: Process
    upstream_url: str
    keys: list[str]

    def seen(self) -> dict[str, dict[str, int]]:
        """Return what captioner and reasoner saw at most."""
        seen: dict[str, dict[str, int]] = httpx2.get(f"{self.upstream_url}/seen").json()
        return seen


@contextmanager
def _deployed(tenants: int) -> Iterator[_Deployment]:
    file, keys = KeysFile(), []
    for number in range(tenants):
        file, key = file.with_new_key(f"tenant-{number}", TenantRecord())
        keys.append(key)
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.limited", str(port), str(_ROOM), str(_SECONDS)]
    with (
        tempfile.TemporaryDirectory() as folder,
        other_cores(),
        Process(command, port=port) as peer,
    ):
        path = Path(folder) / "keys.yaml"
        file.write(path)
        peer.wait_for("/seen")
        with measured_core():
            gateway = deployments.service(
                "gateway",
                {
                    "captioner": {"url": peer.url, "max_in_flight": _ROOM},
                    "reasoners": {
                        "default": {
                            "url": f"{peer.url}/v1",
                            "model": "scripted",
                            "max_in_flight": _ROOM,
                        }
                    },
                    "tenants": {"keys_file": str(path)},
                    "access_log_share": 0,
                },
            )
        with gateway as process:
            yield _Deployment(process.wait_for("/readyz"), peer.url, keys)


def run() -> list[Row]:
    """About seven minutes."""
    return [*(row for kind in _KINDS for row in _overloaded(kind)), *_shared()]


def _overloaded(kind: str) -> Iterator[Row]:
    """Measure one tenant at ten times the capacity: of three runs, the one in the middle."""
    refused_ms, ratios, per_second, memory = [], [], [], []
    with _deployed(1) as deployed:
        tenant = _Tenant(deployed.gateway.port, kind, deployed.keys[0])
        for _ in range(_RUNS):
            alone = uvloop.run(tenant.at_once(1, _UNLOADED_S))
            answers = uvloop.run(tenant.at_rate(_CAPACITY * _TIMES, _LASTS_S))
            refused_ms.append(_p99(answers.refused) * 1000)
            ratios.append(_p99(answers.answered) / _p99(alone.answered))
            per_second.append(len(answers.answered) / _LASTS_S)
            memory.append(deployed.gateway.peak_rss_mib())
        seen = deployed.seen()
    of = f"{kind}, {_TIMES} x capacity"
    yield Row("overload", f"{of}: refusals, p99", median(refused_ms), "ms", 50)
    yield Row("overload", f"{of}: answers, p99 / alone", median(ratios), "x", 2)
    yield Row("overload", f"{of}: answers", median(per_second), f"/s of {_CAPACITY:.0f}")
    yield Row("overload", f"{of}: memory", max(memory), "MiB", _MOST_MIB)
    refused = sum(stage["refused"] for stage in seen.values())
    yield Row("overload", f"{of}: refused by captioner or reasoner", refused, "", 0)


def _shared() -> Iterator[Row]:
    """Measure a tenant that asks for its share, or half of it, beside one at ten times that."""
    share = _ROOM // 2
    for name, alone, beside in (
        ("its share at once", _Load(clients=share), _Load(clients=share * _TIMES)),
        (
            "half its share, at random",
            _Load(per_second=_CAPACITY / 4),
            _Load(per_second=_CAPACITY / 4 * _TIMES),
        ),
    ):
        with _deployed(2) as deployed:
            port = deployed.gateway.port
            one, other = (_Tenant(port, "text", key) for key in deployed.keys)
            before = uvloop.run(alone.of(one))
            after = uvloop.run(_beside(alone.of(one), beside.of(other)))
        slower = mean(after.answered) / mean(before.answered)
        yield Row("overload", f"a tenant with {name}, beside {_TIMES} x", slower, "x", 1.2)
        yield Row("overload", f"a tenant with {name}: refused", len(after.refused), "", 0)


@dataclass(frozen=True)
class _Load:
    clients: int = 0
    per_second: float = 0

    async def of(self, tenant: _Tenant) -> _Answers:
        if self.clients:
            return await tenant.at_once(self.clients, _SHARED_S)
        return await tenant.at_rate(self.per_second, _SHARED_S)


async def _beside(
    sent: Coroutine[Any, Any, _Answers], others: Coroutine[Any, Any, _Answers]
) -> _Answers:
    """Return the answers to some requests that are sent beside others."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sent)
        group.create_task(others)
    return task.result()


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98] if len(seconds) > 1 else 0.0
