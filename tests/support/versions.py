"""Services of this version and of the one before it, side by side."""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from racro.base.atomic import write_text
from support import http
from support.address import Address
from support.command import CLEAN
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import read_events

OLD, NEW = "0.1", "now"
OLD_PYTHON = Path(__file__).parents[2] / ".compat-venv/bin/python"
SECRET = {"SECRET": "hides tenants"}
IMAGE = data_url(png("42"))
# Each can be started where those before it run.
MODULES = {
    "captioner": "services.captioner",
    "reasoner": "services.reasoner",
    "gateway": "gateway",
}


def run(
    version: str, module: str, *arguments: object, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a module of a version until it ends."""
    python = [OLD_PYTHON, "-I"] if version == OLD else [sys.executable]
    return subprocess.run(
        [*python, "-m", module, *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=CLEAN | variables,
    )  # fmt: skip


class OldService(Service):
    """A service of the version before, whose settings are no others than those that it is given."""

    def __init__(self, module: str, config: dict[str, Any], *, env: dict[str, str]) -> None:
        super().__init__(module, config, env=env, python=OLD_PYTHON)

    def configure(self, config: dict[str, Any]) -> None:
        write_text(self.config_file, yaml.safe_dump({**config, "port": self.port}))


def start(version: str, kind: str, config: dict[str, Any]) -> Service:
    return (OldService if version == OLD else Service)(MODULES[kind], config, env=SECRET)


@dataclass
class Client:
    """Asks a gateway at `url`, each time over a connection of its own."""

    url: str
    key: str

    def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"authorization": f"Bearer {self.key}"}
        answer = http.post(f"{self.url}{path}", json=body, headers=headers)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer

    def solve(self, question: str, **more: Any) -> str:
        """Return what the cache had, as the following ones do."""
        answer = self.post("/v1/solve", {"question": question, "images": [IMAGE], **more}).json()
        assert answer["answer"] == "42"
        return answer["visual_context"]["cache"]

    def solve_streamed(self, question: str) -> str:
        body = {"question": question, "images": [IMAGE], "stream": True}
        *_, (name, done) = read_events(self.post("/v1/solve", body).text)
        assert (name, done["answer"]) == ("done", "42")
        return done["visual_context"]["cache"]

    def chat(self, question: str, *, stream: bool = False) -> str:
        parts = [
            {"type": "image_url", "image_url": {"url": IMAGE}},
            {"type": "text", "text": question},
        ]
        messages = [{"role": "user", "content": parts}]
        body = {"model": "default", "messages": messages, "stream": stream}
        answer = self.post("/v1/chat/completions", body)
        assert "boxed" in answer.text
        assert not stream or answer.text.endswith("data: [DONE]\n\n")
        return answer.headers["x-racro-visual-context"]

    def text(self) -> None:
        messages = [{"role": "user", "content": "hello"}]
        answer = self.post("/v1/chat/completions", {"model": "default", "messages": messages})
        assert "42" in answer.json()["choices"][0]["message"]["content"]

    def perceive(self, question: str) -> tuple[str, str]:
        """Return what the cache had, and the id of the visual context."""
        body = {"question": question, "images": [IMAGE]}
        answer = self.post("/v1/visual-contexts", body).json()
        return answer["visual_context"]["cache"], answer["id"]

    def solve_later(self, question: str, identifier: str) -> str:
        body = {"question": question, "visual_context": identifier}
        return self.post("/v1/solve", body).json()["visual_context"]["cache"]


class System:
    """Captioner, reasoner and gateway, each behind an address, as services of either version.

    It starts what is asked for, and ends that at the end of its block.
    """

    def __init__(self, addresses: dict[str, Address], configs: dict[str, Any], key: str) -> None:
        self._addresses = addresses
        self._configs = configs
        self._key = key
        self._running: dict[tuple[str, str], Service] = {}
        self._stack = ExitStack()
        self.client = Client(addresses["gateway"].url, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, kind: str, version: str) -> None:
        service = start(version, kind, self._configs[kind])
        self._running[kind, version] = self._stack.enter_context(service)

    def use(self, kind: str, *versions: str) -> None:
        """Have new connections lead to these versions, in turn."""
        self._addresses[kind].services = [self._running[kind, version] for version in versions]

    def end(self, kind: str, version: str) -> None:
        """End a service that no new connection leads to, when it is done with all requests."""
        service = self._running.pop((kind, version))
        wait_until(lambda: service.in_flight() == 0, what=f"nothing in flight at the {kind}")
        assert service.stop() == 0

    def gateways(self) -> list[Client]:
        """Return a client of each gateway that runs."""
        running = (service for (kind, _), service in self._running.items() if kind == "gateway")
        return [Client(gateway.url, self._key) for gateway in running]
