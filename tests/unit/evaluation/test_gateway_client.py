"""How often a gateway is asked, by what it says."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from racro.contracts.errors import (
    DeadlineExceeded,
    InvalidImage,
    RacroError,
    RateLimited,
    Unauthenticated,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.evaluation.failures import EvaluationError, ItemError, UnansweredError
from racro.evaluation.gateway_client import Gateway
from support.processes import free_port

ANSWER = {
    "id": "solve-1",
    "answer": "5",
    "text": "It is 5.",
    "visual_context": {
        "caption": "A bar.", "model": "eye", "revision": "e1", "prompt_profile": "racro-v1",
        "cache": "hit",
    },
    "model": "default",
    "reasoner": {"model": "mind"},
    "usage": {},
    "timing_ms": {"perceive": 0, "first_token": 0, "reason": 0, "total": 0},
}  # fmt: skip
REQUEST = {"question": "How high?", "images": []}


@contextlib.asynccontextmanager
async def gateway_saying(*says: RacroError | str | None) -> AsyncIterator[tuple[Gateway, list]]:
    """A gateway that gives these answers in turn (None: breaks off), and what it was asked."""
    asked = []

    async def solve(request: web.Request) -> web.Response:
        asked.append(request)
        say = says[len(asked) - 1]
        if say is None:
            request.transport.abort()
        if isinstance(say, RacroError):
            headers = {"retry-after": "0"}
            return web.json_response(say.envelope(), status=say.status, headers=headers)
        return web.json_response(ANSWER if say == "answer" else {"text": say})

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "small"}, {"id": "large"}]})

    app = web.Application()
    app.router.add_post("/v1/solve", solve)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port := free_port())
    await site.start()
    try:
        async with asking(f"http://127.0.0.1:{port}/") as gateway:
            yield gateway, asked
    finally:
        await runner.cleanup()


def asking(url: str) -> Gateway:
    return Gateway(url, key="k", concurrency=2, timeout_s=300)


@pytest.mark.parametrize(
    "later",
    [
        RateLimited("slower"),
        UpstreamUnavailable("away"),
        DeadlineExceeded("late"),
        UpstreamError("odd"),
        RacroError("broken"),
    ],
)
async def test_later_means_again(later) -> None:
    async with gateway_saying(later, later, "answer") as (gateway, asked):
        answer = await gateway.solve(REQUEST)
    assert (answer.answer, len(asked)) == ("5", 3)
    assert asked[0].headers["authorization"] == "Bearer k"


async def test_a_connection_that_breaks_is_tried_again() -> None:
    async with gateway_saying(None, "answer") as (gateway, asked):
        assert (await gateway.solve(REQUEST)).answer == "5"
    assert len(asked) == 2


async def test_three_tries_are_enough() -> None:
    async with gateway_saying(*[UpstreamUnavailable("the reasoner is away")] * 3) as (gateway, _):
        with pytest.raises(UnansweredError, match=r"the reasoner is away .*, 3 times") as caught:
            await gateway.solve(REQUEST)
    assert caught.value.code == "upstream_unavailable"


async def test_what_will_not_change_is_asked_once() -> None:
    async with gateway_saying(InvalidImage("images[0]: no image")) as (gateway, asked):
        with pytest.raises(ItemError, match=r"images\[0\]: no image \(invalid_image\)") as caught:
            await gateway.solve(REQUEST)
    assert not isinstance(caught.value, UnansweredError)
    assert caught.value.code == "invalid_image"
    assert len(asked) == 1


async def test_who_may_not_ask_need_not_go_on() -> None:
    async with gateway_saying(Unauthenticated("no such key")) as (gateway, _):
        with pytest.raises(EvaluationError, match="RACRO_KEY"):
            await gateway.solve(REQUEST)


async def test_answers_out_of_contract_stop_the_run() -> None:
    async with gateway_saying("something") as (gateway, _):
        with pytest.raises(EvaluationError, match="does not know"):
            await gateway.solve(REQUEST)


async def test_a_reasoner_is_looked_up_before_the_run() -> None:
    async with gateway_saying() as (gateway, _):
        await gateway.check("large")
        with pytest.raises(EvaluationError, match="the gateway has small, large"):
            await gateway.check("huge")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://localhost:8000", "it begins with ftp://, .*; one is http://127"),
        ("http://127.0.0.1:99999", "Port out of range"),
        ("http://", "no host"),
    ],
)
def test_what_is_no_url_is_refused(url, message) -> None:
    with pytest.raises(EvaluationError, match=f"--gateway {url}: .*{message}"):
        asking(url)


@pytest.mark.parametrize("key", ["schlüssel", "key\n"])
def test_a_key_that_no_header_carries_is_refused_and_not_shown(key) -> None:
    with pytest.raises(EvaluationError, match="printable ASCII") as caught:
        Gateway("http://127.0.0.1", key=key, concurrency=1, timeout_s=1)
    assert key not in str(caught.value)


async def test_nobody_there() -> None:
    async with asking(f"http://127.0.0.1:{free_port()}") as gateway:
        with pytest.raises(EvaluationError, match="racro up"):
            await gateway.check("default")
