"""More requests than captioner and reasoner have room for: some wait, the others are told so."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import httpx2
import pytest

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until
from support.request_forms import (
    CHAT,
    COUNT_TOKENS,
    FORMS,
    MESSAGES,
    RESPONSES,
    RequestForm,
)
from support.scripted import Fixed, Script, ScriptedServer

IN_FLIGHT, WAITING = 3, 4
ROOM = IN_FLIGHT + WAITING
SENT = 40
IMAGE = data_url(png())
LIMITS = {"max_in_flight": IN_FLIGHT, "max_waiting": WAITING}
CAPTIONER, REASONER = "captioner", "reasoner default"


OVERLOADED = "overloaded_error"
_numbers = itertools.count()


def is_anthropic(path: str) -> bool:
    return path.startswith(MESSAGES.path)


def new_question() -> str:
    """A question that no cache knows."""
    return f"How high is bar {next(_numbers)}?"


def solve(question: str | None = None, **more: Any) -> dict[str, Any]:
    return {"question": question or new_question(), "images": [IMAGE], **more}


def chat(*, image: bool, **more: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": new_question()}]
    if image:
        parts.append({"type": "image_url", "image_url": {"url": IMAGE}})
    return {"model": "default", "messages": [{"role": "user", "content": parts}], **more}


def asking(form: RequestForm, *, image: bool, **more: Any) -> dict[str, Any]:
    pictures = [form.picture(IMAGE)] if image else []
    return form.body(form.text(new_question()), *pictures, **more)


# Path, body, and the queue that fills first.
DOORS = {
    "solve": ("/v1/solve", solve, CAPTIONER),
    "streamed solve": ("/v1/solve", lambda: solve(stream=True), CAPTIONER),
    "chat": ("/v1/chat/completions", lambda: chat(image=True), CAPTIONER),
    "streamed chat": (
        "/v1/chat/completions", lambda: chat(image=True, stream=True), CAPTIONER,
    ),
    "visual context": ("/v1/visual-contexts", solve, CAPTIONER),
    "text": ("/v1/chat/completions", lambda: chat(image=False), REASONER),
    "streamed text": (
        "/v1/chat/completions", lambda: chat(image=False, stream=True), REASONER,
    ),
    "responses": (RESPONSES.path, lambda: asking(RESPONSES, image=True), CAPTIONER),
    "streamed responses": (
        RESPONSES.path, lambda: asking(RESPONSES, image=True, stream=True), CAPTIONER,
    ),
    "text responses": (RESPONSES.path, lambda: asking(RESPONSES, image=False), REASONER),
    "messages": (MESSAGES.path, lambda: asking(MESSAGES, image=True), CAPTIONER),
    "streamed messages": (
        MESSAGES.path, lambda: asking(MESSAGES, image=True, stream=True), CAPTIONER,
    ),
    "text messages": (MESSAGES.path, lambda: asking(MESSAGES, image=False), REASONER),
    "count": (COUNT_TOKENS.path, lambda: asking(COUNT_TOKENS, image=True), REASONER),
}  # fmt: skip


class Gateway:
    """A gateway, and requests that are sent to it at once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._pool = ThreadPoolExecutor(100)

    def post(
        self,
        path: str,
        body: dict[str, Any],
        *,
        key: str = "",
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        headers = {"x-api-key": key} if key else headers or {}
        return http.post(self.service.url + path, json=body, headers=headers, timeout=PATIENCE_S)

    def send(self, path: str, body: dict[str, Any], **more: Any) -> "Future[httpx2.Response]":
        return self._pool.submit(self.post, path, body, **more)

    def gauge(self, name: str, queue: str) -> float:
        metrics = http.get(f"{self.service.url}/metrics").text
        found = re.search(rf'^{name}{{queue="{queue}",tenant=""}} (\S+)', metrics, re.MULTILINE)
        return float(found[1]) if found else 0

    def is_busy(self, queue: str, *, running: int, waiting: int) -> bool:
        gauges = ("racro_queue_in_flight", "racro_queue_waiting")
        return [self.gauge(gauge, queue) for gauge in gauges] == [running, waiting]

    def wait_for(self, queue: str, *, running: int = 0, waiting: int = 0) -> None:
        wait_until(
            lambda: self.is_busy(queue, running=running, waiting=waiting),
            what=f"{running} in flight and {waiting} waiting",
        )


@contextmanager
def opened(
    captioner: ScriptedServer,
    reasoner: ScriptedServer,
    *,
    limits: dict[str, int] = LIMITS,
    of_reasoner: dict[str, Any] | None = None,
    **more: Any,
) -> Iterator[Gateway]:
    config = gateway_config(captioner.url, reasoner.url, **more)
    config["captioner"] |= limits
    config["reasoners"]["default"] |= {**limits, **(of_reasoner or {})}
    with Service("gateway", config) as service:
        yield Gateway(service)


@pytest.fixture(scope="module")
def _gateway(_scripted_captioner, _scripted_reasoner) -> Iterator[Gateway]:
    with opened(_scripted_captioner, _scripted_reasoner) as gateway:
        yield gateway


@pytest.fixture
def gateway(_gateway, captioner, reasoner) -> Gateway:
    return _gateway


@pytest.mark.parametrize("door", DOORS)
def test_what_has_no_room_is_refused_at_once_and_the_rest_answered(
    gateway, captioner, reasoner, door
) -> None:
    path, body, queue = DOORS[door]
    stage = captioner if queue == CAPTIONER else reasoner
    stage.script.held_at = 0
    sent = [gateway.send(path, body()) for _ in range(SENT)]
    # While nothing at all is answered upstream.
    wait_until(lambda: sum(one.done() for one in sent) == SENT - ROOM, what="the others' refusal")
    gateway.wait_for(queue, running=IN_FLIGHT, waiting=WAITING)
    assert http.get(f"{gateway.service.url}/readyz").status_code == 200
    stage.script.held_at = None
    answers = [one.result() for one in sent]
    assert Counter(answer.status_code for answer in answers) == {200: ROOM, 503: SENT - ROOM}
    for refusal in (answer for answer in answers if answer.status_code != 200):
        error = refusal.json()["error"]
        assert error["code"] == "overloaded"
        assert error["type"] == (OVERLOADED if is_anthropic(path) else "server_error")
        assert ("request_id" in refusal.json()) == is_anthropic(path)
        assert f"max_in_flight = {IN_FLIGHT}, max_waiting = {WAITING}" in error["message"]
        assert refusal.headers["retry-after"] == "1"
        # It was read: the connection is good for the next one.
        assert refusal.headers.get("connection") != "close"
    gateway.wait_for(queue)


def test_requests_of_all_apis_wait_in_one_queue(gateway, reasoner) -> None:
    reasoner.script.held_at = 0
    forms = [CHAT, RESPONSES, MESSAGES, COUNT_TOKENS]
    turns = itertools.cycle(forms)
    sent = [
        gateway.send(form.path, asking(form, image=False))
        for form in itertools.islice(turns, IN_FLIGHT)
    ]
    gateway.wait_for(REASONER, running=IN_FLIGHT)
    sent += [
        gateway.send(form.path, asking(form, image=False))
        for form in itertools.islice(turns, WAITING)
    ]
    gateway.wait_for(REASONER, running=IN_FLIGHT, waiting=WAITING)
    refused = [gateway.post(form.path, asking(form, image=False)) for form in forms]
    assert [answer.status_code for answer in refused] == [503] * len(forms)
    reasoner.script.held_at = None
    assert {one.result().status_code for one in sent} == {200}
    assert {asked.path for asked in reasoner.asked} == {form.path for form in forms}


def test_no_stage_is_given_more_than_it_has_room_for(gateway, captioner, reasoner) -> None:
    for stage in (captioner, reasoner):
        stage.script.before_s = 0.05
    sent = [gateway.send("/v1/solve", solve()) for _ in range(SENT)]
    most = Counter[str]()
    while not all(one.done() for one in sent):
        for name, stage in ((CAPTIONER, captioner), (REASONER, reasoner)):
            most[name] = max(most[name], sum(not asked.finished for asked in list(stage.asked)))
    answers = Counter(one.result().status_code for one in sent)
    # Whoever was let in is answered, although the reasoner has no more room than the captioner.
    assert answers.keys() <= {200, 503}
    assert answers[200] >= ROOM
    assert max(most.values()) <= IN_FLIGHT


def test_what_is_in_the_cache_is_answered_while_the_captioner_has_no_room(
    gateway, captioner
) -> None:
    known = new_question()
    assert gateway.post("/v1/solve", solve(known)).status_code == 200
    captioner.script.held_at = 0
    sent = [gateway.send("/v1/solve", solve()) for _ in range(ROOM)]
    gateway.wait_for(CAPTIONER, running=IN_FLIGHT, waiting=WAITING)
    assert gateway.post("/v1/solve", solve()).status_code == 503
    answer = gateway.post("/v1/solve", solve(known))
    assert answer.json()["visual_context"]["cache"] == "hit"
    captioner.script.held_at = None
    assert {one.result().status_code for one in sent} == {200}


def test_a_client_that_leaves_makes_room(gateway, reasoner) -> None:
    reasoner.script.held_at = 0
    url = f"{gateway.service.url}/v1/chat/completions"
    with http.client() as leaving:
        for _ in range(ROOM):
            with pytest.raises(httpx2.ReadTimeout):
                leaving.post(url, json=chat(image=False), timeout=0.2)
    gateway.wait_for(REASONER)
    reasoner.script.held_at = None
    assert gateway.post("/v1/chat/completions", chat(image=False)).status_code == 200


def test_clients_that_leave_together_make_room(gateway, reasoner) -> None:
    """As one process does that is ended, whose requests run and wait."""
    reasoner.script.held_at = 0
    body = json.dumps(chat(image=False)).encode()
    with ExitStack() as stack:
        for _ in range(ROOM):
            client = HTTPConnection("127.0.0.1", gateway.service.port)
            stack.callback(client.close)
            client.request("POST", "/v1/chat/completions", body)
        gateway.wait_for(REASONER, running=IN_FLIGHT, waiting=WAITING)
    gateway.wait_for(REASONER)
    reasoner.script.held_at = None
    assert gateway.post("/v1/chat/completions", chat(image=False)).status_code == 200


@pytest.mark.parametrize(
    "door",
    [door for door in DOORS if door not in {"streamed solve", "streamed chat", "visual context"}],
)
def test_a_deadline_that_many_have_makes_room(gateway, captioner, reasoner, door) -> None:
    path, body, queue = DOORS[door]
    stage = captioner if queue == CAPTIONER else reasoner
    stage.script.held_at = 0
    headers = {"x-racro-timeout-ms": "400"}
    sent = [gateway.send(path, body(), headers=headers) for _ in range(ROOM)]
    statuses = {one.result().status_code for one in sent}
    # A stream that waits begins with a comment.
    assert statuses <= {200, 504}
    gateway.wait_for(queue)
    stage.script.held_at = None
    assert gateway.post(path, body()).status_code == 200


def long_chat(turns: int) -> dict[str, Any]:
    """A conversation with a picture, and a question of its own, in each turn."""
    answer = {"role": "assistant", "content": "Seen."}
    messages = [
        message for _ in range(turns) for message in (*chat(image=True)["messages"], answer)
    ]
    return {"model": "default", "messages": messages[:-1]}


@pytest.mark.parametrize("on_caption_failure", ["error", "note"])
def test_a_chat_with_more_pictures_than_there_is_room_for_is_answered(
    captioner, reasoner, on_caption_failure
) -> None:
    narrow = {"max_in_flight": 1, "max_waiting": 0}
    settings = {"on_caption_failure": on_caption_failure}
    with opened(captioner, reasoner, limits=narrow, of_reasoner=settings) as gateway:
        answer = gateway.post("/v1/chat/completions", long_chat(4))
        assert answer.status_code == 200
        assert answer.headers["x-racro-visual-context"] == "miss, miss, miss, miss"
    assert len(captioner.perceptions) == 4


def test_however_narrow_the_captioner_half_of_the_time_is_the_reasoners(
    captioner, reasoner
) -> None:
    narrow = {"max_in_flight": 1, "max_waiting": 0}
    captioner.script.respond = lambda asked: (
        None if len(captioner.perceptions) == 1 else Script(held_at=0)
    )
    noting = {"on_caption_failure": "note"}
    with opened(captioner, reasoner, limits=narrow, of_reasoner=noting) as gateway:
        answer = gateway.post(
            "/v1/chat/completions", long_chat(3), headers={"x-racro-timeout-ms": "6000"}
        )
    assert answer.status_code == 200
    assert sorted(answer.headers["x-racro-visual-context"].split(", ")) == [
        "failed", "failed", "miss",
    ]  # fmt: skip


def test_a_captioner_that_limits_its_clients_is_asked_once_for_each_picture(
    gateway, captioner
) -> None:
    limited = Script(status=429, plain={"error": {"message": "slower, please"}})
    captioner.script.respond = lambda _: None if len(captioner.perceptions) == 1 else limited
    assert gateway.post("/v1/chat/completions", long_chat(5)).status_code == 429
    assert len(captioner.perceptions) <= 5


def test_an_upstream_that_has_no_room_itself_stays_in_use(captioner, reasoner) -> None:
    with ScriptedServer() as other:
        urls = [f"{one.url}/v1" for one in (reasoner, other)]
        config = gateway_config(captioner.url, reasoner.url)
        config["reasoners"]["default"]["url"] = urls
        with Service("gateway", config) as service:
            gateway = Gateway(service)
            overloaded = Fixed(
                status=503,
                body=b'{"error": {"code": "overloaded", "message": "full"}}',
                headers={"retry-after": "1"},
            )
            reasoner.script.fixed["/v1/chat/completions"] = overloaded

            def ask() -> int:
                return gateway.post("/v1/chat/completions", chat(image=False)).status_code

            assert [ask() for _ in range(8)] == [200] * 8
            reasoner.script.fixed.clear()
            wait_until(lambda: ask() == 200 and bool(reasoner.chats), what="it is asked again")


@pytest.fixture
def shared(captioner, reasoner, tmp_path) -> Iterator[tuple[Gateway, str, str]]:
    """A gateway, the key of a tenant that asks much, and that of another."""
    file, greedy = KeysFile().with_new_key("greedy", TenantRecord())
    file, modest = file.with_new_key("modest", TenantRecord())
    path = tmp_path / "keys.yaml"
    file.write(path)
    with opened(captioner, reasoner, tenants={"keys_file": str(path)}) as gateway:
        yield gateway, greedy, modest


@pytest.mark.parametrize("image", [False, True])
def test_a_tenant_does_not_wait_behind_all_requests_of_another(
    shared, captioner, reasoner, image
) -> None:
    gateway, greedy, modest = shared
    queue, stage = (CAPTIONER, captioner) if image else (REASONER, reasoner)
    stage.script.held_at = 0
    path = "/v1/chat/completions"
    sent = [gateway.send(path, chat(image=image), key=greedy) for _ in range(ROOM)]
    gateway.wait_for(queue, running=IN_FLIGHT, waiting=WAITING)
    assert gateway.post(path, chat(image=image), key=greedy).status_code == 503
    awaited = chat(image=image)
    other = gateway.send(path, awaited, key=modest)
    gateway.wait_for(queue, running=IN_FLIGHT, waiting=WAITING + 1)
    stage.script.held_at = None
    assert other.result().status_code == 200
    assert {one.result().status_code for one in sent} == {200}
    question = awaited["messages"][0]["content"][0]["text"]
    # Those that follow one another at once may come in another order.
    following = stage.asked[IN_FLIGHT : 2 * IN_FLIGHT]
    assert question in str([asked.json for asked in following])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_tenant_is_told_where_its_share_of_the_queue_is_what_is_full(
    shared, reasoner, form
) -> None:
    gateway, greedy, modest = shared
    path = form.path
    reasoner.script.held_at = 0
    assert gateway.send(path, asking(form, image=False), key=modest)
    gateway.wait_for(REASONER, running=1)
    # Two run, two wait: half of those that may wait.
    sent = [gateway.send(path, asking(form, image=False), key=greedy) for _ in range(4)]
    gateway.wait_for(REASONER, running=IN_FLIGHT, waiting=2)
    refused = gateway.post(path, asking(form, image=False), key=greedy)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert ("request_id" in refused.json()) == is_anthropic(path)
    assert "your key" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"] == "1"
    reasoner.script.held_at = None
    assert {one.result().status_code for one in sent} == {200}


def test_tenants_that_share_a_cache_do_not_share_their_limits(
    captioner, reasoner, tmp_path
) -> None:
    file, poor = KeysFile().with_new_key("poor", TenantRecord(images_per_minute=1))
    file, rich = file.with_new_key("rich", TenantRecord())
    path = tmp_path / "keys.yaml"
    file.write(path)
    shared = {"tenants": {"keys_file": str(path)}, "cache": {"share": True}}
    with opened(captioner, reasoner, **shared) as gateway:
        assert gateway.post("/v1/solve", solve(), key=poor).status_code == 200
        for _ in range(10):
            body = solve()
            sent = [gateway.send("/v1/solve", body, key=key) for key in (poor, rich, poor, rich)]
            assert [one.result().status_code for one in sent[1::2]] == [200, 200]
            known = gateway.post("/v1/solve", body, key=poor)
            assert known.json()["visual_context"]["cache"] == "hit"
