"""The reader over OpenAI's chat API, at the port that RACRO_CONFIG names.

python -m experiments.cro_proof.reader_server
"""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import yaml
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response, StreamingResponse

from experiments.cro_proof.reader import answer

MODEL = "reader"
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def create_app() -> FastAPI:
    app = FastAPI(title="The proof's reader")

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "racro"}]}

    @app.post("/v1/chat/completions")
    async def chat(request: dict[str, Any]) -> Response:
        text = answer(request["messages"][-1]["content"])
        if request.get("stream"):
            return StreamingResponse(_events(text), media_type="text/event-stream")
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse(_envelope("chat.completion") | {"choices": [choice], "usage": _USAGE})

    return app


def _envelope(kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
    }


def _events(text: str) -> Iterator[bytes]:
    envelope = _envelope("chat.completion.chunk")
    delta = {"role": "assistant", "content": text}
    for choices, more in (
        ([{"index": 0, "delta": delta, "finish_reason": None}], {}),
        ([{"index": 0, "delta": {}, "finish_reason": "stop"}], {}),
        ([], {"usage": _USAGE}),
    ):
        yield b"data: " + msgspec.json.encode({**envelope, "choices": choices, **more}) + b"\n\n"
    yield b"data: [DONE]\n\n"


if __name__ == "__main__":
    settings = yaml.safe_load(Path(os.environ["RACRO_CONFIG"]).read_text(encoding="utf-8"))
    uvicorn.run(create_app(), host="127.0.0.1", port=settings["port"], log_level="warning")
