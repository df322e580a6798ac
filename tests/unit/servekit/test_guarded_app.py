"""The entry of a service, driven as an ASGI server drives it. What a client that leaves does is
tested over sockets: test_protocol.py, tests/system/test_disconnect.py.
"""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import ASGIApp

from racro.contracts.errors import InvalidRequest, RateLimited
from racro.servekit.access_log import AccessLog
from racro.servekit.asgi_routes import add_asgi_route
from racro.servekit.context import request_id
from racro.servekit.guarded_app import GuardedApp
from racro.servekit.responses import read_body, send_response

pytestmark = pytest.mark.clock("jumping")


def scope(method: str = "POST", path: str = "/v1/echo", **headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }


def body(data: bytes = b"", *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


class Client:
    """Sends the scripted messages and keeps what it is sent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages or [body()])
        self.received: list[dict[str, Any]] = []
        self.reads = 0

    async def receive(self) -> dict[str, Any]:
        self.reads += 1
        return self._messages.pop(0)

    async def send(self, message: Any) -> None:
        self.received.append(message)

    @property
    def status(self) -> int:
        return self.received[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.received[0]["headers"])

    @property
    def answer(self) -> bytes:
        return b"".join(message["body"] for message in self.received[1:])

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.answer)["error"]


async def echo(_, receive, send) -> None:
    """Answer with what was asked."""
    await send_response(send, await read_body(receive))


def serving(endpoint: ASGIApp = echo, *, log_share: float = 1, **options: Any) -> GuardedApp:
    api = FastAPI()
    schema = {"type": "object"}
    add_asgi_route(api, "/v1/echo", endpoint, request=schema, response=schema)

    @api.get("/healthz")
    async def healthz() -> str:
        return "alive"

    @api.get("/readyz")
    async def readyz() -> str:
        return "ready"

    options = {
        "max_body_bytes": 10, "max_bytes_in_flight": 15, "shutdown_timeout_s": 1,
        "shutdown_quiet_s": 0, **options
    }  # fmt: skip
    return GuardedApp(api, access_log=AccessLog(service="test", share=log_share), **options)


async def ask(app: GuardedApp, asked: dict[str, Any] | None = None, *messages: Any) -> Client:
    client = Client(*messages)
    await app(asked or scope(), client.receive, client.send)
    return client


class TestBody:
    async def test_a_body_of_the_limit_passes(self) -> None:
        pieces = body(b"01234", more=True), body(b"56789")
        client = await ask(serving(), scope(content_length="10"), *pieces)
        assert client.answer == b"0123456789"

    async def test_a_declared_length_over_the_limit_is_not_read_at_all(self) -> None:
        client = await ask(serving(), scope(content_length="11"), body(b"01234567890"))
        assert (client.status, client.reads) == (413, 0)
        assert "max_body_bytes = 10" in client.error["message"]
        assert client.headers[b"connection"] == b"close"

    @pytest.mark.parametrize("declared", [{}, {"content_length": "10"}, {"content_length": "abc"}])
    async def test_reading_stops_at_the_limit_whatever_was_declared(self, declared) -> None:
        client = await ask(serving(), scope(**declared), *[body(b"01234", more=True)] * 10)
        assert (client.status, client.reads) == (413, 3)


class TestBytesInFlight:
    """Of all bodies together, of which 15 bytes fit."""

    async def test_a_body_that_does_not_fit_is_not_read_at_all(self) -> None:
        inside, may_end = asyncio.Event(), asyncio.Event()

        async def wait(_, receive, send) -> None:
            await receive()
            inside.set()
            await may_end.wait()
            await send_response(send, b"")

        app = serving(wait)
        first = asyncio.create_task(ask(app, scope(content_length="10"), body(b"0", more=True)))
        await inside.wait()
        refused = await ask(app, scope(content_length="6"))
        assert (refused.status, refused.error["code"], refused.reads) == (503, "overloaded", 0)
        assert "max_bytes_in_flight = 15" in refused.error["message"]
        assert (refused.headers[b"retry-after"], refused.headers[b"connection"]) == (b"1", b"close")
        assert b"x-racro-begun" not in refused.headers
        may_end.set()
        assert (await ask(app, scope(content_length="5"), body(b"01234"))).status == 200
        assert (await first).status == 200
        assert (await ask(app, scope(content_length="10"), body(b"0"))).status == 200

    async def test_a_body_without_a_length_counts_as_it_is_read(self) -> None:
        app = serving(max_body_bytes=10, max_bytes_in_flight=0)
        assert (await ask(app, None, body(b"0" * 10))).status == 200
        assert (await ask(app, None, *[body(b"01234", more=True)] * 3)).status == 413
        assert (await ask(app, None, body(b"0" * 10))).status == 200

    @given(
        requests=st.lists(
            st.tuples(
                st.sampled_from(["10", "7", "3", "11", None]),
                st.lists(st.integers(0, 6), max_size=4),
                st.sampled_from(["answers", "fails", "refuses", "waits", "leaves"]),
            ),
            max_size=8,
        )
    )
    def test_all_is_given_back_whatever_becomes_of_the_requests(self, requests) -> None:
        asyncio.run(self._all_is_given_back(requests))

    async def _all_is_given_back(self, requests) -> None:
        async def endpoint(scope, receive, send) -> None:
            await read_body(receive)
            match scope["outcome"]:
                case "fails":
                    raise ZeroDivisionError
                case "refuses":
                    raise InvalidRequest("no")
                case "waits":
                    await asyncio.Event().wait()
            await send_response(send, b"")

        app, tasks = serving(endpoint), []
        for length, sizes, outcome in requests:
            asked = scope(**({"content_length": length} if length else {}))
            pieces = [body(b"x" * size, more=True) for size in sizes]
            pieces.append({"type": "http.disconnect"} if outcome == "leaves" else body())
            tasks.append(asyncio.create_task(ask(app, asked | {"outcome": outcome}, *pieces)))
            await asyncio.sleep(0)
            assert 0 <= app.budget.taken <= app.budget.limit
        for _ in range(20):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert app.budget.taken == 0


class TestRequestId:
    async def test_it_is_the_clients_inside_and_in_the_answer(self) -> None:
        seen = []

        async def app(_, receive, send) -> None:
            seen.append(request_id.get())
            await echo(_, receive, send)

        client = await ask(serving(app), scope(x_request_id="abc-1"))
        assert seen == ["abc-1"]
        assert client.headers[b"x-request-id"] == b"abc-1"
        assert request_id.get() == ""

    async def test_each_request_without_an_id_gets_its_own(self) -> None:
        first, second = [(await ask(serving())).headers[b"x-request-id"] for _ in "12"]
        assert first
        assert first != second


class TestAccessLog:
    async def test_a_line_names_the_route_and_what_was_asked_for(self, caplog, capsys) -> None:
        with caplog.at_level("INFO", logger="racro.access"):
            await ask(serving(), scope(path="/v1/v1/echo", x_request_id="abc-1"))
        line = json.loads(capsys.readouterr().err)
        assert line.pop("ms") >= 0
        assert line.pop("time").endswith("Z")
        assert line == {
            "message": "POST /v1/echo", "service": "test", "request_id": "abc-1", "status": 200,
            "path": "/v1/v1/echo", "level": "INFO", "logger": "racro.access",
        }  # fmt: skip

    async def test_probes_and_what_is_below_the_level_are_not_logged(self, caplog, capsys) -> None:
        with caplog.at_level("INFO", logger="racro.access"):
            assert (await ask(serving(), scope("GET", "/healthz"))).status == 200
        with caplog.at_level("WARNING", logger="racro.access"):
            await ask(serving())
        assert capsys.readouterr().err == ""

    async def test_a_share_of_none_logs_what_fails_only(self, caplog, capsys) -> None:
        app = serving(log_share=0)
        with caplog.at_level("INFO", logger="racro.access"):
            await ask(app)
            await ask(app, scope(path="/nowhere"))
        [line] = capsys.readouterr().err.splitlines()
        assert json.loads(line)["status"] == 404


class TestFailures:
    async def test_our_errors_are_answered(self) -> None:
        async def refuse(*_) -> None:
            raise InvalidRequest("not so", param="this")

        client = await ask(serving(refuse))
        assert (client.status, client.error["param"]) == (400, "this")

    async def test_a_bug_is_an_error_without_its_words(self) -> None:
        async def fail(*_) -> None:
            raise ZeroDivisionError("secret")

        client = await ask(serving(fail))
        assert (client.status, client.error["code"]) == (500, "internal")
        assert b"secret" not in client.answer

    @pytest.mark.parametrize("error", [ZeroDivisionError(), InvalidRequest("late")])
    async def test_a_failure_amid_an_answer_breaks_it_off(self, error, capsys, caplog) -> None:
        async def fail(_, __, send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise error

        with caplog.at_level("INFO"), pytest.raises(type(error)):
            await ask(serving(fail))
        assert json.loads(capsys.readouterr().err.splitlines()[-1])["status"] == 500

    @pytest.mark.parametrize(
        "content_type", ["application/json", "multipart/form-data; boundary=x"]
    )
    async def test_a_client_that_leaves_amid_its_upload_is_no_failure(
        self, content_type, capsys, caplog
    ) -> None:
        async def read(scope, receive, send) -> None:
            if "form" in content_type:
                await Request(scope, receive).form()
            await echo(scope, receive, send)

        left = {"type": "http.disconnect"}
        asked = scope(content_type=content_type)
        with caplog.at_level("INFO"):
            client = await ask(serving(read), asked, body(b"--x\r\n", more=True), left)
        assert client.received == []
        assert json.loads(capsys.readouterr().err)["status"] == 499
        assert caplog.records == []

    async def test_a_cancellation_from_outside_stays_one(self) -> None:
        started = asyncio.Event()

        async def wait(*_) -> None:
            started.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(ask(serving(wait)))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class Guard:
    """Admits those who say so, and counts who is inside."""

    inside = 0

    async def enter(self, scope) -> list[tuple[bytes, bytes]]:
        if not scope["headers"]:
            raise RateLimited("later")
        self.inside += 1
        return [(b"x-left", b"1")]

    def leave(self, _) -> None:
        self.inside -= 1


class TestAdmission:
    async def test_who_is_admitted_is_answered_with_its_headers(self) -> None:
        guard = Guard()
        client = await ask(serving(admission=guard), scope(please="1"))
        assert (client.status, client.headers[b"x-left"]) == (200, b"1")
        assert guard.inside == 0

    async def test_who_is_not_is_read_no_further(self) -> None:
        guard = Guard()
        client = await ask(serving(admission=guard))
        assert (client.status, client.reads, guard.inside) == (429, 0, 0)

    async def test_a_request_that_fails_leaves(self) -> None:
        async def fail(*_) -> None:
            raise ZeroDivisionError

        guard = Guard()
        await ask(serving(fail, admission=guard), scope(please="1"))
        assert guard.inside == 0


class TestDrain:
    async def test_what_comes_after_its_beginning_is_served(self) -> None:
        app = serving(shutdown_timeout_s=1e6)
        app.drain.begin()
        assert (await ask(app)).status == 200

    async def test_it_is_not_ready_from_its_beginning_on(self) -> None:
        app = serving(shutdown_timeout_s=1e6)
        assert (await ask(app, scope("GET", "/readyz"))).status == 200
        app.drain.begin()
        assert (await ask(app, scope("GET", "/readyz"))).status == 503
        assert (await ask(app, scope("GET", "/healthz"))).status == 200

    async def test_what_comes_too_late_is_sent_away(self) -> None:
        app = serving()
        app.drain.begin(serves_on=False)
        client = await ask(app)
        assert (client.status, client.headers[b"connection"]) == (503, b"close")
        assert b"x-racro-begun" not in client.headers
        assert (await ask(app, scope("GET", "/healthz"))).status == 200

    async def test_it_is_over_when_nothing_is_in_flight(self) -> None:
        inside, may_end = asyncio.Event(), asyncio.Event()

        async def wait(_, receive, send) -> None:
            inside.set()
            await may_end.wait()
            await echo(_, receive, send)

        app = serving(wait, shutdown_timeout_s=1e6)
        task = asyncio.create_task(ask(app))
        await inside.wait()
        app.drain.begin()
        assert not app.drain.over
        may_end.set()
        assert (await task).status == 200
        assert app.drain.over
