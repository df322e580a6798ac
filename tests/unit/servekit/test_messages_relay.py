"""Anthropic messages that are passed on unparsed: their tokens, their end, and what is none."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.errors import (
    ContextLengthExceeded,
    QueueFull,
    RacroError,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.contracts.perception import Usage
from racro.servekit.messages_relay import StreamedAnswer, check_completion, read_beginning
from support.cut_streams import Arriving, bytewise, cut, named
from support.dialect_answers import message, message_events

COUNTED = Usage(prompt_tokens=7, completion_tokens=3)
TEXTS = ["five ", 'message_stop "stop_reason": "end_turn"', "é\u2028\r\n"]
EVENTS = message_events(TEXTS, prompt_tokens=7, completion_tokens=3)
BEGUN = EVENTS[:4]
START = EVENTS[0]
PING = {"type": "ping"}
FAILED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
ABORTED = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 3}}


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
        ({"input_tokens": 2, "cache_read_input_tokens": 5, "output_tokens": 3}, COUNTED),
        ({"input_tokens": 2, "cache_creation_input_tokens": 5, "output_tokens": 3}, COUNTED),
        ({"input_tokens": 7, "cache_read_input_tokens": None}, Usage(prompt_tokens=7)),
        ({"input_tokens": 7.5, "output_tokens": "3"}, Usage()),
        ({"input_tokens": True}, Usage()),
        (None, Usage()),
        ([], Usage()),
    ],
    ids=str,
)
def test_a_plain_answer_says_what_it_took(usage, counted) -> None:
    assert check({"type": "message", "content": [], "usage": usage}) == counted


def test_half_of_a_surrogate_pair_costs_no_answer() -> None:
    whole = message("a\ud83d", prompt_tokens=7, completion_tokens=3)
    assert check(whole) == COUNTED


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (b"<html>login</html>", "an HTML page"),
        (b"", "nothing"),
        (b"ok", "something else"),
        (named(START), "an event stream"),
        ({}, "other JSON"),
        ([], "other JSON"),
        ({"content": "text"}, "other JSON"),
        ({"choices": []}, "other JSON"),
        (FAILED, "an error"),
        ({**FAILED, "content": []}, "an error"),
        ({"content": [], "error": {"code": 429, "message": "wait"}}, r"an error \(wait\)"),
    ],
    ids=ascii,
)
def test_what_came_instead_of_an_answer_is_named(answer, came) -> None:
    with pytest.raises(UpstreamError, match=f"the reasoner answered with {came} instead"):
        check(answer)


@given(st.binary() | st.binary().map(b'data: {"type": "message_delta", "usage": '.__add__))
def test_no_bytes_break_the_reader(data) -> None:
    with suppress(UpstreamError):
        check(data)
    with suppress(UpstreamUnavailable):
        watched(data, b"\n\n")


WHOLE = {
    "an answer": (EVENTS, False),
    "one without its stop": (EVENTS[:-1], False),
    "one without its delta": ([*BEGUN, EVENTS[-1]], False),
    "one that was aborted": ([*BEGUN, ABORTED, EVENTS[-1]], True),
    "an error": ([*BEGUN, FAILED], True),
    "one that failed behind a ping": ([*BEGUN, PING, FAILED], True),
}
BROKEN = {
    "nothing": [],
    "pings": [PING, PING],
    "a text": BEGUN,
    "one that was aborted": [*BEGUN, ABORTED],
    "texts about ends": [START, *(EVENTS[2:5] * 9)],
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
        with pytest.raises(UpstreamUnavailable, match="the reasoner broke off its answer"):
            watched(*cut(named(*events), places))

    @pytest.mark.parametrize("length", [4000, 5000, 60_000])
    @pytest.mark.parametrize("behind", [[], [PING] * 3])
    def test_a_long_error_is_known_in_one_piece(self, length, behind) -> None:
        error = {"type": "error", "error": {"type": "api_error", "message": "x" * length}}
        for events in ([*BEGUN, error, *behind], [*BEGUN * 40, error, *behind]):
            assert watched(named(*events)).has_failed

    def test_the_counts_of_its_beginning_and_end_are_one(self) -> None:
        assert watched(*bytewise(named(*EVENTS))).usage == COUNTED

    def test_an_end_with_0_does_not_undo_the_beginning(self) -> None:
        end = {**EVENTS[-2], "usage": {"input_tokens": 0, "output_tokens": 3}}
        assert watched(named(*BEGUN, end, EVENTS[-1])).usage == COUNTED

    @pytest.mark.parametrize(
        "echoed",
        [
            {"type": "content_block_start", "content_block": {"input": {"error": {"code": 1}}}},
            {"type": "content_block_start", "content_block": {"type": "error"}},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("step", [7, 2**20])
    def test_an_error_within_an_event_is_no_end(self, echoed, step) -> None:
        stream = named(*BEGUN, echoed)
        with pytest.raises(UpstreamUnavailable):
            watched(*cut(stream, set(range(0, len(stream), step))))


class TestBeginning:
    @pytest.mark.parametrize(
        "stream",
        [
            named(*EVENTS),
            named(PING, *EVENTS),
            b": waiting\n\n" + named(*EVENTS),
            b"\xef\xbb\xbf" + named(*EVENTS),
            named(*EVENTS).replace(b"\n", b"\r\n"),
            named({**START, "error": None}),
            named({"type": "unheard_of"}, *EVENTS),
        ],
        ids=range(7),
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
            (named(FAILED), QueueFull),
            (named(PING, FAILED), QueueFull),
            (b'data: {"type": "error", "error": {"type": "rate_limit_error"}}\n\n', RateLimited),
            (
                named({"type": "error", "error": {"message": "prompt is too long: 9 > 8 maximum"}}),
                ContextLengthExceeded,
            ),
            (named({"type": "error", "error": {"type": "api_error"}}), UpstreamUnavailable),
            (b"event: error\ndata: out of memory\n\n", UpstreamUnavailable),
            (b"", UpstreamUnavailable),
            (named(PING), UpstreamUnavailable),
            (b'data: {"choices": []}\n\n', UpstreamError),
            (b"data: [DONE]\n\n", UpstreamError),
            (b"<html>login</html>", UpstreamError),
            (b'{"content": []}', UpstreamError),
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
