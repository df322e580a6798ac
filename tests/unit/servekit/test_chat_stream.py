"""Chat streams are read as leniently as their servers write them, but for what they mean."""

import json
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racro.contracts.completion import Chunk, decode_completion
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Usage
from racro.servekit.chat_stream import read_chunks, read_open_chunks

DONE = b"data: [DONE]\n\n"
SAID = {"choices": [{"index": 0, "delta": {"content": "five"}, "finish_reason": None}]}


class Arriving:
    """Stands where aiohttp's StreamReader does: chunks, then the end."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = [chunk for chunk in chunks if chunk]

    async def readany(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


def finished(index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]}


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


async def read(*stream: bytes, choices: int = 1) -> list[Chunk]:
    content = Arriving([*stream])
    return [chunk async for chunk in read_chunks(content, name="peer", choices=choices)]


async def read_one(chunk: object) -> Chunk:
    [only] = await read(event(chunk), DONE)
    return only


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "five"},
        {"content": "five", "reasoning_content": None, "tool_calls": [{"index": 0}]},
        {"role": "assistant", "content": "five", "colour": {"red": 1}},
    ],
    ids=str,
)
@pytest.mark.parametrize("more", [{}, {"usage": None, "error": None, "timings": {"ms": 1}}])
async def test_fields_that_are_unknown_or_null_make_no_difference(delta, more) -> None:
    chunk = await read_one({"choices": [{"delta": delta, "logprobs": None}], **more})
    assert (chunk.first.content, chunk.first.reasoning, chunk.tokens) == ("five", "", None)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_a_thought_is_told_from_what_is_said(name) -> None:
    chunk = await read_one({"choices": [{"delta": {name: "Let me see."}}]})
    assert (chunk.first.content, chunk.first.reasoning) == ("", "Let me see.")


@pytest.mark.parametrize(
    "chunk", [{}, {"choices": None}, {"choices": []}, {"choices": [{"delta": None}]}], ids=str
)
async def test_a_chunk_may_say_nothing(chunk) -> None:
    first = (await read_one(chunk)).first
    assert (first.content, first.reasoning, first.finish_reason) == ("", "", None)


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ([{"type": "text", "text": "five"}], "five", ""),
        ([{"type": "text", "text": "fi"}, {"type": "text", "text": "ve"}], "five", ""),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}], "", "hm"),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "five"}], "five", "hm"),
        ([{"type": "reference", "reference_ids": [1]}, None, {"type": "text"}], "", ""),
        ([], "", ""),
        ({"type": "text", "text": "five"}, "five", ""),
        ({}, "", ""),
    ],
    ids=str,
)
async def test_content_may_come_in_parts(content, text, thought) -> None:
    chunk = await read_one({"choices": [{"delta": {"content": content}}]})
    assert (chunk.first.content, chunk.first.reasoning) == (text, thought)


@pytest.mark.parametrize(
    "more",
    [{"reasoning": []}, {"reasoning": {}}, {"reasoning_content": []}, {"reasoning": {"text": "x"}}],
    ids=str,
)
async def test_a_thought_that_is_no_text_costs_no_answer(more) -> None:
    chunk = await read_one({"choices": [{"delta": {"content": "five", **more}}]})
    assert (chunk.first.content, chunk.first.reasoning) == ("five", "")


@pytest.mark.parametrize(("index", "number"), [("1", 1), (1.0, 1), (None, 0), ("x", 0), (0.5, 0)])
async def test_an_index_may_be_written_oddly(index, number) -> None:
    chunk = await read_one({"choices": [{"index": index, "delta": {"content": "five"}}]})
    assert chunk.first.number == number


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((one, "stop") for one in ("stop", "eos", "eos_token", "stop_sequence", "end_turn")),
        *((one, "length") for one in ("length", "max_tokens", "MAX_TOKENS", "model_length")),
        ("STOP", "stop"),
        ("abort", "abort"),
        ("", ""),
        (None, None),
    ],
)
async def test_an_ending_has_one_name(said, meant) -> None:
    chunk = await read_one({"choices": [{"delta": {}, "finish_reason": said}]})
    assert chunk.first.finish_reason == meant
    plain = {"choices": [{"message": {"content": "five"}, "finish_reason": said}]}
    [choice] = decode_completion(json.dumps(plain).encode()).choices
    assert choice.finish_reason == meant


async def test_to_mend_a_large_event_takes_no_turn_of_others() -> None:
    data = {"choices": [{"delta": {"content": "\ud83d" * 100_000}, "finish_reason": "stop"}]}
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        [chunk] = await read(event(data))
    finally:
        sys.setprofile(None)
    assert chunk.first.content == "\ufffd" * 100_000
    assert calls < 10_000


async def test_half_of_a_surrogate_pair_is_a_replacement_character() -> None:
    chunk = await read_one({"choices": [{"delta": {"content": "a\ud83d \\ud83d \U0001f600"}}]})
    assert chunk.first.content == "a\ufffd \\ud83d \U0001f600"


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"choices": []}', b"{\n}\n"], ids=ascii)
async def test_what_is_no_event_stream_is_named(body) -> None:
    with pytest.raises(UpstreamError, match="instead of a chat completion"):
        await read(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@example({"prompt_tokens": 7.5, "completion_tokens": "3"})
@example({"prompt_tokens": -1, "completion_tokens": 10**400})
@given(JSON | st.fixed_dictionaries({"prompt_tokens": JSON, "completion_tokens": JSON}))
async def test_a_wrong_count_costs_no_answer(usage) -> None:
    chunk = await read_one({**SAID, "usage": usage})
    assert chunk.first.content == "five"
    assert chunk.tokens is None or min(chunk.tokens.model_dump().values()) >= 0


async def test_a_right_count_stands_beside_a_wrong_one() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": "many"}
    assert (await read_one({"usage": usage})).tokens == Usage(prompt_tokens=7)


@given(
    st.lists(st.sampled_from([SAID, finished(), {"choices": [], "usage": {"prompt_tokens": 7}}])),
    st.data(),
)
async def test_it_does_not_matter_where_the_bytes_are_cut(chunks, data) -> None:
    stream = b"".join(map(event, chunks)) + DONE
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    pieces = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
    assert await read(*pieces) == await read(*map(event, chunks), DONE)


class TestEnd:
    async def test_done_ends_an_answer_without_a_finish_reason(self) -> None:
        assert len(await read(event(SAID), DONE, event(SAID))) == 1

    async def test_a_finish_reason_ends_one_and_counts_may_follow(self) -> None:
        usage = {"choices": [], "usage": {"prompt_tokens": 7}}
        *_, last = await read(event(SAID), event(finished()), event(usage))
        assert last.tokens == Usage(prompt_tokens=7)

    @pytest.mark.parametrize(
        "after",
        [event({"error": "no counts"}), b"event: error\ndata: {}\n\n", event([]), b"data: {\n\n"],
        ids=ascii,
    )
    async def test_what_fails_after_it_costs_no_answer(self, after) -> None:
        assert len(await read(event(SAID), event(finished()), after)) == 2
        with pytest.raises(UpstreamError):
            await read(event(SAID), event(finished()), after, choices=2)

    @pytest.mark.parametrize("stream", [[], [event(SAID)], [event({"choices": []})]], ids=ascii)
    async def test_without_either_it_was_broken_off(self, stream) -> None:
        with pytest.raises(UpstreamUnavailable, match="the peer broke off its answer"):
            await read(*stream)

    @pytest.mark.parametrize("ended", [[0], [1], [1, 1]], ids=str)
    async def test_each_of_several_choices_has_to_end(self, ended) -> None:
        with pytest.raises(UpstreamUnavailable, match="broke off"):
            await read(*(event(finished(index)) for index in ended), choices=2)
        assert await read(*(event(finished(index)) for index in (1, 0)), choices=2)


@pytest.mark.parametrize("reader", [read_chunks, read_open_chunks])
class TestErrors:
    @pytest.mark.parametrize(
        "data",
        [b"{", b"[]", b"5", b'"DONE"', b'{"error": "\xff"}', b'{"choices": ' + b"[" * 100_000],
        ids=lambda data: ascii(data[:20]),
    )
    async def test_what_is_no_chunk(self, reader, data) -> None:
        content = Arriving([b"data: " + data + b"\n\n", DONE])
        with pytest.raises(UpstreamError, match="peer sent something else than a chat completion"):
            [_ async for _ in reader(content, name="peer")]

    @pytest.mark.parametrize("error", ["out of memory", {"code": 500}, {}, ["x"], False], ids=str)
    async def test_an_error_in_the_midst(self, reader, error) -> None:
        content = Arriving([event(SAID), event({"error": error}), DONE])
        with pytest.raises(UpstreamUnavailable, match="the peer failed while it was answering"):
            [_ async for _ in reader(content, name="peer")]

    @pytest.mark.parametrize("error", [None, False, "", {}, [], 0], ids=str)
    async def test_what_is_empty_is_none_beside_choices(self, reader, error) -> None:
        content = Arriving([event({**SAID, "error": error}), DONE])
        assert len([_ async for _ in reader(content, name="peer")]) == 1

    async def test_a_ping_is_passed_over(self, reader) -> None:
        content = Arriving([b"event: ping\ndata: ping\n\n", event(SAID), DONE])
        assert len([_ async for _ in reader(content, name="peer")]) == 1


@pytest.mark.parametrize(
    "choices",
    [5, [5], {}, [{"delta": []}], [{"delta": {"content": 5}}], [{"finish_reason": 0}]],
    ids=str,
)
async def test_what_has_another_meaning_is_no_chunk(choices) -> None:
    with pytest.raises(UpstreamError, match="something else than a chat completion"):
        await read(event({"choices": choices}), DONE)


async def test_open_chunks_keep_all_their_fields_and_their_end_is_the_readers() -> None:
    chunks = [{**SAID, "id": "c1", "timings": {"ms": 1.5}}, SAID]
    content = Arriving([*map(event, chunks)])
    assert [chunk async for chunk in read_open_chunks(content, name="peer")] == chunks


async def test_a_chunk_of_very_many_values_is_an_error_of_the_upstream() -> None:
    with pytest.raises(UpstreamError, match="too many values"):
        await read(b'data: {"choices":[' + b"{}," * 200_000 + b"{}]}\n\n")
    long = {"choices": [{"delta": {"content": "," * 50_000}, "finish_reason": "stop"}]}
    assert await read(event(long))
