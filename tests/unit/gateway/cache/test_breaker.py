"""How a peer that failed is used again."""

import asyncio

import pytest

from gateway.cache.breaker import Breaker

pytestmark = pytest.mark.clock("standing")


async def settle() -> None:
    """Let all that is due happen."""
    for _ in range(10):
        await asyncio.sleep(0)


async def after(seconds: float) -> None:
    asyncio.get_running_loop().advance(seconds)
    await settle()


class Peer:
    """One that is probed; it answers while it is up."""

    def __init__(self) -> None:
        self.up = False
        self.probes = 0

    async def probe(self) -> None:
        self.probes += 1
        if not self.up:
            raise ConnectionError


@pytest.fixture
async def peer() -> Peer:
    return Peer()


@pytest.fixture
async def breaker(peer):
    async def fail() -> None:
        raise ConnectionError

    # The clock of an event loop that has just started would say that it was closed just now.
    asyncio.get_running_loop().advance(60)
    breaker = Breaker({"reading": peer.probe, "writing": fail})
    yield breaker
    await breaker.close()


async def trip(breaker: Breaker, way: str = "reading") -> None:
    breaker.trip([way], f"no {way}", ConnectionError())
    await settle()


async def test_a_way_that_was_tripped_is_open_until_its_probe_succeeds(breaker, peer) -> None:
    await trip(breaker)
    assert breaker.is_open("reading")
    assert not breaker.is_open("writing")
    assert breaker.problem == "reading: no reading"
    await after(1)
    assert breaker.is_open("reading")
    peer.up = True
    await after(1)
    assert not breaker.is_open("reading")
    assert breaker.problem is None


async def test_ways_recover_one_by_one(breaker, peer) -> None:
    await trip(breaker)
    await trip(breaker, "writing")
    peer.up = True
    await after(1)
    assert breaker.problem == "writing: no writing"


async def test_one_that_fails_again_at_once_is_probed_less_often(breaker, peer) -> None:
    peer.up = True
    probed = []
    for _ in range(2):
        await trip(breaker)
        before = peer.probes
        # Once the first pause is over; the second one is twice as long.
        await after(0.7)
        probed.append(peer.probes - before)
        await after(1)
        assert not breaker.is_open("reading")
    assert probed == [1, 0]


async def test_one_that_was_well_for_a_while_is_probed_soon(breaker, peer) -> None:
    peer.up = True
    for _ in range(2):
        await trip(breaker)
        await after(0.7)
        assert not breaker.is_open("reading")
        await after(11)


async def test_none_is_probed_once_it_is_closed(breaker, peer) -> None:
    await trip(breaker)
    await breaker.close()
    await after(60)
    assert peer.probes == 0
