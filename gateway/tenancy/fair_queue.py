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
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

from gateway import metrics
from gateway.settings import QueueSection
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import QueueFull, RateLimited

# Longer than a client takes to ask again, and short for those who wait.
KEPT_S = 1.0
# A share of a third of three places is one, whatever floating point makes of it.
_ROUNDING = 1e-9


class NoRoom(QueueFull):
    """A queue of this process has no room for another request of anybody."""


class ShareTaken(RateLimited):
    """A queue of this process has no room for another request of this tenant."""


@dataclass(frozen=True)
class QueueLimits:
    """How many requests run at once, and how many more may wait."""

    in_flight: int
    waiting: int

    @classmethod
    def of(cls, section: QueueSection, *, servers: int = 1) -> Self:
        """Return the limits of a stage of so many servers."""
        in_flight = section.max_in_flight * servers
        return cls(in_flight, section.waiting_of(in_flight))


class _Share:
    """One tenant's requests: how many run, wait, and are `expected`, for they will come to wait.

    `recent` is the most that ran or waited at once in the last `kept_s` seconds, and `served` the
    turns that the tenant has had, each divided by its weight.
    """

    __slots__ = (
        "expected", "kept_s", "recent", "recent_until", "running", "served", "tenant", "waiting",
    )  # fmt: skip

    def __init__(self, tenant: Tenant, *, served: float, kept_s: float) -> None:
        self.tenant = tenant
        self.kept_s = kept_s
        self.served = served
        self.running = 0
        self.expected = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.recent = 0
        self.recent_until = 0.0

    @property
    def weight(self) -> float:
        return self.tenant.weight

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
    """How the places of a queue are divided between tenants at one moment."""

    def __init__(self, places: int, shares: list[_Share], now: float) -> None:
        self._places = places
        self._weight = sum(share.weight for share in shares)
        self._free = places - sum(share.running for share in shares)
        # Those that are free and kept for a tenant.
        self._kept: dict[_Share, int] = {}
        for share in shares:
            share.note(now)
            self._kept[share] = max(0, min(self._own(share), share.recent) - share.running)
        self._all_kept = sum(self._kept.values())

    def part_of(self, share: _Share) -> float:
        return share.weight / self._weight

    def _own(self, share: _Share) -> int:
        """Return how many places are a tenant's own, if it wants them."""
        return int(self._places * self.part_of(share) + _ROUNDING)

    def lacked_by(self, share: _Share) -> int:
        """Return how many of its own places a tenant does not have."""
        return max(0, self._own(share) - share.running)

    def free_for(self, share: _Share) -> int:
        """Return how many places are free, and not kept for others."""
        return max(0, self._free - self._all_kept + self._kept[share])

    def take(self, share: _Share) -> None:
        """Note that a tenant has one place more."""
        self._free -= 1
        if self._kept[share]:
            self._kept[share] -= 1
            self._all_kept -= 1


