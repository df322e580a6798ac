"""What a reasoner is asked for a chat request, as its settings have it."""

import base64
import json
from typing import Any

import pytest

from gateway.dialects.prompting import relevant_turns
from gateway.dialects.relayed_request import RelayedRequest
from gateway.perception.request import Perception
from gateway.reasoning.reasoners import Reasoner
from gateway.reasoning.replicas import Replicas
from gateway.settings import LimitsSection, ReasonerSection
from racro.contracts.perception import Usage
from racro.contracts.prompts import COMPACT_V1, NO_QUESTION, solve_messages
from support.pictures import png
from support.tenants import queue

LIMITS = LimitsSection()

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
SAMPLING = {"temperature": 0.25, "top_p": 0.5, "max_tokens": 99}


def user(text: str | None = None, *, images: int = 0) -> dict[str, Any]:
    words = [] if text is None else [{"type": "text", "text": text}]
    return {"role": "user", "content": [*words, *[IMAGE] * images]}


ASSISTANT = {"role": "assistant", "content": "5"}
TOOL = {"role": "tool", "content": [{"type": "text", "text": "done"}, IMAGE]}


PICTURE = base64.b64encode(png("of a tool")).decode()
JSON_RESULT = {
    "role": "tool",
    "content": json.dumps([{"type": "image", "data": PICTURE, "mimeType": "image/png"}]),
}


def settings(profile: str = COMPACT_V1, **more: Any) -> ReasonerSection:
    fields = {"url": "http://127.0.0.1:1", "model": "seeing", "text_model": "talking"}
    return ReasonerSection(**fields, prompt_profile=profile, sampling=SAMPLING, **more)


@pytest.fixture
def asked(a_context):
    """(body for the reasoner, questions that were looked at)"""

    def ask(
        body: dict[str, Any], reasoner: ReasonerSection | None = None, *, follow_up: bool = True
    ) -> tuple[dict[str, Any], list[str | None]]:
        named = Reasoner("default", reasoner or settings(), Replicas([]), queue())
        chat = RelayedRequest(json.dumps(body).encode(), follow_up=follow_up, limits=LIMITS)
        chat.image_turns = relevant_turns(chat.image_turns, named.settings)
        questions = [look.question for look in chat.image_turns if not look.left_out]
        captions = [f"caption {number}" for number in range(len(questions))]
        seen = [Perception(a_context(caption), Usage()) for caption in captions]
        return json.loads(chat.for_reasoner(named, seen)), questions

    return ask


def compact(question: str, caption: str = "caption 0") -> list[dict[str, str]]:
    return solve_messages(COMPACT_V1, question, caption, None)


SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("messages", "expected"),
    {
        "an image": ([user("How high?", images=1)], compact("How high?")),
        "several": ([user("Same?", images=2)], compact("Same?")),
        "without a word": ([user(images=1)], compact(NO_QUESTION)),
        "with a system prompt": ([SYSTEM, user("How high?", images=1)], compact("How high?")),
        "a follow-up": (
            [user("How high?", images=1), ASSISTANT, user("How wide?")],
            compact("How wide?"),
        ),
        "another image": (
            [user("How high?", images=1), ASSISTANT, user("And this?", images=1)],
            compact("And this?"),
        ),
        "the image before its question": (
            [user(images=1), user("How high?")],
            compact("How high?"),
        ),
        "words after it that say nothing": (
            [user("How high?", images=1), user(" ")],
            compact("How high?"),
        ),
        "of a tool": ([user("Draw it."), ASSISTANT, TOOL], compact("Draw it.")),
        "of a tool, within JSON": (
            [user("Draw it."), ASSISTANT, JSON_RESULT],
            compact("Draw it."),
        ),
        "of the assistant": (
            [user("Draw it."), {"role": "assistant", "content": [IMAGE]}, user("How high?")],
            compact("How high?"),
        ),
        "of the instructions": (
            [{"role": "system", "content": [IMAGE]}, user("How high?")],
            compact("How high?"),
        ),
        "of the user and of a tool": (
            [user("Alike?", images=1), ASSISTANT, TOOL],
            compact("Alike?", "caption 0\n\ncaption 1"),
        ),
    }.values(),
)
def test_compact_v1_asks_about_images_as_solve_does(asked, messages, expected) -> None:
    body, questions = asked({"messages": messages})
    assert body["model"] == "seeing"
    assert body["messages"] == expected
    assert len(questions) == 1 + ("caption 1" in expected[-1]["content"])


@pytest.mark.parametrize("profile", ["racro-v1", COMPACT_V1])
def test_a_turn_without_images_is_for_the_text_model(asked, profile) -> None:
    body, _ = asked({"messages": [SYSTEM, user("Hi")]}, settings(profile))
    assert body["model"] == "talking"
    assert body["messages"] == [SYSTEM, user("Hi")]


def test_when_follow_ups_end_the_text_model_is_told_what_was_seen(asked) -> None:
    later = [message for turn in range(4) for message in (ASSISTANT, user(f"turn {turn}"))]
    body, questions = asked({"messages": [user("How high?", images=1), *later]})
    assert questions == ["How high?", "turn 0", "turn 1", "turn 2"]
    assert body["model"] == "talking"
    assert "caption 0\n" in body["messages"][0]["content"]
    body, questions = asked(
        {"messages": [user("How high?", images=1), *later[:2]]}, follow_up=False
    )
    assert (body["model"], questions) == ("talking", ["How high?"])


def test_without_a_text_model_there_is_one_model(asked) -> None:
    reasoner = settings().model_copy(update={"text_model": None})
    assert asked({"messages": [user("Hi")]}, reasoner)[0]["model"] == "seeing"


def test_racro_v1_keeps_the_conversation(asked) -> None:
    messages = [SYSTEM, user("How high?", images=1), ASSISTANT, user("How wide?")]
    body, questions = asked({"messages": messages}, settings("racro-v1"))
    assert questions == ["How high?", "How wide?"]
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert body.keys() == {"model", "messages"}


@pytest.mark.parametrize("images", [0, 1])
@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ({}, SAMPLING),
        ({"temperature": 1.5}, {**SAMPLING, "temperature": 1.5}),
        ({"temperature": None, "top_p": None, "max_tokens": None}, SAMPLING),
        ({"max_tokens": 7, "top_p": 1}, {**SAMPLING, "max_tokens": 7, "top_p": 1}),
        (
            {"max_completion_tokens": 7},
            {"temperature": 0.25, "top_p": 0.5, "max_completion_tokens": 7},
        ),
    ],
    ids=str,
)
def test_what_the_client_leaves_open_is_the_reasoners(asked, client, expected, images) -> None:
    body, _ = asked({"messages": [user("Hi", images=images)], **client})
    assert {name: body[name] for name in expected} == expected
    assert body.keys() == {"model", "messages", *expected}
