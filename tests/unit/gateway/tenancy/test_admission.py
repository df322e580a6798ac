"""What is admitted, as which tenant, and what that leaves behind."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from gateway.services import Services, open_services
from gateway.settings import GatewaySettings
from gateway.tenancy.admission import Admission
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from gateway.tenancy.tenants import Tenants, tenant_of


class Opened(NamedTuple):
    services: Services
    key: str


@pytest.fixture
async def opened(tmp_path) -> AsyncIterator[Opened]:
    """Services whose one tenant may send one request at a time, and three a minute."""
    limits = TenantRecord(concurrency=1, requests_per_minute=3)
    file, key = KeysFile().with_new_key("acme", limits)
    file.write(tmp_path / "keys.yaml")
    settings = GatewaySettings(tenants={"keys_file": tmp_path / "keys.yaml"})
    async with open_services(settings, Tenants(settings)) as services:
        yield Opened(services, key)


async def ask(opened: Opened, app, *, path: str = "/v1/models", key: str | None = None) -> Any:
    """The head of the answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-api-key", (key or opened.key).encode())]
    scope = {
        "type": "http", "path": path, "headers": headers, "state": opened.services.state(),
    }  # fmt: skip
    await Admission(app)(scope, None, send)
    return sent[0]


async def greet(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def test_a_request_has_its_tenant_and_its_answer_the_rest_of_its_limits(opened) -> None:
    async def app(scope, receive, send) -> None:
        assert tenant_of(scope).name == "acme"
        await greet(scope, receive, send)

    left = [dict((await ask(opened, app))["headers"]) for _ in range(2)]
    assert [one[b"x-ratelimit-remaining-requests"] for one in left] == [b"2", b"1"]


async def test_without_a_key_only_public_routes_are_reached(opened) -> None:
    assert (await ask(opened, greet, key="wrong"))["status"] == 401
    for path in ("/healthz", "/playground/app.js"):
        assert (await ask(opened, greet, path=path, key="wrong"))["status"] == 200


async def test_another_request_at_the_same_time_is_refused(opened) -> None:
    async def app(scope, receive, send) -> None:
        assert (await ask(opened, greet))["status"] == 429
        await greet(scope, receive, send)

    assert (await ask(opened, app))["status"] == 200


async def test_a_request_that_fails_is_no_longer_in_flight(opened) -> None:
    async def fail(scope, receive, send) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await ask(opened, fail)
    assert (await ask(opened, greet))["status"] == 200
