"""Answers that are passed on unparsed: their tokens are counted, and what is no answer is told."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racro.contracts.errors import (
    ContextLengthExceeded,
    RacroError,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.contracts.perception import Usage
from racro.servekit.chat_relay import StreamedAnswer, check_completion, read_beginning

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
COUNTED = Usage(prompt_tokens=7, completion_tokens=3)
SAID = {"choices": [{"index": 0, "delta": {"content": "five"}, "finish_reason": None}]}
FINISHED = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = b"data: [DONE]\n\n"


class Arriving:
    """Gives pieces of a body, then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces]

    async def readany(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def check(answer: object) -> Usage:
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return check_completion(raw, name="reasoner")


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (USAGE, COUNTED),
        ({"prompt_tokens": 7}, Usage(prompt_tokens=7)),
        ({"prompt_tokens": 7, "completion_tokens": None}, Usage(prompt_tokens=7)),
        ({"prompt_tokens": 7.5, "completion_tokens": "3"}, Usage()),
        (None, Usage()),
        ([], Usage()),
        ("many", Usage()),
    ],
    ids=str,
)
def test_a_plain_answer_says_what_it_took(usage, counted) -> None:
    assert check({"choices": [], "usage": usage}) == counted


@pytest.mark.parametrize("usage", [b"1e999", b"9" * 5000, b'"\\ud800"'])
def test_a_count_that_cannot_be_read_costs_no_answer(usage) -> None:
    assert check(b'{"choices": [{}], "usage": ' + usage + b"}") == Usage()


@pytest.mark.parametrize("error", [None, False, "", {}, [], 0], ids=str)
def test_an_empty_error_costs_no_answer(error) -> None:
    assert check({"choices": [{}], "error": error, "usage": USAGE}) == COUNTED


def test_half_of_a_surrogate_pair_costs_no_answer() -> None:
    assert check({"choices": [{"message": {"content": "a\ud83d"}}], "usage": USAGE}) == COUNTED


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (b"<html>login</html>", "an HTML page"),
        (b"\n <!doctype html>", "an HTML page"),
        (b"", "nothing"),
        (b"ok", "something else"),
        (b'data: {"choices": []}\n\n', "an event stream"),
        (b": waiting\n\ndata: {}\n\n", "an event stream"),
        ({}, "other JSON"),
        ([], "other JSON"),
        ({"choices": None}, "other JSON"),
        ({"choices": {}}, "other JSON"),
        (b'{"choices": [', "other JSON"),
        ({"error": "out of memory"}, "an error"),
        ({"error": {"message": "key sk-1 is wrong", "code": 401}}, "an error"),
        ({"error": {"message": "quota exceeded", "code": 429}}, r"an error \(quota exceeded\)"),
        ({"choices": [], "error": {"message": "no"}}, "an error"),
        ([{"error": {"code": 400, "message": "no tools"}}], r"an error \(no tools\)"),
    ],
    ids=ascii,
)
def test_what_came_instead_of_an_answer_is_named(answer, came) -> None:
    with pytest.raises(UpstreamError, match=f"the reasoner answered with {came} instead") as told:
        check(answer)
    assert told.value.status == 502


@example(b'{"choices": [], "usage": {"\xff": 1}}')
@example(b'{"choices": [], "usage":' * 100_000)
@given(st.binary() | st.binary().map(b'data: {"usage": '.__add__))
def test_no_bytes_break_the_reader(data) -> None:
    for read in (check, lambda data: streamed(data, DONE)):
        with suppress(UpstreamError):
            read(data)


def events(*datas: object) -> bytes:
    return b"".join(b"data: " + json.dumps(data).encode() + b"\n\n" for data in datas)


def streamed(*pieces: bytes, choices: int = 1) -> Usage:
    answer = StreamedAnswer(name="reasoner", choices=choices)
    for piece in pieces:
        answer.feed(piece)
    answer.end()
    return answer.usage


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


class TestUsage:
    @pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
    def test_a_stream_says_it_in_one_of_its_events(self, line_end) -> None:
        stream = events({"choices": []}, {"usage": None}, {"usage": USAGE}) + DONE
        stream = stream.replace(b"\n", line_end)
        assert streamed(stream) == streamed(*bytewise(stream)) == COUNTED

    def test_counts_are_totals_so_the_last_one_stands(self) -> None:
        first = {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}
        assert streamed(events(first, {"usage": USAGE}), DONE) == COUNTED

    def test_a_text_about_usage_is_no_count(self) -> None:
        text = json.dumps({"usage": USAGE})
        assert streamed(events({"choices": [{"delta": {"content": text}}]}), DONE) == Usage()

    def test_it_does_not_matter_where_the_stream_is_cut(self) -> None:
        stream = events({"choices": []}, {"usage": USAGE}) + DONE
        for cut in range(len(stream)):
            assert streamed(stream[:cut], stream[cut:]) == COUNTED
        assert streamed(*bytewise(stream)) == COUNTED

    def test_a_stream_that_ends_without_a_line_feed_is_counted_to_its_end(self) -> None:
        assert streamed(events({**FINISHED, "usage": USAGE}).rstrip()) == COUNTED

    def test_a_line_without_end_is_not_kept(self) -> None:
        answer = StreamedAnswer(name="reasoner")
        for _ in range(100):
            answer.feed(b"x" * 2**16)
            assert sum(map(len, answer._unfinished)) <= 2**16


