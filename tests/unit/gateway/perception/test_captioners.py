"""Which replica of the captioner is asked, where one tells nonsense, hangs or is killed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import pytest

from gateway.perception.captioner import CaptionerClient
from gateway.perception.captioners import Captioners
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Identity, PerceiveRequest
from racro.servekit.upstream import Upstream, open_client
from support.processes import free_port
from support.rawpeer import RawConnection, RawPeer, eventually
from support.scripted import IDENTITY, Fixed, ScriptedServer

IMAGES = [f"image {number}" for number in range(16)]
KNOWN = Identity.model_validate(IDENTITY)


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedServer()) for _ in range(2)]


@asynccontextmanager
async def captioners(
    urls: Sequence[str], *, identity: Identity | None = None
) -> AsyncIterator[Captioners]:
    async with open_client() as client:
        yield Captioners(
            [
                CaptionerClient(
                    Upstream(client, url, name="captioner"),
                    name=f"no. {number}",
                    identity_ttl_s=600,
                    identity=identity,
                )
                for number, url in enumerate(urls)
            ]
        )


async def request_to(_: Identity) -> PerceiveRequest:
    return PerceiveRequest(
        question="How high?", images=("data:image/png;base64,",), parts=("caption",)
    )


async def no_text(_) -> None:
    pass


async def caption(asked: Captioners, image: str) -> str:
    return (await asked.perceive(image, request_to, no_text)).response.caption[0].text


def urls_of(servers: Sequence[ScriptedServer]) -> list[str]:
    return [server.url for server in servers]


@pytest.mark.parametrize(
    "nonsense",
    [Fixed(200, b'{"model": "x"}'), Fixed(200, b"<html>"), Fixed(404, b""), Fixed(500, b"")],
    ids=["no identity", "no JSON", "404", "500"],
)
async def test_one_that_does_not_tell_who_it_is_costs_no_request(servers, nonsense) -> None:
    servers[0].script.fixed = {"/v1/identity": nonsense}
    async with captioners(urls_of(servers)) as both:
        await both.check()
        for image in IMAGES:
            assert await both.identity(image) == KNOWN
            assert await caption(both, image)
        assert both.replicas_problem == "1 of 2 copies is down"
    assert not servers[0].perceptions


async def test_one_alone_that_tells_nonsense_is_an_error_of_the_upstream(servers) -> None:
    servers[0].script.fixed = {"/v1/identity": Fixed(200, b"{}")}
    async with captioners(urls_of(servers[:1])) as one:
        with pytest.raises(UpstreamError, match="does not fit its contract") as failure:
            await caption(one, "image")
    assert failure.value.status == 502


@pytest.mark.clock("standing")
async def test_one_that_hangs_gets_no_further_image(servers) -> None:
    hung, loop = servers[0], asyncio.get_running_loop()
    async with captioners(urls_of(servers)) as both:
        hung.script.held_at = 0
        for image in IMAGES:
            asking = asyncio.create_task(caption(both, image))
            await eventually(lambda task=asking: task.done() or hung.perceptions)
            if hung.perceptions:
                break
        loop.advance(31)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        for image in IMAGES:
            assert await caption(both, image)
    assert len(hung.perceptions) == 1


class Captioner(RawPeer):
    """Tells who it is, and is killed by each image. Or it hangs on who it is."""

    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__(self._answer)
        self.identities = self.images = 0
        self._hangs = hangs

    async def _answer(self, connection: RawConnection, request: bytes) -> None:
        if request.startswith(b"GET"):
            self.identities += 1
            if self._hangs:
                await connection.reader.read()
                return
            body = json.dumps(IDENTITY).encode()
            await connection.write(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
            )
        else:
            self.images += 1
            await asyncio.sleep(0.2)
            connection.abort()


@asynccontextmanager
async def listening(*peers: Captioner) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        yield [
            f"http://127.0.0.1:{await stack.enter_async_context(peer.listening())}"
            for peer in peers
        ]


async def test_one_that_is_killed_costs_no_request(servers) -> None:
    async with (
        listening(killed := Captioner()) as urls,
        captioners([*urls, servers[0].url]) as both,
    ):
        for image in IMAGES:
            assert await caption(both, image)
    assert killed.images > 0


async def test_what_kills_two_is_asked_nowhere_else() -> None:
    peers = [Captioner() for _ in range(4)]
    async with listening(*peers) as urls, captioners(urls) as all_four:
        with pytest.raises(UpstreamUnavailable):
            await caption(all_four, "image")
    assert sum(peer.images for peer in peers) == 2


async def test_all_who_wait_for_one_that_hangs_wait_once(servers) -> None:
    async with (
        listening(hung := Captioner(hangs=True)) as urls,
        captioners([*urls, servers[0].url]) as both,
    ):
        asked = [caption(both, image) for image in IMAGES for _ in range(3)]
        assert all(await asyncio.gather(*asked))
    assert hung.identities == 1


async def test_who_was_at_the_url_before_names_cached_captions() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with captioners([nobody], identity=KNOWN) as one:
        assert one.was_reached
        assert await one.identity("image") == KNOWN
        with pytest.raises(UpstreamUnavailable):
            await caption(one, "image")
        assert await one.identity("image") == KNOWN


async def test_a_busy_one_is_passed_over_only_for_one_of_the_same_identity(servers) -> None:
    servers[1].script.identity = {**IDENTITY, "fingerprint": "another"}
    async with captioners(urls_of(servers)) as both:
        await both.check()
        image, *_ = [one for one in IMAGES if await both.identity(one) == KNOWN]
        servers[0].script.held_at = 0
        asked = [asyncio.create_task(caption(both, image)) for _ in range(8)]
        await eventually(lambda: len(servers[0].perceptions) == 8)
        servers[0].script.held_at = None
        assert all(await asyncio.gather(*asked))
    assert not servers[1].perceptions
