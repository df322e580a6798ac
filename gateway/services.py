"""What the routes share: opened once, closed in order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.cache import Cache
from gateway.cache.opening import open_caches
from gateway.images.fetch import Fetcher
from gateway.images.loader import ImageLoader
from gateway.perception.captioner import CaptionerClient
from gateway.perception.contexts import VisualContextStore
from gateway.perception.perceive import Perceiver
from gateway.reasoning.reasoners import Reasoners
from gateway.reasoning.reload import Reloader
from gateway.settings import GatewaySettings
from gateway.tenancy.rates import Rates
from racro.servekit.upstream import Upstream, open_session


@dataclass(frozen=True)
class Services:
    captioner: CaptionerClient
    cache: Cache
    loader: ImageLoader
    perceiver: Perceiver
    visual_contexts: VisualContextStore
    reasoners: Reasoners
    rates: Rates
    reloader: Reloader


@asynccontextmanager
async def open_services(settings: GatewaySettings) -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(reuse=settings.reuse_connections))
        fetcher = Fetcher(settings.fetch, max_bytes=settings.limits.max_image_bytes)
        stack.push_async_callback(fetcher.close)
        caches = await open_caches(settings.cache)
        stack.push_async_callback(caches.cache.close)
        captioner = CaptionerClient(
            Upstream(session, settings.captioner.url, name="captioner"),
            identity_ttl_s=settings.captioner.identity_ttl_s,
        )
        perceiver = Perceiver(
            captioner,
            caches.cache,
            caches.leases,
            max_tokens=settings.captioner.max_tokens,
            max_timeout_s=settings.limits.max_timeout_s,
            max_entry_bytes=settings.cache.max_entry_bytes,
        )
        reasoners = Reasoners(settings.reasoners, session)
        reloader = Reloader(settings, reasoners)
        reloader.start()
        stack.push_async_callback(reloader.stop)
        yield Services(
            captioner,
            caches.cache,
            ImageLoader(settings.limits, fetcher),
            perceiver,
            VisualContextStore(caches.shared, settings.cache),
            reasoners,
            Rates(caches.redis),
            reloader,
        )
