"""The events of responses and messages that are made of a chat's chunks."""

from collections.abc import Iterable
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from racro.contracts.errors import UpstreamUnavailable
from racro.contracts.prompts import COMPACT_V1
from racro.engines.engine import ServedModel
from services.reasoner.answer import Answer
from services.reasoner.engine_api import Request
from services.reasoner.messages_events import MessageEvents
from services.reasoner.responses_events import ResponseEvents

Json = dict[str, Any]

response_event = TypeAdapter(ResponseStreamEvent)


def chunk(finish: str | None = None, **delta: Any) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def usage(completion: int, cached: int = 0) -> Json:
    details = {"cached_tokens": cached}
    counts = {"prompt_tokens": 9, "completion_tokens": completion}
    return {"choices": [], "usage": {**counts, "prompt_tokens_details": details}}


PROGRESS = {**chunk(), "prompt_progress": {"total": 9, "cache": 4, "processed": 9}}
BOXED = [PROGRESS, *(chunk(content=text) for text in ("So", " \\box", "ed{= 4 ", "+ 5}"))]
LOOP = [PROGRESS, *(chunk(content="ha") for _ in range(30))]
CALLED = [
    PROGRESS,
    chunk(reasoning_content="Let me "),
    chunk(reasoning_content="see."),
    chunk(content="I search."),
    chunk(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "find", "arguments": ""}}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
    chunk(tool_calls=[{"index": 1, "id": "c2", "function": {"name": "end", "arguments": "{}"}}]),
    chunk("tool_calls"),
    usage(12, cached=4),
]


def play(kind: type, chunks: Iterable[Json]) -> tuple[list[Json], Json]:
    """Return the events of a dialect, and what they add up to."""
    served = ServedModel(engine_name="e", prompt_profile=COMPACT_V1, stops_loops=True)
    request = Request("served", served, {"max_output_tokens": 50})
    answer = Answer("served", served, {})
    events = MessageEvents(request, answer) if kind is MessageEvents else kind(request)
    sent: list[Json] = []
    for one in chunks:
        for shown in answer.take(one):
            sent += events.take(shown)
        if answer.is_cut_short:
            break
    sent += events.take(answer.last())
    return sent, events.whole


def types(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


def test_a_message() -> None:
    events, message = play(MessageEvents, [*BOXED, chunk("stop"), usage(5)])
    assert types(events) == [
        "message_start", "content_block_start", *["content_block_delta"] * 2, "content_block_stop",
        "message_delta", "message_stop",
    ]  # fmt: skip
    start = events[0]["message"]
    assert (start["model"], start["content"], start["stop_reason"]) == ("served", [], None)
    assert start["usage"]["input_tokens"] == 5
    assert start["usage"]["cache_read_input_tokens"] == 4
    said = "".join(one["delta"]["text"] for one in events if one["type"] == "content_block_delta")
    assert message["content"] == [{"type": "text", "text": said}]
    assert said == "So\n\nAnswer: 9"
    assert message["stop_reason"] == "end_turn"
    assert message["usage"] == events[-2]["usage"]
    assert message["usage"]["output_tokens"] == 5


def test_a_message_with_thoughts_and_calls() -> None:
    events, message = play(MessageEvents, CALLED)
    assert message["content"] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": ""},
        {"type": "text", "text": "I search."},
        {"type": "tool_use", "id": "c1", "name": "find", "input": {"a": 1}},
        {"type": "tool_use", "id": "c2", "name": "end", "input": {}},
    ]
    assert message["stop_reason"] == "tool_use"
    begun = [one["index"] for one in events if one["type"] == "content_block_start"]
    ended = [one["index"] for one in events if one["type"] == "content_block_stop"]
    assert begun == ended == [0, 1, 2, 3]


def test_a_response() -> None:
    events, response = play(ResponseEvents, [*BOXED, chunk("stop"), usage(5, cached=4)])
    assert types(events) == [
        "response.created", "response.in_progress", "response.output_item.added",
        "response.content_part.added", *["response.output_text.delta"] * 2,
        "response.output_text.done", "response.content_part.done", "response.output_item.done",
        "response.completed",
    ]  # fmt: skip
    said = "".join(one["delta"] for one in events if one["type"].endswith("text.delta"))
    assert said == "So\n\nAnswer: 9"
    text_done, part_done, item_done, completed = events[-4:]
    assert text_done["text"] == part_done["part"]["text"] == said
    assert item_done["item"] == response["output"][0]
    assert completed["response"] == response
    assert response["output"][0]["content"][0]["text"] == said
    assert (response["status"], response["incomplete_details"]) == ("completed", None)
    assert response["usage"]["input_tokens_details"]["cached_tokens"] == 4
    assert response["usage"]["total_tokens"] == 14


def test_a_response_with_thoughts_and_calls() -> None:
    events, response = play(ResponseEvents, CALLED)
    thoughts, text, first, second = response["output"]
    assert thoughts["content"] == [{"type": "reasoning_text", "text": "Let me see."}]
    assert text["content"][0]["text"] == "I search."
    assert (first["call_id"], first["name"], first["arguments"]) == ("c1", "find", '{"a":1}')
    assert second["call_id"] == "c2"
    assert response["status"] == "completed"
    done = [one["item"] for one in events if one["type"] == "response.output_item.done"]
    assert done == response["output"]


@pytest.mark.parametrize("chunks", [[*BOXED, chunk("stop"), usage(5)], CALLED, LOOP], ids=len)
def test_openai_s_types_take_each_event_of_a_response(chunks: list[Json]) -> None:
    events, response = play(ResponseEvents, chunks)
    for event in events:
        response_event.validate_python(event)
    Response.model_validate(response)
    assert [event["sequence_number"] for event in events] == [*range(len(events))]


def test_a_loop_ends_in_the_dialects_own_terms() -> None:
    events, message = play(MessageEvents, LOOP)
    assert message["content"][0]["text"].startswith("ha" * 9 + "\n\nAnswer: The caption")
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == 10
    assert types(events)[-1] == "message_stop"
    events, response = play(ResponseEvents, LOOP)
    assert types(events)[-1] == "response.incomplete"
    assert response["status"] == response["output"][0]["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_call_that_is_cut_short_has_no_input() -> None:
    cut = [*CALLED[:6], chunk("length"), usage(3)]
    assert play(MessageEvents, cut)[1]["content"][-1]["input"] == {}
    assert play(ResponseEvents, cut)[1]["output"][-1]["status"] == "incomplete"


@pytest.mark.parametrize("kind", [MessageEvents, ResponseEvents])
def test_an_answer_without_a_word(kind: type) -> None:
    _, whole = play(
        kind, [PROGRESS, chunk(role="assistant", content=None), chunk("stop"), usage(1)]
    )
    assert (whole["content"] if kind is MessageEvents else whole["output"]) == []


@pytest.mark.parametrize("kind", [MessageEvents, ResponseEvents])
def test_a_stream_that_ends_before_its_answer_is_broken_off(kind: type) -> None:
    with pytest.raises(UpstreamUnavailable, match="broke off"):
        play(kind, [PROGRESS, chunk(content="Hel")])
