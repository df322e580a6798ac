"""A Docker engine of our own, and the stack in it, as `docker compose up --wait` starts it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support import http
from support.processes import PATIENCE_S, free_port, wait_until

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
GATEWAYS = 3


class Docker:
    """The `docker` of an engine, with the Compose that this environment has."""

    def __init__(self, folder: Path, host: str | None) -> None:
        plugins = folder / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-compose").symlink_to(Path(sys.executable).parent / "docker-compose")
        self.env = {**os.environ, "DOCKER_CONFIG": str(folder), "DOCKER_BUILDKIT": "0"}
        if host is not None:
            self.env["DOCKER_HOST"] = host

    def __call__(self, *arguments: str, check: bool = True, timeout_s: float = 1800) -> str:
        ended = subprocess.run(
            ["docker", *arguments],
            cwd=REPOSITORY, env=self.env, capture_output=True, text=True, check=False,
            timeout=timeout_s,
        )  # fmt: skip
        if check and ended.returncode:
            raise AssertionError(f"docker {' '.join(arguments)}:\n{ended.stdout}{ended.stderr}")
        return ended.stdout.strip()

    def printed(self, line: str, **env: str) -> str:
        """What a line of the documentation says, run by a shell at the repository's root."""
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=REPOSITORY, env=self.env | env, capture_output=True, text=True, check=False,
            timeout=600,
        )  # fmt: skip
        assert ended.returncode == 0, f"{line}:\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def answers(self) -> bool:
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        return (
            subprocess.run(command, env=self.env, capture_output=True, check=False).returncode == 0
        )


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """This machine's engine where one runs, else one that ends with the tests."""
    with tempfile.TemporaryDirectory(prefix="racro-docker-") as name:
        folder = Path(name)
        docker = Docker(folder, None)
        if docker.answers():
            yield docker
            return
        assert shutil.which("dockerd"), "dockerd is not on PATH: apt-get install docker.io"
        socket = f"unix://{folder}/docker.sock"
        log = (folder / "dockerd.log").open("wb")
        engine = subprocess.Popen(
            ["dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec",
             "--pidfile", folder / "pid", "--host", socket, "--log-level", "warn"],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            docker.env["DOCKER_HOST"] = socket

            def runs() -> bool:
                said = (folder / "dockerd.log").read_text()
                assert engine.poll() is None, f"dockerd ended:\n{said}"
                return docker.answers()

            wait_until(runs, what="dockerd")
            yield docker
        finally:
            engine.terminate()
            engine.wait(PATIENCE_S)
            log.close()


def python_image(docker: Docker) -> str:
    """The base of our images: the one that they name, or without a registry one made here."""
    dockerfile = (REPOSITORY / "gateway/Dockerfile").read_text()
    named = dockerfile.partition("ARG PYTHON_IMAGE=")[2].partition("\n")[0]
    pull = ["docker", "pull", "--quiet", named]
    if subprocess.run(pull, env=docker.env, check=False, capture_output=True).returncode == 0:
        return named
    made = {"PYTHON_IMAGE": "python:3.12-slim", "REDIS_IMAGE": "redis:7-alpine"}
    if not docker("images", "--quiet", made["PYTHON_IMAGE"]):
        subprocess.run([HERE / "base-images"], env=docker.env, check=True)
    docker.env |= made
    return made["PYTHON_IMAGE"]


class Stack:
    def __init__(self, docker: Docker) -> None:
        self.docker = docker
        self.python_image = python_image(docker)
        first = free_port()
        self.urls = [f"http://127.0.0.1:{first + number}" for number in range(GATEWAYS)]
        docker.env["GATEWAY_PORT"] = f"{first}-{first + GATEWAYS - 1}"
        self.seconds: dict[str, float] = {}

    def compose(self, *arguments: str, check: bool = True) -> str:
        return self.docker("compose", *arguments, check=check)

    def timed(self, name: str, *arguments: str) -> None:
        began = time.monotonic()
        self.compose(*arguments)
        self.seconds[name] = time.monotonic() - began

    def containers(self, service: str) -> list[dict[str, Any]]:
        identifiers = self.compose("ps", "--all", "--quiet", service).split()
        return json.loads(self.docker("inspect", *identifiers))

    def ready(self, url: str) -> dict[str, Any] | None:
        try:
            answer = http.get(f"{url}/readyz", timeout=5)
        except httpx2.TransportError:
            return None
        return answer.json()["checks"] if answer.status_code == 200 else None

    def captions(self) -> float:
        """How many calls the captioner has answered; nobody outside can ask it."""
        code = "from urllib.request import urlopen as u; print(u('http://127.0.0.1:8001/metrics').read().decode())"
        text = self.compose("exec", "-T", "captioner", "python", "-c", code)
        lines = [line for line in text.splitlines()
                 if line.startswith('racro_requests_total{route="/v1/perceive"')]  # fmt: skip
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


@pytest.fixture(scope="session")
def stack(docker) -> Iterator[Stack]:
    stack = Stack(docker)
    try:
        stack.timed("build", "build")
        stack.timed("up", "up", "--detach", "--wait", "--scale", f"gateway={GATEWAYS}")
        yield stack
    finally:
        print(stack.compose("logs", "--no-color", "--tail", "200", check=False))
        stack.timed("down", "down", "--volumes")
        print({name: round(seconds) for name, seconds in stack.seconds.items()})
