"""When a child counts as silent, by a clock that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from racro.contracts.errors import NotStarted
from racro.engines.noted_request import NotedRequest
from racro.engines.probe import HealthProbe
from racro.engines.silence import SilenceWatch
from support.clock import JumpingLoop


async def is_not_well(_: int) -> bool:
    raise NotStarted("the engine cannot be reached")


def watching(
    story: Callable[[SilenceWatch, "asyncio.Task[None]", JumpingLoop], Awaitable[None]],
) -> None:
    """Play a story in which a child that may be silent for 20 seconds answers no probe."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        silence = SilenceWatch(HealthProbe(is_not_well), limit_s=20)
        task = asyncio.create_task(silence.until_limit(0))
        try:
            await story(silence, task, loop)
        finally:
            task.cancel()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(run())


def test_one_that_says_nothing_is_over_the_limit() -> None:
    async def story(silence: SilenceWatch, task: "asyncio.Task[None]", _: JumpingLoop) -> None:
        await task
        assert 20 <= silence.seconds < 22

    watching(story)


def test_one_that_gives_bytes_to_clients_has_answered() -> None:
    """Though all threads of its server are taken by them, and no probe is answered."""

    async def story(silence: SilenceWatch, task: "asyncio.Task[None]", _: JumpingLoop) -> None:
        for _second in range(600):
            silence.note_byte()
            await asyncio.sleep(9)
            assert not silence.is_told
        assert not task.done()
        await task
        assert silence.is_told

    watching(story)


def test_time_in_which_we_were_held_up_ourselves_is_not_the_childs() -> None:
    """As by a container that was paused: an answer may be there."""

    async def story(silence: SilenceWatch, task: "asyncio.Task[None]", loop: JumpingLoop) -> None:
        await asyncio.sleep(5)
        loop.advance(600)
        await asyncio.sleep(3)
        assert silence.seconds < 12
        assert not task.done()

    watching(story)


class Answer:
    """A response in two pieces."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.pieces = [b"one", b"two"]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.pieces = []

    async def read(self) -> bytes:
        return b"".join(self.pieces)

    async def readany(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        return all(sink(piece) for piece in self.pieces)


async def test_each_piece_of_an_answer_is_noted_and_its_end_is_not() -> None:
    noted: list[None] = []
    async with NotedRequest(Answer(), lambda: noted.append(None)) as response:
        assert (response.status, len(noted)) == (200, 1)
        assert [await response.readany() for _ in range(3)] == [b"one", b"two", b""]
        assert len(noted) == 3


async def test_pieces_that_are_piped_are_heard() -> None:
    noted: list[None] = []
    got: list[bytes] = []
    async with NotedRequest(Answer(), lambda: noted.append(None)) as response:
        assert await response.pipe(lambda piece: got.append(piece) or True)
    assert got == [b"one", b"two"]
    assert len(noted) == 3
