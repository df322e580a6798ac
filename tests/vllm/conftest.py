"""The whole stack over two real vLLM engines, without a GPU: tiny models, one core each."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import gateway_config
from support.processes import Service

# Loading two engines at once on two cores.
START_TIMEOUT_S = 500
SMALL = ["--enforce-eager", "--block-size", "32", "--kv-cache-memory-bytes", "268435456"]
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_HOST_IP": "127.0.0.1",
    "GLOO_SOCKET_IFNAME": "lo",
    "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
}


@pytest.fixture(scope="session")
def vllm() -> Path:
    """The environment that `make test-vllm` makes."""
    return Path(os.environ["VLLM_VENV"])


def engine(vllm: Path, model: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "vllm",
        "command": [str(vllm / "bin/vllm")],
        "model": str(vllm / "models" / model),
        "context_tokens": 4096,
        "arguments": SMALL,
        **more,
    }


@pytest.fixture(scope="session")
def _services(vllm: Path) -> Iterator[tuple[Service, Service]]:
    """Captioner and reasoner; both load at the same time."""
    seeing = {"kind": "vlm", "engine": engine(vllm, "captioner", images_per_prompt=2)}
    thinking = engine(vllm, "reasoner")
    loading: dict[str, Any] = {"env": ENVIRONMENT, "wait_for": "/healthz"}
    with (
        Service("services.captioner", {"captioner": seeing}, **loading) as captioner,
        Service(
            "services.reasoner", {"model": "smollm2", "engine": thinking}, **loading
        ) as reasoner,
    ):
        for service in (captioner, reasoner):
            service.wait_for("/readyz", timeout_s=START_TIMEOUT_S)
        yield captioner, reasoner


@pytest.fixture(scope="session")
def vllm_captioner(_services: tuple[Service, Service]) -> Service:
    return _services[0]


@pytest.fixture(scope="session")
def vllm_reasoner(_services: tuple[Service, Service]) -> Service:
    return _services[1]


@pytest.fixture(scope="session")
def vllm_gateway(_services: tuple[Service, Service]) -> Iterator[Service]:
    captioner, reasoner = _services
    config = gateway_config(captioner.url, reasoner.url)
    config["captioner"]["max_tokens"] = 24
    config["reasoners"]["default"] |= {
        "model": "smollm2",
        "context_tokens": 4096,
        "visual_budget_tokens": 2048,
        "sampling": {"temperature": 0, "top_p": 1, "max_tokens": 24},
    }
    with Service("gateway", config) as service:
        yield service
