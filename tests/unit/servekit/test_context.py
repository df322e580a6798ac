"""What travels with a request: its id and its deadline."""

import asyncio
import math
import re

import pytest

from racro.contracts.errors import DeadlineExceeded
from racro.servekit.context import (
    TimeLimit,
    adopt_request_id,
    context_without_deadline,
    header,
    time_left_s,
    timeout_from_headers,
    within,
)


def headers(**values: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in values.items()]


def seconds(amount: float) -> TimeLimit:
    return TimeLimit(amount, "timeout_s")


async def test_what_is_done_in_time_is_done() -> None:
    with within(seconds(60)):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("outer_s", "inner_s", "named"),
    [(0.01, 60, "timeout_s = 0.01"), (60, 0.01, "timeout_s = 0.01"), (0.01, 0.01, "= 0.01")],
)
async def test_of_nested_deadlines_the_first_one_counts(outer_s, inner_s, named) -> None:
    told = pytest.raises(DeadlineExceeded, match=f"{re.escape(named)}$")
    with told, within(seconds(outer_s)), within(seconds(inner_s)):
        await asyncio.Event().wait()


async def test_an_inner_deadline_leaves_the_rest_of_the_outer_one() -> None:
    with within(seconds(60)):
        with pytest.raises(DeadlineExceeded), within(seconds(0.001)):
            await asyncio.Event().wait()
        await asyncio.sleep(0)


async def test_what_is_left_is_that_of_the_nearest_deadline() -> None:
    assert time_left_s() == math.inf
    with within(seconds(60)):
        with within(seconds(6000)):
            assert 50 < time_left_s() <= 60
        with within(seconds(30)):
            assert 20 < time_left_s() <= 30
            shared = asyncio.create_task(left(), context=context_without_deadline())
            assert await shared == math.inf
        assert 50 < time_left_s() <= 60
    assert time_left_s() == math.inf


async def left() -> float:
    return time_left_s()


async def test_a_cancellation_is_not_a_deadline() -> None:
    async def wait() -> None:
        with within(seconds(60)):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 600),
        ({"x_racro_timeout_ms": "1500"}, 1.5),
        ({"x_racro_timeout_ms": "0"}, 0),
        ({"x_racro_timeout_ms": "700000"}, 600),
        ({"x_racro_timeout_ms": "9" * 400}, 600),
        ({"x_racro_timeout_ms": "9" * 5000}, 600),
        ({"x_racro_timeout_ms": "-1"}, 600),
        ({"x_racro_timeout_ms": "1.5"}, 600),
        ({"x_racro_timeout_ms": "soon"}, 600),
        ({"x_racro_timeout_ms": ""}, 600),
        ({"x_racro_timeout_ms": "²"}, 600),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_caller_may_shorten_the_time_and_not_prolong_it(given, expected) -> None:
    assert timeout_from_headers(headers(**given), most_s=600).seconds == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "limits.max_timeout_s = 600"),
        ({"x_racro_timeout_ms": "1500"}, "x-racro-timeout-ms = 1500"),
        ({"x_racro_timeout_ms": "700000"}, "limits.max_timeout_s = 600"),
        ({"x_racro_timeout_ms": "soon"}, "limits.max_timeout_s = 600"),
    ],
)
async def test_what_bounds_a_request_is_named(given, words) -> None:
    limit = timeout_from_headers(headers(**given), most_s=600, said_by="limits.max_timeout_s")
    assert limit.words == words


async def test_a_deadline_is_named_by_what_set_it() -> None:
    told = pytest.raises(DeadlineExceeded, match=r"within x-racro-timeout-ms = 10$")
    with told, within(TimeLimit(0.01, "x-racro-timeout-ms")):
        await asyncio.Event().wait()


@pytest.mark.parametrize("given", ["abc", "A-1_b.c:2", "x" * 128])
def test_a_safe_request_id_is_adopted(given) -> None:
    assert adopt_request_id(headers(x_request_id=given)) == given


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "a\n", '"', "x" * 129, "é", "{}"])
def test_a_request_id_that_could_spoil_a_log_is_replaced(given) -> None:
    assert re.fullmatch("[0-9a-f]{32}", adopt_request_id(headers(x_request_id=given)))


def test_the_first_of_equal_headers_counts_and_none_is_none() -> None:
    twice = [*headers(a="1"), *headers(a="2")]
    assert header(twice, "a") == "1"
    assert header(twice, "b") is None
