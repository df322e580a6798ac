"""How much a tenant may ask of one gateway."""

import asyncio

import pytest

from gateway.tenancy.keys_file import TenantRecord
from gateway.tenancy.rates import Rates
from gateway.tenancy.tenants import ANYBODY, Tenant
from racro.contracts.errors import InvalidRequest, RateLimited


def tenant(name: str = "a", **limits: int) -> Tenant:
    return Tenant(name, name, name, TenantRecord(**limits))


@pytest.fixture
def rates() -> Rates:
    return Rates(None)


async def test_without_limits_nothing_is_counted(rates) -> None:
    assert await rates.take(ANYBODY, "requests", 10**6) == []


async def test_what_is_left_is_told_and_then_refused(rates) -> None:
    acme = tenant(requests_per_minute=2)
    left = [dict(await rates.take(acme, "requests")) for _ in range(2)]
    assert [one[b"x-ratelimit-remaining-requests"] for one in left] == [b"1", b"0"]
    with pytest.raises(RateLimited) as refused:
        await rates.take(acme, "requests")
    assert 1 <= refused.value.retry_after_s <= 60
    assert dict(refused.value.headers)[b"x-ratelimit-limit-requests"] == b"2"


async def test_tenants_and_kinds_are_counted_apart(rates) -> None:
    limits = {"requests_per_minute": 1, "images_per_minute": 1}
    for name in "ab":
        await rates.take(tenant(name, **limits), "requests")
        await rates.take(tenant(name, **limits), "images")
        with pytest.raises(RateLimited):
            await rates.take(tenant(name, **limits), "images")


async def test_what_is_refused_costs_nothing(rates) -> None:
    acme = tenant(images_per_minute=3)
    await rates.take(acme, "images", 2)
    with pytest.raises(RateLimited):
        await rates.take(acme, "images", 2)
    await rates.take(acme, "images", 1)


async def test_more_than_a_minute_allows_is_no_matter_of_time(rates) -> None:
    with pytest.raises(InvalidRequest):
        rates.check_possible(tenant(images_per_minute=3), "images", 4)
    rates.check_possible(tenant(images_per_minute=3), "images", 3)
    rates.check_possible(tenant(), "images", 100)


async def test_a_check_counts_nothing(rates) -> None:
    acme = tenant(images_per_minute=3)
    for _ in range(5):
        await rates.check(acme, "images", 2)
    await rates.take(acme, "images", 2)
    with pytest.raises(RateLimited, match="images_per_minute = 3"):
        await rates.check(acme, "images", 2)
    await rates.check(acme, "images", 1)


def test_requests_at_a_time(rates) -> None:
    acme = tenant(concurrency=1)
    rates.begin(acme)
    with pytest.raises(RateLimited):
        rates.begin(acme)
    rates.begin(tenant("b", concurrency=1))
    rates.end(acme)
    rates.begin(acme)


async def test_of_what_may_cost_more_than_the_limit_the_limit_must_be_left(rates) -> None:
    acme = tenant(images_per_minute=3)
    await rates.check(acme, "images", 8)
    await rates.take(acme, "images", 1)
    with pytest.raises(RateLimited, match="images_per_minute = 3"):
        await rates.check(acme, "images", 8)
    await rates.check(tenant(), "images", 10**6)


@pytest.mark.parametrize(("further", "left"), [(-1, 3), (0, 3), (2, 1), (3, 0), (100, 0)])
async def test_what_is_done_is_counted_as_far_as_there_is_room(rates, further, left) -> None:
    acme = tenant(images_per_minute=4)
    await rates.take(acme, "images", 1)
    await rates.count(acme, "images", further)
    if left:
        headers = dict(await rates.take(acme, "images", left))
        assert headers[b"x-ratelimit-remaining-images"] == b"0"
    with pytest.raises(RateLimited):
        await rates.take(acme, "images", 1)


async def test_what_is_done_is_counted_though_its_caller_is_gone(rates) -> None:
    acme = tenant(images_per_minute=4)
    counting = asyncio.create_task(rates.count(acme, "images", 4))
    # It runs up to its first wait.
    await asyncio.sleep(0)
    counting.cancel()
    await asyncio.wait([counting])
    with pytest.raises(RateLimited):
        await rates.take(acme, "images", 1)
