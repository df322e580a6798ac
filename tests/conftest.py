"""Processes that tests share: starting one takes a second, so they live for the session."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop

from racro.embedded.default import REASONER_SETTINGS
from support.clock import JumpingLoop, StandingLoop
from support.processes import Service
from support.scripted import ScriptedServer

LOOPS = {
    "real": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
    "standing": StandingLoop,
    "jumping": JumpingLoop,
}


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop of an async test, as its marker `clock` says; with each of several, once."""
    marker = item.get_closest_marker("clock")
    kinds = marker.args if marker else ("real",)
    return {kind: LOOPS[kind] for kind in kinds}


def gateway_config(captioner_url: str, reasoner_url: str, **more: Any) -> dict[str, Any]:
    return {
        "captioner": {"url": captioner_url},
        "reasoners": {"default": {"url": f"{reasoner_url}/v1", "model": "scripted"}},
        **more,
    }


@pytest.fixture(scope="session")
def _scripted_captioner() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="session")
def _scripted_reasoner() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def captioner(_scripted_captioner: ScriptedServer) -> Iterator[ScriptedServer]:
    """A scripted captioner service, fresh for each test, and for what a module starts after it."""
    _scripted_captioner.reset()
    yield _scripted_captioner
    _scripted_captioner.reset()


@pytest.fixture
def reasoner(_scripted_reasoner: ScriptedServer) -> Iterator[ScriptedServer]:
    """A scripted OpenAI-compatible server, fresh for each test, and for what a module starts."""
    _scripted_reasoner.reset()
    yield _scripted_reasoner
    _scripted_reasoner.reset()


@pytest.fixture(scope="session")
def _gateway(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    with Service("gateway", config) as service:
        yield service


@pytest.fixture
def gateway(_gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer) -> Service:
    """A real gateway process over the scripted captioner and reasoner."""
    return _gateway


@pytest.fixture(scope="session")
def ocr_captioner() -> Iterator[Service]:
    """The real captioner service of the embedded default."""
    with Service("services.captioner") as service:
        yield service


@pytest.fixture(scope="session")
def llama_captioner() -> Iterator[Service]:
    """The real captioner service over the packaged vision-language model."""
    engine = {"kind": "llama"}
    with Service("services.captioner", {"captioner": {"kind": "vlm", "engine": engine}}) as service:
        yield service


@pytest.fixture(scope="session")
def llama_reasoner() -> Iterator[Service]:
    """The real reasoner service of the embedded default."""
    with Service("services.reasoner") as service:
        yield service


@pytest.fixture(scope="session")
def embedded_gateway(ocr_captioner: Service, llama_reasoner: Service) -> Iterator[Service]:
    """The whole embedded default: three processes and an engine."""
    config = {
        "captioner": {"url": ocr_captioner.url},
        "reasoners": {"default": {"url": f"{llama_reasoner.url}/v1", **REASONER_SETTINGS}},
    }
    with Service("gateway", config) as service:
        yield service
