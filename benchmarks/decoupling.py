"""Our order of the stages against the authors', on the same vLLM engines: make bench-vllm

The paper's evaluation asks for the caption, then for the tentative response, then for the answer.
The gateway asks for the first two at once and keeps them. Sixteen problems, two questions on each
of eight images, eight under way at a time and one; noise of fixed length from tiny models of random
weights, so that both orders generate the same number of tokens. With all the time in perception,
and an engine to which two prompts are no more work than one, ours would take half of theirs.
"""

import asyncio
import base64
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from rich.console import Console

from benchmarks import deployments
from benchmarks.pictures import Noise
from benchmarks.processes import Process
from benchmarks.report import Row, machine_line, show
from racro.contracts.prompts import RACRO_V1, solve_messages

_CAPTION_TOKENS = _TENTATIVE_TOKENS = _ANSWER_TOKENS = 32
_CONCURRENCY = 8
_IMAGES = 8
_QUESTIONS = ("How high is the bar?", "Which bar is the highest?")
_IMAGE_BYTES = 200_000
_ROUNDS = 3
_START_TIMEOUT_S = 600
_ENGINE_ARGUMENTS = ("--enforce-eager", "--block-size=32", "--kv-cache-memory-bytes=268435456")
_ENGINE_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_HOST_IP": "127.0.0.1",
    "GLOO_SOCKET_IFNAME": "lo",
    "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
}

_console = Console()
_labels = count()


@dataclass(frozen=True)
class Problem:
    image: str
    question: str


@dataclass(frozen=True)
class Stack:
    gateway: Process
    captioner: Process
    reasoner: Process


@dataclass(frozen=True)
class Measured:
    """Seconds for all problems, and of each until the reasoner's first token."""

    total_s: float
    first_token_s: Sequence[float]


Solve = Callable[[httpx2.AsyncClient, Stack, Problem], Awaitable[float]]


async def _ours(client: httpx2.AsyncClient, stack: Stack, problem: Problem) -> float:
    body = {"question": problem.question, "images": [problem.image], "stream": True}
    return await _first_of(
        client, f"{stack.gateway.url}/v1/solve", body, starts=("event: answer", "event: reasoning")
    )


async def _authors(client: httpx2.AsyncClient, stack: Stack, problem: Problem) -> float:
    began = time.perf_counter()
    texts = {}
    for part in ("caption", "tentative"):
        ask: dict[str, Any] = {
            "question": problem.question,
            "images": [problem.image],
            "parts": [part],
        }
        ask["options"] = {"max_tokens": _CAPTION_TOKENS}
        answer = await client.post(f"{stack.captioner.url}/v1/perceive", json=ask)
        answer.raise_for_status()
        [generation] = answer.json()[part]
        texts[part] = generation["text"]
    body = {
        "model": "reasoner",
        "messages": solve_messages(
            RACRO_V1, problem.question, texts["caption"], texts["tentative"]
        ),
        "max_tokens": _ANSWER_TOKENS,
        "temperature": 0,
        "stream": True,
    }
    before = time.perf_counter() - began
    url = f"{stack.reasoner.url}/v1/chat/completions"
    return before + await _first_of(client, url, body, starts=("data: ",))


