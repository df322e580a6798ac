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
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import yaml

from experiments.embedded_accuracy.items import Question
from racro.contracts.prompts import COMPACT_V1, RACRO_V1, SolveProfile, solve_messages
from racro.embedded.default import SAMPLING
from racro.embedded.reasoner import ADAPTER, packaged_model

_START_TIMEOUT_S = 60
_ANSWER_TIMEOUT_S = 300
_AT_ONCE = 4


@dataclass(frozen=True)
class Variant:
    """A reasoner: which adapter, and the prompt profile it is asked with."""

    name: str
    adapter: Path | None
    profile: SolveProfile

    def keys(self, asked: "Sequence[Asked]") -> list[str]:
        """Under which the answers are kept: everything that shapes them."""
        files = [path.read_bytes() for path in (packaged_model(), self.adapter) if path]
        engine = [version("xllamacpp"), *(hashlib.sha256(file).hexdigest() for file in files)]
        prompts = (
            solve_messages(self.profile, one.question.text, one.caption, None) for one in asked
        )
        shaped_by = (json.dumps([engine, dict(SAMPLING), prompt]) for prompt in prompts)
        return [hashlib.sha256(one.encode()).hexdigest() for one in shaped_by]


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
        inherited = {name: v for name, v in os.environ.items() if not name.startswith("RACRO_")}
        log = Path(folder) / "reasoner.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.reasoner"],
                env={**inherited, "RACRO_CONFIG": str(config)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = log.read_text(errors="replace")
            raise RuntimeError(f"the reasoner ended with code {process.returncode}\n{said}")
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
        # What was broken off may have ended in the middle of a line.
        whole, _, _ = path.read_text().rpartition("\n")
        path.write_text(f"{whole}\n" if whole else "")
        self._known: dict[str, str] = dict(map(json.loads, whole.split("\n"))) if whole else {}

    def ask(
        self,
        variant: Variant,
        asked: Sequence[Asked],
        on_answers: Callable[[int], None] = lambda _: None,
    ) -> list[str]:
        """The whole text of each answer, in the order of `asked`."""
        keys = variant.keys(asked)
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
        with self._path.open("a") as book:
            book.write(json.dumps((key, text)) + "\n")


async def _completion(client: httpx2.AsyncClient, messages: list[dict[str, str]]) -> str:
    body = {"messages": messages, **SAMPLING}
    response = await client.post("/v1/chat/completions", json=body)
    response.raise_for_status()
    text: str = response.json()["choices"][0]["message"]["content"]
    return text
