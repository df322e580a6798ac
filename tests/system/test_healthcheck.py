"""`deploy/healthcheck`, by which containers are judged."""

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from support.processes import PATIENCE_S, Service, free_port
from support.scripted import ScriptedServer

SCRIPT = Path(__file__).parents[2] / "deploy" / "healthcheck"


def check(port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, str(port)], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def is_healthy(port: int) -> bool:
    return check(port).returncode == 0


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
        checked = check(gateway.port)
        assert checked.returncode == 1
        assert "status 503" in checked.stdout
        assert "the reasoner" in checked.stdout


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


def test_one_that_leaves_its_answer_open_is_not_healthy_and_its_words_are_printed() -> None:
    answer = b'HTTP/1.1 503 Service Unavailable\r\n\r\n{"engine": "the engine is starting"}'
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        checking = subprocess.Popen([SCRIPT, str(port)], stdout=subprocess.PIPE, text=True)
        connection = listening.accept()[0]
        with connection:
            connection.sendall(answer)
            told, _ = checking.communicate(timeout=PATIENCE_S)
    assert checking.returncode == 1
    assert told.startswith("status 503\n")
    assert "the engine is starting" in told
