"""Reasoners by name: copies of one behind several URLs, and others while the gateway runs."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service, free_port, wait_until
from support.scripted import Script, ScriptedServer
from support.strange import Answer, StrangeServer

PICTURE = data_url(png("42"))
STREAMS = 50


@pytest.fixture
def another() -> Iterator[ScriptedServer]:
    """A second reasoner."""
    with ScriptedServer() as server:
        server.script.texts = ["I am another. ", "\\boxed{7}"]
        yield server


@pytest.fixture
def blackhole() -> Iterator[str]:
    """A server that takes no connection and refuses none: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        with socket.create_connection(address), contextlib.ExitStack() as waiting:
            for _ in range(2):
                another = waiting.enter_context(socket.socket())
                another.setblocking(False)
                another.connect_ex(address)
            yield f"http://{address[0]}:{address[1]}"


def section(*servers: str, **more: Any) -> dict[str, Any]:
    urls = [f"{server}/v1" for server in servers]
    return {"url": urls if len(urls) > 1 else urls[0], "model": "scripted", **more}


def with_reasoners(captioner: ScriptedServer, **reasoners: dict[str, Any]) -> dict[str, Any]:
    return {**gateway_config(captioner.url, "http://unused"), "reasoners": reasoners}


def solve(gateway: Service, question: str = "How high?", **more: Any) -> httpx2.Response:
    body = {"question": question, "images": [PICTURE], **more}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def chat(gateway: Service, content: str = "Hello", **more: Any) -> httpx2.Response:
    body = {"model": "default", "messages": [{"role": "user", "content": content}], **more}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


def models(gateway: Service) -> list[str]:
    cards = http.get(f"{gateway.url}/v1/models").json()["data"]
    return [card["id"] for card in cards]


def settings_check(gateway: Service) -> str:
    answer = http.get(f"{gateway.url}/readyz").json()
    return answer["checks"]["settings"]


class TestConnections:
    @pytest.mark.parametrize("reuse", [True, False])
    def test_they_are_kept_unless_each_request_is_to_have_its_own(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, reuse: bool
    ) -> None:
        config = with_reasoners(captioner, default=section(reasoner.url))
        with Service("gateway", {**config, "reuse_connections": reuse}) as gateway:
            assert [chat(gateway).status_code for _ in range(3)] == [200] * 3
        asked_to_close = [asked.headers.get("connection") == "close" for asked in reasoner.chats]
        assert asked_to_close == [not reuse] * 3


