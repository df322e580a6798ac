"""The scripted upstream, a process of its own: captioner and reasoner as cheap as can be.

It speaks just enough HTTP/1.1, and on the plain asyncio loop on purpose: there each write is a
system call of its own, so that a stream arrives in pieces, as it does from an engine.
"""

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import Any

CHUNKS = 32
# A chat request with this word in it gets its chunks one by one, and not all at once.
PACED = "paced"
# With this one they take their time: the stream lasts for two seconds.
SLOW = "slow"
# With this one the whole answer is one chunk.
INSTANT = "instant"
PACE_S = 0.005
_SLOW_PACE_S = 0.06

_MODEL = "scripted"
_IDENTITY = {
    "model": "scripted-vlm",
    "revision": "r1",
    "prompt_profile": "racro-v1",
    "fingerprint": "scripted-f1",
}
_USAGE = {"prompt_tokens": 20, "completion_tokens": CHUNKS}


def _response(content_type: str, framing: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{framing}\r\n\r\n".encode() + body


def _json(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return _response("application/json", f"content-length: {len(body)}", body)


def _chunk(data: str) -> bytes:
    return f"{len(data):x}\r\n{data}\r\n".encode()


def _completion_chunk(index: int) -> str:
    delta = {"content": f" word{index}"}
    finish_reason = "stop" if index == CHUNKS - 1 else None
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": _MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return f"data: {json.dumps(chunk)}\n\n"


def _completion() -> dict[str, Any]:
    message = {"role": "assistant", "content": "The answer is 42."}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": _MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _USAGE,
    }


def _perceive_events() -> Iterator[str]:
    texts = {"caption": "A bar chart with one bar of height 42.", "tentative": "It is 42."}
    for part, text in texts.items():
        delta = {"part": part, "index": 0, "text": text}
        yield f"event: delta\ndata: {json.dumps(delta)}\n\n"
    generations = {part: [{"text": text, "usage": _USAGE}] for part, text in texts.items()}
    yield f"event: done\ndata: {json.dumps({**_IDENTITY, **generations})}\n\n"


_END = b"0\r\n\r\n"
_STREAM_HEAD = _response("text/event-stream", "transfer-encoding: chunked")
_COMPLETION = _json(_completion())
_STREAM = [
    _STREAM_HEAD,
    *(_chunk(_completion_chunk(index)) for index in range(CHUNKS)),
    _chunk("data: [DONE]\n\n") + _END,
]
_INSTANT = [_STREAM_HEAD, _chunk(_completion_chunk(CHUNKS - 1) + "data: [DONE]\n\n") + _END]
_PERCEPTION = [_STREAM_HEAD, *map(_chunk, _perceive_events()), _END]
_PLAIN = {
    b"/health": _json({"status": "ok"}),
    # Where traces go.
    b"/v1/traces": _json({}),
    b"/v1/models": _json({"object": "list", "data": [{"id": _MODEL, "object": "model"}]}),
    b"/v1/identity": _json({**_IDENTITY, "parts": ["caption", "tentative"]}),
}


class _Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time; a body has a content-length."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = bytearray()
        self._head = b""
        self._awaited = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._head and not self._read_head():
            return
        if len(self._received) >= self._awaited:
            self._answer(self._head.split(b" ", 2)[1], bytes(self._received))
            self._received.clear()
            self._head = b""

    def _read_head(self) -> bool:
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return False
        self._head, self._received = bytes(head), body
        length = self._head.lower().partition(b"\r\ncontent-length:")[2]
        self._awaited = int(length.split(b"\r\n", 1)[0] or 0)
        return True

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/v1/chat/completions":
            self._chat(body)
        elif path == b"/v1/perceive":
            self._write_all(_PERCEPTION)
        else:
            self._transport.write(_PLAIN[path])

    def _chat(self, body: bytes) -> None:
        if b'"stream":true' not in body.replace(b": ", b":"):
            self._transport.write(_COMPLETION)
        elif INSTANT.encode() in body:
            self._write_all(_INSTANT)
        elif PACED.encode() in body:
            self._write_paced(iter(_STREAM), PACE_S)
        elif SLOW.encode() in body:
            self._write_paced(iter(_STREAM), _SLOW_PACE_S)
        else:
            self._write_all(_STREAM)

    def _write_all(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._transport.write(piece)

    def _write_paced(self, pieces: Iterator[bytes], pace_s: float) -> None:
        if (piece := next(pieces, None)) is not None:
            self._transport.write(piece)
            asyncio.get_running_loop().call_later(pace_s, self._write_paced, pieces, pace_s)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    asyncio.run(_serve(parser.parse_args().port))
