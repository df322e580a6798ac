"""What requests share: opened once, and reached through the lifespan state of the app."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from gateway import metrics
from gateway.cache import Cache
from gateway.cache.opening import Caches, open_caches
from gateway.images.fetch import Fetcher
from gateway.images.loader import ImageLoader
from gateway.perception.call_options import CallOptions
from gateway.perception.captioner import CaptionerClient
from gateway.perception.captioners import Captioners
from gateway.perception.contexts import VisualContextStore
from gateway.perception.perceiver import Perceiver
from gateway.reasoning.reasoners import Reasoners
from gateway.reasoning.reload import Reloader
from gateway.replica_list import ReplicaList, refresh_periodically
from gateway.settings import CaptionerSection, GatewaySettings
from gateway.tenancy.fair_queue import FairQueue, QueueLimits
from gateway.tenancy.rates import Rates
from gateway.tenancy.tenants import Tenants
from racro.contracts.perception import CONTRACT, CONTRACT_HEADER
from racro.servekit.app import State
from racro.servekit.upstream import Client, Upstream, open_client

_STATE_KEY = "services"


@dataclass(frozen=True)
class Services:
    """What the requests of a gateway share.

    `started` is in seconds since 1970, `opened_at` by the event loop's clock.
    """

    captioners: Captioners
    cache: Cache
    loader: ImageLoader
    perceiver: Perceiver
    visual_contexts: VisualContextStore
    reasoners: Reasoners
    rates: Rates
    reloader: Reloader
    tenants: Tenants
    started: int
    opened_at: float

    def state(self) -> State:
        """Return the lifespan state in which `services_of` finds these services."""
        return {_STATE_KEY: self}


def services_of(scope: Scope) -> Services:
    """Return the services for a request."""
    return services_in(scope["state"])


def services_in(state: State) -> Services:
    """Return the services in a lifespan state."""
    services: Services = state[_STATE_KEY]
    return services


@asynccontextmanager
async def open_services(settings: GatewaySettings, tenants: Tenants) -> AsyncIterator[Services]:
    """Open the services of a gateway, and close them in the opposite order."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            open_client(settings.upstreams, reuse=settings.reuse_connections)
        )
        fetcher = Fetcher(settings.fetch, max_bytes=settings.limits.max_image_bytes)
        stack.push_async_callback(fetcher.close)
        caches = await open_caches(settings.cache)
        stack.push_async_callback(caches.cache.close)
        queue = FairQueue("captioner", QueueLimits.of(settings.captioner))
        replicas = _captioner_replicas(settings.captioner, client, queue)
        captioners = Captioners(replicas)
        rates = Rates(caches.redis)
        reasoners = Reasoners(settings.reasoners, client, ahead=lambda: queue.room)
        reloader = Reloader(settings, reasoners)
        _start(stack, replicas, reasoners, reloader, tenants)
        yield Services(
            captioners=captioners,
            cache=caches.cache,
            loader=ImageLoader(settings.limits, fetcher),
            perceiver=_perceiver(settings, captioners, caches, queue, rates),
            visual_contexts=VisualContextStore(caches.shared, settings.cache),
            reasoners=reasoners,
            rates=rates,
            reloader=reloader,
            tenants=tenants,
            started=int(time.time()),
            opened_at=asyncio.get_running_loop().time(),
        )


def _perceiver(
    settings: GatewaySettings,
    captioners: Captioners,
    caches: Caches,
    queue: FairQueue,
    rates: Rates,
) -> Perceiver:
    return Perceiver(
        captioners,
        caches.cache,
        caches.leases,
        queue,
        rates,
        options=CallOptions(settings.captioner.max_tokens, settings.limits.max_pages),
        max_timeout_s=settings.limits.max_timeout_s,
        max_entry_bytes=settings.cache.max_entry_bytes,
    )


def _start(
    stack: AsyncExitStack,
    captioners: ReplicaList[CaptionerClient],
    reasoners: Reasoners,
    reloader: Reloader,
    tenants: Tenants,
) -> None:
    """Start what goes on beside the requests, until the stack is closed."""

    def replica_lists() -> Iterable[ReplicaList[Any]]:
        yield captioners
        yield from reasoners.replica_lists

    for watch in (refresh_periodically(replica_lists), tenants.watch()):
        stack.push_async_callback(_cancel, asyncio.create_task(watch))
    reloader.start()
    stack.push_async_callback(reloader.stop)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _captioner_replicas(
    settings: CaptionerSection, client: Client, queue: FairQueue
) -> ReplicaList[CaptionerClient]:
    """Return the captioner's replicas; the queue before them has room for as many as there are."""
    headers = {CONTRACT_HEADER: str(CONTRACT)}

    def make(url: str, address: str | None, known: Sequence[CaptionerClient]) -> CaptionerClient:
        identities = (one.known_identity for one in known)
        return CaptionerClient(
            Upstream(client, url, name="captioner", headers=headers, address=address),
            name=f"{url} {address or ''}",
            identity_ttl_s=settings.identity_ttl_s,
            identity=next((one for one in identities if one is not None), None),
        )

    def on_change(count: int) -> None:
        queue.change(QueueLimits.of(settings, servers=count))

    replicas = ReplicaList(client, settings.urls, make, on_change=on_change)
    on_change(len(replicas))
    metrics.observe_replicas(
        "captioner", count=lambda: len(replicas), failed=lambda: replicas.failed
    )
    return replicas
