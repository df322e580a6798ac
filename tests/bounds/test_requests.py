"""Whatever a request has in it, the gateway's event loop computes 50 ms at most at a stretch."""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from support import http
from support.loop_cpu import MeasuredService
from support.pictures import png
from support.scripted import ScriptedServer

_LONGEST_S = 0.05
# Of compose and the chart, half of it for what else is asked at the same time.
_MEMORY_LIMIT_MIB = 1024 / 2
_PICTURE = png()
_MIB = 2**20
# Two marks whose order the normal form changes.
MARKS = "\u0301\u0323"
_FORM = {"content-type": "multipart/form-data; boundary=x"}


class Row(NamedTuple):
    """A request: where to, its body (made when it is needed), and the status of the answer."""

    path: str
    body: Callable[[], bytes]
    status: int
    says: str = ""
    headers: dict[str, str] | None = None


def large_png(size: int) -> bytes:
    """Return a picture that declares a few pixels and is `size` bytes long."""
    end = _PICTURE.index(b"IEND") - 4
    padding = size - len(_PICTURE) - 12
    kind = b"teSt"
    content = bytes(padding)
    chunk = padding.to_bytes(4, "big") + kind + content
    chunk += zlib.crc32(kind + content).to_bytes(4, "big")
    return _PICTURE[:end] + chunk + _PICTURE[end:]


def url(data: bytes = _PICTURE, *, line: int = 0, padded: bool = True) -> str:
    text = base64.b64encode(data).decode()
    if line:
        text = "\\n".join(text[at : at + line] for at in range(0, len(text), line))
    return "data:image/png;base64," + (text if padded else text.rstrip("="))


def solve(question: str = '"What?"', images: str | None = None, more: str = "") -> bytes:
    images = f'["{url()}"]' if images is None else images
    return f'{{"question": {question}, "images": {images}{more}}}'.encode()


def chat(*parts: str, more: str = "", messages: str = "") -> bytes:
    content = ", ".join(parts)
    messages = messages or f'[{{"role": "user", "content": [{content}]}}]'
    return f'{{"messages": {messages}{more}}}'.encode()


def text_part(text: str) -> str:
    return f'{{"type": "text", "text": "{text}"}}'


def image_part(address: str = "") -> str:
    return f'{{"type": "image_url", "image_url": {{"url": "{address or url()}"}}}}'


def many(item: str, count: int) -> str:
    return ",".join([item] * count)


def result(text: str) -> bytes:
    """Return a chat with the result of a tool."""
    messages = [{"role": "user", "content": "What?"}, {"role": "tool", "content": text}]
    return json.dumps({"messages": messages}).encode()


def numbered(count: int) -> str:
    return "".join(f',"name{number}":1' for number in range(count))


def form(files: int, size: int) -> bytes:
    part = b'--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    question = b'--x\r\ncontent-disposition: form-data; name="question"\r\n\r\nWhat?\r\n'
    return question + (part + large_png(size) + b"\r\n") * files + b"--x--\r\n"


