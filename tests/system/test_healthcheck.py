"""`deploy/healthcheck`, by which containers are judged."""

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from support.processes import PATIENCE_S, Service, free_port
from support.scripted import ScriptedServer

SCRIPT = Path(__file__).parents[2] / "deploy" / "healthcheck"


def is_healthy(port: int) -> bool:
    checked = subprocess.run(
        [SCRIPT, str(port)], capture_output=True, timeout=PATIENCE_S, check=False
    )
    return checked.returncode == 0


def test_a_service_is_healthy_while_it_is_ready() -> None:
    with ExitStack() as behind, ExitStack() as stack:
        captioner = stack.enter_context(ScriptedServer())
        reasoner = behind.enter_context(ScriptedServer())
        config = {
            "captioner": {"url": captioner.url},
            "reasoners": {"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
        }
        gateway = stack.enter_context(Service("gateway", config))
        assert is_healthy(gateway.port)
        behind.close()
        assert not is_healthy(gateway.port)


def test_nobody_is_not_healthy() -> None:
    assert not is_healthy(free_port())


def test_who_says_nothing_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not is_healthy(silent.getsockname()[1])


def test_who_hangs_up_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        checking = subprocess.Popen([SCRIPT, str(port)], stderr=subprocess.DEVNULL)
        listening.accept()[0].close()
        assert checking.wait(PATIENCE_S) != 0
