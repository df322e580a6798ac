"""A queue before a stage: so many requests run, few wait, and the rest is refused at once.

It is fair between tenants. What they share is the number of places, by their weights, for one
request may hold a place a hundred times longer than another: a place that becomes free goes to the
tenant that holds fewest, and between equals in turn. A tenant finds the places that it used a
moment ago, up to its share, free again: without that, one that asks seldom would wait for a
request of one that never stops asking, each time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from types import TracebackType
from typing import Self

from gateway import metrics
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import QueueFull, RateLimited

# Longer than a client takes to ask again, and short for those who wait.
KEPT_S = 1.0


class _Share:
    """One tenant's requests: how many run, wait, and are `expected`, for they will come to wait.

    `recent` is the most that ran or waited at once in the last `kept_s` seconds, and `served` the
    turns that the tenant has had, each divided by its weight.
    """

    __slots__ = (
        "expected", "kept_s", "recent", "recent_until", "running", "served", "waiting", "weight",
    )  # fmt: skip

    def __init__(self, *, served: float, kept_s: float) -> None:
        self.kept_s = kept_s
        self.weight = 1.0
        self.served = served
        self.running = 0
        self.expected = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.recent = 0
        self.recent_until = 0.0

    def note(self, now: float) -> None:
        """Remember how many run and wait, if it is more than a moment ago."""
        demand = self.running + len(self.waiting)
        if demand >= self.recent or now > self.recent_until:
            self.recent, self.recent_until = demand, now + self.kept_s

    def is_over(self, now: float) -> bool:
        """Whether there is nothing to remember of it."""
        busy = self.running or self.waiting or self.expected
        return not busy and now > self.recent_until


class _Places:
    """How the places of a queue are divided between tenants at one moment.

    `kept` are those that are free and kept for a tenant, by its share.
    """

    def __init__(self, places: int, shares: list[_Share], now: float) -> None:
        self._places = places
        self._weight = sum(share.weight for share in shares)
        self._free = places - sum(share.running for share in shares)
        self._kept: dict[_Share, int] = {}
        for share in shares:
            share.note(now)
            self._kept[share] = max(0, min(self._own(share), share.recent) - share.running)
        self._all_kept = sum(self._kept.values())

    def part_of(self, share: _Share) -> float:
        return share.weight / self._weight

    def _own(self, share: _Share) -> int:
        """Return how many places are a tenant's own, if it wants them."""
        return int(self._places * self.part_of(share))

    def lacked_by(self, share: _Share) -> int:
        """Return how many of its own places a tenant does not have."""
        return max(0, self._own(share) - share.running)

    def free_for(self, share: _Share) -> int:
        """Return how many places are free, and not kept for others."""
        return max(0, self._free - self._all_kept + self._kept[share])


class Ticket:
    """One request's way through a queue; with the end of its `with` block it has left.

    A request that has much to do before it needs its place is expected from its start: it is
    refused then or never.
    """

    __slots__ = ("_expected", "_queue", "_running", "_tenant")

    def __init__(self, queue: "FairQueue", tenant: Tenant) -> None:
        self._queue = queue
        self._tenant = tenant
        self._expected: _Share | None = None
        self._running: _Share | None = None

    def expect(self) -> None:
        """Have the request let in later. Raises QueueFull or RateLimited where there is no room."""
        self._expected = self._queue.admit(self._tenant)
        self._expected.expected += 1

    async def enter(self) -> None:
        """Wait for a place. Raises QueueFull or RateLimited where there is no room to wait."""
        share = self._expected
        if share is None:
            share = self._queue.admit(self._tenant)
        else:
            self._forget_expected(share)
        if not self._queue.start(share):
            await self._queue.wait(share)
        self._running = share

    def enter_at_once(self) -> bool:
        """Take a place if one is free and nobody else asks: what `enter` does then, in no time."""
        self._running = self._queue.start_alone(self._tenant)
        if self._running is not None and self._expected is not None:
            self._forget_expected(self._expected)
        return self._running is not None

    def leave(self) -> None:
        """Give the place back, if there is one to give."""
        if self._expected is not None:
            self._forget_expected(self._expected)
        if self._running is not None:
            share, self._running = self._running, None
            self._queue.end(share)

    def _forget_expected(self, share: _Share) -> None:
        self._expected = None
        share.expected -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self.leave()


