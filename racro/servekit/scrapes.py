"""The text of /metrics: made beside the event loop, once for all that ask meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry


class Scrapes:
    """Encodes a registry in one thread of its own.

    Anybody may ask for metrics, and thousands of series take a tenth of a second: in the threads
    that requests use they would keep those waiting.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._running: dict[str, asyncio.Future[bytes]] = {}

    async def encoded(self, media_type: str, encode: Callable[[CollectorRegistry], bytes]) -> bytes:
        """Return the metrics as `encode` writes them, which is what the media type stands for.

        Where they are being written as that type already, these are returned.
        """
        running = self._running.get(media_type)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._thread, encode, self._registry)
            self._running[media_type] = running
            running.add_done_callback(lambda _: self._running.pop(media_type))
        # One that leaves must not take it from the others.
        return await asyncio.shield(running)