RESULT_IMAGE = json.dumps(
    {"type": "image", "data": url().rpartition(",")[2], "mimeType": "image/png"}
)
SMALL_IMAGE = json.dumps({"type": "image", "data": "A" * 300, "mimeType": "image/png"})
SOLVE, CHAT, CONTEXTS = "/v1/solve", "/v1/chat/completions", "/v1/visual-contexts"
ROWS = {
    "solve-empty-images": Row(
        SOLVE, lambda: solve(images=f"[{many(chr(34) * 2, 4_000_000)}]"), 400, "max_images = 20"
    ),
    "solve-numbers": Row(
        SOLVE, lambda: solve(images=f"[{many('1', 1_000_000)}]"), 400, "max_images = 20"
    ),
    "solve-fields": Row(SOLVE, lambda: solve(more=numbered(300_000)), 400, "max_fields = 128"),
    "solve-question-list": Row(
        SOLVE, lambda: solve(question=f"[{many('1', 5_000_000)}]"), 400, "max_fields = 128"
    ),
    "solve-question-nested": Row(
        SOLVE, lambda: solve(question=f"[[{many('1', 5_000_000)}]]"), 400, "question: "
    ),
    "solve-no-json": Row(SOLVE, lambda: b"[" + b'"",' * 4_000_000, 400),
    "solve-two-large": Row(
        SOLVE,
        lambda: solve(
            images=json.dumps([url(large_png(19 * _MIB)), url(large_png(19 * _MIB + 1))])
        ),
        200,
    ),
    "solve-line-breaks": Row(
        SOLVE, lambda: solve(images=f'["{url(large_png(19 * _MIB), line=76)}"]'), 200
    ),
    "solve-no-padding": Row(
        SOLVE, lambda: solve(images=f'["{url(large_png(19 * _MIB + 1), padded=False)}"]'), 200
    ),
    "solve-no-base64": Row(
        SOLVE, lambda: solve(images=f'["data:image/png;base64,{"*" * 25_000_000}"]'), 400
    ),
    "solve-form": Row(SOLVE, lambda: form(3, 19 * _MIB), 200, headers=_FORM),
    "solve-form-files": Row(
        SOLVE, lambda: form(20_000, 2000), 400, "max_images = 20", headers=_FORM
    ),
    "contexts-empty-images": Row(
        CONTEXTS, lambda: solve(images=f"[{many(chr(34) * 2, 4_000_000)}]"), 400, "max_images = 20"
    ),
    "contexts-large": Row(CONTEXTS, lambda: solve(images=f'["{url(large_png(19 * _MIB))}"]'), 200),
    "chat-fields": Row(
        CHAT, lambda: chat(image_part(), more=numbered(1_000_000)), 400, "max_fields = 128"
    ),
    "chat-parts": Row(
        CHAT,
        lambda: chat(image_part(), many(text_part(""), 1_000_000)),
        400,
        "max_parts = 4096",
    ),
    "chat-messages": Row(
        CHAT,
        lambda: chat(messages=f'[{many("{}", 1_000_000)},{{"content":[{image_part()}]}}]'),
        400,
        "max_messages = 2048",
    ),
    "chat-messages-of-text": Row(CHAT, lambda: chat(messages=f"[{many('{}', 1_000_000)}]"), 200),
    "chat-images": Row(CHAT, lambda: chat(many(image_part(), 4000)), 200),
    "chat-text": Row(CHAT, lambda: chat(text_part("<" * 60_000_000)), 200),
    "chat-unfinished-escapes": Row(CHAT, lambda: chat(text_part("\\u003c" * 10_000_000)), 200),
    "chat-other-text-and-image": Row(
        CHAT,
        lambda: chat(
            messages=f'[{{"role":"system","content":"{"x" * 60_000_000}"}},'
            f'{{"role":"user","content":[{text_part("What?")},{image_part()}]}}]'
        ),
        200,
    ),
    "chat-long-text-and-image": Row(
        CHAT, lambda: chat(text_part("x" * 60_000_000), image_part()), 200
    ),
    "chat-brackets-and-image": Row(
        CHAT, lambda: chat(text_part("<" * 10_000_000), image_part()), 200
    ),
    "chat-reminders": Row(
        CHAT, lambda: chat(text_part("<system-reminder>" * 10_000), image_part()), 200
    ),
    "chat-many-reminders": Row(
        CHAT,
        lambda: chat(text_part("<system-reminder></system-reminder>" * 500_000), image_part()),
        200,
    ),
    "chat-many-tasks": Row(
        CHAT, lambda: chat(text_part("<task></task>" * 1_000_000), image_part()), 200
    ),
    "chat-carriage-returns": Row(
        CHAT, lambda: chat(text_part("\\r" * 5_000_000), image_part()), 200
    ),
    "chat-marks": Row(CHAT, lambda: chat(text_part(MARKS * 1_000_000), image_part()), 200),
    "solve-carriage-returns": Row(
        SOLVE,
        lambda: solve(question='"a' + "\\r" * 60_000 + 'b"'),
        400,
        "max_question_chars = 8192",
    ),
    "solve-marks": Row(
        SOLVE, lambda: solve(question=f'"a{MARKS * 4000}"'), 400, "30 combining marks"
    ),
    "contexts-marks": Row(
        CONTEXTS, lambda: solve(question=f'"a{MARKS * 4000}"'), 400, "30 combining marks"
    ),
    "solve-long-question": Row(
        SOLVE, lambda: solve(question=f'"{"x" * 60_000_000}"'), 400, "max_question_chars = 8192"
    ),
    "chat-two-large": Row(
        CHAT,
        lambda: chat(
            text_part("What?"),
            image_part(url(large_png(19 * _MIB))),
            image_part(url(large_png(19 * _MIB + 1))),
        ),
        200,
    ),
    "chat-result-nested": Row(CHAT, lambda: result("[" * 10_000_000 + "]" * 10_000_000), 200),
    "chat-result-lists": Row(
        CHAT, lambda: result(f'[{many("[]", 6_000_000)},{{"type":"image"}}]'), 200
    ),
    "chat-result-fields": Row(
        CHAT, lambda: result(f'{{"type":"image"{numbered(1_000_000)}}}'), 200
    ),
    "chat-result-images": Row(CHAT, lambda: result(f"[{many(SMALL_IMAGE, 100_000)}]"), 200),
    "chat-result-some-images": Row(CHAT, lambda: result(f"[{many(RESULT_IMAGE, 4000)}]"), 200),
    "chat-result-large": Row(
        CHAT, lambda: result(f'[{{"screenshot":"{url(large_png(19 * _MIB))}"}}]'), 200
    ),
    "chat-result-large-within-levels": Row(
        CHAT,
        lambda: result("[" * 60 + f'{{"screenshot":"{url(large_png(19 * _MIB))}"}}' + "]" * 60),
        200,
    ),
    "chat-markdown-without-ends": Row(
        CHAT, lambda: chat(text_part("![a](data:image/png;base64,A" * 1_000_000)), 200
    ),
    "chat-markdown-large": Row(
        CHAT, lambda: chat(text_part(f"Here: ![a]({url(large_png(19 * _MIB))})")), 200
    ),
    "chat-markdown-images": Row(CHAT, lambda: chat(text_part(f"![a]({url()})" * 4000)), 200),
    "chat-images-beside": Row(
        CHAT,
        lambda: chat(messages=f'[{{"role":"user","images":[{many(chr(34) * 2, 4_000_000)}]}}]'),
        400,
        "images: more than 4096",
    ),
    "body-too-large": Row(CHAT, lambda: bytes(70 * _MIB), 413),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_no_request_holds_the_event_loop_up(
    measured: MeasuredService, captioner: ScriptedServer, reasoner: ScriptedServer,
    row: Row, record_property: Callable[[str, Any], None],
) -> None:  # fmt: skip
    body = row.body()
    headers = row.headers or {"content-type": "application/json"}
    measured.clear()
    answer = http.post(measured.url + row.path, content=body, headers=headers)
    assert http.get(f"{measured.url}/healthz").status_code == 200
    found = measured.stretches()
    record_property("loop_cpu_ms", found.cpu_s * 1000)
    # For information: where the machine is busy, they tell about the machine, too.
    print(  # noqa: T201
        f"{row.path} {answer.status_code}: loop {found.cpu_s * 1000:.0f} ms,"
        f" by the clock {found.wall_s * 1000:.0f} ms, process {found.process_cpu_s:.2f} s,"
        f" {measured.peak_mib():.0f} MiB; {answer.text[:120]}"
    )
    assert (answer.status_code, row.says in answer.text) == (row.status, True)
    assert found.cpu_s <= _LONGEST_S
    assert measured.peak_mib() <= _MEMORY_LIMIT_MIB
