"""A gateway that is told to end under load: its streams, those who come late, its end."""

import asyncio
import json
import time
from typing import Any

import httpx2

from benchmarks import deployments
from benchmarks.processes import Process
from benchmarks.report import Row
from benchmarks.upstream import CHUNKS, SLOW

_STREAMS = 20
_LATECOMERS = 100
_OK = 200


def run() -> list[Row]:
    with deployments.scripted_gateway() as gateway:
        return asyncio.run(_drained(gateway))


async def _drained(gateway: Process) -> list[Row]:
    async with httpx2.AsyncClient(timeout=30) as client:
        started = [asyncio.Event() for _ in range(_STREAMS)]
        streams = [asyncio.create_task(_chunks(client, gateway, event)) for event in started]
        await asyncio.gather(*(event.wait() for event in started))
        gateway.terminate()
        told = time.perf_counter()
        await _not_ready(client, gateway)
        noticed_s = time.perf_counter() - told
        late = [await _latecomer(gateway) for _ in range(_LATECOMERS)]
        still = sum(not stream.done() for stream in streams)
        whole = [await stream == CHUNKS for stream in streams]
    began = time.perf_counter()
    status = await asyncio.to_thread(gateway.wait)
    ended = time.perf_counter() - began
    return [
        Row("drain", f"{_STREAMS} streams: broken", whole.count(False), "", 0),
        Row("drain", "streams that outlast the last latecomer", still, ""),
        Row("drain", "from SIGTERM to not ready", noticed_s * 1e3, "ms"),
        Row("drain", f"{_LATECOMERS} latecomers: the slowest", max(late) * 1e3, "ms", 50),
        Row("drain", "from the last stream's end to the process's", ended, "s"),
        Row("drain", "exit status", status, "", 0),
    ]


def _chat(gateway: Process, wanted: str, *, stream: bool) -> dict[str, Any]:
    message = {"role": "user", "content": f"{wanted} answer, please."}
    body = {"model": "default", "messages": [message], "stream": stream}
    return {"url": f"{gateway.url}/v1/chat/completions", "json": body}


async def _chunks(client: httpx2.AsyncClient, gateway: Process, started: asyncio.Event) -> int:
    """How many a stream had; one that does not end as it should has none."""
    texts = []
    async with client.stream("POST", **_chat(gateway, f"A {SLOW}", stream=True)) as response:
        async for line in response.aiter_lines():
            started.set()
            texts.append(line.removeprefix("data: "))
    whole = texts and "[DONE]" in texts
    return sum("choices" in json.loads(text) for text in texts if text[:1] == "{") if whole else 0


async def _not_ready(client: httpx2.AsyncClient, gateway: Process) -> None:
    while (await client.get(f"{gateway.url}/readyz")).status_code == _OK:
        pass


async def _latecomer(gateway: Process) -> float:
    """Seconds of a request over a connection of its own, that included."""
    # No certificates to load: that is no part of it.
    async with httpx2.AsyncClient(verify=False) as client:
        began = time.perf_counter()
        answer = await client.post(**_chat(gateway, "An", stream=False))
        seconds = time.perf_counter() - began
    if answer.status_code != _OK or answer.headers["connection"] != "close":
        raise RuntimeError(f"answered {answer.status_code}")
    return seconds
