"""What is believed of a server between two questions."""

import pytest

from racro.contracts.errors import UpstreamUnavailable
from racro.servekit.spaced_probe import SpacedProbe, probe_interval_of


class Server:
    def __init__(self) -> None:
        self.asked = 0
        self.is_up = True

    async def ask(self) -> None:
        self.asked += 1
        if not self.is_up:
            raise UpstreamUnavailable("the server cannot be reached")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.parametrize(
    ("setting", "api_key", "expected"),
    [(None, None, 0), (None, "sk-1", 30), (0, "sk-1", 0), (7.5, None, 7.5)],
)
def test_an_api_key_makes_checks_rare_unless_the_settings_say_otherwise(
    setting, api_key, expected
) -> None:
    assert probe_interval_of(setting, api_key=api_key) == expected


async def test_within_the_interval_it_is_asked_once(server) -> None:
    probe = SpacedProbe(server.ask, interval_s=600)
    for _ in range(5):
        await probe.check()
    assert server.asked == 1


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


async def test_a_failure_is_told_again(server) -> None:
    server.is_up = False
    probe = SpacedProbe(server.ask, interval_s=2)
    told = []
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable) as failure:
            await probe.check()
        told.append(failure.value)
    assert server.asked == 1
    assert {error.message for error in told} == {"the server cannot be reached"}
    assert len({id(error) for error in told}) == 3
