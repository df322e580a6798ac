"""Metrics are written in a thread of their own, once for all that ask meanwhile."""

import asyncio
import threading

from prometheus_client import CollectorRegistry

from racro.servekit.scrapes import Scrapes


class Encoder:
    """Notes in which thread it is called, and goes on when it may."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.go_on = threading.Event()

    def __call__(self, _: CollectorRegistry) -> bytes:
        self.threads.append(threading.get_ident())
        self.go_on.wait(10)
        return b"metrics %d" % len(self.threads)


async def test_overlapping_scrapes_share_one_result() -> None:
    scrapes, encode = Scrapes(CollectorRegistry()), Encoder()
    asked = [asyncio.create_task(scrapes.encoded("text/plain", encode)) for _ in range(50)]
    await asyncio.sleep(0)
    asked[0].cancel()
    await asyncio.sleep(0)
    encode.go_on.set()
    assert {await one for one in asked[1:]} == {b"metrics 1"}
    assert await scrapes.encoded("text/plain", encode) == b"metrics 2"
    assert len(set(encode.threads)) == 1
    assert threading.get_ident() not in encode.threads


async def test_each_media_type_has_its_own_result() -> None:
    scrapes, encode = Scrapes(CollectorRegistry()), Encoder()
    encode.go_on.set()
    both = await asyncio.gather(*(scrapes.encoded(kind, encode) for kind in ("a", "b")))
    assert sorted(both) == [b"metrics 1", b"metrics 2"]
