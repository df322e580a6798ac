"""A picture is captioned once for the same words, whatever agents write round them."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openai import OpenAI

from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service

_numbers = itertools.count()
DAYS = ["2026-11-30", "2026-12-01"]
TITLE = "Generate a title for this conversation:\n"


@pytest.fixture
def client(gateway: Service) -> Iterator[OpenAI]:
    url = f"{gateway.url}/v1"
    with OpenAI(base_url=url, api_key="sk", max_retries=0, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture
def picture() -> dict[str, Any]:
    """A picture that no other test has."""
    url = data_url(png(f"agents {next(_numbers)}"))
    return {"type": "image_url", "image_url": {"url": url}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*content]}


def ask(client: OpenAI, messages: list[Any]) -> None:
    client.chat.completions.create(model="default", messages=messages)


ROUND_THE_WORDS = {
    "system-reminder": "<system-reminder>\nToday is {}.\n</system-reminder>",
    "environment_context": "<environment_context>\n<date>{}</date>\n</environment_context>",
    "environment_details": "<environment_details>\n{}\n</environment_details>",
}


@pytest.mark.parametrize("block", ROUND_THE_WORDS.values(), ids=ROUND_THE_WORDS)
def test_another_day_is_no_other_question(client, captioner, reasoner, picture, block) -> None:
    blocks = [block.format(day) for day in DAYS]
    for dated in blocks:
        ask(client, [user(text(dated), picture, text("What is it?"))])
    [perceived] = captioner.perceptions
    assert perceived.json["question"] == "What is it?"
    for dated, asked in zip(blocks, reasoner.chats, strict=True):
        assert asked.json["messages"][0]["content"].startswith(dated)


def test_a_title_asks_for_no_other_caption(client, captioner, reasoner, picture) -> None:
    shown = [text("What is it?"), picture]
    calls = [
        [user(*shown)],
        # As a message before it, and, where messages of one role are merged, as a part.
        [{"role": "user", "content": TITLE}, user(*shown)],
        [user(text(TITLE), *shown)],
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(lambda messages: ask(client, messages), calls))
    assert len(reasoner.chats) == len(calls)
    [perceived] = captioner.perceptions
    assert perceived.json["question"] == "What is it?"


RESULTS = {
    "a message of a tool": lambda *parts: {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": [*parts],
    },
    "a part of a user's message": lambda *parts: user(
        {"type": "tool_result", "tool_use_id": "call_1", "content": [*parts]},
        text("<system-reminder>Today is 2026-12-01.</system-reminder>"),
    ),
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_a_tools_picture_is_asked_with_the_users_last_words(
    client, captioner, picture, result
) -> None:
    words = "<system-reminder>Today is 2026-12-01.</system-reminder>How high is it?"
    ask(client, [user(text("Hi")), user(text(words)), result(text("Done."), picture)])
    [perceived] = captioner.perceptions
    assert perceived.json["question"] == "How high is it?"
