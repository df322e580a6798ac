"""Copies that take connections and never answer, behind a gateway that nobody asks /readyz."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count

import httpx2
import psutil
import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import ScriptedServer

_numbers = count()


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def captioners(model: ScriptedServer) -> Iterator[list[Service]]:
    engine = {"kind": "url", "url": f"{model.url}/v1", "model": "m"}
    config = {"captioner": {"kind": "vlm", "engine": engine}}
    with ExitStack() as stack:
        yield [stack.enter_context(Service("services.captioner", config)) for _ in range(2)]


@pytest.fixture(scope="module")
def reasoners(model: ScriptedServer) -> Iterator[list[Service]]:
    engine = {"kind": "url", "url": f"{model.url}/v1", "model": "m"}
    config = {"model": "m", "engine": engine}
    with ExitStack() as stack:
        yield [stack.enter_context(Service("services.reasoner", config)) for _ in range(2)]


@pytest.fixture(scope="module")
def gateway(captioners: list[Service], reasoners: list[Service]) -> Iterator[Service]:
    config = gateway_config(captioners[0].url, reasoners[0].url)
    config["captioner"]["url"] = [one.url for one in captioners]
    config["reasoners"]["default"] |= {"url": [f"{one.url}/v1" for one in reasoners], "model": "m"}
    with Service("gateway", config) as service:
        yield service


@contextmanager
def hanging(service: Service) -> Iterator[None]:
    process = psutil.Process(service.pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def solve(gateway: Service) -> httpx2.Response:
    """Ask about a picture that was never seen before."""
    body = {"question": "How high?", "images": [data_url(png(f"no. {next(_numbers)}"))]}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def chat(gateway: Service) -> httpx2.Response:
    body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


def down(gateway: Service, component: str) -> float:
    return gateway.metrics()[f'racro_replicas{{component="{component}",state="down"}}']


def test_those_that_hang_are_passed_over_until_they_go_on(
    gateway: Service, captioners: list[Service], reasoners: list[Service]
) -> None:
    """One of each, at the same time: it takes ten seconds of silence until they are doubted."""

    def all_down(count: int) -> bool:
        return down(gateway, "captioner") == down(gateway, "reasoner default") == count

    asks = [solve, chat] * 6
    assert [ask(gateway).status_code for ask in asks] == [200] * 12
    with ThreadPoolExecutor(24) as pool:
        with hanging(captioners[0]), hanging(reasoners[0]):
            waiting = [pool.submit(ask, gateway) for ask in asks * 2]
            wait_until(lambda: all_down(1), what="that they are seen to hang")
            assert not all(answer.done() for answer in waiting)
            assert [ask(gateway).status_code for ask in asks] == [200] * 12
        wait_until(lambda: all_down(0), what="that they are seen to go on")
        assert [answer.result().status_code for answer in waiting] == [200] * 24
