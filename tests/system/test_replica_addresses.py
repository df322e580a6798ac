"""A name with several addresses, as a headless Service of Kubernetes has, is as many replicas."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import http
from support.pictures import data_url, png
from support.processes import Service, free_port, wait_until
from support.scripted import Script, ScriptedServer

DNS_FOLDER = Path(__file__).parents[1] / "support" / "dns"
REQUESTS = 100


class Pods:
    """A captioner and a reasoner at each of two addresses, under two names with a port each."""

    def __init__(self, stack: ExitStack) -> None:
        ports = [free_port(), free_port()]
        self.addresses = ["127.0.0.1", "127.0.0.2"]
        self._own = {address: stack.enter_context(ExitStack()) for address in self.addresses}
        self.captioners, self.reasoners = (
            [
                self._own[address].enter_context(ScriptedServer(address, port=port))
                for address in self.addresses
            ]
            for port in ports
        )
        self.config = {
            "captioner": {"url": f"http://captioners.test:{ports[0]}"},
            "reasoners": {
                "default": {"url": f"http://reasoners.test:{ports[1]}/v1", "model": "scripted"}
            },
        }

    def end(self, address: str) -> None:
        self._own[address].close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def gateway_before(
    pods: Pods, stack: ExitStack, tmp_path: Path, answers: list[list[str]] | None = None
) -> Service:
    """`answers` are those of the names' lookups one after the other; the last one repeats."""
    named = answers or [pods.addresses]
    env = {
        "PYTHONPATH": str(DNS_FOLDER),
        "TEST_DNS": json.dumps({"captioners.test": named, "reasoners.test": named, "*": [[]]}),
        "TEST_DIALLED": str(tmp_path / "dialled"),
    }
    return stack.enter_context(Service("gateway", pods.config, env=env))


def replicas(gateway: Service, component: str = "reasoner default") -> dict[str, float]:
    metrics = gateway.metrics()
    name = 'racro_replicas{{component="{}",state="{}"}}'
    return {state: metrics[name.format(component, state)] for state in ("up", "down")}


def solve(gateway: Service, number: int) -> int:
    body = {"question": f"How high {number}?", "images": [data_url(png(f"no. {number}"))]}
    return http.post(f"{gateway.url}/v1/solve", json=body).status_code


def both_are_asked(gateway: Service, servers: list[ScriptedServer]) -> None:
    """Wait until the addresses are known, and both have been asked."""
    asked = 0

    def ask() -> bool:
        nonlocal asked
        asked += 1
        assert solve(gateway, 1000 + asked) == 200
        return all(server.asked for server in servers)

    wait_until(ask, what="requests to both")


def test_with_one_of_two_gone_no_request_fails(stack, tmp_path) -> None:
    pods = Pods(stack)
    gateway = gateway_before(pods, stack, tmp_path)
    both_are_asked(gateway, [*pods.captioners, *pods.reasoners])
    pods.end(pods.addresses[0])
    assert [solve(gateway, number) for number in range(REQUESTS)] == [200] * REQUESTS


def test_one_that_has_not_started_is_passed_over(stack, tmp_path) -> None:
    """It can be connected to and says 503, as a pod that loads its model does."""
    pods = Pods(stack)
    gateway = gateway_before(pods, stack, tmp_path)
    both_are_asked(gateway, [*pods.captioners, *pods.reasoners])
    for loading in (pods.captioners[0], pods.reasoners[1]):
        loading.script = Script(status=503)
    assert [solve(gateway, number) for number in range(REQUESTS)] == [200] * REQUESTS


def test_an_image_stays_with_one_of_them(stack, tmp_path) -> None:
    pods = Pods(stack)
    gateway = gateway_before(pods, stack, tmp_path)
    both_are_asked(gateway, pods.captioners)
    for server in pods.captioners:
        server.reset()
    for question in range(3):
        for number in range(12):
            body = {"question": f"Q{question}?", "images": [data_url(png(f"no. {number}"))]}
            assert http.post(f"{gateway.url}/v1/solve", json=body).status_code == 200
    one, other = (
        {asked.json["images"][0] for asked in server.perceptions} for server in pods.captioners
    )
    assert (len(one | other), one & other) == (12, set())


def test_a_second_address_that_comes_later_is_found(stack, tmp_path) -> None:
    pods = Pods(stack)
    gateway = gateway_before(pods, stack, tmp_path, [pods.addresses[:1], pods.addresses])
    both_are_asked(gateway, [*pods.captioners, *pods.reasoners])


def chats_at_once(gateway: Service, pods: Pods, count: int) -> list[int]:
    """The statuses of chats that are asked while no reasoner answers, until all are there."""
    body = {"messages": [{"role": "user", "content": "What is 2 + 2?"}]}
    url = f"{gateway.url}/v1/chat/completions"
    for reasoner in pods.reasoners:
        reasoner.reset()
        reasoner.script.held_at = 0
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(http.post, url, json=body) for _ in range(count)]

        def all_are_there() -> bool:
            there = sum(len(reasoner.chats) for reasoner in pods.reasoners)
            return there + sum(one.done() for one in asked) == count

        wait_until(all_are_there, what="the chats")
        for reasoner in pods.reasoners:
            reasoner.script.held_at = None
        return [one.result().status_code for one in asked]


def test_a_reload_keeps_the_room_of_all_copies(stack, tmp_path) -> None:
    pods = Pods(stack)
    section = pods.config["reasoners"]["default"]
    section |= {"max_in_flight": 4, "max_waiting": 1}
    gateway = gateway_before(pods, stack, tmp_path)
    wait_until(lambda: replicas(gateway)["up"] == 2, what="two copies")
    assert chats_at_once(gateway, pods, 8) == [200] * 8
    section["context_tokens"] = 16000
    gateway.configure(pods.config)
    wait_until(
        lambda: gateway.metrics().get('racro_reloads_total{outcome="taken"}'), what="the reload"
    )
    assert replicas(gateway) == {"up": 2, "down": 0}
    assert chats_at_once(gateway, pods, 8) == [200] * 8


def test_a_server_with_an_address_of_each_family_is_one(stack, tmp_path) -> None:
    pods = Pods(stack)
    pods.addresses = ["127.0.0.1", "::1", "127.0.0.1"]
    gateway = gateway_before(pods, stack, tmp_path)
    assert solve(gateway, 1) == 200
    assert replicas(gateway) == replicas(gateway, "captioner") == {"up": 1, "down": 0}


def test_cached_images_are_answered_when_one_of_two_copies_is_left_and_it_is_down(
    stack, tmp_path
) -> None:
    pods = Pods(stack)
    gateway = gateway_before(pods, stack, tmp_path, [pods.addresses, pods.addresses[:1]])
    wait_until(lambda: replicas(gateway, "captioner")["up"] == 2, what="two copies")
    numbers = range(8)
    assert [solve(gateway, number) for number in numbers] == [200] * 8
    for captioner in pods.captioners:
        captioner.script = Script(status=503)
    wait_until(lambda: sum(replicas(gateway, "captioner").values()) == 1, what="one copy")
    assert [solve(gateway, number) for number in numbers] == [200] * 8
