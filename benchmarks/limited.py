"""A scripted captioner and a scripted reasoner that have room for so many requests at once.

Each request takes its time; one beyond the room is answered 503, as an engine with a full queue
does. `GET /seen` tells, of each, the most that were in flight and how many had no room.
"""

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_IDENTITY = {
    "model": "scripted-vlm",
    "revision": "r1",
    "prompt_profile": "racro-v1",
    "fingerprint": "scripted-f1",
}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 10}
_CAPTION = {"text": "One bar of height 42.", "finish_reason": "stop", "usage": _USAGE}
_ANSWER = "The answer is 42."


@dataclass
class Seen:
    """How many requests a stage has and had in flight, and how many it had no room for."""

    in_flight: int = 0
    most: int = 0
    refused: int = 0


class _Stage:
    def __init__(self, room: int, seconds: float) -> None:
        self.seen = Seen()
        self._room = room
        self._seconds = seconds

    async def take(self) -> bool:
        """Take the time of one request, if there is room for it."""
        if self.seen.in_flight >= self._room:
            self.seen.refused += 1
            return False
        self.seen.in_flight += 1
        self.seen.most = max(self.seen.most, self.seen.in_flight)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.seen.in_flight -= 1
        return True


def _events(data: object, *, name: str = "message") -> Response:
    text = f"event: {name}\ndata: {json.dumps(data)}\n\n"
    return Response(text, media_type="text/event-stream")


def _completion(*, delta: bool) -> dict[str, object]:
    message = {"role": "assistant", "content": _ANSWER}
    choice = {"index": 0, "delta" if delta else "message": message, "finish_reason": "stop"}
    return {"id": "1", "created": 1, "model": "scripted", "choices": [choice], "usage": _USAGE}


def limited(room: int, seconds: float) -> Starlette:
    """Return the app of both services."""
    stages = {"captioner": _Stage(room, seconds), "reasoner": _Stage(room, seconds)}
    full = JSONResponse({"error": {"message": "no room"}}, status_code=503)

    async def perceive(request: Request) -> Response:
        parts = (await request.json())["parts"]
        if not await stages["captioner"].take():
            return full
        generations = {part: [_CAPTION] for part in parts}
        return _events({**_IDENTITY, "failed": {}, **generations}, name="done")

    async def chat(request: Request) -> Response:
        streams = (await request.json()).get("stream")
        if not await stages["reasoner"].take():
            return full
        if streams:
            return _events(_completion(delta=True))
        return JSONResponse(_completion(delta=False))

    def get(path: str, answer: object) -> Route:
        return Route(path, lambda _: JSONResponse(answer() if callable(answer) else answer))

    return Starlette(
        routes=[
            Route("/v1/perceive", perceive, methods=["POST"]),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            get("/v1/identity", {**_IDENTITY, "parts": ["caption", "tentative"]}),
            get("/v1/models", {"object": "list", "data": [{"id": "scripted"}]}),
            get("/seen", lambda: {name: asdict(stage.seen) for name, stage in stages.items()}),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("room", type=int)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    uvicorn.run(limited(given.room, given.seconds), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
