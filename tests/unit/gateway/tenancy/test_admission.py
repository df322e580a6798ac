"""What is admitted, as which tenant, and what that leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from starlette.types import Scope

from gateway.services import Services, open_services
from gateway.settings import GatewaySettings
from gateway.tenancy.admission import Admission
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from gateway.tenancy.tenants import Tenants, tenant_of
from racro.contracts.errors import RateLimited, Unauthenticated

ADMISSION = Admission()
MOST_HELD = 100


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


def scope_of(opened: Opened, *, path: str = "/v1/models", key: str | None = None) -> Scope:
    headers = [(b"x-api-key", (key or opened.key).encode())]
    return {"type": "http", "path": path, "headers": headers, "state": opened.services.state()}


async def test_a_request_has_its_tenant_and_its_answer_the_rest_of_its_limits(opened) -> None:
    left = []
    for _ in range(2):
        scope = scope_of(opened)
        left.append(dict(await ADMISSION.enter(scope)))
        assert tenant_of(scope).name == "acme"
        ADMISSION.leave(scope)
    assert [one[b"x-ratelimit-remaining-requests"] for one in left] == [b"2", b"1"]


async def test_without_a_key_only_public_routes_are_reached(opened) -> None:
    with pytest.raises(Unauthenticated):
        await ADMISSION.enter(scope_of(opened, key="wrong"))
    for path in ("/healthz", "/playground/app.js"):
        scope = scope_of(opened, path=path, key="wrong")
        assert not await ADMISSION.enter(scope)
        ADMISSION.leave(scope)


async def test_another_request_at_the_same_time_is_refused(opened) -> None:
    first = scope_of(opened)
    await ADMISSION.enter(first)
    with pytest.raises(RateLimited, match="concurrency = 1"):
        await ADMISSION.enter(scope_of(opened))
    ADMISSION.leave(first)
    await ADMISSION.enter(scope_of(opened))


async def test_a_request_over_the_rate_is_no_longer_in_flight(opened) -> None:
    for _ in range(3):
        scope = scope_of(opened)
        await ADMISSION.enter(scope)
        ADMISSION.leave(scope)
    for _ in range(2):
        with pytest.raises(RateLimited, match="requests_per_minute = 3"):
            await ADMISSION.enter(scope_of(opened))


def entering(opened: Opened, admission: Admission, *, key: str) -> asyncio.Task[object]:
    return asyncio.create_task(admission.enter(scope_of(opened, key=key)))


async def settled() -> None:
    """All that does not wait for the clock has been done."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.clock("standing")
class TestWrongKeys:
    async def test_the_refusal_comes_late_and_a_right_key_s_turn_at_once(self, opened) -> None:
        admission = Admission()
        wrong = entering(opened, admission, key="wrong")
        right = entering(opened, admission, key=opened.key)
        await right
        assert not wrong.done()
        asyncio.get_running_loop().advance(0.2)
        with pytest.raises(Unauthenticated):
            await wrong

    async def test_a_flood_of_them_holds_no_more_than_some(self, opened) -> None:
        admission = Admission()
        flood = [entering(opened, admission, key="wrong") for _ in range(MOST_HELD + 50)]
        await settled()
        assert sum(not one.done() for one in flood) == MOST_HELD
        await entering(opened, admission, key=opened.key)
        asyncio.get_running_loop().advance(0.2)
        ends = await asyncio.gather(*flood, return_exceptions=True)
        assert {type(end) for end in ends} == {Unauthenticated}

    async def test_who_leaves_makes_room(self, opened) -> None:
        admission = Admission()
        flood = [entering(opened, admission, key="wrong") for _ in range(MOST_HELD)]
        await settled()
        flood[0].cancel()
        await settled()
        held = entering(opened, admission, key="wrong")
        at_once = entering(opened, admission, key="wrong")
        await settled()
        assert (held.done(), at_once.done()) == (False, True)
        for one in (*flood, held):
            one.cancel()
        await asyncio.gather(*flood, held, at_once, return_exceptions=True)
