"""A real gateway and a real captioner, whose engine is scripted and keeps what it is shown.

A file is sent by any of the `ENTRIES` and answered; what the captioner showed its engine then, and
what the reasoner got, is told beside it.
"""

import base64
import io
import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
from PIL import Image

from support import http
from support.chat_places import new_question
from support.command import invoke
from support.pictures import data_url
from support.processes import Service
from support.scripted import ScriptedServer
from support.stranger_files.expectations import StrangerFile

CAPTION = "Four quarters."


@dataclass(frozen=True)
class Outcome:
    """What a client was answered for a file: a status, and of an error its code and words.

    `param` is the field that an error names, `expected_param` the one that the file came in.
    `shown` are the pictures that the engine got, `texts` what stood between them, and `reasoned`
    is the body of what the reasoner was asked.
    """

    status: int
    code: str
    message: str
    param: str | None
    expected_param: str
    shown: list[Image.Image]
    texts: str
    reasoned: bytes


class PictureStack:
    """The services, for as long as the block lasts. `client` is how they are asked."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self.engine = opened.enter_context(ScriptedServer())
            self.reasoner = opened.enter_context(ScriptedServer())
            self.engine.script.texts = [CAPTION]
            self.captioner = opened.enter_context(
                Service("services.captioner", _captioner_config(self.engine))
            )
            self.gateway = opened.enter_context(
                Service("gateway", _gateway_config(self.captioner, self.reasoner))
            )
            self.client = opened.enter_context(http.client())
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *details: object) -> None:
        self._closing.__exit__(*details)

    def send(self, file: StrangerFile, entry: str) -> Outcome:
        """Return what a file comes to that is sent by this entry."""
        return self.send_bytes(file.make(), file.media_type, entry)

    def send_bytes(self, data: bytes, media_type: str, entry: str) -> Outcome:
        ask, param = ENTRIES[entry]
        self._forget()
        return self._outcome(ask(self, data, media_type), param)

    def send_chat(self, messages: Sequence[dict[str, Any]]) -> Outcome:
        """Return what a chat comes to, of whose messages one has a file in it."""
        self._forget()
        return self._outcome(_chat_of(self, messages), "messages")

    def _forget(self) -> None:
        self.engine.asked.clear()
        self.reasoner.asked.clear()

    def _outcome(self, answer: httpx2.Response, param: str) -> Outcome:
        error = _error_in(answer)
        shown, texts = self._shown()
        return Outcome(
            status=answer.status_code,
            code=error.get("code", ""),
            message=error.get("message", ""),
            param=error.get("param"),
            expected_param=param,
            shown=shown,
            texts=texts,
            reasoned=b"".join(asked.raw for asked in self.reasoner.chats),
        )

    def _shown(self) -> tuple[list[Image.Image], str]:
        """Return the pictures and the texts of the first call for a caption."""
        if not self.engine.chats:
            return [], ""
        content = self.engine.chats[0].json["messages"][-1]["content"]
        urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
        pictures = [Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))) for url in urls]
        return pictures, "\n".join(part["text"] for part in content if part["type"] == "text")


def _captioner_config(engine: ScriptedServer) -> dict[str, Any]:
    vlm = {"kind": "vlm", "engine": {"url": f"{engine.url}/v1", "model": "scripted"}}
    # One worker: what a file takes is its own.
    return {"captioner": vlm, "workers": {"count": 1}}


def _gateway_config(captioner: Service, reasoner: ScriptedServer) -> dict[str, Any]:
    return {
        "captioner": {"url": captioner.url},
        "reasoners": {"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
        "fetch": {"allow_private": True},
    }


def _error_in(answer: httpx2.Response) -> dict[str, Any]:
    """Return the error of an answer, of a stream also one that comes after its beginning."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        return {"code": "in-the-stream"} if '"error"' in answer.text else {}
    return answer.json().get("error") or {}


def _solve(stack: PictureStack, data: bytes, media_type: str) -> httpx2.Response:
    return _solve_json(stack, data_url(data, media_type))


def _solve_json(stack: PictureStack, image: str) -> httpx2.Response:
    body = {"question": new_question(), "images": [image], "tentative": False}
    return stack.client.post(f"{stack.gateway.url}/v1/solve", json=body)


def _upload(stack: PictureStack, data: bytes, media_type: str) -> httpx2.Response:
    return stack.client.post(
        f"{stack.gateway.url}/v1/solve",
        data={"question": new_question(), "tentative": "false"},
        files=[("image", ("upload", data, media_type))],
    )


def _url(stack: PictureStack, data: bytes, _: str) -> httpx2.Response:
    name = uuid.uuid4().hex
    stack.reasoner.script.files = {name: data}
    return _solve_json(stack, f"{stack.reasoner.url}/files/{name}")


def _chat(
    stack: PictureStack, data: bytes, media_type: str, *, stream: bool = False
) -> httpx2.Response:
    image = {"type": "image_url", "image_url": {"url": data_url(data, media_type)}}
    content = [image, {"type": "text", "text": new_question()}]
    return _chat_of(stack, [{"role": "user", "content": content}], stream=stream)


def _chat_of(
    stack: PictureStack, messages: Sequence[dict[str, Any]], *, stream: bool = False
) -> httpx2.Response:
    return stack.client.post(
        f"{stack.gateway.url}/v1/chat/completions", json={"messages": messages, "stream": stream}
    )


def _chat_streamed(stack: PictureStack, data: bytes, media_type: str) -> httpx2.Response:
    return _chat(stack, data, media_type, stream=True)


def _visual_context(stack: PictureStack, data: bytes, media_type: str) -> httpx2.Response:
    body = {"question": new_question(), "images": [data_url(data, media_type)], "tentative": False}
    return stack.client.post(f"{stack.gateway.url}/v1/visual-contexts", json=body)


Ask = Callable[[PictureStack, bytes, str], httpx2.Response]
# Where a file goes in, and the field that an error of it names.
ENTRIES: dict[str, tuple[Ask, str]] = {
    "data URL": (_solve, "images[0]"),
    "upload": (_upload, "image[0]"),
    "http URL": (_url, "images[0]"),
    "chat": (_chat, "messages[0].content[0].image_url"),
    "streamed chat": (_chat_streamed, "messages[0].content[0].image_url"),
    "visual context": (_visual_context, "images[0]"),
}


def solve_by_command(stack: PictureStack, data: bytes) -> tuple[int, str]:
    """Return how `racro solve` ends for a file, and what it prints about it."""
    stack.engine.asked.clear()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        ended = invoke("solve", path, new_question(), "--gateway", stack.gateway.url)
    return ended.returncode, ended.stdout + ended.stderr
