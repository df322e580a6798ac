"""The one seam for fakes: a small HTTP server that plays captioner, reasoner or vision server.

It records what it was asked, answers as scripted, and notes when a client left it.
"""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from multidict import CIMultiDict

from support.dialect_answers import message, message_events, response, response_events
from support.processes import PATIENCE_S

IDENTITY = {
    "model": "scripted-vlm",
    "revision": "r1",
    "prompt_profile": "racro-v1",
    "fingerprint": "f1",
    "parts": ["caption", "tentative"],
}

# What the gateway sends to find out whether an API is served.
PROBE = b"{"

# As many connections may wait to be accepted as at a uvicorn.
_BACKLOG = 2048


@dataclass
class Fixed:
    """An answer word for word."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """How chat and perceive calls are answered; change it at any time."""

    texts: list[str] = field(default_factory=lambda: ["The answer is ", "\\boxed{42}."])
    reasoning: list[str] = field(default_factory=list)
    before_s: float = 0
    # Held back until this is None again: pieces of a stream from this number on, 0 is all of it.
    held_at: int | None = None
    between_s: float = 0
    # Break the connection off after this many pieces of a stream.
    die_after: int | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    # Told in the first chunk of a streamed chat, as most servers do.
    role: str | None = None
    # Verbatim answers instead of the texts: the plain JSON, or the chunks of a stream.
    plain: dict[str, Any] | None = None
    chunks: list[dict[str, Any]] | None = None
    usage: dict[str, int] = field(
        default_factory=lambda: {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    )
    # For perceive calls.
    caption: str = "A bar chart with one bar of height 42."
    tentative: str | None = "It is \\boxed{42}."
    identity: dict[str, Any] = field(default_factory=lambda: dict(IDENTITY))
    # How many pages of PDFs were shown.
    pages: int = 0
    # Another script for this request (its JSON), where one script cannot fit all; None: this one.
    respond: Callable[[Any], "Script | None"] | None = None
    # What GET /files/<name> answers.
    files: dict[str, bytes] = field(default_factory=dict)
    # What requests for a path are answered, whatever they ask; "*": for all others.
    fixed: dict[str, Fixed] = field(default_factory=dict)

    def of(self, asked: "Asked") -> "Script":
        return (self.respond and self.respond(asked.json)) or self


@dataclass
class Asked:
    path: str
    headers: CIMultiDict[str]
    raw: bytes
    began: float
    finished: bool = False
    # time.monotonic() of when the client left before the answer was complete.
    left_at: float | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


class ScriptedServer:
    """Runs in a thread of its own. `url` has no /v1. Port 0: any that is free."""

    def __init__(
        self, host: str = "127.0.0.1", *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.script = Script()
        self.asked: list[Asked] = []
        # How often its models were asked for, of which nothing else is noted.
        self.listed = 0
        # The paths of requests that only found out whether an API is served.
        self.probed: list[str] = []
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner = web.AppRunner(
            self._app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reset(self) -> None:
        self.script = Script()
        self.asked.clear()
        self.probed.clear()

    def calls(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    @property
    def chats(self) -> list[Asked]:
        return self.calls("/v1/chat/completions")

    @property
    def perceptions(self) -> list[Asked]:
        return self.calls("/v1/perceive")

    def _run(self, work) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._host, self._wanted_port, ssl_context=self._tls, backlog=_BACKLOG
        )
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=200 * 2**20, middlewares=[self._fixed])
        app.router.add_get("/v1/identity", self._identity)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/files/{name}", self._recorded(self._file))
        app.router.add_post("/v1/chat/completions", self._recorded(self._chat))
        app.router.add_post(
            "/v1/{api:responses|messages|messages/count_tokens}", self._recorded(self._more)
        )
        app.router.add_post("/v1/perceive", self._recorded(self._perceive))
        return app

    @web.middleware
    async def _fixed(self, request: web.Request, handler) -> web.StreamResponse:
        fixed = self.script.fixed.get(request.path) or self.script.fixed.get("*")
        is_probe = request.can_read_body and await request.read() == PROBE
        if is_probe:
            self.probed.append(request.path)
        # Whoever serves a path refuses there what is no JSON.
        if fixed is None or (is_probe and fixed.status == 200):
            return await handler(request)
        return web.Response(
            status=fixed.status, body=fixed.body, content_type=fixed.media_type,
            headers=fixed.headers,
        )  # fmt: skip

    def _recorded(self, handler):
        async def record(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            if raw == PROBE:
                return web.json_response({"error": {"message": "no JSON"}}, status=400)
            asked = Asked(request.path, request.headers.copy(), raw, time.monotonic())
            self.asked.append(asked)
            try:
                response = await handler(request, asked)
            except (asyncio.CancelledError, ConnectionError):
                asked.left_at = time.monotonic()
                raise
            asked.finished = True
            return response

        return record

    async def _identity(self, _: web.Request) -> web.Response:
        return web.json_response(self.script.identity)

    async def _models(self, _: web.Request) -> web.Response:
        self.listed += 1
        return web.json_response(
            {"object": "list", "data": [{"id": "scripted", "object": "model", "revision": "rev7"}]}
        )

    async def _file(self, request: web.Request, _: Asked) -> web.Response:
        return web.Response(body=self.script.files[request.match_info["name"]])

    async def _chat(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        script = self.script.of(asked)
        await _pause(script)
        if script.status != 200 or not asked.json.get("stream"):
            await asyncio.sleep(script.between_s * len(script.texts))
            return web.json_response(
                script.plain or _completion(script), status=script.status, headers=script.headers
            )
        chunks = script.chunks or [
            *([_chunk({"role": script.role, "content": ""})] if script.role else []),
            *(_chunk({"reasoning_content": text}) for text in script.reasoning),
            *(_chunk({"content": text}) for text in script.texts),
            _chunk({}, finish_reason="stop"),
        ]
        if (asked.json.get("stream_options") or {}).get("include_usage"):
            chunks = [
                *chunks,
                {**_chunk({}), "choices": [], "usage": script.usage},
            ]
        pieces = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return await self._play(request, script, [*pieces, "data: [DONE]\n\n"])

    async def _more(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        script = self.script.of(asked)
        await _pause(script)
        if script.status != 200 or not asked.json.get("stream"):
            plain = script.plain or _more_plain(asked.path, script)
            return web.json_response(plain, status=script.status, headers=script.headers)
        counts = _counts(script)
        made = message_events if asked.path.endswith("/messages") else response_events
        chunks = script.chunks or made(script.texts, **counts)
        pieces = [_event(chunk["type"], chunk) for chunk in chunks]
        return await self._play(request, script, pieces)

    async def _perceive(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        script = self.script.of(asked)
        await _pause(script)
        if script.status != 200:
            return web.json_response(script.plain, status=script.status)
        texts = {"caption": script.caption, "tentative": script.tentative}
        wanted = {part: texts[part] for part in asked.json["parts"]}
        identity = {name: value for name, value in script.identity.items() if name != "parts"}
        done: dict[str, Any] = {**identity, "failed": {}, "pages": script.pages}
        halves: tuple[list[str], list[str]] = ([], [])
        for part, text in wanted.items():
            if text is None:
                done["failed"][part] = {"code": "upstream_unavailable", "message": "scripted"}
                continue
            middle = len(text) // 2
            for half, piece in zip(halves, (text[:middle], text[middle:]), strict=True):
                half.append(_event("delta", {"part": part, "index": 0, "text": piece}))
            usage = {"prompt_tokens": 100, "completion_tokens": 20}
            done[part] = [{"text": text, "finish_reason": "stop", "usage": usage}]
        # Both parts are made at the same time: their pieces alternate.
        events = [*halves[0], *halves[1]]
        return await self._play(request, script, [*events, _event("done", done)])

    async def _play(
        self, request: web.Request, script: Script, pieces: list[str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for number, piece in enumerate(pieces):
            if number == script.die_after:
                request.transport.abort()
                return response
            if number:
                await asyncio.sleep(script.between_s)
                await _hold(script, number)
            await response.write(piece.encode())
        await response.write_eof()
        return response


def _more_plain(path: str, script: Script) -> dict[str, Any]:
    if path.endswith("/count_tokens"):
        return {"input_tokens": script.usage["prompt_tokens"]}
    made = message if path.endswith("/messages") else response
    return made("".join(script.texts), **_counts(script))


def _counts(script: Script) -> dict[str, int]:
    return {name: script.usage[name] for name in ("prompt_tokens", "completion_tokens")}


async def _pause(script: Script) -> None:
    await asyncio.sleep(script.before_s)
    await _hold(script, 0)


async def _hold(script: Script, piece: int) -> None:
    while script.held_at is not None and script.held_at <= piece:
        await asyncio.sleep(0.01)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def read_events(text: str) -> list[tuple[str, Any]]:
    """The named events of a whole stream, comments left out."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    pairs = (block.split("\n", 1) for block in blocks)
    return [
        (event.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for event, data in pairs
    ]


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


def _completion(script: Script) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(script.texts)}
    if script.reasoning:
        message["reasoning_content"] = "".join(script.reasoning)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": script.usage,
    }
