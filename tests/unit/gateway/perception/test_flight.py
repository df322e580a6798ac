"""Who wants the same thing at the same time shares one call, and nobody can spoil it for others."""

import asyncio
import gc
import random
import weakref

import pytest

from gateway.perception.flight import FlightReference, Flights
from racro.contracts.errors import UpstreamUnavailable


class Call:
    """A call whose progress the test decides; it counts how often it was made and cancelled."""

    def __init__(self) -> None:
        self.made = 0
        self.cancelled = 0
        self.pieces: asyncio.Queue[str | Exception] = asyncio.Queue()

    async def __call__(self, say) -> str:
        self.made += 1
        said = ""
        try:
            while (piece := await self.pieces.get()) != "end":
                if isinstance(piece, Exception):
                    raise piece
                await say(piece)
                said += piece
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return said

    def goes_on(self, *pieces: str | Exception) -> None:
        for piece in pieces:
            self.pieces.put_nowait(piece)


class Follower:
    def __init__(self, reference: FlightReference, listen=None) -> None:
        self.heard: list[str] = []
        self.task = asyncio.create_task(self._follow(reference, listen or self._listen))

    async def _follow(self, reference: FlightReference, listen) -> str:
        with reference:
            return await reference.follow(listen)

    async def _listen(self, piece: str) -> None:
        self.heard.append(piece)

    async def leave(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def settle() -> None:
    """Let every task that can run, run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def join_or_start(flights: Flights, call: Call, *keys: str) -> Follower:
    [reference] = flights.join(keys[:1]) or [flights.start(keys, call)]
    follower = Follower(reference)
    await settle()
    return follower


@pytest.fixture
def flights() -> Flights:
    return Flights()


@pytest.fixture
async def call() -> Call:
    return Call()


async def test_a_call_is_made_once_for_all(flights, call) -> None:
    followers = [await join_or_start(flights, call, "k") for _ in range(5)]
    call.goes_on("a", "b", "end")
    assert await asyncio.gather(*(one.task for one in followers)) == ["ab"] * 5
    assert [one.heard for one in followers] == [["a", "b"]] * 5
    assert call.made == 1


async def test_who_joins_late_hears_everything_from_the_first_piece_on(flights, call) -> None:
    first = await join_or_start(flights, call, "k")
    call.goes_on("a", "b")
    await settle()
    late = await join_or_start(flights, call, "k")
    assert late.heard == ["a", "b"]
    call.goes_on("c", "end")
    assert await late.task == await first.task == "abc"
    assert late.heard == first.heard == ["a", "b", "c"]


async def test_the_first_follower_leaves_and_the_others_go_on(flights, call) -> None:
    first, second = [await join_or_start(flights, call, "k") for _ in "12"]
    call.goes_on("a")
    await settle()
    await first.leave()
    call.goes_on("b", "end")
    assert await second.task == "ab"
    assert (call.made, call.cancelled) == (1, 0)


async def test_the_last_one_to_leave_cancels_the_call(flights, call) -> None:
    first, second = [await join_or_start(flights, call, "k") for _ in "12"]
    await first.leave()
    await settle()
    assert call.cancelled == 0
    await second.leave()
    await settle()
    assert call.cancelled == 1


async def test_an_abandoned_flight_is_not_joined(flights, call) -> None:
    await (await join_or_start(flights, call, "k")).leave()
    assert flights.join(["k"]) == []
    again = await join_or_start(flights, call, "k")
    call.goes_on("a", "end")
    assert await again.task == "a"
    assert (call.made, call.cancelled) == (2, 1)


async def test_an_abandoned_flight_that_ends_late_does_not_unlist_its_successor(flights) -> None:
    released = asyncio.Event()

    async def slow_to_die(_) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await released.wait()
        return ""

    old = Follower(flights.start(["k"], slow_to_die))
    await settle()
    await old.leave()
    await settle()
    assert flights.join(["k"]) == []
    successor = flights.start(["k"], Call())
    follower = Follower(successor)
    released.set()
    await settle()
    [found] = flights.join(["k"])
    with found:
        assert found.flight is successor.flight
    await follower.leave()


async def test_a_failure_reaches_every_follower(flights, call) -> None:
    followers = [await join_or_start(flights, call, "k") for _ in "123"]
    call.goes_on("a", UpstreamUnavailable("away"))
    outcomes = await asyncio.gather(*(one.task for one in followers), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamUnavailable] * 3
    assert [one.heard for one in followers] == [["a"]] * 3


async def test_after_a_failure_the_next_flight_starts_anew(flights, call) -> None:
    failed = await join_or_start(flights, call, "k")
    call.goes_on(UpstreamUnavailable("away"))
    with pytest.raises(UpstreamUnavailable):
        await failed.task
    assert flights.join(["k"]) == []
    again = await join_or_start(flights, call, "k")
    call.goes_on("a", "end")
    assert await again.task == "a"
    assert call.made == 2


async def test_a_flight_that_is_over_is_not_joined_and_not_kept(flights, call) -> None:
    reference = flights.start(["k", "l"], call)
    follower, remembered = Follower(reference), weakref.ref(reference.flight)
    call.goes_on("a", "end")
    assert await follower.task == "a"
    assert flights.join(["k"]) == flights.join(["l"]) == []
    del reference, follower
    await settle()
    gc.collect()
    assert remembered() is None


async def test_a_flight_is_found_by_each_of_its_keys_and_by_no_other(flights, call) -> None:
    follower = await join_or_start(flights, call, "caption", "tentative")
    [one], [other] = flights.join(["caption"]), flights.join(["tentative"])
    with one, other:
        assert one.flight is other.flight
    [both] = flights.join(["caption", "tentative"])
    with both:
        assert flights.join(["another"]) == []
    await follower.leave()


async def test_a_follower_that_fails_to_listen_harms_nobody_else(flights, call) -> None:
    async def fail(_) -> None:
        raise ConnectionResetError

    failing = Follower(flights.start(["k"], call), fail)
    other = await join_or_start(flights, call, "k")
    call.goes_on("a", "end")
    with pytest.raises(ConnectionResetError):
        await failing.task
    assert await other.task == "a"


async def test_a_slow_listener_holds_nobody_up_and_misses_nothing(flights, call) -> None:
    may_go_on, heard = asyncio.Event(), []

    async def listen_slowly(piece: str) -> None:
        await may_go_on.wait()
        heard.append(piece)

    slow = Follower(flights.start(["k"], call), listen_slowly)
    quick = await join_or_start(flights, call, "k")
    call.goes_on("a", "b", "end")
    assert await quick.task == "ab"
    assert heard == []
    may_go_on.set()
    assert await slow.task == "ab"
    assert heard == ["a", "b"]


class Traffic:
    """Followers of three keys who come and go, and what it must come to."""

    def __init__(self) -> None:
        self.flights: Flights[str, str] = Flights()
        self.aboard: dict[str, tuple[Call, list[Follower]]] = {}
        self.cancelled: list[Call] = []
        self.finished: list[Call] = []

    async def join(self, key: str, rng: random.Random) -> None:
        """Makes a call only where nobody waits for one."""
        call, followers = self.aboard.setdefault(key, (Call(), []))
        followers.append(await join_or_start(self.flights, call, key))

    async def say(self, key: str, rng: random.Random) -> None:
        if key in self.aboard:
            self.aboard[key][0].goes_on(f"{rng.random()} ")

    async def leave(self, key: str, rng: random.Random) -> None:
        if key in self.aboard:
            call, followers = self.aboard[key]
            await followers.pop(rng.randrange(len(followers))).leave()
            if not followers:
                del self.aboard[key]
                self.cancelled.append(call)

    async def end(self, key: str, rng: random.Random) -> None:
        """Whoever stayed gets one and the same result, and has heard all of it."""
        if key in self.aboard:
            call, followers = self.aboard.pop(key)
            call.goes_on("end")
            [result] = {await one.task for one in followers}
            assert {"".join(one.heard) for one in followers} == {result}
            self.finished.append(call)


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_comes_and_goes_everyone_who_stays_gets_the_whole_result(seed) -> None:
    rng, traffic = random.Random(seed), Traffic()
    steps = [traffic.join, traffic.join, traffic.say, traffic.leave, traffic.end]
    for _ in range(200):
        await rng.choice(steps)(rng.choice("abc"), rng)
        if rng.random() < 0.5:
            await settle()
    for key in list(traffic.aboard):
        await traffic.end(key, rng)
    await settle()
    assert {(call.made, call.cancelled) for call in traffic.finished} == {(1, 0)}
    assert {(call.made, call.cancelled) for call in traffic.cancelled} == {(1, 1)}


async def test_a_reference_keeps_the_call_before_it_is_followed(flights, call) -> None:
    first = await join_or_start(flights, call, "k")
    [reference] = flights.join(["k"])
    with reference:
        await first.leave()
        second = await join_or_start(flights, call, "k")
    call.goes_on("one", "end")
    assert await second.task == "one"
    assert call.cancelled == 0


async def test_the_last_reference_released_is_the_end_of_the_call(flights, call) -> None:
    with flights.start(["k"], call) as reference:
        await settle()
        assert not reference.flight.over
    await settle()
    assert reference.flight.over
    assert call.cancelled == 1
