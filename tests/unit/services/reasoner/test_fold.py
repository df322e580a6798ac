"""A folded stream is the plain answer that the same server would have given."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reasoner.fold import Fold

HEAD = {
    "id": "chatcmpl-1",
    "created": 7,
    "model": "m",
    "system_fingerprint": "b1",
    "service_tier": None,
}
USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def chunk(*choices: dict, **more: Any) -> dict:
    return {**HEAD, "object": "chat.completion.chunk", "choices": [*choices], **more}


def piece(delta: dict, *, index: int = 0, finish_reason: str | None = None, **more: Any) -> dict:
    return {"index": index, "delta": delta, "finish_reason": finish_reason, **more}


def call(index: int, **fields: Any) -> dict:
    return {"index": index, **fields}


def fold(*chunks: dict) -> dict:
    folded = Fold()
    for one in chunks:
        folded.add(one)
    return folded.answer()


def plain(*choices: dict, **more: Any) -> dict:
    return {**HEAD, "object": "chat.completion", "choices": [*choices], **more}


def choice(message: dict, *, index: int = 0, finish_reason: str = "stop", **more: Any) -> dict:
    return {
        "index": index,
        "message": {"role": "assistant", "content": None, **message},
        "finish_reason": finish_reason,
        **more,
    }


def test_content_is_joined() -> None:
    assert fold(
        chunk(piece({"role": "assistant", "content": None})),
        chunk(piece({"content": "Hel"})),
        chunk(piece({"content": "lo"}, finish_reason="stop")),
        chunk(piece({})),
    ) == plain(choice({"content": "Hello"}))


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "refusal"])
def test_reasoning_is_joined_whatever_the_server_calls_it(name) -> None:
    assert fold(
        chunk(piece({"role": "assistant", name: "Let me "})),
        chunk(piece({name: "see."})),
        chunk(piece({"content": "5"})),
        chunk(piece({}, finish_reason="stop")),
    ) == plain(choice({name: "Let me see.", "content": "5"}))


def test_arguments_of_several_tool_calls_are_joined_call_by_call() -> None:
    assert fold(
        chunk(
            piece(
                {
                    "role": "assistant",
                    "tool_calls": [
                        call(
                            0,
                            id="call-a",
                            type="function",
                            function={"name": "add", "arguments": ""},
                        )
                    ],
                }
            )
        ),
        chunk(piece({"tool_calls": [call(0, function={"arguments": '{"a": '})]})),
        chunk(
            piece(
                {
                    "tool_calls": [
                        call(0, function={"arguments": "1}"}),
                        call(
                            1,
                            id="call-b",
                            type="function",
                            function={"name": "neg", "arguments": "{"},
                        ),
                    ]
                }
            )
        ),
        chunk(piece({"tool_calls": [call(1, function={"arguments": "}"})]})),
        chunk(piece({}, finish_reason="tool_calls")),
    ) == plain(
        choice(
            {
                "tool_calls": [
                    {
                        "id": "call-a",
                        "type": "function",
                        "function": {"name": "add", "arguments": '{"a": 1}'},
                    },
                    {
                        "id": "call-b",
                        "type": "function",
                        "function": {"name": "neg", "arguments": "{}"},
                    },
                ]
            },
            finish_reason="tool_calls",
        )
    )


def test_logprobs_are_gathered() -> None:
    one, two = ({"token": token, "logprob": -0.5, "top_logprobs": []} for token in "ab")
    assert fold(
        chunk(piece({"content": "a"}, logprobs={"content": [one]})),
        chunk(piece({"content": "b"}, logprobs={"content": [two]})),
        chunk(piece({}, finish_reason="length", logprobs=None)),
    ) == plain(choice({"content": "ab"}, finish_reason="length", logprobs={"content": [one, two]}))


def test_choices_are_told_apart_and_put_in_order() -> None:
    assert fold(
        chunk(piece({"content": "b1"}, index=1)),
        chunk(piece({"content": "a1"}, index=0), piece({"content": "b2"}, index=1)),
        chunk(piece({}, index=1, finish_reason="stop")),
        chunk(piece({"content": "a2"}, index=0, finish_reason="length")),
    ) == plain(
        choice({"content": "a1a2"}, finish_reason="length"), choice({"content": "b1b2"}, index=1)
    )


def test_usage_and_timings_come_with_the_last_chunks() -> None:
    timings = {"predicted_ms": 1.5}
    assert fold(
        chunk(piece({"content": "a"}), usage=None),
        chunk(piece({}, finish_reason="stop"), usage=None, timings=timings),
        chunk(usage=USAGE),
    ) == plain(choice({"content": "a"}), usage=USAGE, timings=timings)


def test_an_empty_answer_is_not_a_missing_one() -> None:
    answer = fold(
        chunk(piece({"role": "assistant", "content": ""})), chunk(piece({}, finish_reason="stop"))
    )
    assert answer == plain(choice({"content": ""}))


CONTENT = st.text(max_size=30)


def in_pieces(text: str, cuts: list[int]) -> list[str]:
    bounds = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


@given(
    texts=st.lists(CONTENT, min_size=1, max_size=3),
    arguments=st.lists(CONTENT, max_size=3),
    cuts=st.lists(st.integers(0, 100), max_size=5),
    seed=st.integers(0, 2**32),
)
def test_however_a_stream_is_cut_it_folds_back(texts, arguments, cuts, seed) -> None:
    """Choices and calls interleave at random; the pieces of each stay in order."""
    streams = [
        [piece({"content": part}, index=index) for part in in_pieces(text, cuts)]
        for index, text in enumerate(texts)
    ] + [
        [piece({"tool_calls": [call(index, id=f"call-{index}", function={"name": "f"})]})]
        + [
            piece({"tool_calls": [call(index, function={"arguments": part})]})
            for part in in_pieces(text, cuts)
        ]
        for index, text in enumerate(arguments)
    ]
    order = [number for number, stream in enumerate(streams) for _ in stream]
    random.Random(seed).shuffle(order)
    answer = fold(*(chunk(streams[number].pop(0)) for number in order))
    messages = [one["message"] for one in answer["choices"]]
    assert [message["content"] for message in messages] == texts
    calls = messages[0].get("tool_calls", [])
    assert [one["id"] for one in calls] == [f"call-{index}" for index in range(len(arguments))]
    assert [one["function"] for one in calls] == [
        {"name": "f", "arguments": text} for text in arguments
    ]
