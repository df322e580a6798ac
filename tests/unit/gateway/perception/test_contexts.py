"""Visual contexts that are stored now and answered from later."""

import pytest

from gateway.cache.memory import MemoryCache
from gateway.perception.contexts import VisualContextStore
from gateway.perception.request import Perception
from gateway.settings import CacheSection
from gateway.tenancy.keys_file import TenantRecord
from gateway.tenancy.tenants import ANYBODY, Tenant
from racro.contracts.errors import UnknownVisualContext, UpstreamUnavailable
from racro.contracts.perception import Usage

TTL_S = 60


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def cache(now) -> MemoryCache:
    return MemoryCache(10**6, ttl_s=10 * TTL_S, clock=lambda: now[0])


@pytest.fixture
def store(cache) -> VisualContextStore:
    return VisualContextStore(cache, CacheSection(context_ttl_s=TTL_S))


@pytest.fixture
def perception(a_context) -> Perception:
    return Perception(a_context("A dog.", "A cat?"), Usage(), ("digest",))


@pytest.mark.parametrize(
    ("stored_for", "asked_for", "tentative"),
    [
        ("What?", "What?", "A cat?"),
        (" What?\r\n", "What?", "A cat?"),
        ("What?", "Why?", None),
        (None, "What?", None),
    ],
)
async def test_a_tentative_response_is_to_its_own_question(
    store, perception, stored_for, asked_for, tentative
) -> None:
    receipt = await store.add(ANYBODY, perception, question=stored_for)
    context = await store.get(ANYBODY, receipt.id, question=asked_for)
    assert (context.caption, context.tentative) == ("A dog.", tentative)


async def test_it_is_unknown_to_other_tenants_and_once_it_has_expired(
    store, perception, now
) -> None:
    receipt = await store.add(ANYBODY, perception, question=None)
    with pytest.raises(UnknownVisualContext):
        await store.get(Tenant("b", "b", "b", TenantRecord()), receipt.id, question="What?")
    now[0] = TTL_S
    with pytest.raises(UnknownVisualContext):
        await store.get(ANYBODY, receipt.id, question="What?")


async def test_no_id_is_given_for_what_was_not_stored(perception) -> None:
    store = VisualContextStore(MemoryCache(0, ttl_s=TTL_S), CacheSection())
    with pytest.raises(UpstreamUnavailable):
        await store.add(ANYBODY, perception, question=None)


async def test_a_cache_that_cannot_be_asked_does_not_make_it_unknown(store, cache) -> None:
    cache.problem = "reading: cannot be reached"
    with pytest.raises(UpstreamUnavailable):
        await store.get(ANYBODY, "vc-0", question="What?")
