"""What an operator gets wrong about an engine by URL is named, at /readyz and to the client."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import http
from support.certificates import make_certificate
from support.processes import Service
from support.scripted import ScriptedServer


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[ScriptedServer]:
    make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with ScriptedServer(tls=context) as server:
        yield server


def over(server: ScriptedServer, **env: str) -> Service:
    engine = {"kind": "url", "url": f"{server.url}/v1", "model": "scripted"}
    return Service("services.reasoner", {"engine": engine}, env=env, wait_for="/healthz")


def engine_check(service: Service) -> str:
    return http.get(f"{service.url}/readyz").json()["checks"]["engine"]


def chat(service: Service) -> tuple[int, dict[str, Any]]:
    response = http.post(f"{service.url}/v1/chat/completions", json={"messages": [{}]})
    return response.status_code, response.json()


def test_a_self_signed_certificate(self_signed: ScriptedServer, tmp_path: Path) -> None:
    with over(self_signed) as service:
        untrusted = "the engine cannot be reached: its TLS certificate is not trusted"
        assert engine_check(service) == untrusted
        status, answer = chat(service)
        assert (status, answer["error"]["message"]) == (503, untrusted)
    assert not self_signed.chats
    with over(self_signed, SSL_CERT_FILE=f"{tmp_path}/cert.pem") as service:
        assert engine_check(service) == "ok"
        assert chat(service)[0] == 200


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "the engine refused the credentials it is configured with"),
        (404, "the engine does not know the model or path it is asked for"),
    ],
    ids=["wrong key", "no such model"],
)
def test_what_the_engine_refuses(reasoner: ScriptedServer, status: int, says: str) -> None:
    reasoner.script.status = status
    reasoner.script.plain = {"error": {"message": "of no concern to clients: sk-123"}}
    with over(reasoner) as service:
        answered, answer = chat(service)
    assert (answered, answer["error"]["message"]) == (502, says)
