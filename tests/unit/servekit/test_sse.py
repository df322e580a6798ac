"""Events are read whatever way their bytes arrive; a response of events never falls silent."""

import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.errors import DeadlineExceeded, UpstreamError
from racro.servekit.sse import Event, EventStream, NamedEventStream, read_events
from support.stream_client import Client

NEVER = 60
pytestmark = pytest.mark.clock("jumping")


class Arriving:
    """Stands where aiohttp's StreamReader does: chunks, then the end."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = [chunk for chunk in chunks if chunk]

    async def readany(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


async def read(*chunks: bytes) -> list[Event]:
    return [event async for event in read_events(Arriving(list(chunks)))]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: 1\n\n", [("message", b"1")]),
        (b"data:1\n\n", [("message", b"1")]),
        (b"data:  1\n\n", [("message", b" 1")]),
        (b"data: 1\r\n\r\n", [("message", b"1")]),
        (b"data: one\ndata: two\n\n", [("message", b"one\ntwo")]),
        (b"data\n\n", [("message", b"")]),
        (b"event: done\ndata: {}\n\n", [("done", b"{}")]),
        (b"data: {}\nevent: done\n\n", [("done", b"{}")]),
        (b"event: a\ndata: 1\n\ndata: 2\n\n", [("a", b"1"), ("message", b"2")]),
        (b"event:\ndata: 1\n\n", [("message", b"1")]),
        (b"id: 7\nretry: 10\ndata: 1\nunknown: x\n\n", [("message", b"1")]),
        (b": keep-alive\n\ndata: 1\n\n: more\n\n", [("message", b"1")]),
        (b": inside\ndata: 1\n\n", [("message", b"1")]),
        (b"event: lonely\n\n", []),
        (b"data: a: b\n\n", [("message", b"a: b")]),
        (b"\n\n\n\ndata: 1\n\n", [("message", b"1")]),
        (b"data: 1\n\ndata: unfinished", [("message", b"1")]),
        (b'data: 1\n\ndata: {"a": 1}', [("message", b"1"), ("message", b'{"a": 1}')]),
        (b'data: 1\n\ndata: {"a": ', [("message", b"1")]),
        (b"data: 1\n\ndata: [DONE]", [("message", b"1"), ("message", b"[DONE]")]),
        (b"data: 1\r\rdata: 2\r\r", [("message", b"1"), ("message", b"2")]),
        (b"data: one\rdata: two\n\r", [("message", b"one\ntwo")]),
        (b"\xef\xbb\xbfdata: 1\n\n", [("message", b"1")]),
        (b"\xef\xbb\xbfdata: 1", [("message", b"1")]),
        (b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n", [("message", b"1")]),
        (b'error: {"code": 400}\n\n', [("error", b'{"code": 400}')]),
        (b"data: 1\n\ndata: unfinished\n", [("message", b"1")]),
        (b"event: \xff\ndata: \xff\n\n", [("\ufffd", b"\xff")]),
        (b"", []),
    ],
    ids=ascii,
)
async def test_events_are_read_as_the_standard_says(stream, events) -> None:
    assert await read(stream) == events


LINES = st.sampled_from(
    ["data: one", "data: two: 2", "data:", "event: delta", "event: done", ": comment", "id: 1", ""]
)


@given(st.lists(LINES), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
async def test_it_does_not_matter_where_the_bytes_are_cut(lines, line_end, data) -> None:
    stream = "".join(line + line_end for line in lines).encode()
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    bounds = [0, *cuts, len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(bounds)]
    assert await read(*chunks) == await read(stream.replace(line_end.encode(), b"\n"))


@given(
    st.lists(
        st.sampled_from([b"data:", b"event:", b"\n", b"\r", b"\n\n", b"\xff\xc3"]) | st.binary()
    )
)
async def test_no_bytes_break_the_reader(chunks) -> None:
    for event in await read(*chunks):
        assert isinstance(event, Event)


async def test_an_event_without_end_is_an_error_of_the_upstream() -> None:
    with pytest.raises(UpstreamError, match="4 MiB"):
        await read(b"data: ", *[b"x" * 2**22] * 5)


async def test_an_event_in_many_pieces_is_whole() -> None:
    pieces = [b"x" * 4096] * 1000
    assert await read(b"data: ", *pieces, b"\r", b"\n\r", b"\ndata: 2\n\n") == [
        ("message", b"".join(pieces)),
        ("message", b"2"),
    ]


async def test_an_event_of_very_many_lines_is_an_error_of_the_upstream() -> None:
    with pytest.raises(UpstreamError, match="10000 lines"):
        await read(b"data:\n" * 20_000 + b"\n")


async def test_others_have_their_turn_between_thousands_of_events() -> None:
    turns = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    async for _ in read_events(Arriving([b"data: 1\n\n" * 1001])):
        pass
    assert turns


async def test_a_stream_is_an_event_stream_that_proxies_do_not_hold_back() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=NEVER) as out:
        await out.add_headers([(b"server-timing", b"load;dur=1")])
        assert client.messages == []
        await out.event("delta", {"text": "é"})
    [start] = client.started
    assert client.messages[0] is start
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
        b"server-timing": b"load;dur=1",
    }
    assert client.body == 'event: delta\ndata: {"text":"é"}\n\n'.encode()
    assert client.ended


async def fail(client: Client, *said: bytes, error: Exception, stream=EventStream) -> None:
    async with stream(client, client, keep_alive_s=NEVER) as out:
        await out.add_headers([(b"a", b"b")])
        for piece in said:
            await out.write(piece)
        raise error


@pytest.mark.parametrize("error", [DeadlineExceeded("too late"), RuntimeError("a bug")])
async def test_an_early_failure_leaves_the_status_open(error) -> None:
    client = Client()
    with pytest.raises(type(error)):
        await fail(client, error=error)
    assert client.messages == []


@pytest.mark.parametrize(
    ("stream", "head"), [(EventStream, b"data: "), (NamedEventStream, b"event: error\ndata: ")]
)
async def test_a_late_failure_is_told_in_the_stream(stream, head) -> None:
    client, error = Client(), DeadlineExceeded("too late", param="timeout_s")
    await fail(client, b"data: 1\n\n", error=error, stream=stream)
    assert client.pieces[-1].startswith(head)
    assert json.loads(client.pieces[-1].removeprefix(head)) == error.envelope()
    assert client.pieces[-1].endswith(b"\n\n")
    assert client.ended


async def test_a_late_bug_is_told_without_its_words_and_raised() -> None:
    client = Client()
    with pytest.raises(ZeroDivisionError):
        await fail(client, b"data: 1\n\n", error=ZeroDivisionError("secret"))
    [told] = await read(client.pieces[-1])
    assert json.loads(told.data)["error"]["code"] == "internal"
    assert b"secret" not in client.body
    assert client.ended


async def test_an_event_that_was_broken_off_does_not_swallow_the_error() -> None:
    client = Client()
    await fail(client, b'data: {"half": ', error=DeadlineExceeded("too late"))
    *_, told = await read(client.body)
    assert json.loads(told.data)["error"]["code"] == "deadline_exceeded"


async def test_a_client_that_left_is_told_nothing() -> None:
    client = Client()

    async def handle() -> None:
        async with EventStream(client, client, keep_alive_s=NEVER) as out:
            await out.event("delta", 1)
            await asyncio.Event().wait()

    handler = asyncio.create_task(handle())
    await asyncio.sleep(0)
    handler.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handler
    assert client.pieces == [b"event: delta\ndata: 1\n\n"]


async def test_a_stream_of_nothing_is_still_an_answer() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=NEVER):
        pass
    assert len(client.started) == 1
    assert client.ended


async def test_headers_that_come_late_are_one_comment() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=NEVER) as out:
        await out.event("delta", 1)
        await out.add_headers([(b"x-one", b"1"), (b"x-two", b"2")])
    assert client.pieces[1] == b": x-one: 1; x-two: 2\n\n"
    assert [event.name for event in await read(client.body)] == ["delta"]


async def test_silence_is_broken_by_comments_and_again() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=0.01):
        await client.has_pieces(3)
    assert len(client.started) == 1
    assert client.messages[0] is client.started[0]
    assert set(client.pieces[:-1]) == {b": keep-alive\n\n"}
    assert client.ended


@pytest.mark.parametrize("rest", [[b"1\n\n"], [b"1\r\n\r\n"], [b"1\n", b"\n"]], ids=str)
async def test_comments_stand_between_events_only(rest) -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=0.01) as out:
        await out.write(b"data: ")
        await asyncio.sleep(0.05)
        assert client.pieces == [b"data: "]
        for piece in rest:
            await out.write(piece)
        await client.has_pieces(2 + len(rest))
    assert client.pieces[: 2 + len(rest)] == [b"data: ", *rest, b": keep-alive\n\n"]


async def test_a_comment_comes_only_after_a_silence() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=2) as out:
        for silence_s in (1, 1.5, 3, 1):
            await out.event("delta", 1)
            await asyncio.sleep(silence_s)
    kinds = ["comment" if piece.startswith(b":") else "event" for piece in client.pieces[:-1]]
    assert kinds == ["event", "event", "event", "comment", "event"]
    assert client.times[3] - client.times[2] == pytest.approx(2, abs=0.1)


async def test_after_its_end_a_stream_says_nothing() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=0.01) as out:
        await out.event("delta", 1)
    told = len(client.messages)
    await asyncio.sleep(0.05)
    assert len(client.messages) == told


class SlowClient(Client):
    """Is paused from its first piece on until `reads` is set, as one whose connection is full."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()

    @property
    def is_paused(self) -> bool:
        return bool(self.pieces) and not self.reads.is_set()

    async def drain(self) -> None:
        if self.is_paused:
            await self.reads.wait()


