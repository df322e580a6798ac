"""Running work beside other work."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Below this, a hop to a thread costs more than the work it moves off the event loop.
_SMALL_BYTES = 256 * 2**10


def is_small(size: int) -> bool:
    """Whether work on `size` bytes may be done on the event loop.

    For the path of every chat, where asking costs less than the coroutine of `off_loop_if_large`.
    """
    return size <= _SMALL_BYTES


async def off_loop_if_large(size: int, work: Callable[[], T]) -> T:
    """The result of CPU work on `size` bytes: large ones would hold up every other request."""
    return work() if is_small(size) else await asyncio.to_thread(work)


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order; the first failure is raised as it is and cancels the rest."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def one_at_a_time(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Awaitable[T]]:
    """`work`, once for all who ask while it runs; one who leaves takes it from nobody.

    It has the arguments of the first one.
    """
    running: asyncio.Task[T] | None = None

    async def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal running
        if running is None or running.done():
            running = asyncio.create_task(work(*args, **kwargs))
        return await asyncio.shield(running)

    return ask
