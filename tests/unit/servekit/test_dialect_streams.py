"""Streams of Anthropic messages and OpenAI responses have their own errors and keep-alives."""

import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.errors import DeadlineExceeded, UpstreamUnavailable
from racro.servekit.context import request_id
from racro.servekit.dialect_streams import MessagesEventStream, ResponsesEventStream
from support.stream_client import Client

NEVER = 60
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
pytestmark = pytest.mark.clock("jumping")


async def fail(stream, *said: bytes) -> bytes:
    """Return the last piece of a stream that fails after it said something."""
    client = Client()
    async with stream(client, client, keep_alive_s=NEVER) as out:
        for piece in said:
            await out.write(piece)
        raise UpstreamUnavailable("it broke off", param="model")
    assert client.ended
    return client.pieces[-1]


def data_of(event: bytes) -> dict:
    return json.loads(event.partition(b"\ndata: ")[2])


async def test_messages_say_ping_in_silence_from_the_first_byte_on() -> None:
    client = Client()
    async with MessagesEventStream(client, client, keep_alive_s=0.01) as out:
        await client.has_pieces(2)
        await out.write(b"event: message_start\ndata: ")
        told = len(client.pieces)
        await asyncio.sleep(0.05)
        assert len(client.pieces) == told
        await out.write(b"{}\n\n")
        await client.has_pieces(told + 2)
    assert client.pieces[:2] == [PING] * 2
    assert client.pieces[told : told + 2] == [b"{}\n\n", PING]


async def test_responses_are_kept_alive_by_comments() -> None:
    client = Client()
    async with ResponsesEventStream(client, client, keep_alive_s=0.01):
        await client.has_pieces(2)
    assert set(client.pieces[:-1]) == {b": keep-alive\n\n"}


async def test_an_error_of_messages_is_anthropic_s_and_tells_the_request_s_id() -> None:
    token = request_id.set("r-7")
    last = await fail(MessagesEventStream, PING)
    request_id.reset(token)
    assert last.startswith(b"event: error\ndata: ")
    error = {
        "type": "api_error", "code": "upstream_unavailable", "message": "it broke off",
        "param": "model",
    }  # fmt: skip
    assert data_of(last) == {"type": "error", "error": error, "request_id": "r-7"}


@pytest.mark.parametrize(
    "cut",
    [b"event: content_bl", b'event: a\ndata: {"half": ', b'event: a\ndata: {"a":1}'],
    ids=repr,
)
async def test_an_event_of_messages_that_was_broken_off_becomes_a_ping(cut: bytes) -> None:
    """Anthropic's SDKs would fail on its data, before they see the error."""
    last = await fail(MessagesEventStream, cut)
    event, error, end = (cut + last).split(b"\n\n")
    assert event == cut + b"\nevent: ping"
    assert error.startswith(b"event: error\n")
    assert end == b""


async def test_a_whole_event_of_messages_stays_one_without_its_blank_line() -> None:
    last = await fail(MessagesEventStream, b'event: a\ndata: {"a":1}\n')
    assert last.startswith(b"\nevent: ping\n\nevent: error\n")


async def test_an_error_of_responses_has_the_next_number() -> None:
    last = await fail(ResponsesEventStream, b'data: {"sequence_number":41,"type":"x"}\n\n')
    assert last.startswith(b"event: error\ndata: ")
    fields = {"code": "upstream_unavailable", "message": "it broke off", "param": "model"}
    assert data_of(last) == {
        "type": "error",
        **fields,
        "sequence_number": 42,
        "error": {"type": "server_error", **fields},
    }


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (b"", 0),
        (b": comment\n\n", 0),
        (b'data: {"sequence_number" : 0}\n\n', 1),
        (b'data: {"delta":"\\"sequence_number\\":9,","sequence_number":3}\n\n', 4),
        (b'data: {"sequence_number":3}\n\ndata: {"sequence_number":null}\n\n', 0),
    ],
)
async def test_a_number_that_is_not_told_is_not_made_up(said: bytes, number: int) -> None:
    last = await fail(ResponsesEventStream, said or PING)
    told = data_of(last)["sequence_number"]
    assert told == number


@given(
    numbers=st.lists(st.integers(0, 10**6), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_the_number_is_found_however_the_stream_is_cut(numbers, cuts) -> None:
    events = [f'data: {{"type":"x","sequence_number":{n},"delta":"abc"}}\n\n' for n in numbers]
    stream = "".join(events).encode()
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    last = asyncio.run(fail(ResponsesEventStream, *pieces))
    assert data_of(last)["sequence_number"] == numbers[-1] + 1


@pytest.mark.parametrize("stream", [MessagesEventStream, ResponsesEventStream])
async def test_an_early_failure_leaves_the_status_open(stream) -> None:
    client = Client()
    with pytest.raises(DeadlineExceeded):
        async with stream(client, client, keep_alive_s=NEVER):
            raise DeadlineExceeded("too late")
    assert client.messages == []
