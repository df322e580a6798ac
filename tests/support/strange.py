"""A chat server that answers with raw bytes, as real servers do that are not quite OpenAI's."""

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any, Self

from support.processes import PATIENCE_S
from support.rawpeer import RawConnection, RawPeer
from support.scripted import PROBE

_MODELS = {"object": "list", "data": [{"id": "strange", "object": "model"}]}


def response(
    body: bytes | Any,
    *,
    status: str = "200 OK",
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return an HTTP response of some length, whose body is JSON unless it is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": kind, "content-length": str(len(data)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + data


def event(data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def stream(*pieces: bytes) -> bytes:
    """Return an HTTP response of an event stream to its end, each piece in a chunk of its own."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@dataclass
class Answer:
    """What a chat request is answered, plain or streamed; None hangs up without a byte."""

    plain: bytes | None = None
    streamed: bytes | None = None


class StrangeServer:
    """Runs in a thread of its own. `answer` may be changed at any time; `url` ends with /v1."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._peer = RawPeer(self._respond)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def chats(self) -> list[bytes]:
        """Return the chat requests that came, head and body."""
        return [request for request in self._peer.requests if b"/chat/completions" in request]

    async def _respond(self, connection: RawConnection, request: bytes) -> None:
        if b"/models" in request.partition(b"\r\n")[0]:
            await connection.write(response(_MODELS))
            return
        body = request.partition(b"\r\n\r\n")[2]
        if body == PROBE:
            await connection.write(response({"error": "no JSON"}, status="400 Bad Request"))
            return
        streams = json.loads(body).get("stream")
        said = self.answer.streamed if streams else self.answer.plain
        if said is None:
            connection.abort()
        else:
            await connection.write(said)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening = self._peer.listening()
        self.url = f"http://127.0.0.1:{self._run(self._listening.__aenter__())}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._listening.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
