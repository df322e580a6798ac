"""OpenAI responses that are passed on unparsed: their tokens, their end, and what is none."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.errors import (
    ContextLengthExceeded,
    RacroError,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.contracts.perception import Usage
from racro.servekit.responses_relay import StreamedAnswer, check_completion, read_beginning
from support.cut_streams import Arriving, bytewise, cut, named
from support.dialect_answers import response, response_events

COUNTED = Usage(prompt_tokens=7, completion_tokens=3)
TEXTS = ["five ", '"type": "response.completed", "usage": {"input_tokens": 1}', "é\u2028\r\n"]
EVENTS = response_events(TEXTS, prompt_tokens=7, completion_tokens=3)
BEGUN, COMPLETED = EVENTS[:-1], EVENTS[-1]
TOO_OFTEN = {"code": "rate_limit_exceeded", "message": "Rate limit reached", "param": None}
FLAT = {"type": "error", **TOO_OFTEN, "sequence_number": 9}
NESTED = {"type": "error", "error": TOO_OFTEN}
OURS = {"type": "error", "code": "rate_limited", "message": "wait", "param": None}


def last(kind: str, **fields: object) -> dict:
    whole = {**COMPLETED["response"], "status": kind, **fields}
    return {"type": f"response.{kind}", "response": whole}


FAILED = last("failed", error=TOO_OFTEN)


def check(answer: object) -> Usage:
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return check_completion(raw, name="reasoner")


def watched(*pieces: bytes) -> StreamedAnswer:
    answer = StreamedAnswer(name="reasoner")
    for piece in pieces:
        answer.feed(piece)
    answer.end()
    return answer


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"input_tokens": 7, "output_tokens": 3}, COUNTED),
        ({"input_tokens": 7, "output_tokens": None}, Usage(prompt_tokens=7)),
        ({"input_tokens": 7.5, "output_tokens": "3"}, Usage()),
        (None, Usage()),
        ([], Usage()),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", ["completed", "incomplete", "queued"])
def test_a_plain_answer_says_what_it_took(usage, counted, status) -> None:
    whole = response("", prompt_tokens=0, completion_tokens=0)
    assert check({**whole, "status": status, "error": None, "usage": usage}) == counted


def test_half_of_a_surrogate_pair_costs_no_answer() -> None:
    assert check(response("a\ud83d", prompt_tokens=7, completion_tokens=3)) == COUNTED


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (b"<html>login</html>", "an HTML page"),
        (b"", "nothing"),
        (b"ok", "something else"),
        (named(COMPLETED), "an event stream"),
        ({}, "other JSON"),
        ([], "other JSON"),
        ({"output": "text"}, "other JSON"),
        ({"choices": []}, "other JSON"),
        ({"output": [], "status": "failed"}, "an error"),
        ({"output": [], "status": "cancelled", "error": None}, "an error"),
        ({"output": [], "error": {"message": "out of memory"}}, "an error"),
        (FAILED["response"], r"an error \(Rate limit reached\)"),
    ],
    ids=ascii,
)
def test_what_came_instead_of_an_answer_is_named(answer, came) -> None:
    with pytest.raises(UpstreamError, match=f"the reasoner answered with {came} instead"):
        check(answer)


@given(st.binary() | st.binary().map(b'data: {"response": {"usage": '.__add__))
def test_no_bytes_break_the_reader(data) -> None:
    with suppress(UpstreamError):
        check(data)
    with suppress(UpstreamUnavailable):
        watched(data, b"\n\n")


WHOLE = {
    "an answer": (EVENTS, False),
    "one that is incomplete": ([*BEGUN, last("incomplete")], False),
    "one that failed": ([*BEGUN, FAILED], True),
    "one that was cancelled": ([*BEGUN, last("cancelled")], True),
    "one that was cancelled, as vLLM says it": (
        [*BEGUN, {**COMPLETED, "response": {**COMPLETED["response"], "status": "cancelled"}}],
        True,
    ),
    "a flat error": ([*BEGUN, FLAT], True),
    "a nested error": ([*BEGUN, NESTED], True),
    "an error, then its response": ([*BEGUN, FLAT, FAILED], True),
}
BROKEN = {
    "nothing": [],
    "a text": BEGUN,
    "one that has begun": EVENTS[:2],
}


class TestStream:
    @pytest.mark.parametrize(("events", "has_failed"), WHOLE.values(), ids=WHOLE)
    @pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
    @given(places=st.sets(st.integers(0, 2**16), max_size=8))
    def test_where_it_is_cut_does_not_matter(self, events, has_failed, line_end, places) -> None:
        stream = named(*events).replace(b"\n", line_end)
        whole = watched(stream)
        assert whole.has_failed == has_failed
        for pieces in (cut(stream, places), [stream.rstrip()]):
            seen = watched(*pieces)
            assert (seen.has_failed, seen.usage) == (has_failed, whole.usage)

    @pytest.mark.parametrize("events", BROKEN.values(), ids=BROKEN)
    @given(places=st.sets(st.integers(0, 2**16), max_size=8))
    def test_one_that_broke_off_is_told(self, events, places) -> None:
        for end in (b"", b"data: [DONE]\n\n"):
            with pytest.raises(UpstreamUnavailable, match="the reasoner broke off its answer"):
                watched(*cut(named(*events) + end, places))

    def test_its_last_event_has_the_counts(self) -> None:
        assert watched(*bytewise(named(*EVENTS))).usage == COUNTED

    @pytest.mark.parametrize("size", [4096, 2**16, 2**20])
    def test_a_long_last_event_is_read_without_being_kept(self, size) -> None:
        whole = response("x" * 300_000, prompt_tokens=7, completion_tokens=3)
        stream = named(*BEGUN, {"type": "response.completed", "response": whole})
        answer = watched(*cut(stream, set(range(0, len(stream), size))))
        assert (answer.usage, answer.has_failed) == (COUNTED, False)

    @pytest.mark.parametrize("order", [("type", "response"), ("response", "type")], ids=str)
    @pytest.mark.parametrize("is_named", [True, False])
    @pytest.mark.parametrize(("size", "step"), [(100_000, 8192), (100_000, 7001), (200_000, 2**20)])
    @pytest.mark.parametrize(
        ("kind", "status", "has_failed"),
        [
            ("completed", "completed", False),
            ("completed", "cancelled", True),
            ("incomplete", "incomplete", False),
            ("failed", "failed", True),
        ],
    )
    def test_a_cut_last_event_is_read_whatever_its_order(
        self, order, is_named, size, step, kind, status, has_failed
    ) -> None:
        whole = response("x" * size, prompt_tokens=7, completion_tokens=3)
        # What a client chose, and what it said, are no status and no type.
        echoed = {"metadata": {"type": "response.failed", "status": "cancelled"}}
        # Nor is what became of one of its items.
        call = {"type": "computer_call", "id": "c", "status": "cancelled"}
        fields = {
            "response": {**whole, "status": status, **echoed, "output": [*whole["output"], call]},
            "type": f"response.{kind}",
            "sequence_number": 9,
        }
        event = {field: fields[field] for field in (*order, "sequence_number")}
        last_event = named(event) if is_named else b"data: " + json.dumps(event).encode() + b"\n\n"
        stream = named(*BEGUN) + last_event
        answer = watched(*cut(stream, set(range(0, len(stream), step))))
        assert (answer.usage, answer.has_failed) == (COUNTED, has_failed)

    @pytest.mark.parametrize("step", [1000, 8192, 2**20])
    @pytest.mark.parametrize("is_named", [True, False])
    @pytest.mark.parametrize("size", [0, 200_000])
    @pytest.mark.parametrize("order", [("type", "response"), ("response", "type")], ids=str)
    def test_a_type_in_what_a_first_event_echoes_is_no_end(
        self, step, is_named, size, order
    ) -> None:
        echoed = {"instructions": "x" * size, "metadata": {"type": "response.completed"}}
        fields = {"type": "response.created", "response": {**EVENTS[0]["response"], **echoed}}
        event = {field: fields[field] for field in order}
        first = named(event) if is_named else b"data: " + json.dumps(event).encode() + b"\n\n"
        stream = first + named(*BEGUN[1:])
        with pytest.raises(UpstreamUnavailable):
            watched(*cut(stream, set(range(0, len(stream), step))))

    @pytest.mark.parametrize(
        "echoed",
        [
            {
                "type": "response.created",
                "response": {"tools": [{"properties": {"error": {"a": 1}}}]},
            },
            {"type": "response.created", "response": {"metadata": {"type": "error"}}},
            {
                "type": "response.output_item.done",
                "item": {"type": "mcp_call", "error": {"code": 1}},
            },
        ],
        ids=str,
    )
    @pytest.mark.parametrize("step", [7, 2**20])
    def test_an_error_within_an_event_is_no_end(self, echoed, step) -> None:
        stream = named(*BEGUN[:1], echoed)
        with pytest.raises(UpstreamUnavailable):
            watched(*cut(stream, set(range(0, len(stream), step))))


class TestBeginning:
    @pytest.mark.parametrize(
        "stream",
        [
            named(*EVENTS),
            named({"type": "keepalive"}, *EVENTS),
            b": waiting\n\n" + named(*EVENTS),
            b"\xef\xbb\xbf" + named(*EVENTS),
            named(*EVENTS).replace(b"\n", b"\r\n"),
            named({**EVENTS[0], "error": None}),
        ],
        ids=range(6),
    )
    async def test_it_is_passed_on_as_it_came(self, stream) -> None:
        for pieces in ([stream], bytewise(stream)):
            arriving = Arriving(*pieces)
            beginning = await read_beginning(arriving, name="reasoner")
            rest = b"".join([piece async for piece in arriving.remaining()])
            assert beginning + rest == stream

    @pytest.mark.parametrize(
        ("stream", "error"),
        [
            (named(FLAT), RateLimited),
            (named(NESTED), RateLimited),
            (named(OURS), RateLimited),
            (named(FAILED), RateLimited),
            (named({**OURS, "code": "context_length_exceeded"}), ContextLengthExceeded),
            (named(last("failed", error={"code": "server_error"})), UpstreamUnavailable),
            (named(last("failed", error=None)), UpstreamUnavailable),
            (b"event: error\ndata: out of memory\n\n", UpstreamUnavailable),
            (b"", UpstreamUnavailable),
            (b": waiting\n\n", UpstreamUnavailable),
            (b'data: {"choices": []}\n\n', UpstreamError),
            (b"data: [DONE]\n\n", UpstreamError),
            (b"<html>login</html>", UpstreamError),
            (b'{"output": []}', UpstreamError),
        ],
        ids=ascii,
    )
    async def test_what_is_no_answer_is_told_before_anything_is_passed_on(
        self, stream, error
    ) -> None:
        for pieces in ([stream], bytewise(stream)):
            with pytest.raises(RacroError) as told:
                await read_beginning(Arriving(*pieces), name="reasoner")
            assert type(told.value) is error
