"""Any mixture of this version and the one before answers, and finds every caption of both."""

from itertools import count, permutations

import pytest

from support.versions import IMAGE, MODULES, NEW, OLD, Client, System, run

CACHED = "How high?"
_numbers = count()


def fresh() -> str:
    """Return a question that was not asked before."""
    return f"How high is {next(_numbers)}?"


@pytest.fixture(scope="module")
def both(system: System) -> System:
    """Two of each service, and captions of both captioners in the cache."""
    for kind in MODULES:
        for version in (OLD, NEW):
            system.start(kind, version)
        system.use(kind, OLD)
    for version in (OLD, NEW):
        system.use("captioner", version)
        for client in system.gateways():
            # The answer's fingerprint tells the gateway who captions now.
            client.solve(fresh())
        caches = [client.solve(CACHED) for client in system.gateways()]
        # What one version had captioned the other finds.
        assert caches == ["miss", "hit"]
    return system


def ask(client: Client) -> None:
    """Ask in every way: what was captioned before is found, and what was not is captioned."""
    assert client.solve(CACHED) == client.solve_streamed(CACHED) == "hit"
    assert client.chat(CACHED) == client.chat(CACHED, stream=True) == "hit"
    client.text()
    cache, identifier = client.perceive(CACHED)
    assert cache == client.solve_later(CACHED, identifier) == "hit"
    assert client.solve(fresh()) == client.solve(fresh(), cache="refresh") == "miss"
    assert client.solve_streamed(fresh()) == "miss"


@pytest.mark.parametrize("order", [*permutations(MODULES)], ids=">".join)
def test_a_rolling_upgrade_and_back(both: System, order: tuple[str, ...]) -> None:
    for kind in MODULES:
        both.use(kind, OLD)
    ask(both.client)
    steps = [(kind, NEW) for kind in order] + [(kind, OLD) for kind in reversed(order)]
    for kind, version in steps:
        for versions in ((OLD, NEW), (version,)):
            both.use(kind, *versions)
            ask(both.client)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_command_line_asks_gateways_of_both(both: System, version: str) -> None:
    for gateway in both.gateways():
        asked = ["solve", "--gateway", gateway.url, "--key", gateway.key, IMAGE, CACHED]
        told = run(version, "racro.cli", *asked)
        assert told.returncode == 0, told.stderr
        assert "42" in told.stdout
