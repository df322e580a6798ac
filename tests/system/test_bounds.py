"""Whatever strangers send, a service answers the others and keeps within its bounds."""

import json
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from racro.base.ports import free_port
from racro.base.processes import module_command, service_environment
from support import http
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer

CHAT = "/v1/chat/completions"
MIB = 2**20


@contextmanager
def serving(captioner: ScriptedServer, reasoner: ScriptedServer, **more: Any) -> Iterator[Service]:
    config = {
        "captioner": {"url": captioner.url},
        "reasoners": {"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
        **more.pop("settings", {}),
    }
    with Service("gateway", config, **more) as service:
        yield service


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)


def answer(connection: socket.socket) -> tuple[bytes, Any]:
    """Returns the head and the JSON of the answer on a connection."""
    told = b""
    while b"\r\n\r\n" not in told:
        piece = connection.recv(65536)
        assert piece, told
        told += piece
    head, _, body = told.partition(b"\r\n\r\n")
    [length] = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.startswith(b"content-length")
    ]
    while len(body) < length:
        body += connection.recv(65536)
    return head, json.loads(body)


def post(path: str, length: int, body: bytes = b"") -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode() + body


def answered(connections: list[socket.socket]) -> list[socket.socket]:
    ready, _, _ = select.select(connections, [], [], 0)
    return ready


def test_connections_stay_below_the_limit_of_open_files(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    most = (256 - 100) // 2
    with serving(captioner, reasoner, open_files=256) as service, ExitStack() as stack:
        first = stack.enter_context(connect(service))
        others = [stack.enter_context(connect(service)) for _ in range(299)]
        # The fixture has a connection of its own, which it may have closed.
        wait_until(lambda: len(answered(others)) >= 300 - most, what="refusals")
        refused = answered(others)
        assert len(refused) <= 301 - most
        for one in refused:
            head, body = answer(one)
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1" in head
            assert body["error"]["code"] == "overloaded"
            one.close()
        first.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert answer(first)[0].startswith(b"HTTP/1.1 200 ")
        kept = [first, *(one for one in others if one not in refused)]
        body = json.dumps({"messages": [{"role": "user", "content": "?"}]}).encode()
        for one in kept:
            one.sendall(post(CHAT, len(body), body))
        assert {answer(one)[0].split(b"\r\n")[0] for one in kept} == {b"HTTP/1.1 200 OK"}
        log = service.log()
    assert "Traceback" not in log
    assert 1 <= log.count("connections are refused") < 10


def test_more_connections_than_files_allow_are_a_wrong_setting() -> None:
    with pytest.raises(AssertionError, match="max_connections: 1000 need 2100 open files"):
        Service("gateway", {"max_connections": 1000}, open_files=256)


def test_a_connection_is_closed_after_its_idle_time(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    settings = {"idle_connection_s": 0.2}
    with serving(captioner, reasoner, settings=settings) as service, connect(service) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert answer(one)[0].startswith(b"HTTP/1.1 200 ")
        assert one.recv(1) == b""


def test_uploads_that_do_not_fit_are_refused_before_they_are_read(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    limits = {"max_body_bytes": MIB, "max_bytes_in_flight": 4 * MIB}
    with (
        serving(captioner, reasoner, settings={"limits": limits}) as service,
        ExitStack() as stack,
    ):
        uploads = [stack.enter_context(connect(service)) for _ in range(10)]
        for one in uploads:
            one.sendall(post("/v1/solve", MIB))
        wait_until(lambda: len(answered(uploads)) == 6, what="refusals")
        for one in answered(uploads):
            head, body = answer(one)
            assert b"\r\nretry-after: 1" in head
            assert body["error"]["code"] == "overloaded"
        assert service.metrics()["racro_body_bytes_in_flight"] == 4 * MIB
        for one in uploads:
            one.close()
        wait_until(lambda: service.metrics()["racro_body_bytes_in_flight"] == 0)
        assert "Traceback" not in service.log()


def test_a_budget_that_no_body_fits_is_a_wrong_setting() -> None:
    limits = {"max_body_bytes": 2048, "max_bytes_in_flight": 2047}
    with pytest.raises(AssertionError, match="max_bytes_in_flight: at least max_body_bytes = 2048"):
        Service("gateway", {"limits": limits})


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ["/v1/solve", CHAT, "/v1/visual-contexts"])
def test_a_client_that_leaves_amid_its_upload_is_no_failure(
    gateway: Service, path: str, kind: str
) -> None:
    name = f'racro_clients_gone_total{{route="{path}"}}'
    before = gateway.metrics().get(name, 0)
    with connect(gateway) as client:
        part = b'--x\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'
        head = post(path, 10 * MIB).replace(
            b"host", b"content-type: " + kind.encode() + b"\r\nhost"
        )
        client.sendall(head + part + b"x" * 3 * MIB)
    wait_until(lambda: gateway.metrics().get(name, 0) == before + 1, what=name)
    lines = [one for one in gateway.log_records() if one["message"] == f"POST {path}"]
    assert lines[-1]["status"] == 499
    assert "Traceback" not in gateway.log()


@pytest.mark.parametrize("module", ["gateway", "services.captioner", "services.reasoner"])
def test_a_hangup_is_logged_and_ignored_where_nothing_is_read_again(
    module: str, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    engine = {"kind": "url", "url": "http://127.0.0.1:9/v1", "model": "m"}
    more = {"RACRO_ENGINE": json.dumps(engine)} if module == "services.reasoner" else {}
    environment = service_environment({"RACRO_PORT": str(port), **more})
    with log.open("wb") as file:
        process = subprocess.Popen(module_command(module), env=environment, stderr=file)
    try:
        wait_until(lambda: _is_alive(port), what="the service")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "SIGHUP ignored" in log.read_text(), what="the line")
        assert _is_alive(port)
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def _is_alive(port: int) -> bool:
    try:
        return http.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.TransportError:
        return False
