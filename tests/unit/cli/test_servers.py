"""Servers are found by URLs as people type them."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from racro.cli.probing import KeyRefused, NotReached, NotServed, NotTrusted, Probe, WrongAnswer
from racro.cli.servers import (
    Server,
    context_tokens,
    find_server,
    listed,
    name_of,
    origins,
    spoken_dialects,
    takes_images,
)
from support.certificates import make_certificate
from support.scripted import Fixed, Script, ScriptedServer

NOT_FOUND = Fixed(status=404)


@pytest.fixture
async def probe() -> AsyncIterator[Probe]:
    async with Probe(timeout_s=30) as probe:
        yield probe


@pytest.mark.parametrize(
    "typed",
    [
        "http://127.0.0.1:{port}",
        "127.0.0.1:{port}",
        "localhost:{port}/",
        " http://127.0.0.1:{port}/v1 ",
        "http://127.0.0.1:{port}/v1/",
        "127.0.0.1:{port}/v1//",
        "http://127.0.0.1:{port}/v1/models",
        "http://127.0.0.1:{port}/v1/chat/completions/",
        "HTTP://127.0.0.1:{port}",
    ],
)
async def test_a_url_may_be_typed_in_many_ways(
    probe: Probe, reasoner: ScriptedServer, typed: str
) -> None:
    server = await find_server(probe, typed.format(port=reasoner.port))
    assert server.url.endswith(f":{reasoner.port}/v1")
    assert list(server.cards) == ["scripted"]


async def test_a_server_may_have_no_v1(probe: Probe, reasoner: ScriptedServer) -> None:
    cards = json.dumps({"data": [{"id": "own"}, {"name": "odd"}, 7]}).encode()
    reasoner.script.fixed = {"/api/models": Fixed(body=cards)}
    server = await find_server(probe, f"{reasoner.url}/api/")
    assert server == Server(f"{reasoner.url}/api", {"own": {"id": "own"}})


async def test_tls_is_found_without_a_scheme(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with ScriptedServer(tls=tls) as secure:
        with pytest.raises(NotTrusted, match="SSL_CERT_FILE"):
            await find_server(probe, f"127.0.0.1:{secure.port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        async with Probe(timeout_s=30) as trusting:
            server = await find_server(trusting, f"127.0.0.1:{secure.port}")
    assert server.url == f"https://127.0.0.1:{secure.port}/v1"


def test_a_key_leaves_the_machine_by_tls_unless_http_is_typed() -> None:
    assert origins("api.example/v1", has_key=True) == ["https://api.example"]
    assert origins("http://api.example", has_key=True) == ["http://api.example"]
    assert origins("api.example:8000") == ["https://api.example:8000", "http://api.example:8000"]
    assert origins("[::1]:8000", has_key=True) == ["http://[::1]:8000", "https://[::1]:8000"]


async def test_llama_cpp_tells_beside_the_list_what_a_model_takes(
    probe: Probe, reasoner: ScriptedServer
) -> None:
    listing = {
        "models": [{"model": "a.gguf", "capabilities": ["completion", "multimodal"]}, 5, {}],
        "object": "list",
        "data": [{"id": "a.gguf", "object": "model"}],
    }
    reasoner.script.fixed = {"/v1/models": Fixed(body=json.dumps(listing).encode())}
    server = await find_server(probe, reasoner.url)
    assert takes_images(server.card("a.gguf")) is True


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"input_modalities": ["text", "image"]}, True),
        ({"architecture": {"input_modalities": ["text"]}}, False),
        ({"architecture": "text->text"}, None),
        ({"capabilities": ["completion"]}, False),
        ({"capabilities": {"vision": True}}, True),
        ({"capabilities": 5}, None),
        ({}, None),
    ],
)
def test_whether_a_card_tells_of_images(card, told) -> None:
    assert takes_images(card) is told


async def test_what_lists_no_models_is_known_by_its_chat(
    probe: Probe, reasoner: ScriptedServer
) -> None:
    reasoner.script.fixed = {"/v1/models": NOT_FOUND, "/models": NOT_FOUND}
    assert await find_server(probe, reasoner.url) == Server(f"{reasoner.url}/v1", None)
    reasoner.script.fixed = {"*": NOT_FOUND}
    with pytest.raises(NotServed, match="no OpenAI API at"):
        await find_server(probe, reasoner.url)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Fixed(status=401), KeyRefused, "refuses the API key"),
        (Fixed(body=b"<html>", media_type="text/html"), WrongAnswer, "a web page"),
        (Fixed(body=b"[" * 100_000), WrongAnswer, "something else than JSON"),
        (Fixed(body=b"{}"), WrongAnswer, "no list of models"),
        (Fixed(body=b"[]"), WrongAnswer, "no list of models"),
        (Fixed(status=302, headers={"location": "/login"}), WrongAnswer, "redirects to /login"),
        (Fixed(status=500, body=b'{"error": "x"}'), WrongAnswer, "status 500"),
        (Fixed(status=429, body=b'{"error": {"message": "slow\x1b"}}'), WrongAnswer, "status 429"),
        (Fixed(body=b" " * (17 * 2**20)), WrongAnswer, "more than 16 MiB"),
        (Fixed(status=400, body=b"plain HTTP to an HTTPS port"), WrongAnswer, "is it https://"),
    ],
)
async def test_an_answer_that_does_not_help_is_told(
    probe: Probe, reasoner: ScriptedServer, answer: Fixed, kind: type, said: str
) -> None:
    reasoner.script.fixed = {"*": answer}
    with pytest.raises(kind, match=said):
        await find_server(probe, reasoner.url)


@pytest.mark.parametrize("typed", ["", "ftp://x", "http://", "http://x:port", "two words", "x?y=1"])
async def test_what_is_no_url_is_told(probe: Probe, typed: str) -> None:
    with pytest.raises(NotReached, match="is no server's URL"):
        await find_server(probe, typed)


async def test_nobody_there_is_told_once(probe: Probe) -> None:
    with pytest.raises(NotReached, match=r"nothing listens at http://127\.0\.0\.1.*is it running"):
        await find_server(probe, "127.0.0.1:1")


async def test_dialects_are_those_that_refuse_an_empty_request(
    probe: Probe, reasoner: ScriptedServer
) -> None:
    url = f"{reasoner.url}/v1"
    assert await spoken_dialects(probe, url) == ["chat", "responses", "messages"]
    reasoner.script.fixed = {
        "/v1/chat/completions": Fixed(status=404, body=b'{"error": "model \\"\\" not found"}'),
        "/v1/responses": Fixed(status=405),
        "/v1/messages": Fixed(status=502),
    }
    assert await spoken_dialects(probe, url) == ["chat"]


async def test_a_model_is_known_by_its_name_or_ollama_s(
    probe: Probe, reasoner: ScriptedServer
) -> None:
    url = f"{reasoner.url}/v1"
    server = Server(url, {"qwen3:latest": {}, "qwen2.5vl:7b": {}})
    assert await name_of(probe, server, "qwen3") == "qwen3:latest"
    assert await name_of(probe, server, "qwen2.5vl:7b") == "qwen2.5vl:7b"
    assert await name_of(probe, Server(url, None), "any") == "any"
    assert reasoner.chats == []
    assert await name_of(probe, server, "routed") == "routed"
    [asked] = reasoner.chats
    assert asked.json["max_tokens"] == 1
    reasoner.script.respond = lambda _: Script(status=404, plain={"error": {"message": "no"}})
    assert await name_of(probe, server, "none") is None


def test_models_are_listed_with_the_one_that_was_meant_first() -> None:
    models = [f"m{number}" for number in range(12)]
    assert listed(["b", "qwen3", "a"], "qwen4") == "qwen3, b, a"
    assert listed(models) == "m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, and 2 more"


@pytest.mark.parametrize(
    ("card", "tokens"),
    [
        ({"max_model_len": 40960}, 40960),
        ({"context_length": 131072}, 131072),
        ({"meta": {"n_ctx": 2048, "n_ctx_train": 8192}}, 2048),
        ({"max_model_len": None, "context_window": 8192}, 8192),
        ({"max_model_len": "40960"}, None),
        ({"max_model_len": True, "context_length": 0}, None),
        ({"meta": [1]}, None),
        ({}, None),
    ],
)
def test_a_card_tells_the_context_length(card: dict, tokens: int | None) -> None:
    assert context_tokens(card) == tokens