class Ticket:
    """One request's way through a queue: `enter` for a place, and `leave` gives it back.

    One that has much to do before it needs its place calls `expect` first: it is refused there or
    never. At the end of its `with` block the request has left, however far it came. `has_entered`
    tells whether it ever had a place.
    """

    __slots__ = ("_expected", "_queue", "_running", "has_entered", "tenant")

    def __init__(self, queue: "FairQueue", tenant: Tenant) -> None:
        self._queue = queue
        self.tenant = tenant
        self.has_entered = False
        self._expected: _Share | None = None
        self._running: _Share | None = None

    def expect(self) -> None:
        """Have the request let in later. Raises NoRoom or ShareTaken where there is no room."""
        self._expected = self._queue.admit(self.tenant)
        self._expected.expected += 1

    def enter_at_once(self) -> bool:
        """Take a place if one is free and nobody else asks: what `enter` does then, in no time."""
        self._check_has_none()
        self._running = self._queue.start_alone(self.tenant)
        if self._running is not None:
            self._forget_expected()
            self.has_entered = True
        return self._running is not None

    async def enter(self) -> None:
        """Wait for a place. Raises NoRoom or ShareTaken where there is no room to wait."""
        self._check_has_none()
        share = self._expected or self._queue.admit(self.tenant)
        self._forget_expected()
        if not self._queue.start(share):
            await self._queue.wait(share)
        self._running = share
        self.has_entered = True

    def leave(self) -> None:
        """Give the place back, if there is one to give."""
        self._forget_expected()
        if self._running is not None:
            share, self._running = self._running, None
            self._queue.end(share)

    def _check_has_none(self) -> None:
        if self._running is not None:
            raise RuntimeError("the request has its place already")

    def _forget_expected(self) -> None:
        if self._expected is not None:
            self._expected.expected -= 1
            self._expected = None

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
    """Lets requests run and wait within limits, which may be changed at any time.

    `name` is what metrics and errors call the stage. Expected requests count as waiting, but for
    `ahead()` of them, which another queue bounds. Places that a tenant used are kept for it for
    `kept_s` seconds. Requests go through it by a `ticket`; the other methods are the tickets'.
    """

    def __init__(
        self,
        name: str,
        limits: QueueLimits,
        *,
        ahead: Callable[[], int] = int,
        kept_s: float = KEPT_S,
    ) -> None:
        self._limits = limits
        self.name = name
        self._ahead = ahead
        self._kept_s = kept_s
        self._running = 0
        self._waiting = 0
        self._served = 0.0
        self._shares: dict[str, _Share] = {}
        self._later: asyncio.TimerHandle | None = None
        metrics.observe_queue(name, self._requests)

    @property
    def room(self) -> int:
        """How many requests may run and wait."""
        return self._limits.in_flight + self._limits.waiting

    def change(self, limits: QueueLimits) -> None:
        """Have other limits from now on."""
        self._limits = limits
        self._give_out()

    def ticket(self, tenant: Tenant) -> Ticket:
        """Return what a request of a tenant goes through the queue with."""
        return Ticket(self, tenant)

    def admit(self, tenant: Tenant) -> _Share:
        """Return a tenant's share. Raises NoRoom or ShareTaken where it has no room left."""
        share = self._shares.get(tenant.name)
        if share is None:
            share = _Share(tenant, served=self._served, kept_s=self._kept_s)
            self._shares[tenant.name] = share
        # Its weight may have changed.
        share.tenant = tenant
        self._check(share)
        return share

    def start_alone(self, tenant: Tenant) -> _Share | None:
        """Let a request run now if its tenant is the only one, and there is a place."""
        share = self._shares.get(tenant.name)
        if share is None or len(self._shares) > 1 or share.waiting:
            return None
        if self._running >= self._limits.in_flight:
            return None
        # There is nobody else whose turn it could be.
        share.running += 1
        self._running += 1
        share.note(monotonic())
        return share

    def start(self, share: _Share) -> bool:
        """Let a request run now if it can."""
        if share.waiting or self._free <= 0:
            return False
        if not self._divide(share).free_for(share):
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
            with metrics.queue_seconds(self.name):
                await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.end(share)
            elif turn in share.waiting:
                self._drop(share, turn)
            raise

    def end(self, share: _Share) -> None:
        """Take a place back, and give it to one that waits."""
        share.running -= 1
        self._running -= 1
        self._give_out()

    @property
    def _free(self) -> int:
        return self._limits.in_flight - self._running

    def _check(self, share: _Share) -> None:
        """Raise NoRoom or ShareTaken where one more request has no room to wait."""
        most = self._limits.waiting
        divided = self._divide(share)
        part = divided.part_of(share)
        free = max(0, self._free)
        # Room to wait for all, and for those that have places of their own, which wait not long.
        is_full = self._waiting - free >= most + self._limits.in_flight * (part < 1)
        own = int(most * part + _ROUNDING)
        if part < 1 and most:
            own = max(1, own) + divided.lacked_by(share)
        if is_full or self._queued(share, part) - divided.free_for(share) >= own:
            is_full = is_full or self._waiting - free >= most or part == 1
            self._refuse(share.tenant, is_full=is_full)

    def _queued(self, share: _Share, part: float) -> int:
        """Return how many requests of a tenant wait, or will: of those ahead, it has its part."""
        return len(share.waiting) + max(0, share.expected - int(self._ahead() * part))

    def _let_run(self, share: _Share) -> None:
        share.running += 1
        self._running += 1
        # One that comes back has no turns to make up for.
        self._served = max(self._served, share.served)
        share.served = self._served + 1 / share.weight

    def _give_out(self) -> None:
        """Give free places to those that wait; again later, where they are kept for others."""
        if not self._waiting or self._free <= 0:
            return
        divided = self._divide(None)
        while self._free > 0 and (share := self._next(divided)) is not None:
            turn = share.waiting[0]
            self._drop(share, turn)
            # One whose request is being cancelled may still stand there.
            if not turn.done():
                self._let_run(share)
                divided.take(share)
                turn.set_result(None)
        if self._waiting and self._free > 0 and self._later is None:
            self._later = asyncio.get_running_loop().call_later(self._kept_s, self._on_later)

    def _on_later(self) -> None:
        self._later = None
        self._give_out()

    def _drop(self, share: _Share, turn: "asyncio.Future[None]") -> None:
        share.waiting.remove(turn)
        self._waiting -= 1

    def _next(self, divided: _Places) -> _Share | None:
        """Return the tenant whose request is let run next, if one can."""
        waiting = (share for share in self._shares.values() if share.waiting)
        able = (share for share in waiting if divided.free_for(share))
        return min(able, key=lambda one: (one.running / one.weight, one.served), default=None)

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
        return _Places(self._limits.in_flight, list(self._shares.values()), now)

    def _requests(self) -> Iterator[metrics.TenantRequests]:
        """Yield how many requests of each tenant run and wait. For any thread."""
        for share in [*self._shares.values()]:
            yield metrics.TenantRequests(share.tenant.label, share.running, len(share.waiting))

    def _refuse(self, tenant: Tenant, *, is_full: bool) -> None:
        metrics.count_refusal(self.name, 503 if is_full else 429, tenant=tenant.label)
        limits = f"max_in_flight = {self._limits.in_flight}, max_waiting = {self._limits.waiting}"
        if is_full:
            raise NoRoom(f"the {self.name} has no room for another request now ({limits})")
        raise ShareTaken(
            f"your key's share of the room before the {self.name} is taken now ({limits})"
        )
