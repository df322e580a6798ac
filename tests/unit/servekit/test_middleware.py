"""The middleware, driven as an ASGI server drives it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect

from racro.contracts.errors import TooLarge
from racro.servekit.context import request_id
from racro.servekit.middleware import CancelOnDisconnect, LimitBody, Observe
from racro.servekit.responses import read_body, send_response

pytestmark = pytest.mark.clock("jumping")

DISCONNECT = {"type": "http.disconnect"}


def scope(**headers: str) -> dict:
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/solve",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }


def body(data: bytes = b"", *, more: bool = False) -> dict:
    return {"type": "http.request", "body": data, "more_body": more}


class Client:
    """Sends the scripted messages, leaves when told to, and keeps what it is sent."""

    def __init__(self, *messages: dict) -> None:
        self._messages = list(messages)
        self.leaving = asyncio.Event()
        self.received: list[dict] = []
        self.reads = 0

    async def receive(self) -> dict:
        self.reads += 1
        if self._messages:
            return self._messages.pop(0)
        await self.leaving.wait()
        return DISCONNECT

    async def send(self, message) -> None:
        self.received.append(message)


async def echo(_, receive, send) -> None:
    await send_response(send, await read_body(receive))


class TestLimitBody:
    async def run(self, client: Client, asked: dict, *, max_bytes: int = 10) -> None:
        await LimitBody(echo, max_bytes=max_bytes)(asked, client.receive, client.send)

    async def test_a_body_of_the_limit_passes(self) -> None:
        client = Client(body(b"01234", more=True), body(b"56789"))
        await self.run(client, scope(content_length="10"))
        assert client.received[-1]["body"] == b"0123456789"

    async def test_a_declared_length_over_the_limit_is_not_read_at_all(self) -> None:
        client = Client(body(b"01234567890"))
        with pytest.raises(TooLarge, match="max_body_bytes = 10"):
            await self.run(client, scope(content_length="11"))
        assert client.reads == 0

    @pytest.mark.parametrize("declared", [{}, {"content_length": "10"}, {"content_length": "abc"}])
    async def test_reading_stops_at_the_limit_whatever_was_declared(self, declared) -> None:
        client = Client(*[body(b"01234", more=True)] * 10)
        with pytest.raises(TooLarge, match="max_body_bytes = 10"):
            await self.run(client, scope(**declared))
        assert client.reads == 3

    async def test_other_traffic_is_none_of_its_business(self) -> None:
        seen = []

        async def app(*args) -> None:
            seen.append(args)

        await LimitBody(app, max_bytes=1)({"type": "lifespan"}, "receive", "send")
        assert seen == [({"type": "lifespan"}, "receive", "send")]


class Handler:
    """Reads its body, then waits until it is allowed to answer, and after that to end."""

    def __init__(self) -> None:
        self.reading = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.answered = asyncio.Event()
        self.may_end = asyncio.Event()
        self.outcome = "running"

    async def __call__(self, _, receive, send) -> None:
        try:
            await read_body(receive)
            self.reading.set()
            await self.may_answer.wait()
            await send_response(send, b"{}")
            self.answered.set()
            await self.may_end.wait()
            self.outcome = "ended"
        except asyncio.CancelledError:
            self.outcome = "cancelled"
            raise
        except ClientDisconnect:
            self.outcome = "disconnected"


class TestCancelOnDisconnect:
    def serve(self, handler: Handler, client: Client) -> asyncio.Task:
        app = CancelOnDisconnect(handler)
        return asyncio.create_task(app(scope(), client.receive, client.send))

    async def test_a_handler_is_cancelled_when_its_client_leaves(self) -> None:
        handler, client = Handler(), Client(body(b"x"))
        serving = self.serve(handler, client)
        await handler.reading.wait()
        client.leaving.set()
        await asyncio.wait_for(serving, 10)
        assert handler.outcome == "cancelled"
        assert client.received == []
        assert serving.cancelling() == 0

    async def test_a_client_may_leave_once_it_has_its_answer(self) -> None:
        handler, client = Handler(), Client(body(b"x"))
        serving = self.serve(handler, client)
        handler.may_answer.set()
        await handler.answered.wait()
        client.leaving.set()
        await asyncio.sleep(0.01)
        handler.may_end.set()
        await asyncio.wait_for(serving, 10)
        assert handler.outcome == "ended"

    async def test_a_client_that_leaves_amid_its_body_is_noticed_by_who_reads_it(self) -> None:
        handler, client = Handler(), Client(body(b"x", more=True), DISCONNECT)
        await asyncio.wait_for(self.serve(handler, client), 10)
        assert handler.outcome == "disconnected"

    async def test_a_cancellation_from_outside_stays_one(self) -> None:
        handler, client = Handler(), Client(body(b"x"))
        serving = self.serve(handler, client)
        await handler.reading.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert handler.outcome == "cancelled"

    async def test_a_deadline_inside_is_not_mistaken_for_a_client_that_left(self) -> None:
        async def slow(_, receive, send) -> None:
            await read_body(receive)
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()

        client = Client(body())
        with pytest.raises(TimeoutError):
            await CancelOnDisconnect(slow)(scope(), client.receive, client.send)

    async def test_a_failure_passes_through_and_nobody_keeps_watching(self) -> None:
        async def fail(_, receive, send) -> None:
            await read_body(receive)
            raise ZeroDivisionError

        client, before = Client(body()), asyncio.all_tasks()
        with pytest.raises(ZeroDivisionError):
            await CancelOnDisconnect(fail)(scope(), client.receive, client.send)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before


class TestObserve:
    async def serve(self, app, **headers: str) -> Client:
        client = Client(body())
        await Observe(app)(scope(**headers), client.receive, client.send)
        return client

    async def test_the_request_id_is_the_clients_inside_and_in_the_answer(self) -> None:
        seen = []

        async def app(_, receive, send) -> None:
            seen.append(request_id.get())
            await echo(_, receive, send)

        client = await self.serve(app, x_request_id="abc-1")
        assert seen == ["abc-1"]
        assert (b"x-request-id", b"abc-1") in client.received[0]["headers"]
        assert request_id.get() == ""

    async def test_each_request_without_an_id_gets_its_own(self) -> None:
        first, second = [
            dict((await self.serve(echo)).received[0]["headers"])[b"x-request-id"] for _ in "12"
        ]
        assert first
        assert first != second

    async def test_a_log_line_names_the_route_and_never_the_clients_path(self, caplog) -> None:
        with caplog.at_level("INFO", logger="racro.access"):
            await self.serve(echo)
        [record] = caplog.records
        assert record.getMessage() == "POST unmatched"
        assert record.status == 200
        assert record.ms >= 0
