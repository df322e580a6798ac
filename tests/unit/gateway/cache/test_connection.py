"""Looking up the name of Redis while the name server is silent."""

import asyncio
import socket
import threading

import pytest

from gateway.cache.connection import Peer


async def test_a_silent_name_server_holds_up_nobody_else() -> None:
    """However often Redis is tried, one thread waits, and none of those that others ask in."""
    asked, answers = [], threading.Event()

    def silent(host, port, **_):
        asked.append(host)
        answers.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("a", "b")]

    peer = Peer(silent)
    try:
        for _ in range(50):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await peer.addresses("redis", 6379)
        async with asyncio.timeout(300):
            await asyncio.gather(*(asyncio.to_thread(int) for _ in range(50)))
        assert asked == ["redis"]
        waiting = [asyncio.create_task(peer.addresses("redis", 6379)) for _ in range(3)]
        await asyncio.sleep(0)
        answers.set()
        assert await asyncio.gather(*waiting) == [["a", "b"]] * 3
        assert asked == ["redis"]
        await peer.addresses("redis", 6379)
        assert asked == ["redis"] * 2
    finally:
        answers.set()
        peer.close()


async def test_an_error_is_everybody_s_and_not_kept() -> None:
    errors = [socket.gaierror(-2, "no such name")]

    def look_up(_host, port, **_):
        if errors:
            raise errors.pop()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("a", port))]

    peer = Peer(look_up)
    with pytest.raises(OSError, match="no such name"):
        await peer.addresses("redis", 6379)
    assert await peer.addresses("redis", 6379) == ["a"]
    peer.close()
