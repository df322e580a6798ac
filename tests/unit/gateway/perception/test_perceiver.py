"""Where a perception comes from, and what it costs."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from gateway.cache.leases import NoLeases
from gateway.cache.memory import MemoryCache
from gateway.images.loader import Image
from gateway.perception.call_options import CallOptions
from gateway.perception.captioner import CaptionerClient
from gateway.perception.captioners import Captioners
from gateway.perception.perceiver import Perceiver
from gateway.perception.request import PerceptionRequest
from gateway.tenancy.rates import Rates
from gateway.tenancy.tenants import ANYBODY
from racro.contracts.errors import InvalidImage
from racro.contracts.perception import Delta, Usage
from racro.servekit.upstream import Upstream, open_client
from support.processes import PATIENCE_S
from support.scripted import ScriptedServer
from support.tenants import queue

# Of each part, by the scripted captioner.
SPENT = Usage(prompt_tokens=100, completion_tokens=20)


def image(number: int = 0) -> Image:
    data = bytes([number])
    digest = hashlib.sha256(data).hexdigest()
    return Image(data, "image/png", digest, f"messages[0].content[{number}].image_url", 1)


def request(*, images: int = 1, tentative: bool = False, cache: str = "use") -> PerceptionRequest:
    return PerceptionRequest(
        tenant=ANYBODY,
        images=[image(number) for number in range(images)],
        question="How high?",
        tentative=tentative,
        cache=cache,
    )


@pytest.fixture
async def perceiver(captioner) -> AsyncIterator[Perceiver]:
    async with open_client() as client:
        yield Perceiver(
            Captioners(
                [
                    CaptionerClient(
                        Upstream(client, captioner.url, name="captioner"),
                        name=captioner.url,
                        identity_ttl_s=PATIENCE_S,
                    )
                ]
            ),
            MemoryCache(10**6, ttl_s=60),
            NoLeases(),
            queue(),
            Rates(None),
            options=CallOptions(100, max_pages=8),
            max_timeout_s=PATIENCE_S,
            max_entry_bytes=10**5,
        )


def parts_asked_for(captioner: ScriptedServer) -> list[list[str]]:
    return [asked.json["parts"] for asked in captioner.perceptions]


async def test_only_what_the_cache_does_not_have_is_generated(perceiver, captioner) -> None:
    caption = await perceiver.perceive(request())
    both = await perceiver.perceive(request(tentative=True))
    again = await perceiver.perceive(request(tentative=True))
    assert parts_asked_for(captioner) == [["caption"], ["tentative"]]
    assert [one.context.cache for one in (caption, both, again)] == ["miss", "miss", "hit"]
    assert [one.usage for one in (caption, both, again)] == [SPENT, SPENT, Usage()]
    assert again.context.caption == captioner.script.caption
    assert again.context.tentative == captioner.script.tentative


async def test_one_that_joins_pays_nothing(perceiver, captioner) -> None:
    captioner.script.held_at = 1
    first, second = (asyncio.create_task(perceiver.perceive(request())) for _ in "12")
    while not captioner.perceptions:
        await asyncio.sleep(0.01)
    captioner.script.held_at = None
    perceptions = await asyncio.gather(first, second)
    assert [one.context.cache for one in perceptions] == ["miss", "coalesced"]
    assert [one.usage for one in perceptions] == [SPENT, Usage()]
    assert len(captioner.perceptions) == 1


async def test_the_texts_are_given_as_they_come_and_out_of_the_cache(perceiver, captioner) -> None:
    pieces: list[Delta] = []

    async def hear(delta: Delta) -> None:
        pieces.append(delta)

    await perceiver.perceive(request(), hear)
    assert len(pieces) == 2
    pieces.clear()
    await perceiver.perceive(request(), hear)
    assert [piece.text for piece in pieces] == [captioner.script.caption]


@pytest.mark.parametrize(("mode", "result", "afterwards"), [
    ("bypass", "bypass", "first"),
    ("refresh", "miss", "second"),
])  # fmt: skip
async def test_bypass_leaves_the_cache_and_refresh_replaces_what_it_has(
    perceiver, captioner, mode, result, afterwards
) -> None:
    captioner.script.caption = "first"
    await perceiver.perceive(request())
    captioner.script.caption = "second"
    asked = await perceiver.perceive(request(cache=mode))
    assert (asked.context.caption, asked.context.cache) == ("second", result)
    assert (await perceiver.perceive(request())).context.caption == afterwards


async def test_a_tentative_response_that_failed_is_marked_and_asked_for_again(
    perceiver, captioner
) -> None:
    captioner.script.tentative = None
    for _ in range(2):
        context = (await perceiver.perceive(request(tentative=True))).context
        assert (context.tentative, context.failed.message) == (None, "scripted")
    assert parts_asked_for(captioner) == [["caption", "tentative"], ["tentative"]]


@pytest.mark.parametrize(
    ("param", "named"),
    [
        ("images[1]", "messages[0].content[1].image_url"),
        ("images[7]", "messages"),
        ("images", "messages"),
        ("question", "question"),
    ],
)
async def test_an_error_names_the_client_s_own_field(perceiver, captioner, param, named) -> None:
    captioner.script.status = 400
    captioner.script.plain = InvalidImage("no image", param=param).envelope()
    with pytest.raises(InvalidImage) as raised:
        await perceiver.perceive(request(images=2))
    assert raised.value.param == named