async def _first_of(
    client: httpx2.AsyncClient, url: str, body: dict[str, Any], *, starts: tuple[str, ...]
) -> float:
    """Seconds until the first line that starts so; the stream is read to its end."""
    began, first = time.perf_counter(), None
    async with client.stream("POST", url, json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.startswith("event: error"):
                raise RuntimeError("a problem was not solved")
            if first is None and line.startswith(starts):
                first = time.perf_counter() - began
    if first is None:
        raise RuntimeError("no token came")
    return first


async def _measure(
    solve: Solve, stack: Stack, problems: Sequence[Problem], *, at_a_time: int
) -> Measured:
    slots = asyncio.Semaphore(at_a_time)

    async def one(problem: Problem) -> float:
        async with slots:
            return await solve(client, stack, problem)

    async with httpx2.AsyncClient(timeout=600) as client:
        began = time.perf_counter()
        firsts = await asyncio.gather(*map(one, problems))
        return Measured(time.perf_counter() - began, firsts)


def _problems() -> list[Problem]:
    """Of images that were never seen."""
    problems = []
    for _ in range(_IMAGES):
        png = Noise(_IMAGE_BYTES, seed=f"picture {next(_labels)}").png("")
        image = "data:image/png;base64," + base64.b64encode(png).decode()
        problems += [Problem(image, question) for question in _QUESTIONS]
    return problems


def run(stack: Stack) -> Iterator[Row]:
    cold, warm, half = (f"{what}, 8 at a time" for what in ("cold", "warm", "half warm"))
    alone = "cold, 1 at a time"
    measured: dict[str, list[tuple[Measured, Measured]]] = {
        name: [] for name in (cold, warm, half, alone)
    }
    for number in range(_ROUNDS + 1):
        _console.print(f"round {number} of {_ROUNDS}")
        seen, unseen, fresh = _Pair.new(), _Pair.new(), _Pair.new()
        for name, problems, at_a_time in (
            (cold, seen, _CONCURRENCY),
            (warm, seen, _CONCURRENCY),
            (half, seen.half_of_each(fresh), _CONCURRENCY),
            (alone, unseen, 1),
        ):
            both = problems.measure(stack, at_a_time=at_a_time, ours_first=bool(number % 2))
            if number:  # the first round warms the engines up
                measured[name].append(both)
    for name, pairs in measured.items():
        throughput = median(theirs.total_s / ours.total_s for ours, theirs in pairs)
        first = median(median(o.first_token_s) / median(t.first_token_s) for o, t in pairs)
        yield Row("decoupling", f"{name}: throughput, ours to the authors'", throughput, "×")
        yield Row("decoupling", f"{name}: time to the reasoner's first token, same", first, "×")
        seconds = [median(one.total_s for one in order) for order in zip(*pairs, strict=True)]
        yield Row("decoupling", f"{name}: 16 problems, ours", seconds[0], "s")
        yield Row("decoupling", f"{name}: 16 problems, the authors'", seconds[1], "s")
    foretold = median(
        2 * mixed.total_s / (all_cold.total_s + all_warm.total_s)
        for (mixed, _), (all_cold, _), (all_warm, _) in zip(
            measured[half], measured[cold], measured[warm], strict=True
        )
    )
    yield Row("decoupling", "half warm: ours, to what cold and warm foretell", foretold, "×")


@dataclass(frozen=True)
class _Pair:
    """Problems of their own for each order: the engines keep what they saw."""

    ours: Sequence[Problem]
    theirs: Sequence[Problem]

    @classmethod
    def new(cls) -> "_Pair":
        return cls(_problems(), _problems())

    def half_of_each(self, other: "_Pair") -> "_Pair":
        def mix(mine: Sequence[Problem], others: Sequence[Problem]) -> Sequence[Problem]:
            half = len(mine) // 2
            # In turn, so that both kinds are under way together.
            return [
                problem for pair in zip(mine[:half], others[:half], strict=True) for problem in pair
            ]

        return _Pair(mix(self.ours, other.ours), mix(self.theirs, other.theirs))

    def measure(
        self, stack: Stack, *, at_a_time: int, ours_first: bool
    ) -> tuple[Measured, Measured]:
        orders = [(_ours, self.ours), (_authors, self.theirs)]
        measured = {
            order: asyncio.run(_measure(order, stack, problems, at_a_time=at_a_time))
            for order, problems in (orders if ours_first else reversed(orders))
        }
        return measured[_ours], measured[_authors]


@contextmanager
def _stack(vllm: Path) -> Iterator[Stack]:
    engine = {
        "kind": "vllm",
        "command": [str(vllm / "bin" / "vllm")],
        "model": str(vllm / "models" / "captioner"),
        "context_tokens": 4096,
        "arguments": _ENGINE_ARGUMENTS,
    }
    with ExitStack() as stack:
        os.environ.update(_ENGINE_ENVIRONMENT)
        seeing = {"kind": "vlm", "engine": engine, "max_tokens": _CAPTION_TOKENS}
        captioner = stack.enter_context(
            deployments.service("services.captioner", {"captioner": seeing})
        )
        # The same tiny model, which never ends by itself: a length that is fixed.
        reasoner = stack.enter_context(
            deployments.service("services.reasoner", {"model": "reasoner", "engine": engine})
        )
        for process in (captioner, reasoner):
            process.wait_for("/readyz", timeout_s=_START_TIMEOUT_S)
        config = {
            "captioner": {"url": captioner.url, "max_tokens": _CAPTION_TOKENS},
            "reasoners": {
                "default": {
                    "url": f"{reasoner.url}/v1",
                    "model": "reasoner",
                    "context_tokens": 4096,
                    "visual_budget_tokens": 2048,
                    "sampling": {"temperature": 0, "top_p": 1, "max_tokens": _ANSWER_TOKENS},
                }
            },
        }
        gateway = stack.enter_context(deployments.service("gateway", config))
        yield Stack(gateway.wait_for("/readyz"), captioner, reasoner)


def main() -> None:
    vllm = os.environ.get("VLLM_VENV")
    if vllm is None:
        sys.exit("VLLM_VENV: name the environment that `make .vllm-venv/models` makes")
    _console.print("starting two engines: a minute or two")
    with _stack(Path(vllm)) as stack:
        show(_console, [*run(stack)])
    _console.print(machine_line())


if __name__ == "__main__":
    main()
