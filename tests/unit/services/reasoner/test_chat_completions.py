"""What the reasoner service refuses before it asks its engine."""

import json
from typing import Any

import pytest

from racro.contracts.errors import InvalidRequest, UnknownModel, UpstreamUnavailable
from racro.engines.registry import create_engine
from services.reasoner.chat_completions import ChatCompletions
from services.reasoner.settings import ReasonerSettings


async def ask(body: Any) -> list[dict]:
    """The answer of a service whose engine was never started."""
    settings = ReasonerSettings(
        model="served", engine={"kind": "url", "url": "http://127.0.0.1:1/v1", "model": "m"}
    )
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": raw}

    async def send(message: dict) -> None:
        sent.append(message)

    engine = create_engine(settings.engine, section="engine", served_name=settings.model)
    chat = ChatCompletions(settings, engine)
    await chat({"headers": []}, receive, send)
    return sent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"messages": "\xff"}',
        b'{"\xff": 1}',
        b'{"messages": "\\ud83d"}',
        b'{"messages": ' + b"[" * 100_000,
    ],
    ids=lambda body: ascii(body[:20]),
)
async def test_what_is_no_json_object_is_refused(body) -> None:
    with pytest.raises(InvalidRequest, match="not a JSON object"):
        await ask(body)


async def test_another_model_is_unknown() -> None:
    with pytest.raises(UnknownModel) as refusal:
        await ask({"model": "m", "messages": [{}]})
    assert refusal.value.param == "model"


@pytest.mark.parametrize("body", [{"model": "served"}, {}], ids=["named", "not named"])
@pytest.mark.parametrize("stream", [True, False])
async def test_an_engine_that_would_not_answer_is_not_asked(body, stream) -> None:
    with pytest.raises(UpstreamUnavailable, match="the engine was not started"):
        await ask({**body, "stream": stream, "messages": [{}]})
