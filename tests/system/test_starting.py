"""What a service says on its command line, and when its address cannot be had."""

import os
import socket
import subprocess
import sys

import pytest

from racro import __version__
from support.processes import PATIENCE_S, Service

MODULES = ["gateway", "services.captioner", "services.reasoner"]


def start(module: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A service that ends by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RACRO_")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("module", MODULES)
def test_help_tells_what_it_is_and_how_it_is_set(module) -> None:
    helped = start(module, "--help", RACRO_PORT="wrong")
    assert (helped.returncode, helped.stderr) == (0, "")
    for told in (f"python -m {module}", "RACRO_CONFIG", "docs/settings.md", "log_level"):
        assert told in helped.stdout


@pytest.mark.parametrize("module", MODULES)
def test_its_version_is_told(module) -> None:
    told = start(module, "--version")
    assert (told.returncode, told.stdout.strip()) == (0, f"racro {__version__}")


@pytest.mark.parametrize("arguments", [["--port", "9000"], ["gateway.yaml"], ["-x"]])
def test_an_unknown_argument_is_refused_with_the_usage(arguments) -> None:
    refused = start("gateway", *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: python -m gateway")


@pytest.mark.parametrize("module", MODULES)
def test_a_taken_port_is_named_with_its_setting(module) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = start(module, RACRO_PORT=str(port))
    told = f"port: {port} on 127.0.0.1 is taken by another process; set a free one"
    assert (ended.returncode, ended.stderr) == (1, f"wrong settings:\n  {told}\n")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 70, "::ffff"])
def test_a_host_that_is_not_ours_is_named(host) -> None:
    ended = start("gateway", RACRO_HOST=host, RACRO_TENANTS__OPEN="true", RACRO_PORT="0")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"wrong settings:\n  host: {host} is no address of this machine")
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may take every port")
def test_a_port_that_needs_a_privilege_is_named() -> None:
    ended = start("gateway", RACRO_PORT="1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("wrong settings:\n  port: 1 needs a privilege")


def test_a_name_of_loopback_is_listened_on(captioner, reasoner) -> None:
    with Service("gateway", {"host": "localhost"}, wait_for="/healthz") as service:
        assert service.stop() == 0
