"""The whole stack over two real vLLM engines, without a GPU: tiny models, one core each."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import gateway_config
from support.collector import Collector
from support.processes import Service
from support.vllm import ENVIRONMENT, START_TIMEOUT_S, engine, seeing


@pytest.fixture(scope="session")
def vllm() -> Path:
    """The environment that `make test-vllm` makes."""
    return Path(os.environ["VLLM_VENV"])


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Of all traces, those of the engines too."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="session")
def _services(
    vllm: Path, vision_log: Path, collector: Collector
) -> Iterator[tuple[Service, Service]]:
    """Captioner and reasoner; both load at the same time."""
    limits = {"stalled_after_s": 10, "restart_unanswered_after_s": 40}
    thinking = {"model": "smollm2", "engine": engine(vllm, "reasoner", **limits)}
    env = ENVIRONMENT | collector.environment | {"VISION_PASSES": str(vision_log)}
    loading: dict[str, Any] = {"env": env, "wait_for": "/healthz"}
    with (
        Service("services.captioner", seeing(vllm, "first"), **loading) as captioner,
        Service("services.reasoner", thinking, **loading) as reasoner,
    ):
        for service in (captioner, reasoner):
            service.wait_for("/readyz", timeout_s=START_TIMEOUT_S)
        yield captioner, reasoner


@pytest.fixture(scope="session")
def vision_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vision") / "passes"


@pytest.fixture(scope="session")
def vision_passes(vision_log: Path, vllm_captioner: Service) -> Callable[[], int]:
    """How many images the captioner's vision tower has read; some of its own at its start."""
    return lambda: len(vision_log.read_text().splitlines())


@pytest.fixture(scope="session")
def vllm_captioner(_services: tuple[Service, Service]) -> Service:
    return _services[0]


@pytest.fixture(scope="session")
def vllm_reasoner(_services: tuple[Service, Service]) -> Service:
    return _services[1]


@pytest.fixture(scope="session")
def vllm_gateway(_services: tuple[Service, Service], collector: Collector) -> Iterator[Service]:
    captioner, reasoner = _services
    config = gateway_config(captioner.url, reasoner.url)
    config["captioner"] |= {"max_tokens": 24, "identity_ttl_s": 1}
    config["reasoners"]["default"] |= {
        "model": "smollm2",
        "context_tokens": 4096,
        "visual_budget_tokens": 2048,
        "sampling": {"temperature": 0, "top_p": 1, "max_tokens": 24},
    }
    with Service("gateway", config, env=collector.environment) as service:
        yield service
