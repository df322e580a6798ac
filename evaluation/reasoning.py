"""The reasoner service itself, with and without the adapter, asked about captions."""

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import yaml

from evaluation.items import Question
from racro.contracts.prompts import COMPACT_V1, RACRO_V1, SolveProfile, solve_messages
from racro.embedded.reasoner import ADAPTER

_START_TIMEOUT_S = 60
_ANSWER_TIMEOUT_S = 300
_AT_ONCE = 4
# As the embedded stack sets them.
_SAMPLING = {"temperature": 0, "top_p": 1, "max_tokens": 256}


@dataclass(frozen=True)
class Variant:
    """A reasoner: which adapter, and the prompt profile it is asked with."""

    name: str
    adapter: Path | None
    profile: SolveProfile

    def key(self, asked: "Asked") -> str:
        """Under which an answer is kept: everything that shapes it."""
        adapter = b"" if self.adapter is None else self.adapter.read_bytes()
        shaped_by = [
            hashlib.sha256(adapter).hexdigest(),
            solve_messages(self.profile, asked.question.text, asked.caption, None),
            _SAMPLING,
        ]
        return hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest()


BASE = Variant("base model", None, RACRO_V1)
ADAPTED = Variant("with adapter", ADAPTER, COMPACT_V1)


@dataclass(frozen=True)
class Asked:
    question: Question
    caption: str


@contextlib.contextmanager
def serving(variant: Variant) -> Iterator[str]:
    """The base URL of a reasoner service that is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    adapter = None if variant.adapter is None else str(variant.adapter)
    engine = {"kind": "llama", "adapter_path": adapter}
    with TemporaryDirectory(prefix="racro-evaluation-") as folder:
        config = Path(folder) / "reasoner.yaml"
        config.write_text(yaml.safe_dump({"port": port, "engine": engine}))
        process = subprocess.Popen(
            [sys.executable, "-m", "services.reasoner"],
            env={**os.environ, "RACRO_CONFIG": str(config)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the reasoner ended with code {process.returncode}")
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/readyz", trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise RuntimeError("the reasoner was not ready in time")


class AnswerBook:
    """Answers in a JSONL file, so that an evaluation that was broken off goes on where it was."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines()
        self._known: dict[str, str] = dict(json.loads(line) for line in lines)

    def ask(
        self,
        variant: Variant,
        asked: Sequence[Asked],
        on_answers: Callable[[int], None] = lambda _: None,
    ) -> list[str]:
        """The whole text of each answer, in the order of `asked`."""
        keys = [variant.key(one) for one in asked]
        new = {key: one for key, one in zip(keys, asked, strict=True) if key not in self._known}
        on_answers(len(asked) - len(new))
        if new:
            with serving(variant) as url:
                asyncio.run(self._ask_all(url, variant.profile, new, on_answers))
        return [self._known[key] for key in keys]

    async def _ask_all(
        self,
        url: str,
        profile: SolveProfile,
        asked: Mapping[str, Asked],
        on_answers: Callable[[int], None],
    ) -> None:
        limit = asyncio.Semaphore(_AT_ONCE)
        async with httpx2.AsyncClient(
            base_url=url, timeout=_ANSWER_TIMEOUT_S, trust_env=False
        ) as client:

            async def ask(key: str, one: Asked) -> None:
                messages = solve_messages(profile, one.question.text, one.caption, None)
                async with limit:
                    text = await _completion(client, messages)
                self._keep(key, text)
                on_answers(1)

            await asyncio.gather(*(ask(key, one) for key, one in asked.items()))

    def _keep(self, key: str, text: str) -> None:
        self._known[key] = text
        with self._path.open("a", encoding="utf-8") as book:
            book.write(json.dumps((key, text), ensure_ascii=False) + "\n")


async def _completion(client: httpx2.AsyncClient, messages: list[dict[str, str]]) -> str:
    body = {"messages": messages, **_SAMPLING}
    response = await client.post("/v1/chat/completions", json=body)
    response.raise_for_status()
    text: str = response.json()["choices"][0]["message"]["content"]
    return text
