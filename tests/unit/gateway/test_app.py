"""The gateway as it is served, in this process: its lifespan opens what its requests share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from racro.servekit.guarded_app import GuardedApp
from support.pictures import data_url, png


@asynccontextmanager
async def served(app: GuardedApp) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an app, as a server runs it: with its lifespan, and a copy of its state each."""
    state: dict[str, Any] = {}
    to_app, from_app = asyncio.Queue[Any](), asyncio.Queue[Any]()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}
    running = asyncio.create_task(app(scope, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"

    async def with_state(scope, receive, send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    transport = httpx2.ASGITransport(app=with_state)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await running


@pytest.fixture
async def client(captioner, reasoner) -> AsyncIterator[httpx2.AsyncClient]:
    settings = GatewaySettings(
        captioner={"url": captioner.url},
        reasoners={"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
    )
    async with served(create_gateway(settings)) as client:
        yield client


async def test_requests_share_one_cache(client, captioner) -> None:
    question = {"question": "How high?", "images": [data_url(png())]}
    answers = [(await client.post("/v1/solve", json=question)).json() for _ in range(2)]
    assert [answer["answer"] for answer in answers] == ["42", "42"]
    assert [answer["visual_context"]["cache"] for answer in answers] == ["miss", "hit"]
    assert len(captioner.perceptions) == 1


@pytest.mark.parametrize("path", ["/v1/solve", "/v1/visual-contexts"])
async def test_a_question_has_a_limit(client, path) -> None:
    async def answer(question: str) -> httpx2.Response:
        return await client.post(path, json={"question": question, "images": [data_url(png())]})

    for question in ("q" * 8192, "e" + "\u0301" * 30):
        assert (await answer(question)).status_code == 200
    for question, says in [
        ("q" * 8193, "question: 8193 characters; limits.max_question_chars = 8192"),
        ("e" + "\u0301" * 31, "question: over 30 combining marks in a row"),
    ]:
        refusal = await answer(question)
        error = refusal.json()["error"]
        assert (refusal.status_code, error["param"], error["message"]) == (400, "question", says)


async def test_of_a_long_turn_the_captioner_gets_the_end_and_the_reasoner_all(
    client, captioner, reasoner
) -> None:
    words = "long " * 9000 + "e" + "\u0323" * 99 + " What?"
    content = [
        {"type": "image_url", "image_url": {"url": data_url(png())}},
        {"type": "text", "text": words},
    ]
    chat = {"messages": [{"role": "user", "content": content}]}
    assert (await client.post("/v1/chat/completions", json=chat)).status_code == 200
    [asked] = captioner.perceptions
    end = words[-8192:].replace("e" + "\u0323" * 99, "\u1eb9" + "\u0323" * 29)
    assert asked.json["question"] == end.strip()
    assert words in reasoner.asked[-1].json["messages"][0]["content"]


async def test_routes_behind_fastapi_share_it_too(client) -> None:
    models = (await client.get("/v1/models")).json()["data"]
    assert [model["id"] for model in models] == ["default"]
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["captioner"]) == (200, "ok")


async def test_it_is_guarded(client) -> None:
    answer = await client.post("/v1/v1//solve", content=b"{")
    assert answer.status_code == 400
    assert answer.headers["x-request-id"]
