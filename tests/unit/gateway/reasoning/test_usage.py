"""Tokens are counted out of answers that are passed on unparsed."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.reasoning.usage import StreamedUsage, usage_of
from racro.contracts.perception import Usage

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
COUNTED = Usage(prompt_tokens=7, completion_tokens=3)


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": USAGE, "choices": []}, COUNTED),
        ({"usage": {"prompt_tokens": 7}}, Usage(prompt_tokens=7)),
        ({"usage": {"prompt_tokens": 7, "completion_tokens": None}}, Usage(prompt_tokens=7)),
        ({"usage": None}, Usage()),
        ({}, Usage()),
        ([], Usage()),
        ({"usage": "many"}, Usage()),
    ],
    ids=str,
)
def test_a_plain_answer_says_what_it_took(answer, usage) -> None:
    assert usage_of(json.dumps(answer).encode()) == usage


def events(*datas: object) -> bytes:
    return b"".join(b"data: " + json.dumps(data).encode() + b"\n\n" for data in datas)


def streamed(*pieces: bytes) -> Usage:
    usage = StreamedUsage()
    for piece in pieces:
        usage.feed(piece)
    usage.end()
    return usage.value


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_stream_says_it_in_one_of_its_events(line_end) -> None:
    stream = events({"choices": []}, {"usage": None}, {"usage": USAGE}) + b"data: [DONE]\n\n"
    assert streamed(stream.replace(b"\n", line_end)) == COUNTED


def test_counts_are_totals_so_the_last_one_stands() -> None:
    first = {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}
    assert streamed(events(first, {"usage": USAGE})) == COUNTED


def test_a_text_about_usage_is_no_count() -> None:
    text = json.dumps({"usage": USAGE})
    assert streamed(events({"choices": [{"delta": {"content": text}}]})) == Usage()


@example(b'{"usage": {"\xff": 1}}')
@example(b'{"usage":' * 100_000)
@example(b'{"\xff": 1, "usage": 5}')
@given(st.binary() | st.binary().map(b'data: {"usage": '.__add__))
def test_counting_never_harms_the_answer(data) -> None:
    assert usage_of(data) is not None
    streamed(data)


def test_it_does_not_matter_where_the_stream_is_cut() -> None:
    stream = events({"choices": []}, {"usage": USAGE}) + b"data: [DONE]\n\n"
    for cut in range(len(stream)):
        assert streamed(stream[:cut], stream[cut:]) == COUNTED
    assert streamed(*(stream[at : at + 1] for at in range(len(stream)))) == COUNTED


def test_a_stream_that_ends_without_a_line_feed_is_counted_to_its_end() -> None:
    assert streamed(events({"usage": USAGE}).rstrip()) == COUNTED


def test_a_line_without_end_is_not_kept() -> None:
    usage = StreamedUsage()
    for _ in range(100):
        usage.feed(b"x" * 2**16)
        assert sum(map(len, usage._unfinished)) <= 2**16
