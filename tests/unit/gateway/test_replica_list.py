"""Which replicas there are as the addresses of names change."""

import asyncio

from gateway.replica_list import ReplicaList
from gateway.replica_state import ReplicaState

URL = "http://servers.test:8000/v1"


class Names:
    """A client that resolves names as the test says, and connects to nothing."""

    def __init__(self, *addresses: str) -> None:
        self.addresses_now: list[str] | OSError = list(addresses)
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def addresses(self, base_url: str) -> list[str]:
        await self.is_open.wait()
        if isinstance(self.addresses_now, OSError):
            raise self.addresses_now
        return self.addresses_now


class Replica:
    def __init__(self, address: str | None) -> None:
        self.address = address
        self.state = ReplicaState()
        self.rechecked = 0

    async def recheck(self) -> None:
        self.rechecked += 1
        self.state.mark_up()


def list_of(names: Names, *urls: str, counts: list[int] | None = None, before=None):
    return ReplicaList(
        names,
        urls or [URL],
        lambda _, address, __: Replica(address),
        on_change=(counts if counts is not None else []).append,
        before=before,
    )


async def test_a_name_with_several_addresses_is_several() -> None:
    counts: list[int] = []
    replicas = list_of(Names("10.0.0.2", "10.0.0.1"), counts=counts)
    assert [one.address for one in replicas] == [None]
    await replicas.refresh()
    assert [one.address for one in replicas] == ["10.0.0.1", "10.0.0.2"]
    assert counts == [2]


async def test_one_whose_address_stays_is_the_same() -> None:
    names = Names("10.0.0.1", "10.0.0.2")
    replicas = list_of(names)
    await replicas.refresh()
    first = replicas[0]
    for addresses in (["10.0.0.1"], ["10.0.0.1", "10.0.0.3"], ["10.0.0.1"]):
        names.addresses_now = addresses
        await replicas.refresh()
        assert replicas[0] is first
        assert len(replicas) == len(addresses)


async def test_where_a_name_is_not_resolved_all_stay() -> None:
    names = Names("10.0.0.1", "10.0.0.2")
    replicas = list_of(names)
    await replicas.refresh()
    before = [*replicas]
    names.addresses_now = OSError("no answer")
    await replicas.refresh()
    assert [*replicas] == before


async def test_of_a_thousand_addresses_64_are_used() -> None:
    replicas = list_of(Names(*(f"10.0.{n // 250}.{n % 250}" for n in range(1000))))
    await replicas.refresh()
    assert len(replicas) == 64


async def test_equal_spellings_of_a_url_are_one() -> None:
    urls = ["http://Servers.test:80/v1", "http://servers.test/v1/", "http://servers.test/v2"]
    assert len(list_of(Names(), *urls)) == 2


async def test_a_list_that_follows_another_begins_with_its_addresses() -> None:
    replicas = list_of(Names("10.0.0.1", "10.0.0.2"))
    await replicas.refresh()
    later = list_of(Names(), URL, "http://more.test:8000", before=replicas)
    assert [one.address for one in later] == ["10.0.0.1", "10.0.0.2", None]


async def test_those_that_are_down_are_asked_again_where_there_is_a_choice() -> None:
    names = Names("10.0.0.1", "10.0.0.2")
    replicas = list_of(names)
    replicas[0].state.mark_down()
    await replicas.recheck()
    assert (replicas.failed, replicas[0].rechecked) == (1, 0)
    await replicas.refresh()
    replicas[1].state.mark_down()
    await replicas.recheck()
    assert (replicas.failed, [one.rechecked for one in replicas]) == (0, [0, 1])
