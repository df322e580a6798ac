"""The client gone: whatever was being done for it stops."""

import json
import random
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from conftest import gateway_config
from experiments.recipes.captioner.scenes import draw_scene
from support.pictures import data_url, encoded, png
from support.processes import PATIENCE_S, Service, wait_until
from support.request_forms import COUNT_TOKENS, FORMS, STREAMED, RequestForm
from support.scripted import Asked, ScriptedServer

CHAT = "/v1/chat/completions"
SOLVE = "/v1/solve"
PERCEIVE = "/v1/perceive"
# Longer than any test: what ends sooner was left.
FOREVER_S = 3600


class Client:
    """Sends one request and can leave at any point of the answer."""

    def __init__(self, service: Service, path: str, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
        self._socket = socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)
        self._socket.sendall(head.encode() + content)

    def hear(self, words: bytes) -> None:
        heard = b""
        while words not in heard:
            piece = self._socket.recv(65536)
            assert piece, f"ended without {words!r}: {heard!r}"
            heard += piece

    def leave(self) -> None:
        self._socket.close()


def chat(*, stream: bool, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Count."}], "stream": stream, **more}


def text_only(form: RequestForm, *, stream: bool) -> dict[str, Any]:
    # Counting is no stream, and servers may refuse the field.
    more = {"stream": stream} if form is not COUNT_TOKENS else {}
    return form.body(form.text("Count."), **more)


def with_picture(form: RequestForm, *, stream: bool) -> dict[str, Any]:
    question = form.text(f"Which? {uuid.uuid4()}")
    return form.body(form.picture(data_url(png())), question, stream=stream)


def solve(*, stream: bool) -> dict[str, Any]:
    question = f"Which? {uuid.uuid4()}"
    return {"question": question, "images": [data_url(png())], "stream": stream}


def only_call(server: ScriptedServer, path: str) -> Asked:
    wait_until(lambda: server.calls(path), what=f"a call of {path}")
    [asked] = server.calls(path)
    return asked


def assert_it_ends_with(client: Client, asked: Asked) -> None:
    """The call upstream goes on while its client is there, and no longer."""
    assert asked.left_at is None
    client.leave()
    wait_until(lambda: asked.left_at, what="the upstream call's end")
    assert not asked.finished


def gone(service: Service, path: str) -> float:
    return service.metrics().get(f'racro_clients_gone_total{{route="{path}"}}', 0)


@dataclass(frozen=True)
class Asking:
    """A request that a reasoner is asked for, and the path at which it is.

    Its stream has told its first words after `pieces` events.
    """

    path: str
    body: Callable[..., dict[str, Any]]
    asked_at: str
    pieces: int = 1


# Of an answer's beginning, with the first delta.
_EVENTS_TO_WORDS = {"responses": 5, "messages": 3}
ASKING = {
    "solve": Asking(SOLVE, solve, CHAT),
    **{
        name: Asking(form.path, partial(text_only, form), form.path, _EVENTS_TO_WORDS.get(name, 1))
        for name, form in FORMS.items()
    },
}
PHASES = ["before the first token", "mid-stream", "non-stream"]
IN_ALL_PHASES = [
    pytest.param(asking, phase, id=f"{name}-{phase}")
    for name, asking in ASKING.items()
    for phase in (["non-stream"] if name == "count_tokens" else PHASES)
]


def leave(service: Service, upstream: ScriptedServer, asking: Asking, phase: str) -> None:
    """Leave in a phase of the answer; the upstream's work is to end with it."""
    if phase == "mid-stream":
        upstream.script.held_at = asking.pieces
    else:
        upstream.script.before_s = FOREVER_S
    before = gone(service, asking.path)
    client = Client(service, asking.path, asking.body(stream=phase != "non-stream"))
    if phase == "mid-stream":
        client.hear(b"The answer is ")
    assert_it_ends_with(client, only_call(upstream, asking.asked_at))
    wait_until(lambda: gone(service, asking.path) > before, what="racro_clients_gone_total")


class TestScripted:
    """At the upstream itself."""

    @pytest.mark.parametrize(("asking", "phase"), IN_ALL_PHASES)
    def test_generation_stops(
        self, gateway: Service, reasoner: ScriptedServer, asking: Asking, phase: str
    ) -> None:
        leave(gateway, reasoner, asking, phase)

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
        if phase == "mid-stream":
            captioner.script.between_s = FOREVER_S
        else:
            captioner.script.before_s = FOREVER_S
        client = Client(gateway, SOLVE, solve(stream=stream))
        asked = only_call(captioner, "/v1/perceive")
        if phase == "mid-stream" and stream:
            client.hear(b"visual_context.delta")
        assert_it_ends_with(client, asked)
        assert reasoner.chats == []

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("form", STREAMED.values(), ids=STREAMED)
    def test_captioning_for_a_conversation_stops(
        self,
        gateway: Service,
        captioner: ScriptedServer,
        reasoner: ScriptedServer,
        form: RequestForm,
        stream: bool,
    ) -> None:
        captioner.script.before_s = FOREVER_S
        before = gone(gateway, form.path)
        client = Client(gateway, form.path, with_picture(form, stream=stream))
        assert_it_ends_with(client, only_call(captioner, "/v1/perceive"))
        wait_until(lambda: gone(gateway, form.path) > before, what="racro_clients_gone_total")
        assert reasoner.asked == []

    def test_captioning_goes_on_until_the_last_follower_left(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.before_s = FOREVER_S
        body = solve(stream=False)
        before = gone(gateway, SOLVE)
        first = Client(gateway, SOLVE, body)
        asked = only_call(captioner, "/v1/perceive")
        second = Client(gateway, SOLVE, body)
        wait_until(lambda: gateway.in_flight() == 2)
        first.leave()
        wait_until(lambda: gone(gateway, SOLVE) == before + 1)
        assert len(captioner.perceptions) == 1
        assert_it_ends_with(second, asked)

    def test_a_later_request_after_all_left_starts_anew(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.before_s = FOREVER_S
        body = solve(stream=True)
        client = Client(gateway, SOLVE, body)
        assert_it_ends_with(client, only_call(captioner, "/v1/perceive"))
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
        wait_until(lambda: gateway.in_flight() == 0)
        client.leave()
        assert gone(gateway, CHAT) == before


@pytest.fixture(scope="module")
def relaying_reasoner(_scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    engine = {"kind": "url", "url": f"{_scripted_reasoner.url}/v1", "model": "scripted"}
    with Service("services.reasoner", {"model": "scripted", "engine": engine}) as service:
        yield service


@pytest.fixture(scope="module")
def gateway_to_service(
    _scripted_captioner: ScriptedServer, relaying_reasoner: Service
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, relaying_reasoner.url)
    with Service("gateway", config) as service:
        yield service


class TestThroughTheReasonerService:
    """At a server that the reasoner service relays to."""

    @pytest.mark.parametrize(("asking", "phase"), IN_ALL_PHASES)
    def test_generation_stops(
        self,
        gateway_to_service: Service,
        relaying_reasoner: Service,
        captioner: ScriptedServer,
        reasoner: ScriptedServer,
        asking: Asking,
        phase: str,
    ) -> None:
        before = gone(relaying_reasoner, asking.asked_at)
        leave(gateway_to_service, reasoner, asking, phase)
        wait_until(lambda: gone(relaying_reasoner, asking.asked_at) > before, what="its notice")


_ENGINE = "racro.engines.llama_server"


class Engine:
    """Watches an engine's process: how much work it has done, in seconds of CPU time."""

    LOOKS = 30

    def __init__(self, service: Service) -> None:
        children = psutil.Process(service.pid).children()  # a captioner's workers among them
        [self._process] = [one for one in children if _ENGINE in one.cmdline()]

    def cpu_s(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    def wait_until_busy(self) -> None:
        began = self.cpu_s()
        wait_until(lambda: self.cpu_s() - began > 0.1, what="the engine's work")

    @contextmanager
    def held(self) -> Iterator[None]:
        """It does not get on meanwhile: what others notice they notice in time."""
        self._process.suspend()
        try:
            yield
        finally:
            self._process.resume()

    def work_until_rest(self) -> float:
        """CPU seconds from now until it rests.

        One that a busy machine does not let run has a thread that would, and does not rest.
        """
        began = self.cpu_s()
        wait_until(self._rests, what="the engine's rest")
        return self.cpu_s() - began

    def _rests(self) -> bool:
        began = self.cpu_s()
        for _ in range(self.LOOKS):
            time.sleep(0.01)
            if any(state != "S" for state in self._thread_states()):
                return False
        return self.cpu_s() - began < 0.03

    def _thread_states(self) -> list[str]:
        """Of those that do not end while they are looked at."""
        states = []
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                # After the name, which stands in parentheses and may hold some itself.
                states.append((task / "stat").read_text().rpartition(") ")[2][0])
        return states


TOKENS = 3000


@pytest.fixture(scope="module")
def cost_of_100_tokens(embedded_gateway: Service, llama_reasoner: Service) -> float:
    """What the engine does for a client that stays, in CPU seconds."""
    engine = Engine(llama_reasoner)
    engine.work_until_rest()
    before = engine.cpu_s()
    client = Client(embedded_gateway, CHAT, chat(stream=False, max_tokens=100, ignore_eos=True))
    client.hear(b'"finish_reason":"length"')
    client.leave()
    return engine.cpu_s() - before


class TestRealChain:
    """Gateway, reasoner service and llama.cpp's server: the engine itself stops, far from the end
    of what it was asked for.
    """

    @pytest.mark.parametrize("phase", ["before the first token", "mid-stream", "non-stream"])
    def test_the_engine_stops(
        self,
        embedded_gateway: Service,
        llama_reasoner: Service,
        cost_of_100_tokens: float,
        phase: str,
    ) -> None:
        engine = Engine(llama_reasoner)
        engine.work_until_rest()
        # Not the same prompt twice: the engine remembers prompts.
        words = f"{uuid.uuid4()} " * (130 if phase == "before the first token" else 1)
        before = gone(embedded_gateway, CHAT)
        behind = gone(llama_reasoner, CHAT)
        client = Client(
            embedded_gateway,
            CHAT,
            {
                "messages": [{"role": "user", "content": f"{words}Tell a long story."}],
                "stream": phase != "non-stream",
                "max_tokens": TOKENS,
                "ignore_eos": True,
            },
        )
        if phase == "mid-stream":
            client.hear(b'"content":"')
        engine.wait_until_busy()
        with engine.held():
            client.leave()
            wait_until(lambda: gone(embedded_gateway, CHAT) > before, what="the gateway's notice")
            wait_until(lambda: gone(llama_reasoner, CHAT) > behind, what="the service's notice")
        assert engine.work_until_rest() < TOKENS / 100 * cost_of_100_tokens / 2

    @pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
    @pytest.mark.parametrize("phase", PHASES)
    def test_the_engine_stops_in_other_dialects(
        self,
        embedded_gateway: Service,
        llama_reasoner: Service,
        cost_of_100_tokens: float,
        path: str,
        phase: str,
    ) -> None:
        engine = Engine(llama_reasoner)
        engine.work_until_rest()
        words = f"{uuid.uuid4()} " * (130 if phase == "before the first token" else 1)
        asked = f"{words}Tell a long story."
        before = gone(embedded_gateway, path)
        behind = gone(llama_reasoner, path)
        client = Client(
            embedded_gateway,
            path,
            {
                "input": asked,
                "messages": [{"role": "user", "content": asked}],
                "stream": phase != "non-stream",
                "max_tokens": TOKENS,
                "max_output_tokens": TOKENS,
                "ignore_eos": True,
            },
        )
        if phase == "mid-stream":
            client.hear(b'delta":')
        engine.wait_until_busy()
        with engine.held():
            client.leave()
            wait_until(lambda: gone(embedded_gateway, path) > before, what="the gateway's notice")
            wait_until(lambda: gone(llama_reasoner, path) > behind, what="the service's notice")
        assert engine.work_until_rest() < TOKENS / 100 * cost_of_100_tokens / 2

    def test_the_captioner_s_engine_stops(self, llama_captioner: Service) -> None:
        engine = Engine(llama_captioner)
        engine.work_until_rest()

        def begin(scene: int) -> Client:
            picture = data_url(encoded(draw_scene(random.Random(scene), "rectangle").image))
            body = {
                "question": "What is the length of the rectangle?",
                # Of less it is through before anybody can leave.
                "images": [picture] * 8,
                "parts": ["caption", "tentative"],
                "options": {"n": 16, "temperature": 0},
            }
            client = Client(llama_captioner, PERCEIVE, body)
            engine.wait_until_busy()
            return client

        staying = begin(4)
        whole = engine.work_until_rest()
        staying.hear(b'"finish_reason"')
        staying.leave()
        before = gone(llama_captioner, PERCEIVE)
        leaving = begin(5)
        with engine.held():
            leaving.leave()
            wait_until(lambda: gone(llama_captioner, PERCEIVE) > before, what="its notice")
        assert engine.work_until_rest() < whole / 2
