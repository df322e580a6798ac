"""Who gets a place, who waits for one, and who is refused."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from gateway.tenancy.fair_queue import FairQueue, QueueLimits, Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import QueueFull, RateLimited
from support.processes import PATIENCE_S
from support.tenants import queue, tenant

A, B = tenant("a"), tenant("b")


class Requests:
    """Requests that hold their places until they are told to end."""

    def __init__(self, asked: FairQueue) -> None:
        self._asked = asked
        self._tasks: dict[asyncio.Task[None], Ticket] = {}
        self.running: list[tuple[str, Ticket]] = []
        self.order: list[str] = []

    async def begin(self, of: Tenant, number: int = 1) -> None:
        """Send requests, which run then, wait or raise."""
        for _ in range(number):
            ticket = self._asked.ticket(of)
            task = asyncio.create_task(self._run(of, ticket))
            self._tasks[task] = ticket
            await asyncio.sleep(0)
            if task.done():
                await task

    async def _run(self, of: Tenant, ticket: Ticket) -> None:
        await ticket.enter()
        self.running.append((of.name, ticket))
        self.order.append(of.name)

    async def end(self, of: Tenant | None = None) -> None:
        """End the oldest running request, or that of a tenant."""
        found = next(one for one in self.running if of is None or one[0] == of.name)
        self.running.remove(found)
        found[1].leave()
        await asyncio.sleep(0)

    def running_of(self, of: Tenant) -> int:
        return sum(name == of.name for name, _ in self.running)

    def leave_all(self) -> None:
        for task in self._tasks:
            task.cancel()


@contextmanager
def requests(asked: FairQueue) -> Iterator[Requests]:
    begun = Requests(asked)
    yield begun
    begun.leave_all()


async def test_some_run_some_wait_and_one_more_is_refused() -> None:
    with requests(queue(places=3, waiting=2)) as sent:
        await sent.begin(A, 5)
        assert len(sent.running) == 3
        with pytest.raises(QueueFull, match="max_in_flight = 3, max_waiting = 2") as refusal:
            await sent.begin(A)
        assert refusal.value.retry_after_s
        await sent.end()
        assert len(sent.running) == 3
        await sent.begin(A)
        with pytest.raises(QueueFull):
            await sent.begin(A)


async def test_without_room_to_wait_what_has_no_place_is_refused() -> None:
    with requests(queue(places=2, waiting=0)) as sent:
        await sent.begin(A, 2)
        for of in (A, B):
            with pytest.raises(QueueFull):
                await sent.begin(of)


async def test_those_of_one_tenant_run_in_their_order() -> None:
    asked = queue(places=1)
    order = []

    async def request(number: int) -> None:
        with asked.ticket(A) as ticket:
            await ticket.enter()
            order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(request(number))
    assert order == list(range(20))


async def test_a_place_goes_to_the_tenant_that_has_fewest() -> None:
    with requests(queue(places=4)) as sent:
        await sent.begin(A, 20)
        await sent.begin(B, 3)
        for expected in (1, 2):
            await sent.end(A)
            assert sent.running_of(B) == expected
        await sent.end(A)
        assert (sent.running_of(A), sent.running_of(B)) == (2, 2)


async def test_one_place_is_had_in_turn() -> None:
    with requests(queue(places=1)) as sent:
        await sent.begin(A, 6)
        await sent.begin(B, 4)
        for _ in range(7):
            await sent.end()
        assert "".join(sent.order) in {"aabababa", "ababababa"[:8]}


@pytest.mark.parametrize(("places", "expected"), [(1, 3), (8, 3)])
async def test_weights_divide_places_and_turns(places: int, expected: int) -> None:
    heavy = tenant("heavy", weight=3)
    with requests(queue(places=places)) as sent:
        await sent.begin(A, 100)
        await sent.begin(heavy, 100)
        for _ in range(80):
            await sent.end()
        # Those of the first moment, when it was alone, do not count.
        last = Counter(sent.order[-40:])
    assert last["heavy"] / last["a"] == pytest.approx(expected, rel=0.2)


async def test_a_place_that_was_used_a_moment_ago_is_kept() -> None:
    with requests(queue(places=4)) as sent:
        await sent.begin(B)
        await sent.begin(A, 10)
        assert sent.running_of(A) == 3
        await sent.end(B)
        assert sent.running_of(A) == 3
        await sent.begin(B)
        assert sent.running_of(B) == 1


async def test_no_more_is_kept_than_a_tenant_s_share() -> None:
    with requests(queue(places=4)) as sent:
        await sent.begin(B, 4)
        await sent.begin(A, 4)
        for _ in range(4):
            await sent.end(B)
        assert sent.running_of(A) == 2


async def test_one_tenant_does_not_fill_the_room_to_wait() -> None:
    with requests(queue(places=4, waiting=4)) as sent:
        await sent.begin(A, 8)
        with pytest.raises(QueueFull):
            await sent.begin(A)
        # Its half of the room, and one for each place that it has a right to.
        await sent.begin(B, 4)
        with pytest.raises(QueueFull):
            await sent.begin(B)


async def test_one_that_waits_with_all_its_share_is_told_of_its_limit() -> None:
    with requests(queue(places=4, waiting=8)) as sent:
        await sent.begin(A, 8)
        await sent.begin(B)
        with pytest.raises(RateLimited, match="your key's share"):
            await sent.begin(A)
        await sent.begin(B)


async def test_one_that_leaves_makes_room() -> None:
    asked = queue(places=1, waiting=1)
    with asked.ticket(A) as first:
        await first.enter()
        waiting = asyncio.create_task(asked.ticket(A).enter())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        following = asyncio.create_task(asked.ticket(A).enter())
        await asyncio.sleep(0)
    await following


async def test_one_that_leaves_when_its_turn_comes_gives_it_on() -> None:
    asked = queue(places=1, waiting=2)
    first = asked.ticket(A)
    await first.enter()
    waiting = [asyncio.create_task(asked.ticket(A).enter()) for _ in range(2)]
    await asyncio.sleep(0)
    first.leave()
    waiting[0].cancel()
    await waiting[1]
    assert waiting[0].cancelled()


async def test_an_expected_one_is_refused_at_its_start_or_never() -> None:
    asked = queue(places=2, waiting=1)
    with ExitStack() as held:
        expected = [held.enter_context(asked.ticket(A)) for _ in range(3)]
        for ticket in expected:
            ticket.expect()
        with pytest.raises(QueueFull):
            asked.ticket(A).expect()
        with pytest.raises(QueueFull):
            await asked.ticket(A).enter()
        for ticket in expected[:2]:
            await ticket.enter()
        last = asyncio.create_task(expected[2].enter())
        await asyncio.sleep(0)
        expected[0].leave()
        await last


async def test_those_that_another_queue_bounds_leave_room_for_others() -> None:
    asked = queue(places=2, waiting=0, ahead=lambda: 3)
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(asked.ticket(A)).expect()
        with pytest.raises(QueueFull):
            asked.ticket(A).expect()
    await asked.ticket(A).enter()


async def test_more_places_there_are_more_room_here() -> None:
    before = queue(places=1, waiting=0)
    asked = queue(places=1, waiting=0, ahead=lambda: before.room)
    with ExitStack() as held:
        for places in (1, 4):
            before.change(QueueLimits(places, 0))
            for _ in range(2 if places == 1 else 3):
                held.enter_context(asked.ticket(A)).expect()
            with pytest.raises(QueueFull):
                asked.ticket(A).expect()


async def test_other_limits_hold_at_once() -> None:
    asked = queue(places=2)
    with requests(asked) as sent:
        await sent.begin(A, 5)
        asked.change(QueueLimits(1, 100))
        await sent.end()
        assert len(sent.running) == 1
        asked.change(QueueLimits(3, 100))
        await asyncio.sleep(0)
        assert len(sent.running) == 3


async def test_a_place_is_not_lost_where_one_leaves_as_another_ends() -> None:
    asked = queue(places=1)
    first = asked.ticket(A)
    await first.enter()
    leaving, following = (asyncio.create_task(asked.ticket(A).enter()) for _ in range(2))
    await asyncio.sleep(0)
    # Before its task has heard of it.
    leaving.cancel()
    first.leave()
    await following
    assert leaving.cancelled()


async def test_a_second_place_for_one_request_is_a_mistake() -> None:
    ticket = queue().ticket(A)
    await ticket.enter()
    with pytest.raises(RuntimeError):
        await ticket.enter()


async def test_there_is_an_end_of_waiting_however_many_tenants_there_are() -> None:
    with requests(queue(places=2, waiting=4)) as sent:
        refused = 0
        for number in range(300):
            try:
                await sent.begin(tenant(f"tenant-{number}"))
            except QueueFull:
                refused += 1
        assert refused == 300 - (2 + 4 + 2)


SLEEPS_S = st.sampled_from([0, 0, 0.001])
REQUESTS = st.tuples(st.sampled_from("abc"), st.booleans(), SLEEPS_S, SLEEPS_S, st.booleans())


@given(
    st.lists(st.lists(REQUESTS, max_size=3), max_size=30),
    st.lists(st.integers(0, 50), max_size=30),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_places_are_neither_lost_nor_given_twice(
    begun: list[list[tuple[str, bool, float, float, bool]]],
    cancelled: list[int],
    places: int,
    waiting: int,
) -> None:
    """Requests begin, are expected, end by themselves and are cancelled in the same moment."""
    asyncio.run(_at_random(begun, iter(cancelled), queue(places, waiting, kept_s=0.01), places))


async def _at_random(begun, cancelled: Iterator[int], asked: FairQueue, places: int) -> None:
    running = 0

    async def request(of: str, expects: bool, before_s: float, for_s: float, early: bool) -> None:
        nonlocal running
        with asked.ticket(tenant(of)) as ticket:
            if expects:
                ticket.expect()
                await asyncio.sleep(before_s)
            if not ticket.enter_at_once():
                await ticket.enter()
            running += 1
            assert running <= places
            try:
                await asyncio.sleep(for_s)
            finally:
                running -= 1
            if early:
                ticket.leave()

    tasks: list[asyncio.Task[None]] = []
    for together in begun:
        tasks += [asyncio.create_task(request(*one)) for one in together]
        if tasks and (number := next(cancelled, None)) is not None:
            tasks[number % len(tasks)].cancel()
        await asyncio.sleep(0)
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE_S)
    refused = (QueueFull, RateLimited, asyncio.CancelledError)
    assert all(one is None or isinstance(one, refused) for one in outcomes)
    gauges = ("racro_queue_in_flight", "racro_queue_waiting")
    samples = [one for family in REGISTRY.collect() for one in family.samples]
    tested = [one for one in samples if one.name in gauges and one.labels["queue"] == "tested"]
    assert [one.value for one in tested] == [0] * len(tested)