async def test_a_client_that_reads_slowly_gets_no_comments() -> None:
    client = SlowClient()

    async def say() -> None:
        async with EventStream(client, client, keep_alive_s=1) as out:
            await asyncio.sleep(5)
            await out.write(b"data: 1\n\n")

    saying = asyncio.create_task(say())
    await asyncio.sleep(20)
    assert client.pieces == [b": keep-alive\n\n", b"data: 1\n\n"]
    client.reads.set()
    await saying
    assert client.ended


async def test_a_writer_waits_for_a_client_that_reads_slowly() -> None:
    client = SlowClient()

    async def say() -> None:
        async with EventStream(client, client, keep_alive_s=NEVER) as out:
            for _ in range(3):
                await out.write(b"data: 1\n\n")

    saying = asyncio.create_task(say())
    await asyncio.sleep(1)
    assert client.pieces == [b"data: 1\n\n"]
    client.reads.set()
    await saying
    assert client.pieces == [b"data: 1\n\n"] * 3 + [b""]


class Source(Arriving):
    """Hands its chunks to a sink, as a response of `http1` does."""

    async def pipe(self, sink) -> bool:
        while data := await self.readany():
            if not sink(data):
                return False
        return True


async def test_what_is_relayed_stays_as_it_came_and_is_shown_piece_by_piece() -> None:
    client, seen, chunks = Client(), [], [b"data: 1\n", b"\ndata: 2\n\n", b"data: [DONE]\n\n"]
    async with EventStream(client, client, keep_alive_s=NEVER) as out:
        await out.relay(Source(chunks), seen.append)
    assert client.pieces == [*chunks, b""]
    assert seen == chunks


async def test_a_relay_of_nothing_leaves_the_status_open() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=NEVER) as out:
        await out.relay(Source([]))
        assert client.messages == []


async def test_a_relay_waits_for_a_client_that_reads_slowly() -> None:
    client, chunks = SlowClient(), [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]

    async def relay() -> None:
        async with EventStream(client, client, keep_alive_s=NEVER) as out:
            await out.relay(Source(chunks))

    relaying = asyncio.create_task(relay())
    await asyncio.sleep(1)
    assert client.pieces == chunks[:1]
    client.reads.set()
    await relaying
    assert client.pieces == [*chunks, b""]


async def test_a_comment_that_is_late_is_not_sent_behind_the_answer() -> None:
    client = Client()
    async with EventStream(client, client, keep_alive_s=NEVER) as out:
        # As the timer does, in the same turn of the event loop as the answer's end.
        out.on_due()
        await out.event("delta", 1)
    await asyncio.sleep(1)
    assert client.ended
    assert client.pieces == [b"event: delta\ndata: 1\n\n", b""]