class TestCopies:
    def test_the_one_with_the_least_to_do_is_asked(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, another: ScriptedServer
    ) -> None:
        reasoner.script.held_at = another.script.held_at = 0
        config = with_reasoners(captioner, default=section(reasoner.url, another.url))
        with Service("gateway", config) as gateway:

            async def many() -> None:
                async with http.async_client() as client:
                    body = {"messages": [{"role": "user", "content": "Hello"}]}
                    url = f"{gateway.url}/v1/chat/completions"
                    asked = [asyncio.create_task(client.post(url, json=body)) for _ in range(10)]
                    while len(reasoner.chats) + len(another.chats) < 10:
                        await asyncio.sleep(0.01)
                    reasoner.script.held_at = another.script.held_at = None
                    await asyncio.gather(*asked)

            asyncio.run(many())
        assert (len(reasoner.chats), len(another.chats)) == (5, 5)

    @pytest.mark.parametrize("stream", [False, True])
    def test_one_that_is_gone_is_not_missed(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, stream: bool
    ) -> None:
        gone = f"http://127.0.0.1:{free_port()}"
        config = with_reasoners(captioner, default=section(gone, reasoner.url))
        with Service("gateway", config, wait_for="/healthz") as gateway:
            assert [chat(gateway, stream=stream).status_code for _ in range(4)] == [200] * 4
            assert solve(gateway).json()["answer"] == "42"
        assert len(reasoner.chats) == 5

    def test_one_that_is_not_ready_is_not_missed(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, another: ScriptedServer
    ) -> None:
        another.script.status = 503
        another.script.plain = {"error": {"message": "loading"}}
        config = with_reasoners(captioner, default=section(another.url, reasoner.url))
        with Service("gateway", config) as gateway:
            assert [chat(gateway).status_code for _ in range(4)] == [200] * 4

    def test_one_that_drops_what_is_sent_to_it_is_not_missed(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, blackhole: str
    ) -> None:
        """Of two at once, one is asked of each copy."""
        reasoner.script.held_at = 0
        config = with_reasoners(captioner, default=section(blackhole, reasoner.url))
        # Nobody has looked which are there.
        with (
            Service("gateway", config, wait_for="/healthz") as gateway,
            ThreadPoolExecutor(2) as pool,
        ):
            asked = [pool.submit(chat, gateway) for _ in range(2)]
            wait_until(lambda: len(reasoner.chats) == 2, what="both at the one that is there")
            reasoner.script.held_at = None
        assert [answer.result().status_code for answer in asked] == [200, 200]

    def test_what_the_engine_of_one_has_begun_no_other_begins_again(
        self, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        """Both services answer 503, and say that there was work in it."""
        reasoner.script.status, reasoner.script.plain = 500, {"error": {"message": "CUDA error"}}
        behind = {"kind": "url", "url": f"{reasoner.url}/v1", "model": "scripted"}
        ours = {"model": "scripted", "engine": behind}
        with Service("services.reasoner", ours) as one, Service("services.reasoner", ours) as other:
            config = with_reasoners(captioner, default=section(one.url, other.url))
            with Service("gateway", config) as gateway:
                response = chat(gateway)
        assert (response.status_code, response.headers["x-racro-begun"]) == (503, "true")
        assert len(reasoner.chats) == 1

    def test_what_one_has_begun_no_other_begins_again(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, another: ScriptedServer
    ) -> None:
        reasoner.script.die_after = another.script.die_after = 1
        config = with_reasoners(captioner, default=section(reasoner.url, another.url))
        with Service("gateway", config) as gateway:
            assert solve(gateway).status_code == 503
        assert len(reasoner.chats) + len(another.chats) == 1

    def test_where_one_broke_nobody_says_that_none_has_begun(
        self, captioner: ScriptedServer
    ) -> None:
        gone = f"http://127.0.0.1:{free_port()}"
        with StrangeServer() as breaks:
            breaks.answer = Answer()
            config = with_reasoners(
                captioner, default=section(breaks.url.removesuffix("/v1"), gone)
            )
            with Service("gateway", config) as gateway:
                # Whichever is asked first.
                for _ in range(4):
                    answer = chat(gateway)
                    assert (answer.status_code, answer.headers["x-racro-begun"]) == (503, "true")

    def test_all_gone(self, captioner: ScriptedServer) -> None:
        gone = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
        config = with_reasoners(captioner, default=section(*gone))
        with Service("gateway", config, wait_for="/healthz") as gateway:
            response = chat(gateway)
            assert (response.status_code, response.json()["error"]["code"]) == (
                503,
                "upstream_unavailable",
            )


def test_the_revision_of_one_that_starts_later_is_soon_known(captioner: ScriptedServer) -> None:
    """Sooner than the half minute for which one that has been told is believed."""
    port = free_port()
    config = with_reasoners(captioner, default=section(f"http://127.0.0.1:{port}"))
    with Service("gateway", config, wait_for="/healthz") as gateway:
        assert http.get(f"{gateway.url}/readyz").status_code == 503
        with ScriptedServer(port=port):
            wait_until(
                lambda: solve(gateway).json().get("reasoner", {}).get("revision") == "rev7",
                what="its revision",
            )


class TestReload:
    def test_a_new_reasoner_serves_the_captions_of_the_old_one(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, another: ScriptedServer
    ) -> None:
        config = with_reasoners(captioner, default=section(reasoner.url))
        with Service("gateway", config) as gateway:
            assert solve(gateway).json()["answer"] == "42"
            gateway.configure(with_reasoners(captioner, r2=section(another.url)))
            wait_until(lambda: models(gateway) == ["r2"], what="the new reasoner")
            answer = solve(gateway, model="r2").json()
            assert (answer["answer"], answer["visual_context"]["cache"]) == ("7", "hit")
            assert solve(gateway).status_code == 404
        assert len(captioner.perceptions) == 1

    def test_on_a_hangup_signal_at_once(
        self, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        config = with_reasoners(captioner, default=section(reasoner.url))
        with Service("gateway", config) as gateway:
            os.kill(gateway.pid, signal.SIGHUP)
            wait_until(
                lambda: gateway.metrics().get('racro_reloads_total{outcome="taken"}') == 1,
                what="the reload",
            )
            assert solve(gateway).status_code == 200

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"reasoners": {"default": {"ulr": "http://x/v1"}}}, "reasoners.default.ulr"),
            ({"reasoners": {}}, "reasoners"),
            ({"limits": {"max_images": 1}}, "limits: is read at start only"),
        ],
        ids=["typo", "no reasoner", "not live"],
    )
    def test_a_wrong_file_is_refused_whole(
        self,
        captioner: ScriptedServer,
        reasoner: ScriptedServer,
        change: dict[str, Any],
        named: str,
    ) -> None:
        config = with_reasoners(captioner, default=section(reasoner.url))
        with Service("gateway", config) as gateway:
            assert settings_check(gateway) == "ok"
            gateway.configure({**config, **change})
            problem = wait_until(
                lambda: (said := settings_check(gateway)) != "ok" and said, what="a complaint"
            )
            assert named in problem
            wait_until(lambda: http.get(f"{gateway.url}/readyz").status_code == 200, what="ready")
            assert solve(gateway).json()["answer"] == "42"
            gateway.configure(config)
            wait_until(lambda: settings_check(gateway) == "ok", what="the end of the complaint")

    def test_streams_end_where_they_began(
        self, captioner: ScriptedServer, reasoner: ScriptedServer, another: ScriptedServer
    ) -> None:
        """Fifty under way while their reasoner is replaced: none fails, none breaks."""
        words = [f"word{number} " for number in range(20)]
        reasoner.script = Script(texts=[*words, "\\boxed{42}"], between_s=0.1)
        config = with_reasoners(captioner, default=section(reasoner.url))
        with Service("gateway", config) as gateway:
            assert solve(gateway).status_code == 200  # the caption is there

            async def streams() -> list[str]:
                limits = httpx2.Limits(max_connections=None)
                async with http.async_client(limits=limits) as client:
                    body = {"question": "How high?", "images": [PICTURE], "stream": True}
                    asked = [
                        asyncio.create_task(client.post(f"{gateway.url}/v1/solve", json=body))
                        for _ in range(STREAMS)
                    ]
                    while len(reasoner.chats) < STREAMS + 1:
                        await asyncio.sleep(0.01)
                    gateway.configure(with_reasoners(captioner, default=section(another.url)))
                    while not another.chats:
                        await client.post(f"{gateway.url}/v1/solve", json={**body, "stream": False})
                    return [response.text for response in await asyncio.gather(*asked)]

            texts = asyncio.run(streams())
        assert [text.count("event: done") for text in texts] == [1] * STREAMS
        assert all("boxed{42}" in text and "event: error" not in text for text in texts)
        assert len(captioner.perceptions) == 1
