"""The client gone: whatever was being done for it stops."""

import json
import socket
import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import Asked, ScriptedServer

CHAT = "/v1/chat/completions"
SOLVE = "/v1/solve"
PERCEIVE = "/v1/perceive"
FOREVER_S = 60
ATTEMPTS = 3


class Client:
    """Sends one request and can leave at any point of the answer."""

    def __init__(self, service: Service, path: str, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
        self._socket = socket.create_connection(("127.0.0.1", service.port), timeout=30)
        self._socket.sendall(head.encode() + content)

    def hear(self, words: bytes) -> None:
        heard = b""
        while words not in heard:
            piece = self._socket.recv(65536)
            assert piece, f"ended without {words!r}: {heard!r}"
            heard += piece

    def leave(self) -> float:
        """time.monotonic() of when it left."""
        now = time.monotonic()
        self._socket.close()
        return now


def chat(*, stream: bool, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Count."}], "stream": stream, **more}


def solve(*, stream: bool) -> dict[str, Any]:
    question = f"Which? {uuid.uuid4()}"
    return {"question": question, "images": [data_url(png())], "stream": stream}


def fastest(attempt: Callable[[], float], *, within_s: float) -> None:
    """The best of a few attempts: a busy machine makes any one of them late."""
    took = []
    for _ in range(ATTEMPTS):
        took.append(attempt())
        if took[-1] <= within_s:
            return
    raise AssertionError(f"took {took} s, should be within {within_s} s")


def only_call(server: ScriptedServer, path: str) -> Asked:
    wait_until(lambda: server.calls(path), what=f"a call of {path}")
    [asked] = server.calls(path)
    return asked


def stops_after(asked: Asked, left: float) -> float:
    return wait_until(lambda: asked.left_at, timeout_s=5, what="the upstream call's end") - left


def gone(service: Service, path: str) -> float:
    return service.metrics().get(f'racro_clients_gone_total{{route="{path}"}}', 0)


class TestScripted:
    """At the upstream itself, within 0.1 s."""

    @pytest.mark.parametrize("body", [chat, solve])
    @pytest.mark.parametrize("phase", ["before the first token", "mid-stream", "non-stream"])
    def test_generation_stops(
        self, gateway: Service, reasoner: ScriptedServer, phase: str, body: Callable[..., Any]
    ) -> None:
        path = CHAT if body is chat else SOLVE

        def attempt() -> float:
            reasoner.reset()
            if phase == "mid-stream":
                reasoner.script.between_s = FOREVER_S
            else:
                reasoner.script.before_s = FOREVER_S
            client = Client(gateway, path, body(stream=phase != "non-stream"))
            if phase == "mid-stream":
                client.hear(b"The answer is ")
            asked = only_call(reasoner, CHAT)
            assert asked.left_at is None
            return stops_after(asked, client.leave())

        before = gone(gateway, path)
        fastest(attempt, within_s=0.1)
        wait_until(lambda: gone(gateway, path) > before, what="racro_clients_gone_total")

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("phase", ["before the first piece", "mid-stream"])
    def test_captioning_stops(
        self,
        gateway: Service,
        captioner: ScriptedServer,
        reasoner: ScriptedServer,
        phase: str,
        stream: bool,
    ) -> None:
        def attempt() -> float:
            captioner.reset()
            if phase == "mid-stream":
                captioner.script.between_s = FOREVER_S
            else:
                captioner.script.before_s = FOREVER_S
            client = Client(gateway, SOLVE, solve(stream=stream))
            asked = only_call(captioner, "/v1/perceive")
            if phase == "mid-stream" and stream:
                client.hear(b"visual_context.delta")
            return stops_after(asked, client.leave())

        fastest(attempt, within_s=0.1)
        assert reasoner.chats == []

    def test_captioning_for_a_chat_stops(self, gateway: Service, captioner: ScriptedServer) -> None:
        picture = {"type": "image_url", "image_url": {"url": data_url(png())}}

        def attempt() -> float:
            captioner.reset()
            captioner.script.before_s = FOREVER_S
            text = {"type": "text", "text": str(uuid.uuid4())}
            messages = [{"role": "user", "content": [picture, text]}]
            client = Client(gateway, CHAT, {"messages": messages, "stream": True})
            asked = only_call(captioner, "/v1/perceive")
            return stops_after(asked, client.leave())

        fastest(attempt, within_s=0.1)

    def test_captioning_goes_on_until_the_last_follower_left(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        def attempt() -> float:
            captioner.reset()
            captioner.script.before_s = FOREVER_S
            body = solve(stream=False)
            before = gone(gateway, SOLVE)
            first = Client(gateway, SOLVE, body)
            asked = only_call(captioner, "/v1/perceive")
            second = Client(gateway, SOLVE, body)
            wait_until(lambda: gateway.metrics()["racro_in_flight_requests"] == 3)
            first.leave()
            wait_until(lambda: gone(gateway, SOLVE) == before + 1)
            assert len(captioner.perceptions) == 1
            assert asked.left_at is None
            return stops_after(asked, second.leave())

        fastest(attempt, within_s=0.1)

    def test_a_later_request_after_all_left_starts_anew(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.before_s = FOREVER_S
        body = solve(stream=True)
        client = Client(gateway, SOLVE, body)
        asked = only_call(captioner, "/v1/perceive")
        stops_after(asked, client.leave())
        captioner.script.before_s = 0
        again = Client(gateway, SOLVE, body)
        again.hear(b"event: done")
        again.leave()
        assert len(captioner.perceptions) == 2

    def test_a_client_that_stays_to_the_end_is_not_gone(
        self, gateway: Service, reasoner: ScriptedServer
    ) -> None:
        before = gone(gateway, CHAT)
        client = Client(gateway, CHAT, chat(stream=True))
        client.hear(b"[DONE]")
        wait_until(lambda: gateway.metrics()["racro_in_flight_requests"] == 1)
        client.leave()
        assert gone(gateway, CHAT) == before


class Engine:
    """Watches an engine's process: how much CPU time it takes, and when it last took some."""

    def __init__(self, service: Service) -> None:
        [self._process] = psutil.Process(service.pid).children()
        assert "racro.engines.llama_server" in self._process.cmdline()

    def cpu_s(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    def wait_until_busy(self) -> None:
        began = self.cpu_s()
        wait_until(lambda: self.cpu_s() - began > 0.1, what="the engine's work")

    def idle_since(self) -> float:
        """time.monotonic() of the last sign of work before half a second of none."""
        busy, last = self.cpu_s(), time.monotonic()

        def idle() -> bool:
            nonlocal busy, last
            now = self.cpu_s()
            if now - busy > 0.02:
                busy, last = now, time.monotonic()
            return time.monotonic() - last > 0.5

        wait_until(idle, timeout_s=60, what="the engine's rest")
        return last


class TestRealChain:
    """Gateway, reasoner service and llama.cpp's server: the engine itself rests within 1 s."""

    @pytest.mark.parametrize("phase", ["before the first token", "mid-stream", "non-stream"])
    def test_the_engine_stops(
        self, embedded_gateway: Service, llama_reasoner: Service, phase: str
    ) -> None:
        engine = Engine(llama_reasoner)
        engine.idle_since()

        def attempt() -> float:
            # Not the same prompt twice: the engine remembers prompts.
            words = f"{uuid.uuid4()} " * (130 if phase == "before the first token" else 1)
            client = Client(
                embedded_gateway,
                CHAT,
                {
                    "messages": [{"role": "user", "content": f"{words}Tell a long story."}],
                    "stream": phase != "non-stream",
                    "max_tokens": 1000,
                    "ignore_eos": True,
                },
            )
            if phase == "mid-stream":
                client.hear(b'"content":"')
            engine.wait_until_busy()
            left = client.leave()
            return engine.idle_since() - left

        before = gone(embedded_gateway, CHAT)
        behind = gone(llama_reasoner, CHAT)
        fastest(attempt, within_s=1)
        assert gone(embedded_gateway, CHAT) > before
        assert gone(llama_reasoner, CHAT) > behind

    def test_the_captioner_s_engine_stops(self, llama_captioner: Service) -> None:
        engine = Engine(llama_captioner)
        engine.idle_since()

        def attempt() -> float:
            body = {
                "question": f"Which? {uuid.uuid4()}",
                # Of short captions of one image it is through before anybody can leave.
                "images": [data_url(png())] * 12,
                "parts": ["caption", "tentative"],
                "options": {"n": 16, "temperature": 2, "seed": 3},
            }
            client = Client(llama_captioner, PERCEIVE, body)
            engine.wait_until_busy()
            left = client.leave()
            return engine.idle_since() - left

        before = gone(llama_captioner, PERCEIVE)
        fastest(attempt, within_s=1)
        assert gone(llama_captioner, PERCEIVE) > before

    def test_it_would_have_gone_on(
        self, embedded_gateway: Service, llama_reasoner: Service
    ) -> None:
        """What the tests above would see of a chain that does not stop."""
        engine = Engine(llama_reasoner)
        client = Client(embedded_gateway, CHAT, chat(stream=False, max_tokens=150, ignore_eos=True))
        engine.wait_until_busy()
        watching = time.monotonic()
        assert engine.idle_since() - watching > 1
        client.hear(b'"finish_reason":"length"')
        client.leave()
