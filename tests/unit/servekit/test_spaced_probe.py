"""What is believed of a server between two questions."""

import asyncio
from contextlib import suppress

import pytest

from racro.contracts.errors import UpstreamUnavailable
from racro.servekit.spaced_probe import SpacedProbe, probe_interval_of

INTERVAL_S = 600
FAILURE_BELIEVED_S = 5


class Server:
    """Answers while `is_up`; what it is asked while `is_open` is not set waits."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_up = True
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def ask(self) -> None:
        self.asked += 1
        await self.is_open.wait()
        if not self.is_up:
            raise UpstreamUnavailable("the server cannot be reached")


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def probe(server, clock) -> SpacedProbe:
    return SpacedProbe(server.ask, interval_s=INTERVAL_S, now=clock.now)


@pytest.mark.parametrize(
    ("setting", "api_key", "expected"),
    [(None, None, 0), (None, "sk-1", 30), (0, "sk-1", 0), (7.5, None, 7.5)],
)
def test_an_api_key_makes_checks_rare_unless_the_settings_say_otherwise(
    setting, api_key, expected
) -> None:
    assert probe_interval_of(setting, api_key=api_key) == expected


async def test_within_the_interval_it_is_asked_once(probe, server, clock) -> None:
    for _ in range(5):
        await probe.check()
    clock.seconds += INTERVAL_S - 1
    await probe.check()
    assert server.asked == 1
    clock.seconds += 1
    await probe.check()
    assert server.asked == 2


async def test_who_believes_less_has_it_asked_sooner(probe, server, clock) -> None:
    await probe.check()
    clock.seconds += 40
    await probe.check(believed_s=60)
    assert server.asked == 1
    await probe.check(believed_s=30)
    assert server.asked == 2


async def test_without_an_interval_it_is_asked_each_time(server) -> None:
    probe = SpacedProbe(server.ask, interval_s=0)
    for is_up in (True, False, True):
        server.is_up = is_up
        if is_up:
            await probe.check()
        else:
            with pytest.raises(UpstreamUnavailable):
                await probe.check()
    assert server.asked == 3


async def test_a_failure_is_told_again_for_five_seconds(probe, server, clock) -> None:
    server.is_up = False
    told = []
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable) as failure:
            await probe.check()
        told.append(failure.value)
        clock.seconds += FAILURE_BELIEVED_S / 3 - 0.01
    assert server.asked == 1
    assert {error.message for error in told} == {"the server cannot be reached"}
    assert len({id(error) for error in told}) == 3
    server.is_up = True
    clock.seconds += 1
    await probe.check()
    assert server.asked == 2


async def test_all_who_wait_share_one_question(probe, server) -> None:
    server.is_up = False
    server.is_open.clear()
    waiting = [asyncio.create_task(probe.check()) for _ in range(50)]
    await asyncio.sleep(0)
    server.is_open.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in found] == [UpstreamUnavailable] * 50
    assert server.asked == 1


async def test_who_leaves_takes_it_from_nobody_and_tells_nothing(probe, server) -> None:
    server.is_up = False
    server.is_open.clear()
    left, waiting = (asyncio.create_task(probe.check()) for _ in "12")
    await asyncio.sleep(0)
    left.cancel()
    with suppress(asyncio.CancelledError):
        await left
    later = asyncio.create_task(probe.check())
    await asyncio.sleep(0)
    assert not later.done()
    server.is_open.set()
    found = await asyncio.gather(waiting, later, return_exceptions=True)
    assert [type(error) for error in found] == [UpstreamUnavailable] * 2
    assert server.asked == 1
