"""What the benchmarks start: the scripted upstream, and what stands in front of it."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import Process, measured_core, other_cores
from racro.base.ports import free_port
from racro.base.processes import module_command
from racro.embedded.default import REASONER_SETTINGS


@contextmanager
def service(
    module: str, config: Mapping[str, Any], *, env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """`python -m <module>` with a configuration file of its own."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        # Every JSON document is YAML.
        json.dump({"shutdown_quiet_s": 0, **config, "port": port}, file)
        file.flush()
        env = {"RACRO_CONFIG": file.name, **(env or {})}
        with Process(module_command(module), port=port, env=env) as process:
            yield process


@contextmanager
def upstream() -> Iterator[Process]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.upstream", str(port)]
    with Process(command, port=port) as process:
        yield process.wait_for("/health")


@contextmanager
def gateway(
    upstream_url: str, *, env: Mapping[str, str] | None = None, **more: Any
) -> Iterator[Process]:
    """Our gateway with its defaults and `more`, over the scripted upstream."""
    config = {
        "captioner": {"url": upstream_url},
        "reasoners": {"default": {"url": upstream_url + "/v1", "model": "scripted"}},
        **more,
    }
    with service("gateway", config, env=env) as process:
        yield process.wait_for("/readyz")


@contextmanager
def vllm_router(executable: Path, upstream_url: str) -> Iterator[Process]:
    """vllm-router in its regular mode, over the same upstream; but for the policy, its defaults."""
    port = free_port()
    command = [str(executable), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--worker-urls", upstream_url, "--policy", "round_robin"]
    command += ["--prometheus-port", str(free_port())]
    with Process(command, port=port) as process:
        yield process.wait_for("/v1/models")


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a redis-server of its own."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is not on PATH")
    port = free_port()
    with Process([program, "--port", str(port), "--save", ""], port=port) as process:
        yield f"redis://127.0.0.1:{process.port}/0"


@contextmanager
def scripted_gateway(**more: Any) -> Iterator[Process]:
    """On a core of its own, where there is more than one."""
    with other_cores(), upstream() as peer, ExitStack() as stack:
        with measured_core():
            process = stack.enter_context(gateway(peer.url, **more))
        yield process


@contextmanager
def embedded() -> Iterator[Process]:
    """The default that needs no GPU: OCR captioner, llama reasoner, gateway; not yet awaited."""
    with ExitStack() as stack:
        captioner = stack.enter_context(service("services.captioner", {}))
        reasoner = stack.enter_context(service("services.reasoner", {}))
        config = {
            "captioner": {"url": captioner.url},
            "reasoners": {"default": {"url": f"{reasoner.url}/v1", **REASONER_SETTINGS}},
        }
        yield stack.enter_context(service("gateway", config))