class FairQueue:
    """Lets `places()` requests run at once and `waiting()` more wait.

    `name` is what metrics and errors call the stage. Expected requests count as waiting, but for
    `ahead` of them, which another queue bounds. Places that a tenant used are kept for it for
    `kept_s` seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        places: Callable[[], int],
        waiting: Callable[[], int],
        ahead: int = 0,
        kept_s: float = KEPT_S,
    ) -> None:
        self._name = name
        self._places = places
        self._most_waiting = waiting
        self._ahead = ahead
        self._kept_s = kept_s
        self._running = 0
        self._waiting = 0
        self._served = 0.0
        self._shares: dict[str, _Share] = {}
        self._later: asyncio.TimerHandle | None = None
        metrics.observe_queue(name, running=lambda: self._running, waiting=lambda: self._waiting)

    def ticket(self, tenant: Tenant) -> Ticket:
        """Return what a request of a tenant goes through the queue with."""
        return Ticket(self, tenant)

    # Of tickets.

    def admit(self, tenant: Tenant) -> _Share:
        """Return a tenant's share. Raises QueueFull or RateLimited where it has no room left."""
        share = self._shares.get(tenant.name)
        if share is None:
            share = self._shares[tenant.name] = _Share(served=self._served, kept_s=self._kept_s)
        share.weight = tenant.weight
        self._check(share)
        return share

    def _check(self, share: _Share) -> None:
        if len(self._shares) == 1:
            if self._queued(share, 1) - self._free >= self._most_waiting():
                self._refuse(is_full=True)
            return
        divided = self._divide(share)
        part = divided.part_of(share)
        most = self._most_waiting()
        # Those that it has places of its own for do not wait long.
        own = max(1, int(most * part)) + divided.lacked_by(share) if most else 0
        if self._queued(share, part) - divided.free_for(share) >= own:
            self._refuse(is_full=self._waiting - self._free >= most)

    def start_alone(self, tenant: Tenant) -> _Share | None:
        """Let a request run now if its tenant is the only one, and there is a place."""
        share = self._shares.get(tenant.name)
        if share is None or len(self._shares) > 1 or share.waiting:
            return None
        if self._running >= self._places():
            return None
        # There is nobody else whose turn it could be.
        share.running += 1
        self._running += 1
        return share

    def start(self, share: _Share) -> bool:
        """Let a request run now if it can."""
        if share.waiting or self._free <= 0:
            return False
        if len(self._shares) > 1 and not self._divide(share).free_for(share):
            return False
        self._let_run(share)
        return True

    async def wait(self, share: _Share) -> None:
        """Wait until a request is let run."""
        turn = asyncio.get_running_loop().create_future()
        share.waiting.append(turn)
        self._waiting += 1
        self._give_out()
        try:
            with metrics.queue_seconds(self._name):
                await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                share.waiting.remove(turn)
                self._waiting -= 1
            else:
                self.end(share)
            raise

    def end(self, share: _Share) -> None:
        """Take a place back, and give it to one that waits."""
        share.running -= 1
        self._running -= 1
        self._give_out()

    def _give_out(self) -> None:
        """Give free places to those that wait; again later, where they are kept for others."""
        while self._waiting and self._free > 0:
            following = self._next()
            if following is None:
                self._give_out_later()
                return
            turn = following.waiting.popleft()
            self._waiting -= 1
            self._let_run(following)
            turn.set_result(None)

    def _give_out_later(self) -> None:
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(self._kept_s, self._on_later)

    def _on_later(self) -> None:
        self._later = None
        self._give_out()

    @property
    def _free(self) -> int:
        return self._places() - self._running

    def _queued(self, share: _Share, part: float) -> int:
        """Return how many requests of a tenant wait, or will: of those ahead, it has its part."""
        return len(share.waiting) + max(0, share.expected - int(self._ahead * part))

    def _let_run(self, share: _Share) -> None:
        share.running += 1
        self._running += 1
        # One that comes back has no turns to make up for.
        self._served = max(self._served, share.served)
        share.served = self._served + 1 / share.weight

    def _next(self) -> _Share | None:
        """Return the tenant whose request is let run next, if one can."""
        divided = self._divide(None)
        able = (one for one in self._waiting_shares() if divided.free_for(one))
        return min(able, key=lambda one: (one.running / one.weight, one.served), default=None)

    def _waiting_shares(self) -> Iterator[_Share]:
        return (share for share in self._shares.values() if share.waiting)

    def _divide(self, asking: _Share | None) -> _Places:
        """Divide the places between those tenants that use them, or did a moment ago."""
        now = monotonic()
        over = [
            name
            for name, share in self._shares.items()
            if share is not asking and share.is_over(now)
        ]
        for name in over:
            del self._shares[name]
        return _Places(self._places(), list(self._shares.values()), now)

    def _refuse(self, *, is_full: bool) -> None:
        metrics.count_refusal(self._name, 503 if is_full else 429)
        if is_full:
            raise QueueFull(
                f"the {self._name} has {self._running} requests in flight and {self._waiting} "
                "waiting, the most (max_in_flight, max_waiting); ask again later"
            )
        raise RateLimited(
            f"requests of your key wait for the {self._name} already, as many as its share of "
            "max_waiting; ask again later"
        )
