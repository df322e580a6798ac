"""The reasoner service itself, with and without the adapter, asked about captions."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx2

from experiments.embedded_accuracy.items import Question
from racro.base.ports import free_port
from racro.cli.stack import Service, Stack
from racro.contracts.prompts import COMPACT_V1, RACRO_V1, SolveProfile, solve_messages
from racro.embedded.default import SAMPLING
from racro.embedded.reasoner import ADAPTER, packaged_model

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


@contextmanager
def serving(variant: Variant) -> Iterator[str]:
    """The base URL of a reasoner service that is ready."""
    adapter = None if variant.adapter is None else str(variant.adapter)
    config = {"engine": {"kind": "llama", "adapter_path": adapter}}
    stack = Stack([Service("reasoner", "services.reasoner", free_port(), config)])
    with stack.running(on_ready=lambda _name, _seconds: None):
        yield stack.url


class AnswerCache:
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
        with self._path.open("a") as file:
            file.write(json.dumps((key, text)) + "\n")


async def _completion(client: httpx2.AsyncClient, messages: list[dict[str, str]]) -> str:
    body = {"messages": messages, **SAMPLING}
    response = await client.post("/v1/chat/completions", json=body)
    response.raise_for_status()
    text: str = response.json()["choices"][0]["message"]["content"]
    return text
