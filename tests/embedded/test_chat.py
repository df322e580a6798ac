"""Chat on the embedded default, as users of it talk: right about the examples through every door,
and never a box, a loop or an answer without end. The whole lists are for `make test-long`.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from racro.embedded.default import SAMPLING
from support import http
from support.processes import PATIENCE_S, Service

FOLDER = Path(__file__).parent / "chat"
EXAMPLES = Path(__file__).parents[2] / "examples"
RACRO = Path(sys.executable).parent / "racro"
# Every one of the lists' lines is asked in `make test-long`, this share of them always.
ONE_IN = 10


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def mostly_long(cases: list[Any], *, always: Callable[[int], bool]) -> list[Any]:
    """All as parameters of a test, those that are not `always` asked marked as long."""
    return [
        pytest.param(case, marks=[] if always(number) else [pytest.mark.long], id=str(number))
        for number, case in enumerate(cases)
    ]


@pytest.fixture(scope="module")
def client(embedded_gateway: Service) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=f"{embedded_gateway.url}/v1", api_key="none", timeout=PATIENCE_S
    ) as client:
        yield client


def image(name: str) -> dict[str, Any]:
    data = base64.b64encode((EXAMPLES / name).read_bytes()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def showing(text: str, *names: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}, *map(image, names)]}


def streamed(client: OpenAI, messages: list[Any]) -> tuple[list[str], int]:
    """The pieces of an answer, and how many tokens it took."""
    chunks = client.chat.completions.create(
        model="default", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    pieces, tokens = [], 0
    for chunk in chunks:
        pieces += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        tokens = chunk.usage.completion_tokens if chunk.usage else tokens
    return pieces, tokens


def check(pieces: list[str], tokens: int) -> None:
    text = "".join(pieces)
    assert text.strip()
    assert tokens <= SAMPLING["max_tokens"]
    assert "\\boxed" not in text
    for units in (pieces, text.split()):
        eights = [tuple(units[start : start + 8]) for start in range(len(units) - 7)]
        assert all(eights.count(eight) < 3 for eight in set(eights)), text


WITHOUT = lines(FOLDER / "without_images.jsonl")
ABOUT = lines(FOLDER / "about_images.jsonl")


def test_the_lists_are_long() -> None:
    assert len(WITHOUT) == len(ABOUT) == 100


@pytest.mark.parametrize("asked", mostly_long(WITHOUT, always=lambda n: n % ONE_IN == 0))
def test_without_images(client: OpenAI, asked: dict[str, Any]) -> None:
    check(*streamed(client, asked["messages"]))


@pytest.mark.parametrize("asked", mostly_long(ABOUT, always=lambda n: n % ONE_IN == 0))
def test_about_images(client: OpenAI, asked: dict[str, Any]) -> None:
    messages = [showing(asked["text"], *asked["images"])]
    pieces, tokens = streamed(client, messages)
    check(pieces, tokens)
    if then := asked.get("then"):
        said = {"role": "assistant", "content": "".join(pieces)}
        check(*streamed(client, [*messages, said, {"role": "user", "content": then}]))


def by_chat(client: OpenAI, example: dict[str, str]) -> str:
    messages = [showing(example["question"], example["image"])]
    answer = client.chat.completions.create(model="default", messages=messages)
    return answer.choices[0].message.content.rpartition("Answer: ")[2]


def by_streamed_chat(client: OpenAI, example: dict[str, str]) -> str:
    pieces, _ = streamed(client, [showing(example["question"], example["image"])])
    return "".join(pieces).rpartition("Answer: ")[2]


def gateway_of(client: OpenAI) -> str:
    return str(client.base_url).removesuffix("/v1/")


def by_solve(client: OpenAI, example: dict[str, str]) -> str:
    with (EXAMPLES / example["image"]).open("rb") as file:
        response = http.post(
            f"{gateway_of(client)}/v1/solve",
            data={"question": example["question"]},
            files={"image": file},
        )
    return response.json()["answer"]


def by_command(client: OpenAI, example: dict[str, str]) -> str:
    command = [RACRO, "solve", EXAMPLES / example["image"], example["question"]]
    where = ["--gateway", gateway_of(client)]
    shown = subprocess.run(
        [*command, *where], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    return shown.stdout.rpartition("Answer: ")[2].strip()


DOORS = [by_chat, by_streamed_chat, by_solve, by_command]
ROUNDS = 5
ASKED = [example for _ in range(ROUNDS) for example in lines(EXAMPLES / "questions.jsonl")]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("example", mostly_long(ASKED, always=lambda n: n < ROUNDS))
def test_every_door_answers_rightly(
    client: OpenAI, door: Callable[[OpenAI, dict[str, str]], str], example: dict[str, str]
) -> None:
    assert door(client, example) == example["expected"]