ENDS = {
    "done": events(SAID) + DONE,
    "a finish_reason": events(SAID, FINISHED),
    "a finish_reason, then counts": events(SAID, FINISHED, {"choices": [], "usage": USAGE}),
    "a finish_reason that is a failure": events({"choices": [{"finish_reason": "abort"}]}),
    "an unterminated event": events(SAID, FINISHED).rstrip(),
    "done after spaces": events(SAID) + b"data:   [DONE]\n\n",
    "an unterminated done": events(SAID) + b"data: [DONE]",
    "an error": events(SAID, {"error": {"message": "no"}}),
    "a bare error": events(SAID, {"object": "error", "message": "no"}),
    "an error event": events(SAID) + b"event: error\ndata: {}\n\n",
    "much space": events(SAID) + b'data: {"choices": [{"finish_reason" : "stop"}]}' + b" " * 900,
}
NO_ENDS = {
    "nothing": b"",
    "comments": b": waiting\n\n",
    "a text": events(SAID),
    "counts": events(SAID, {"choices": [], "usage": USAGE}),
    "no error": events({**SAID, "error": None}),
    "an error that is false": events({**SAID, "error": False}),
    "an empty error": events({**SAID, "error": {}}, {**SAID, "error": ""}, {**SAID, "error": []}),
    "a number for an error": events({**SAID, "error": 0}),
    "an empty finish_reason": events({"choices": [{"delta": {}, "finish_reason": ""}]}),
    "a text about ends": events({"choices": [{"delta": {"content": '[DONE]"error": "x"'}}]}),
    "a text that quotes an end": events({"choices": [{"delta": {"content": DONE.decode()}}]}),
    "a text that quotes events": events({"choices": [{"text": json.dumps(FINISHED)}]}),
}


class TestEnd:
    @pytest.mark.parametrize("stream", ENDS.values(), ids=ENDS)
    @pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
    def test_a_whole_answer_is_known_by_its_last_lines(self, stream, line_end) -> None:
        stream = stream.replace(b"\n", line_end)
        streamed(stream)
        streamed(*bytewise(stream))

    @pytest.mark.parametrize("stream", NO_ENDS.values(), ids=NO_ENDS)
    def test_one_that_broke_off_is_told(self, stream) -> None:
        for pieces in ([stream], bytewise(stream)):
            with pytest.raises(UpstreamUnavailable, match="the reasoner broke off its answer"):
                streamed(*pieces)

    @pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
    def test_much_may_come_after_a_finish_reason(self, separators) -> None:
        stream = f"data: {json.dumps(FINISHED, separators=separators)}\n\n".encode()
        streamed(events(SAID), stream, *[b": waiting\n\n"] * 100)
        streamed(events(SAID), stream[:20], stream[20:], b": " + b"x" * 2**17 + b"\n\n")
        streamed(events({**FINISHED, "pad": "x" * 5000}))

    def test_each_of_several_choices_has_to_end(self) -> None:
        first, second = (
            {"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]}
            for index in (0, 1)
        )
        both = {"choices": first["choices"] + second["choices"]}
        for ended in ([first], [second, second], [first, SAID]):
            with pytest.raises(UpstreamUnavailable):
                streamed(events(*ended), choices=2)
        streamed(*bytewise(events(first, SAID, second)), choices=2)
        streamed(events(both), choices=2)
        streamed(events(first), DONE, choices=2)

    def test_a_long_one_is_known_too(self) -> None:
        for line_end in (b"\n", b"\r"):
            said = events(SAID).replace(b"\n", line_end)
            streamed(*[said] * 5000, events(FINISHED).replace(b"\n", line_end))
            with pytest.raises(UpstreamUnavailable):
                streamed(*[said] * 5000)


class TestBeginning:
    @pytest.mark.parametrize(
        "stream",
        [
            events(SAID, FINISHED),
            b"\xef\xbb\xbf" + events(SAID),
            b": waiting\n\n" + events(SAID),
            events({"id": "c1"}),
            events({"choices": [], "prompt_filter_results": []}),
            events({**SAID, "error": None}),
            events({**SAID, "error": ""}),
            b"event: ping\ndata: ping\n\n" + events(SAID),
            events(SAID).rstrip(),
            events(SAID).replace(b"\n", b"\r"),
            events({"choices": [{"delta": {"content": "a\ud83d"}}]}),
        ],
        ids=ascii,
    )
    async def test_it_is_passed_on_as_it_came(self, stream) -> None:
        for pieces in ([stream], bytewise(stream)):
            arriving = Arriving(*pieces)
            beginning = await read_beginning(arriving, name="reasoner")
            rest = b"".join([piece async for piece in remaining(arriving)])
            assert beginning + rest == stream

    @pytest.mark.parametrize(
        ("stream", "error"),
        [
            (events({"error": {"code": 400, "message": "context length"}}), ContextLengthExceeded),
            (events({"error": {"code": "429", "message": "queue full"}}), RateLimited),
            (events({"error": "out of memory"}), UpstreamUnavailable),
            (events({"object": "error", "code": 429, "message": "wait"}), RateLimited),
            (events([{"error": {"status": "RESOURCE_EXHAUSTED"}}]), RateLimited),
            (b'event: error\ndata: {"message": "x", "code": 429}\n\n', RateLimited),
            (b'error: {"message": "x", "code": 429}\n\n', RateLimited),
            (b"", UpstreamUnavailable),
            (b": waiting\n\n", UpstreamUnavailable),
            (b'data: {"choices', UpstreamUnavailable),
            (DONE, UpstreamError),
            (events([1]), UpstreamError),
            (b"<html>login</html>", UpstreamError),
            (b'{"choices": []}', UpstreamError),
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


async def remaining(arriving: Arriving):
    while piece := await arriving.readany():
        yield piece
