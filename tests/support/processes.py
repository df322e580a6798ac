"""Real service processes, as an operator starts them."""

import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import httpx2
import yaml

from racro.base.atomic import write_text
from racro.base.ports import free_port
from racro.base.processes import module_command, service_environment

# Protects from hangs and proves nothing: no test may fail because the machine is busy. Less than
# pytest's own limit (pyproject.toml), which cannot say what was waited for.
PATIENCE_S = 300

# One for all polls: a client of its own for each would load certificates every time, for 40 ms.
_client = httpx2.Client(verify=False, trust_env=False, timeout=PATIENCE_S)


def wait_until(condition, *, timeout_s: float = PATIENCE_S, what: str = "the condition") -> Any:
    """Poll until `condition()` is truthy and return its value."""
    deadline = time.monotonic() + timeout_s
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s} s")
        time.sleep(0.01)


class Service:
    """`python -m <module>` with a YAML of its own, on a free loopback port.

    It ends as soon as nothing is in flight unless `config` says otherwise, and may have at most
    `open_files`. With `python` it is the version that is installed in the environment of that
    interpreter.
    """

    def __init__(
        self,
        module: str,
        config: dict[str, Any] | None = None,
        *,
        env: dict[str, str] | None = None,
        python: Path | None = None,
        open_files: int | None = None,
        wait_for: str = "/readyz",
        timeout_s: float = PATIENCE_S,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.config_file = folder / "config.yaml"
        self.config = config or {}
        self.configure(self.config)
        self._log_path = folder / "log"
        self._env = service_environment({"RACRO_CONFIG": str(self.config_file), **(env or {})})
        self._command = module_command(module)
        if python is not None:
            # -I: or this folder would come before what is installed there.
            self._command[:1] = [str(python), "-I"]
        if open_files is not None:
            limited = f'ulimit -n {open_files} && exec "$@"'
            self._command = ["sh", "-c", limited, "sh", *self._command]
        self._start()
        try:
            self.wait_for(wait_for, timeout_s=timeout_s)
        except BaseException:
            # Nobody has it yet who would end it.
            self.kill()
            self._folder.cleanup()
            raise

    def _start(self) -> None:
        self._log_file = self._log_path.open("ab")
        self.process = subprocess.Popen(
            self._command,
            env=self._env, stdout=self._log_file, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def restart(self, config: dict[str, Any], *, timeout_s: float = PATIENCE_S) -> None:
        """Another process with other settings under the same address."""
        self.stop()
        self.configure(config)
        self._start()
        self.wait_for(timeout_s=timeout_s)

    def configure(self, config: dict[str, Any]) -> None:
        """Write its settings; one that runs finds them changed."""
        # Whole or not at all, as editors and Kubernetes replace a file.
        settings = {"shutdown_quiet_s": 0, **config, "port": self.port}
        write_text(self.config_file, yaml.safe_dump(settings))

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, path: str = "/readyz", *, timeout_s: float = PATIENCE_S) -> None:
        def answers() -> bool:
            if (code := self.process.poll()) is not None:
                raise AssertionError(f"the service ended with code {code}:\n{self.log()}")
            try:
                return _client.get(self.url + path).status_code == 200
            except httpx2.TransportError:
                return False

        wait_until(answers, timeout_s=timeout_s, what=f"{path} of {self.url}")

    def log(self) -> str:
        return self._log_path.read_text(errors="replace")

    def log_records(self) -> list[dict[str, Any]]:
        *lines, _unfinished = self.log().split("\n")  # A line may be half written when it is read.
        return [json.loads(line) for line in lines if line.startswith("{")]

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics by its name and labels, as printed."""
        lines = _client.get(self.url + "/metrics").text.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def in_flight(self) -> int:
        """Requests that it is at work on, without the one that asks."""
        return int(self.metrics()["racro_in_flight_requests"]) - 1

    def stop(self) -> int:
        """Ask it to end, as an orchestrator does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self._close()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        self._log_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()
